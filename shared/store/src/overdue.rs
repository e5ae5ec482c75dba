//! The index of due enrollments, as `reconcile` reads it.

use std::collections::HashMap;

use cadence_core::{CadenceId, EnrollmentId, LeadId, enrollment::State, overdue::Resting};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

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

/// What tells why something rests, and nothing that could be spoilt besides.
#[derive(serde::Deserialize)]
struct Rests {
    lead: LeadId,
    id: EnrollmentId,
    cadence: CadenceId,
    progress: Standing,
}

#[derive(serde::Deserialize)]
struct Standing {
    state: State,
}

impl Store {
    /// Every enrollment that is due, or whose claim runs out, at `now` or before; the longest overdue first in each shard.
    pub async fn load_due(&self, now: DateTime<Utc>) -> Result<Vec<(LeadId, EnrollmentId)>, StoreError> {
        let found: Vec<Found> = self.indexed(keys::due_shard, Some(now)).await?;
        Ok(found.into_iter().map(|found| (found.lead, found.id)).collect())
    }

    /// Every parked enrollment.
    pub async fn load_parked(&self) -> Result<Vec<Resting>, StoreError> {
        let found: Vec<Rests> = self.indexed(keys::parked_shard, None).await?;
        let resting = found.into_iter().filter_map(|Rests { lead, id, cadence, progress }| match progress.state {
            State::Parked { why } => Some(Resting { lead, enrollment: id, cadence, why }),
            State::Active | State::Ended { .. } => None,
        });
        Ok(resting.collect())
    }

    async fn indexed<T: DeserializeOwned>(
        &self,
        shard: fn(u8) -> String,
        until: Option<DateTime<Utc>>,
    ) -> Result<Vec<T>, StoreError> {
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
                found.push(read(item.map_err(|error| sorted("Query", error))?)?);
            }
        }
        Ok(found)
    }
}
