//! The config table's edited records: read, made a version, or refused with the reason on the record.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem};
use cadence_core::records::KINDS;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Committed, Store, StoreError,
    config::{Published, PublishedAs},
    error::sorted,
    image,
    item::{Item, attribute, key, read, s, text},
    keys,
    load::MOST_GOT,
    running::LEADS,
    seal::{SEAL, is_sealed, sealed},
    update::{Edit, delete, put, put_new, put_over, put_over_number},
};

/// A record as ops left it.
#[derive(Clone, Debug)]
pub struct Edited {
    /// Its partition key: `CADENCE#zillow-purchase`.
    pub pk: String,
    /// What ops wrote, without keys and without what publish wrote back.
    pub content: Value,
    /// What was written back on it; `None` if it was not checked yet.
    pub told: Option<Told>,
    item: Item,
}

/// What is written back on a record, and by that no part of its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What came of the check, in one line.
    pub check: String,
    /// What is wrong with it.
    #[serde(default)]
    pub problems: Vec<String>,
    /// The version at work.
    #[serde(default)]
    pub published_version: Option<u32>,
    /// The timeline of the version at work, in one line: of a cadence.
    #[serde(default)]
    pub summary: Option<String>,
    /// How many leads run through it: of a cadence.
    #[serde(default)]
    pub leads: Option<String>,
}

/// A record's next version.
#[derive(Clone, Copy, Debug)]
pub struct NewVersion<'a, T> {
    /// Its number.
    pub number: u32,
    /// What the functions read.
    pub record: &'a T,
    /// When it is published.
    pub at: DateTime<Utc>,
    /// The keys of the records that it needs to be there.
    pub needs: &'a [String],
}

/// How many needed records fit into the transaction that publishes a version: it takes 100 items, and has up to five of its own.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const MOST_NEEDED: usize = 95;

/// What a record is told that is to be checked again.
const WAITS: &str = "waits to be checked again";

/// What an item is told that nothing reads.
pub const NOT_READ: &str = "NOT READ: see problems";

/// The attributes of [`Told`].
const TOLD: [&str; 5] = ["check", "problems", "published_version", "summary", LEADS];

impl Edited {
    /// A record's content: what ops wrote, without keys and without what was written back.
    pub fn content_of(mut item: Value) -> Value {
        if let Some(fields) = item.as_object_mut() {
            fields.retain(|name, _| !is_ours(name));
        }
        item
    }

    /// The kind and the id in its key; `None` where that names no record.
    pub fn kind_and_id(&self) -> Option<(&str, &str)> {
        self.pk.split_once('#').filter(|(kind, id)| KINDS.contains(kind) && !id.is_empty())
    }

    /// The item as it is stored.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&String, &AttributeValue)> {
        self.item.iter()
    }

    pub(crate) fn of(item: Item) -> Result<Self, StoreError> {
        let json = image(item.clone())?;
        // What an editor made of it may not read as what was written.
        let told = serde_json::from_value(json.clone()).ok();
        Ok(Self { pk: text(&item, keys::PK), content: Self::content_of(json), told, item })
    }
}

impl Told {
    /// Whether what it is written on was published.
    pub fn is_published(&self) -> bool {
        self.check.starts_with("ok")
    }

    /// Whether it is in words that are written back.
    pub fn is_ours(&self) -> bool {
        self.is_published() || self.is_refused() || self.check == WAITS
    }

    /// Whether what it is written on was refused.
    pub fn is_refused(&self) -> bool {
        self.check.starts_with("NOT PUBLISHED")
    }

    /// Its attributes; those that say nothing are not there.
    fn attributes(&self) -> Result<[(&'static str, Option<AttributeValue>); 5], StoreError> {
        let problems = (!self.problems.is_empty()).then_some(&self.problems);
        Ok([
            ("check", Some(attribute(&self.check)?)),
            ("problems", problems.map(attribute).transpose()?),
            ("published_version", self.published_version.as_ref().map(attribute).transpose()?),
            ("summary", self.summary.as_ref().map(attribute).transpose()?),
            (LEADS, self.leads.as_ref().map(attribute).transpose()?),
        ])
    }
}

/// Whether an attribute is a key or written back.
pub(crate) fn is_ours(name: &str) -> bool {
    name == keys::PK || name == keys::SK || TOLD.contains(&name)
}

impl Store {
    /// The record as it stands now.
    pub async fn load_edited(&self, pk: &str) -> Result<Option<Edited>, StoreError> {
        self.get(&self.config, key(pk, keys::CURRENT)).await?.map(Edited::of).transpose()
    }

    /// The published record of that kind and id, as JSON, with its version.
    pub async fn load_published(&self, kind: &str, id: &str) -> Result<Option<(Value, u32)>, StoreError> {
        let found = self.get(&self.config, key(keys::published_pk(kind), id)).await?;
        let found: Option<Published<Value>> = found.map(read).transpose()?;
        Ok(found.map(|published| (published.record, published.version)))
    }

    /// What that version of a record says, as JSON.
    pub async fn load_version(&self, pk: &str, version: u32) -> Result<Option<Value>, StoreError> {
        let found = self.get(&self.config, key(pk, keys::version_sk(version))).await?;
        let found: Option<Published<Value>> = found.map(read).transpose()?;
        Ok(found.map(|version| version.record))
    }

    /// Every published record of a kind, as JSON.
    pub async fn load_published_all(&self, kind: &str) -> Result<Vec<Value>, StoreError> {
        let found: Vec<Published<Value>> = self.published(kind).await?;
        Ok(found.into_iter().map(|published| published.record).collect())
    }

    /// The same of those whose records are there: of one that was deleted the copy stays, for those who run with it.
    pub async fn load_published_there(&self, kind: &str) -> Result<Vec<Value>, StoreError> {
        let mut found: Vec<PublishedAs> = self.partition(&self.config, keys::published_pk(kind)).await?;
        let there = self.load_there(kind, found.iter().map(|found| found.id.as_str())).await?;
        found.retain(|found| there.contains(&found.id));
        Ok(found.into_iter().map(|found| found.record).collect())
    }

    /// Those of the ids whose records are there.
    pub(crate) async fn load_there<'a>(
        &self,
        kind: &str,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let ids: Vec<&str> = ids.collect();
        let mut there = BTreeSet::new();
        for ids in ids.chunks(MOST_GOT) {
            let wanted = ids.iter().map(|id| key(format!("{kind}#{id}"), keys::CURRENT)).collect();
            let found = self.batch_get(KeysAndAttributes::builder().projection_expression(keys::PK), wanted).await?;
            let found = found.iter().map(|item| text(item, keys::PK));
            there.extend(found.filter_map(|pk| Some(pk.split_once('#')?.1.to_owned())));
        }
        Ok(there)
    }

    /// The keys of the records of a kind that were checked: those with a version, then those that have none.
    pub async fn load_checked(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        let published = self.config_ids(keys::published_pk(kind)).await?;
        let published = published.iter().map(|id| format!("{kind}#{id}"));
        Ok(published.chain(self.load_refused(kind).await?).collect())
    }

    /// The keys of the records of a kind that were refused and have no version yet.
    pub async fn load_refused(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        let ids = self.config_ids(keys::unpublished_pk(kind)).await?;
        Ok(ids.iter().map(|id| format!("{kind}#{id}")).collect())
    }

    /// Makes the record a version, if it is one, and writes back what came of the check. Stale if the record was edited meanwhile, or one
    /// that the version needs was deleted.
    pub async fn publish<T: Serialize>(
        &self,
        edited: &Edited,
        version: Option<NewVersion<'_, T>>,
        told: &Told,
    ) -> Result<Committed, StoreError> {
        let mut items = vec![self.written_back(edited, told)?];
        // Whoever lets a deleted record go looks for what needs it after it is gone, and finds what was published before that.
        for pk in version.iter().flat_map(|new| new.needs).take(MOST_NEEDED) {
            items.push(Edit::of(key(pk, keys::CURRENT)).item(&self.config)?);
        }
        if let (Some((kind, id)), Some(new)) = (edited.kind_and_id(), version) {
            let before = new.number.checked_sub(1).filter(|before| *before > 0);
            let mut published: Item = key(keys::published_pk(kind), id);
            published.insert("version".to_owned(), attribute(&new.number)?);
            published.insert("record".to_owned(), attribute(new.record)?);
            let mut kept = published.clone();
            kept.extend(key(edited.pk.clone(), keys::version_sk(new.number)));
            kept.insert("content".to_owned(), attribute(&edited.content)?);
            kept.insert("published_at".to_owned(), attribute(&new.at)?);
            // What somebody made there by hand has no seal, and is no version.
            items.push(put_over(&self.config, sealed(kept)?, SEAL, None)?);
            items.push(put_over_number(&self.config, sealed(published)?, "version", before)?);
            if before.is_none() {
                items.push(delete(&self.config, key(keys::unpublished_pk(kind), id))?);
            }
        }
        if let (Some((kind, id)), None) = (edited.kind_and_id(), told.published_version) {
            items.push(put(&self.config, key(keys::unpublished_pk(kind), id))?);
        }
        self.write(items).await
    }

    /// Has a record checked again, as if it had just been edited. Stale if it is gone.
    ///
    /// That its check is gone is what asks for one; so that there is one to take away, it says first what it waits for.
    pub async fn ask_for_check(&self, pk: &str) -> Result<Committed, StoreError> {
        let mut told = Edit::of(key(pk, keys::CURRENT));
        told.set(&["check"], s(WAITS));
        let mut asked = Edit::of(key(pk, keys::CURRENT));
        asked.remove(&["check"]);
        match self.write(vec![told.item(&self.config)?]).await? {
            Committed::Yes => self.write(vec![asked.item(&self.config)?]).await,
            Committed::Stale => Ok(Committed::Stale),
        }
    }

    /// Writes a deleted record again as that image of it was, with what it is told. Stale if there is one again.
    pub async fn put_back(&self, pk: &str, image: &Value, told: &Told) -> Result<Committed, StoreError> {
        let mut item: Item = serde_dynamo::to_item(Edited::content_of(image.clone()))?;
        item.extend(key(pk, keys::CURRENT));
        for (name, value) in told.attributes()? {
            item.extend(value.map(|value| (name.to_owned(), value)));
        }
        self.write(vec![put_new(&self.config, item)?]).await
    }

    /// Writes a version again as that sealed image of it was: whatever was made of it meanwhile, it never changes.
    pub async fn put_version_back(&self, image: &Value) -> Result<Committed, StoreError> {
        self.write(vec![put(&self.config, serde_dynamo::to_item(image)?)?]).await
    }

    /// Has the copy that is at work say again what the record's newest version says, or be gone where there is none. Stale if it does
    /// already, or was written meanwhile.
    pub async fn put_published_right(&self, kind: &str, id: &str) -> Result<Committed, StoreError> {
        let of = key(keys::published_pk(kind), id);
        let stands = self.get(&self.config, of.clone()).await?;
        if stands.clone().map(image).transpose()?.as_ref().is_some_and(is_sealed) {
            return Ok(Committed::Stale);
        }
        let Some(newest) = self.load_newest_version(&format!("{kind}#{id}")).await? else {
            return self.write(vec![delete(&self.config, of)?]).await;
        };
        let mut published = of;
        published.extend(newest.into_iter().filter(|(name, _)| ["version", "record"].contains(&name.as_str())));
        let version = stands.and_then(|stands| stands.get("version").cloned());
        self.write(vec![put_over(&self.config, sealed(published)?, "version", version)?]).await
    }

    /// Writes on an item that nothing reads why that is so. Stale if it is gone.
    pub async fn tell_unread(&self, pk: &str, sk: &str, told: &Told) -> Result<Committed, StoreError> {
        let mut edit = Edit::of(key(pk, sk));
        for (name, value) in told.attributes()? {
            if let Some(value) = value {
                edit.set(&[name], value);
            }
        }
        edit.remove(&[SEAL]);
        self.write(vec![edit.item(&self.config)?]).await
    }

    /// The newest version of a record that is as it was sealed.
    async fn load_newest_version(&self, pk: &str) -> Result<Option<Item>, StoreError> {
        let mut pages = self.versions(pk).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| sorted("Query", error))?;
            if is_sealed(&image(item.clone())?) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Lets it be forgotten that a record without a version was refused.
    pub async fn forget_unpublished(&self, kind: &str, id: &str) -> Result<(), StoreError> {
        self.write(vec![delete(&self.config, key(keys::unpublished_pk(kind), id))?]).await.map(drop)
    }

    fn written_back(&self, edited: &Edited, told: &Told) -> Result<TransactWriteItem, StoreError> {
        let mut edit = Edit::of(key(edited.pk.clone(), keys::CURRENT));
        // In the order of their names, so that the same edit is checked by the same request.
        let content: BTreeMap<_, _> = edited.item.iter().filter(|(name, _)| !is_ours(name)).collect();
        for (name, value) in content {
            edit.expect(&[name], value.clone());
        }
        for (name, value) in told.attributes()? {
            match value {
                Some(value) => edit.set(&[name], value),
                None => edit.remove(&[name]),
            };
        }
        edit.item(&self.config)
    }
}
