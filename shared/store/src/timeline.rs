//! A lead's timeline.

use cadence_core::{LeadId, timeline::Entry};

use crate::{
    Store, StoreError,
    error::sorted,
    item::{read, s},
    keys,
};

impl Store {
    /// What happened to a lead, in order.
    pub async fn load_timeline(&self, lead: &LeadId) -> Result<Vec<Entry>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.leads)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :timeline)")
            .expression_attribute_values(":pk", s(keys::lead_pk(lead)))
            .expression_attribute_values(":timeline", s(keys::TIMELINE));
        let mut pages = query.into_paginator().items().send();
        let mut entries = Vec::new();
        while let Some(item) = pages.next().await {
            entries.push(read(item.map_err(|error| sorted("Query", error))?)?);
        }
        Ok(entries)
    }
}
