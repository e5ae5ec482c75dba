//! `cadence diff`: what would change if files were pushed, and for whom.

use std::{path::PathBuf, process::ExitCode};

use cadence_store::Edited;
use serde_json::{Value, json};

use crate::{
    check::counted,
    difference::{Context, Difference, difference},
    records::Records,
    table,
    told::print,
};

/// Says what would change in a table if these files were pushed, and for whom
#[derive(clap::Args)]
#[command(after_help = "\
Ends with 0 if nothing differs, with 1 if something does, with 2 if it can't be told.

Examples:

  cadence diff infra/cadences --local
  cadence diff infra/cadences/cadence-zillow-purchase.json --stage prod --profile cadence-prod")]
pub(crate) struct Args {
    /// A folder of records, or one file of it
    #[arg(value_name = "FILE|DIR")]
    records: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

/// What files say of a record, held against the table.
pub(crate) struct Change {
    pub(crate) pk: String,
    pub(crate) content: Value,
    /// The record as it stands there; `None` if it is new.
    pub(crate) read: Option<Edited>,
    /// What becomes different; `None` if it is new.
    pub(crate) difference: Option<Difference>,
}

/// What differs between files and a table.
pub(crate) struct Changes {
    /// What would be written.
    pub(crate) changes: Vec<Change>,
    /// The keys that only the table has.
    pub(crate) only_there: Vec<String>,
    /// How many records say the same.
    pub(crate) same: usize,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let records = Records::of_files(&args.records)?;
    let table = args.table.open().await?;
    let changes = Changes::of(&records, table.edited().await?);
    match args.json {
        true => print(&changes.json().to_string()),
        false => {
            changes.tell();
            // Of one file it is no news that there are others.
            if args.records.is_dir() {
                changes.only_there.iter().for_each(|pk| print(&format!("only in the table: {pk}")));
            }
            print(&changes.counted());
        }
    }
    Ok(if changes.changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Changes {
    /// Holds records against those of the table.
    pub(crate) fn of(records: &Records, there: Vec<Edited>) -> Self {
        let only_there = there.iter().map(|edited| edited.pk.clone()).filter(|pk| records.get(pk).is_none()).collect();
        let cadences: Vec<(String, Value)> = there
            .iter()
            .filter_map(|edited| Some((edited.pk.strip_prefix("CADENCE#")?.to_owned(), edited.content.clone())))
            .collect();
        let mut changes = Vec::new();
        for (pk, found) in records.iter() {
            let read = there.iter().find(|edited| edited.pk == pk);
            let difference = read.map(|edited| {
                let used_by: Vec<&str> =
                    cadences.iter().filter(|(_, cadence)| names(cadence, pk)).map(|(id, _)| id.as_str()).collect();
                let leads = edited.told.as_ref().and_then(|told| told.leads.as_deref());
                difference(pk, &edited.content, &found.content, Context { leads, used_by: &used_by })
            });
            let (read, content) = (read.cloned(), found.content.clone());
            match difference {
                Some(None) => {}
                difference => {
                    changes.push(Change { pk: pk.to_owned(), content, read, difference: difference.flatten() })
                }
            }
        }
        let same = records.len() - changes.len();
        Self { changes, only_there, same }
    }

    /// Tells what differs, record by record.
    pub(crate) fn tell(&self) {
        for change in &self.changes {
            change.tell();
        }
    }

    /// How many there are.
    pub(crate) fn counted(&self) -> String {
        let new = self.changes.iter().filter(|change| change.read.is_none()).count();
        format!("{}, {new} new, {} the same", counted(self.changes.len() - new, "changed record"), self.same)
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        let changes = self.changes.iter().map(|change| match &change.difference {
            Some(difference) => json!({ "record": change.pk, "is_new": false, "changes": difference.changes, "matters": difference.matters }),
            None => json!({ "record": change.pk, "is_new": true }),
        });
        json!({ "changed": changes.collect::<Vec<_>>(), "only_there": self.only_there, "same": self.same })
    }
}

impl Change {
    /// Tells what becomes different with it.
    pub(crate) fn tell(&self) {
        let Some(difference) = &self.difference else {
            print(&format!("{} is new\n", self.pk));
            return;
        };
        print(&self.pk);
        difference.changes.iter().for_each(|change| print(&format!("  {change}")));
        difference.matters.iter().for_each(|whom| print(&format!("  -> {whom}")));
        print("");
    }
}

/// Whether a cadence names a record somewhere, by its id or its key.
fn names(cadence: &Value, pk: &str) -> bool {
    let id = pk.split_once('#').map_or(pk, |(_, id)| id);
    let is_it = |text: &str| text == id || text == pk;
    match cadence {
        Value::String(text) => is_it(text.trim()),
        Value::Array(values) => values.iter().any(|value| names(value, pk)),
        Value::Object(map) => map.iter().any(|(name, value)| name != "id" && (is_it(name) || names(value, pk))),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
