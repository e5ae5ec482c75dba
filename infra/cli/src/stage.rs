//! A whole stage, as those see it who look after it: both tables, the queues, and its time.

use aws_config::SdkConfig;
use cadence_store::{Store, StoreError};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{aws, client::ApiClient, here, queues::Queues, table::Place};

/// A stage.
pub(crate) struct Stage {
    /// Both tables.
    pub(crate) store: Store,
    /// How they are spoken of.
    pub(crate) place: Place,
    /// What SDK clients are made with.
    pub(crate) aws: SdkConfig,
    /// The stack that it is; `None` for the local cloud.
    pub(crate) stack: Option<String>,
}

impl Stage {
    /// The instant there: the local cloud has a clock of its own.
    pub(crate) async fn now(&self) -> DateTime<Utc> {
        let told = match &self.place.endpoint {
            Some(endpoint) if self.place.is_on_this_machine() => {
                ApiClient::new(endpoint).get("/_local?json", None).await.ok()
            }
            _ => None,
        };
        let told = told.and_then(|page| page.get("now").and_then(Value::as_str).and_then(|now| now.parse().ok()));
        told.unwrap_or_else(here::now)
    }

    /// Its queues.
    pub(crate) async fn queues(&self) -> anyhow::Result<Queues> {
        Queues::find(&self.aws, self.stack.as_deref(), &self.place).await
    }

    /// An error of its tables, with what to do about it.
    pub(crate) fn explained(&self, error: StoreError) -> anyhow::Error {
        aws::explained(error, &self.place)
    }
}

/// What is wrong with something that can't be loaded, causes and all.
pub(crate) fn unreadable(error: StoreError) -> String {
    format!("{:#}", anyhow::Error::new(error))
}
