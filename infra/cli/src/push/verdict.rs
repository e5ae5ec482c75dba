//! What publish says of a record that was written.

use std::time::Duration;

use anyhow::bail;
use cadence_store::{Edited, Told};
use serde_json::{Value, json};

use crate::table::Table;

/// How often to look, and how often at most: publish takes a second or two, and after a minute something is wrong.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS: u32 = 240;

/// What publish says of a record.
pub(crate) struct Verdict {
    pub(crate) told: Told,
    /// The record that it is of.
    pub(crate) edited: Edited,
}

impl Verdict {
    /// Whether what was written is at work.
    pub(crate) fn is_published(&self) -> bool {
        self.told.is_published()
    }

    /// The same for machines.
    pub(crate) fn json(&self, pk: &str) -> Value {
        let Told { check, problems, published_version, summary, leads } = &self.told;
        json!({ "record": pk, "is_published": self.is_published(), "check": check, "problems": problems,
            "published_version": published_version, "summary": summary, "leads": leads })
    }
}

/// Waits for what publish says of a record that was just written.
pub(crate) async fn awaited(table: &Table, pk: &str) -> anyhow::Result<Verdict> {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    for _ in 0..LOOKS {
        looks.tick().await;
        match table.load(pk).await? {
            None => bail!("{pk} was deleted while it was checked"),
            Some(edited) => {
                if let Some(told) = edited.told.clone() {
                    return Ok(Verdict { told, edited });
                }
            }
        }
    }
    let place = table.place();
    bail!("{pk} is written, but was not checked within a minute: is publish running for {place}? Its log says more")
}
