//! The config table as people see it who edit its records: all of them, what of each is at work, their versions, and a new edit. For the
//! command, not for functions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    operation::{query::builders::QueryFluentBuilder, scan::builders::ScanFluentBuilder},
    types::AttributeValue,
};
use cadence_core::records::{KINDS, Record, print};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Committed, Edited, Store, StoreError,
    config::PublishedAs,
    error::sorted,
    item::{attribute, key, read, s},
    keys,
    publish::{NOT_READ, is_ours},
    update::Edit,
};

/// A version that is kept of a record.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Kept {
    /// Its number.
    pub version: u32,
    /// When it was published; versions of before 2026-11-25 don't say.
    #[serde(default)]
    pub published_at: Option<DateTime<Utc>>,
    #[serde(default)]
    content: Option<Value>,
    record: Value,
}

impl Kept {
    /// What ops wrote; of versions of before 2026-11-25, what comes to the same.
    pub fn written(&self, pk: &str) -> Value {
        let kind = pk.split('#').next().unwrap_or_default();
        self.content.clone().unwrap_or_else(|| as_edited(kind, &self.record))
    }
}

/// What is at work of a record, whatever edit of it stands there.
#[derive(Clone, Debug, PartialEq)]
pub struct AtWork {
    /// The version's number.
    pub version: u32,
    /// What it says, as ops would write it: without notes.
    pub content: Value,
    /// Whether its record is no longer there: what refers to it then refers to nothing, though who runs with it goes on.
    pub is_deleted: bool,
}

/// Which item it is.
#[derive(Deserialize)]
struct Keys {
    pk: String,
    sk: String,
}

/// An item that was told that nothing reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Unread {
    /// Its partition key.
    pub pk: String,
    /// Its sort key, which is no record's.
    pub sk: String,
    /// Why nothing reads it.
    pub problems: Vec<String>,
}

/// A stored record as ops would write it.
fn as_edited(kind: &str, stored: &Value) -> Value {
    Record::from_stored(kind, stored).map_or_else(|| stored.clone(), |record| Edited::content_of(print(&record)))
}

/// The names of the account's tables.
pub async fn list_tables(aws: &SdkConfig) -> Result<Vec<String>, StoreError> {
    let mut pages = Client::new(aws).list_tables().into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(name) = pages.next().await {
        names.push(name.map_err(|error| sorted("ListTables", error))?);
    }
    Ok(names)
}

/// All items that a scan finds.
async fn items_of(scan: ScanFluentBuilder) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
    let mut pages = scan.into_paginator().items().send();
    let mut items = Vec::new();
    while let Some(item) = pages.next().await {
        items.push(item.map_err(|error| sorted("Scan", error))?);
    }
    Ok(items)
}

impl Store {
    /// Looks through the whole config table.
    fn scan(&self) -> ScanFluentBuilder {
        self.client.scan().table_name(&self.config).consistent_read(true)
    }

    /// Every record as it stands now, by key.
    pub async fn load_edited_all(&self) -> Result<Vec<Edited>, StoreError> {
        let scan = self.scan().filter_expression("sk = :current");
        let scan = scan.expression_attribute_values(":current", s(keys::CURRENT));
        let mut found = items_of(scan).await?.into_iter().map(Edited::of).collect::<Result<Vec<_>, _>>()?;
        found.retain(|edited| !keys::is_published_pk(&edited.pk));
        found.sort_by(|one, other| one.pk.cmp(&other.pk));
        Ok(found)
    }

    /// The items that were told that nothing reads them, because of their keys.
    pub async fn load_unread(&self) -> Result<Vec<Unread>, StoreError> {
        let scan = self
            .scan()
            .filter_expression("sk <> :current AND begins_with(#check, :unread)")
            .expression_attribute_names("#check", "check")
            .expression_attribute_values(":current", s(keys::CURRENT))
            .expression_attribute_values(":unread", s(NOT_READ));
        let mut found = items_of(scan).await?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        found.sort();
        Ok(found)
    }

    /// What is at work of every record, by the record's key.
    pub async fn load_at_work_all(&self) -> Result<BTreeMap<String, AtWork>, StoreError> {
        let mut all = BTreeMap::new();
        for kind in KINDS {
            let found: Vec<PublishedAs> = self.partition(&self.config, keys::published_pk(kind)).await?;
            let there = self.load_there(kind, found.iter().map(|found| found.id.as_str())).await?;
            all.extend(found.into_iter().map(|PublishedAs { id, version, record }| {
                let is_deleted = !there.contains(&id);
                (format!("{kind}#{id}"), AtWork { version, content: as_edited(kind, &record), is_deleted })
            }));
        }
        Ok(all)
    }

    /// The keys of records that are no longer there and of which there are versions.
    pub async fn load_deleted(&self) -> Result<BTreeSet<String>, StoreError> {
        let scan = self
            .scan()
            .projection_expression("pk, sk")
            .filter_expression("sk = :current OR begins_with(sk, :version) AND attribute_not_exists(#check)")
            .expression_attribute_names("#check", "check")
            .expression_attribute_values(":current", s(keys::CURRENT))
            .expression_attribute_values(":version", s("VERSION#"));
        let (mut there, mut kept) = (BTreeSet::new(), BTreeSet::new());
        for item in items_of(scan).await? {
            let Keys { pk, sk } = read(item)?;
            if sk == keys::CURRENT { &mut there } else { &mut kept }.insert(pk);
        }
        Ok(&kept - &there)
    }

    /// The versions of a record, the newest first.
    pub async fn load_versions(&self, pk: &str) -> Result<Vec<Kept>, StoreError> {
        let mut pages = self.versions(pk).into_paginator().items().send();
        let mut found: Vec<Kept> = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| sorted("Query", error))?;
            // Versions are told nothing; what is told that nothing reads it is none.
            if !item.contains_key("check") {
                found.push(read(item)?);
            }
        }
        Ok(found)
    }

    /// Asks for the versions of a record, the newest first.
    pub(crate) fn versions(&self, pk: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.config)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :version)")
            .expression_attribute_values(":pk", s(pk))
            .expression_attribute_values(":version", s("VERSION#"))
            .scan_index_forward(false)
    }

    /// Writes a record anew, to be checked. Stale if it no longer is what was read; what others added to it stays.
    pub async fn save(&self, pk: &str, content: &Value, read: Option<&Edited>) -> Result<Committed, StoreError> {
        let of = key(pk, keys::CURRENT);
        let mut edit = if read.is_some() { Edit::of(of) } else { Edit::anywhere(of) };
        if read.is_none() {
            edit.expect_none(&[keys::PK]);
        }
        let written = content.as_object();
        for (name, value) in read.iter().flat_map(|read| read.attributes()) {
            match is_ours(name) {
                true if name == keys::PK || name == keys::SK => {}
                // Whoever finds no verdict knows that there is none on this content yet.
                true => {
                    edit.remove(&[name]);
                }
                false => {
                    edit.expect(&[name], value.clone());
                    if written.is_none_or(|written| !written.contains_key(name)) {
                        edit.remove(&[name]);
                    }
                }
            }
        }
        for (name, value) in written.into_iter().flatten() {
            if read.is_none_or(|read| read.content.get(name).is_none()) {
                edit.expect_none(&[name]);
            }
            edit.set(&[name], attribute(value)?);
        }
        self.write(vec![edit.item(&self.config)?]).await
    }
}
