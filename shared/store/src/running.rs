//! The index of running enrollments: how many leads run through a cadence, and what its record says of it.

use cadence_core::{
    CadenceId,
    records::{Cadence, Running},
};

use crate::{
    Committed, Store, StoreError,
    config::published,
    error::sorted,
    item::{key, s, text},
    keys,
    load::MOST_GOT,
    update::Edit,
};

/// Where a cadence's record says how many leads run through it.
pub(crate) const LEADS: &str = "leads";

impl Store {
    /// How many leads run through a cadence. Read from an index, so what just changed may not be counted yet.
    pub async fn load_running(&self, cadence: &CadenceId) -> Result<Running, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.leads)
            .index_name(keys::RUNNING_INDEX)
            .key_condition_expression("runs_in = :cadence")
            .expression_attribute_values(":cadence", s(cadence.as_str()))
            .projection_expression(keys::RUNS_AS)
            .scan_index_forward(false);
        let mut pages = query.into_paginator().items().send();
        let mut running = Running::default();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| sorted("Query", error))?;
            let is_counted =
                keys::running_version(&text(&item, keys::RUNS_AS)).is_none_or(|version| running.add(version));
            if !is_counted {
                break;
            }
        }
        Ok(running)
    }

    /// The versions of cadences that leads run through.
    pub async fn load_running_versions(&self) -> Result<Vec<Cadence>, StoreError> {
        let mut versions = Vec::new();
        for id in self.config_ids(keys::published_pk("CADENCE")).await? {
            let running = self.load_running(&CadenceId::new(id.as_str())).await?;
            for version in running.versions() {
                let version = key(format!("CADENCE#{id}"), keys::version_sk(version));
                let version = self.get(&self.config, version).await?.map(published::<Cadence>).transpose()?;
                versions.extend(version.map(|version| version.record));
            }
        }
        Ok(versions)
    }

    /// What the records of the published cadences say of the leads that run through them. A cadence whose record is gone is left out.
    pub async fn load_told_leads(&self) -> Result<Vec<(CadenceId, String)>, StoreError> {
        let ids = self.config_ids(keys::published_pk("CADENCE")).await?;
        let mut told = Vec::new();
        for ids in ids.chunks(MOST_GOT) {
            let wanted = ids.iter().map(|id| (format!("CADENCE#{id}"), keys::CURRENT.to_owned()));
            let mut records = self.config_items(wanted.collect()).await?;
            let leads = ids.iter().filter_map(|id| {
                let record = records.take(&format!("CADENCE#{id}"), keys::CURRENT)?;
                Some((CadenceId::new(id), text(&record, LEADS)))
            });
            told.extend(leads);
        }
        Ok(told)
    }

    /// Writes on a cadence's record how many leads run through it, and nothing else. Stale if the record is gone.
    pub async fn tell_leads(&self, cadence: &CadenceId, running: &Running) -> Result<Committed, StoreError> {
        let mut edit = Edit::of(key(format!("CADENCE#{cadence}"), keys::CURRENT));
        edit.set(&[LEADS], s(running.to_string()));
        self.write(vec![edit.item(&self.config)?]).await
    }

    /// The ids in a partition of the config table.
    pub(crate) async fn config_ids(&self, pk: String) -> Result<Vec<String>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.config)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", s(pk))
            .projection_expression(keys::SK);
        let mut pages = query.into_paginator().items().send();
        let mut ids = Vec::new();
        while let Some(item) = pages.next().await {
            ids.push(text(&item.map_err(|error| sorted("Query", error))?, keys::SK));
        }
        Ok(ids)
    }
}
