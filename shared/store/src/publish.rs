//! The config table's edited records: read, made a version, or refused with the reason on the record.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Committed, Store, StoreError,
    config::Published,
    item::{Item, attribute, key, read, s},
    keys,
    update::{Edit, put_new, put_over_number},
};

/// A record as ops left it.
#[derive(Clone, Debug)]
pub struct Edited {
    /// Its partition key: `CADENCE#zillow-purchase`.
    pub pk: String,
    /// What ops wrote, without keys and without what publish wrote back.
    pub content: Value,
    item: Item,
}

/// What publish makes of an edited record.
#[derive(Clone, Debug)]
pub enum Verdict<'a, T> {
    /// It becomes this version.
    Version {
        /// The version's number.
        number: u32,
        /// What the functions read.
        record: &'a T,
        /// `CADENCE`, `MESSAGE`, ...
        kind: &'a str,
        /// `zillow-purchase`
        id: &'a str,
    },
    /// It says what the published version says.
    Unchanged,
    /// It is refused; the published version, if there is one, goes on.
    Refused,
}

/// What publish writes back on a record, and by that no part of its content.
const WRITTEN_BACK: [&str; 4] = ["check", "problems", "published_version", "summary"];

impl Edited {
    /// A record's content: what ops wrote, without keys and without what publish wrote back.
    pub fn content_of(mut item: Value) -> Value {
        if let Some(fields) = item.as_object_mut() {
            fields.retain(|name, _| !is_ours(name));
        }
        item
    }
}

fn is_ours(name: &str) -> bool {
    name == keys::PK || name == keys::SK || WRITTEN_BACK.contains(&name)
}

impl Store {
    /// The record as it stands now.
    pub async fn load_edited(&self, pk: &str) -> Result<Option<Edited>, StoreError> {
        let Some(item) = self.get(&self.config, key(pk, keys::CURRENT)).await? else {
            return Ok(None);
        };
        let content = Edited::content_of(read(item.clone())?);
        Ok(Some(Edited { pk: pk.to_owned(), content, item }))
    }

    /// The published record of that kind and id, as JSON, with its version.
    pub async fn load_published(&self, kind: &str, id: &str) -> Result<Option<(Value, u32)>, StoreError> {
        let found = self.get(&self.config, key(keys::published_pk(kind), id)).await?;
        let found: Option<Published<Value>> = found.map(read).transpose()?;
        Ok(found.map(|published| (published.record, published.version)))
    }

    /// Every published record of a kind, as JSON.
    pub async fn load_published_all(&self, kind: &str) -> Result<Vec<Value>, StoreError> {
        let found: Vec<Published<Value>> = self.published(kind).await?;
        Ok(found.into_iter().map(|published| published.record).collect())
    }

    /// Makes the record a version, if it is one, and writes back what came of the check. Stale if the record was edited meanwhile.
    pub async fn publish<T: Serialize>(
        &self,
        edited: &Edited,
        verdict: Verdict<'_, T>,
        check: &str,
        problems: &[String],
        version: Option<u32>,
    ) -> Result<Committed, StoreError> {
        let mut items = vec![self.written_back(edited, check, problems, version)?];
        if let Verdict::Version { number, record, kind, id } = verdict {
            let mut published: Item = key(keys::published_pk(kind), id);
            published.insert("version".to_owned(), attribute(&number)?);
            published.insert("record".to_owned(), attribute(record)?);
            let mut kept = published.clone();
            kept.extend(key(edited.pk.clone(), keys::version_sk(number)));
            items.push(put_new(&self.config, kept)?);
            items.push(put_over_number(
                &self.config,
                published,
                "version",
                number.checked_sub(1).filter(|read| *read > 0),
            )?);
        }
        Ok(match self.transact(items).await? {
            Ok(()) => Committed::Yes,
            Err(_) => Committed::Stale,
        })
    }

    fn written_back(
        &self,
        edited: &Edited,
        check: &str,
        problems: &[String],
        version: Option<u32>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut edit = Edit::of(key(edited.pk.clone(), keys::CURRENT));
        for (name, value) in edited.item.iter().filter(|(name, _)| !is_ours(name)) {
            edit.expect(&[name], value.clone());
        }
        edit.set(&["check"], s(check));
        match problems {
            [] => edit.remove(&["problems"]),
            problems => edit.set(&["problems"], attribute(&problems)?),
        };
        if let Some(version) = version {
            edit.set(&["published_version"], attribute(&version)?);
        }
        edit.item(&self.config)
    }
}
