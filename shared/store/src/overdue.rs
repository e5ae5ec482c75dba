//! The index of due enrollments, as `reconcile` reads it.

use std::collections::HashMap;

use cadence_core::{EnrollmentId, LeadId};
use chrono::{DateTime, Utc};

use crate::{
    Store, StoreError,
    error::sorted,
    item::{read, s},
    keys,
};

#[derive(serde::Deserialize)]
struct Found {
    lead: LeadId,
    id: EnrollmentId,
}

impl Store {
    /// Every enrollment that is due, or whose claim runs out, at `now` or before; the longest overdue first in each shard.
    pub async fn load_due(&self, now: DateTime<Utc>) -> Result<Vec<(LeadId, EnrollmentId)>, StoreError> {
        self.indexed(keys::due_shard, Some(now)).await
    }

    /// Every parked enrollment.
    pub async fn load_parked(&self) -> Result<Vec<(LeadId, EnrollmentId)>, StoreError> {
        self.indexed(keys::parked_shard, None).await
    }

    async fn indexed(
        &self,
        shard: fn(u8) -> String,
        until: Option<DateTime<Utc>>,
    ) -> Result<Vec<(LeadId, EnrollmentId)>, StoreError> {
        let mut found = Vec::new();
        for number in 0..keys::DUE_SHARDS {
            let mut values = HashMap::from([(":shard".to_owned(), s(shard(number)))]);
            values.extend(until.map(|until| (":until".to_owned(), s(keys::instant(until)))));
            let query = self
                .client
                .query()
                .table_name(&self.leads)
                .index_name(keys::DUE_INDEX)
                .key_condition_expression(match until {
                    Some(_) => "due_shard = :shard AND due_at <= :until",
                    None => "due_shard = :shard",
                })
                .set_expression_attribute_values(Some(values));
            let mut pages = query.into_paginator().items().send();
            while let Some(item) = pages.next().await {
                let row: Found = read(item.map_err(|error| sorted("Query", error))?)?;
                found.push((row.lead, row.id));
            }
        }
        Ok(found)
    }
}
