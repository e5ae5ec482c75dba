//! What a source sent and could not be used: kept, so that nothing is lost.

use cadence_core::SourceId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Committed, Store, StoreError,
    error::sorted,
    item::{Item, attribute, key},
    keys,
    update::Edit,
};

/// A webhook that could not be used.
#[derive(Clone, Serialize, Deserialize)]
pub struct Quarantined {
    /// The source it came for.
    pub source: String,
    /// When it came first.
    pub at: DateTime<Utc>,
    /// What is wrong with it, for people.
    pub problems: Vec<String>,
    /// The body, as text.
    pub body: String,
    /// What its `Content-Type` said, which tells a form from JSON.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    /// Its `Idempotency-Key`, by which it is known if it comes again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub idempotency_key: Option<String>,
    /// That somebody looked at it, and nothing more is to come of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dismissed: Option<Dismissed>,
}

/// Why nothing more is to come of a webhook that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissed {
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why, in the words of whoever dismissed it.
    pub reason: String,
}

/// The attribute that says so.
const DISMISSED: &str = "dismissed";

/// How long it is kept for somebody to look at.
const KEPT_FOR: TimeDelta = TimeDelta::days(90);

impl Store {
    /// Keeps what could not be used. The same body is kept once.
    pub async fn quarantine(&self, kept: &Quarantined) -> Result<(), StoreError> {
        let mut item: Item = serde_dynamo::to_item(kept)?;
        item.extend(kept.key());
        let expires_at = (kept.at + KEPT_FOR).timestamp();
        item.insert(keys::EXPIRES_AT.to_owned(), attribute(&expires_at)?);
        let put = self.client.put_item().table_name(&self.leads).set_item(Some(item));
        let sent = put.condition_expression("attribute_not_exists(pk)").send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(sorted("PutItem", error)),
        }
    }

    /// What is kept of a source, in no particular order.
    pub async fn load_quarantined(&self, source: &SourceId) -> Result<Vec<Quarantined>, StoreError> {
        self.partition(&self.leads, keys::quarantine_pk(source.as_str())).await
    }

    /// Marks it as dismissed; it is kept as long as it would have been. Stale if it is gone, or was dismissed before.
    pub async fn dismiss_quarantined(
        &self,
        kept: &Quarantined,
        dismissed: &Dismissed,
    ) -> Result<Committed, StoreError> {
        let mut edit = Edit::of(kept.key());
        edit.expect_none(&[DISMISSED]).set(&[DISMISSED], attribute(dismissed)?);
        self.write(vec![edit.item(&self.leads)?]).await
    }

    /// Keeps it no longer: it was taken after all.
    pub async fn release_quarantined(&self, kept: &Quarantined) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.leads).set_key(Some(kept.key()));
        delete.send().await.map_err(|error| sorted("DeleteItem", error))?;
        Ok(())
    }
}

impl Quarantined {
    /// What tells it from every other body: the same body is kept once.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.body.as_bytes()))
    }

    /// What it is called where people name it: `zillow/1a2b3c4d`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.source, self.digest().get(..8).unwrap_or_default())
    }

    fn key(&self) -> Item {
        key(keys::quarantine_pk(&self.source), self.digest())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl std::fmt::Debug for Quarantined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quarantined")
            .field("source", &self.source)
            .field("problems", &self.problems.len())
            .finish_non_exhaustive()
    }
}
