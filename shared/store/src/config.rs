//! The config table's published records, as the functions read them.

use std::collections::BTreeMap;

use cadence_core::{
    CadenceId, SourceId,
    arrival::Catalogue,
    records::{Cadence, Settings, Source, Status, User},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Store, StoreError,
    item::{Item, key, read},
    keys,
    load::SETTINGS,
};

/// A published item, and of which record it is.
#[derive(Deserialize)]
pub(crate) struct PublishedAs {
    #[serde(rename = "sk")]
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) record: Value,
}

/// A published record and its version.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Published<T> {
    pub(crate) version: u32,
    pub(crate) record: T,
}

impl Store {
    /// The source of that name, if it is published.
    pub async fn load_source(&self, id: &SourceId) -> Result<Option<Source>, StoreError> {
        let found = self.get(&self.config, key(keys::published_pk("SOURCE"), id.as_str())).await?;
        Ok(found.map(published::<Source>).transpose()?.map(|source| source.record))
    }

    /// The status of every published cadence whose copy can be read.
    pub async fn load_statuses(&self) -> Result<BTreeMap<CadenceId, Status>, StoreError> {
        let found: Vec<PublishedAs> = self.partition(&self.config, keys::published_pk("CADENCE")).await?;
        let status = |record: &Value| Status::deserialize(record.get("status")?).ok();
        let read = found.into_iter().filter_map(|found| Some((CadenceId::new(&*found.id), status(&found.record)?)));
        Ok(read.collect())
    }

    /// What a new lead is matched with.
    pub async fn load_catalogue(&self) -> Result<Catalogue, StoreError> {
        let (settings, cadences, users) = tokio::try_join!(
            self.get(&self.config, key(keys::published_pk("SETTINGS"), SETTINGS)),
            self.published::<Cadence>("CADENCE"),
            self.published_users(),
        )?;
        let settings = settings
            .ok_or_else(|| StoreError::Missing { what: "published record", id: "SETTINGS#company".to_owned() })?;
        Ok(Catalogue {
            cadences: cadences.into_iter().map(|cadence| (cadence.record, cadence.version)).collect(),
            users,
            settings: published::<Settings>(settings)?.record,
        })
    }

    pub(crate) async fn published_users(&self) -> Result<Vec<User>, StoreError> {
        let users: Vec<Published<User>> = self.published("USER").await?;
        Ok(users.into_iter().map(|user| user.record).collect())
    }

    /// Every published record of a kind, by id.
    pub(crate) async fn published<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<Published<T>>, StoreError> {
        self.partition(&self.config, keys::published_pk(kind)).await
    }
}

/// Reads a published item.
pub(crate) fn published<T: DeserializeOwned>(item: Item) -> Result<Published<T>, StoreError> {
    read(item)
}
