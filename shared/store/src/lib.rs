//! The two DynamoDB tables. Each method of [`Store`] is one access pattern; nothing else in the project reads or writes them.
//!
//! `leads` belongs to the functions, `config` to people. A decision is never made here: what is written comes from `cadence_core`.

mod claim;
mod commit;
mod config;
mod editing;
mod enroll;
mod error;
mod image;
mod item;
pub mod keys;
mod load;
mod opt_out;
mod overdue;
mod publish;
mod quarantine;
mod running;
mod seal;
mod settle;
mod step;
mod tables;
mod tasks;
mod timeline;
mod turns;
mod update;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client, error::SdkError, operation::transact_write_items::TransactWriteItemsError, types::TransactWriteItem,
};
use serde::de::DeserializeOwned;

pub use claim::{Claimed, Refused};
pub use commit::Committed;
pub use editing::{AtWork, Kept, Unread, list_tables};
pub use error::{Said, StoreError};
pub use image::image;
pub use publish::{Edited, NOT_READ, NewVersion, Told};
pub use quarantine::{Dismissed, Quarantined};
pub use seal::is_sealed;
pub use step::{Invocation, StepError};
pub use tables::{config_table, leads_table};

/// The two tables, through one client.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    leads: String,
    config: String,
}

impl Store {
    /// The tables of those names.
    pub fn new(aws: &SdkConfig, leads: impl Into<String>, config: impl Into<String>) -> Self {
        Self { client: Client::new(aws), leads: leads.into(), config: config.into() }
    }

    /// Everything in a partition of a table, in the order of the sort keys.
    async fn partition<T: DeserializeOwned>(&self, table: &str, pk: String) -> Result<Vec<T>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", item::s(pk));
        let mut pages = query.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(next) = pages.next().await {
            found.push(item::read(next.map_err(|error| error::sorted("Query", error))?)?);
        }
        Ok(found)
    }

    /// Writes all or nothing. `Ok(Err(..))` says, item by item, why nothing was written.
    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Result<(), Vec<error::Refusal>>, StoreError> {
        let sent = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        match sent {
            Ok(_) => Ok(Ok(())),
            Err(SdkError::ServiceError(answer)) => match answer.err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    Ok(Err(error::refusals(cancelled.cancellation_reasons())))
                }
                TransactWriteItemsError::TransactionInProgressException(_) => Ok(Err(vec![error::Refusal::Conflict])),
                _ => Err(error::sorted("TransactWriteItems", SdkError::ServiceError(answer))),
            },
            Err(other) => Err(error::sorted("TransactWriteItems", other)),
        }
    }
}
