//! `cadence diff`: what would change if files were pushed, and for whom.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use cadence_core::records::{KINDS, Severity, closest};
use cadence_store::{AtWork, Edited};
use serde_json::{Value, json};

use crate::{
    check::{Findings, counted},
    difference::{Context, Difference, difference, says_the_same},
    pulled::{Pulled, Since},
    records::{Found, Records},
    status::NotAtWork,
    table::{self, Place},
    told::{complain, print},
};

/// Says what would change in a table if these files were pushed, and for whom
#[derive(clap::Args)]
#[command(after_help = "\
They are held against what is at work, and it is told where an edit stands in the table that is not: that one would be overwritten,
and what of them would be refused.
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
    /// The record as it stands there, to be overwritten; `None` if there is none.
    pub(crate) read: Option<Edited>,
    /// What is at work of it; `None` if nothing is.
    pub(crate) at_work: Option<Value>,
    /// What becomes different from that; `None` if nothing does, or nothing is at work.
    pub(crate) difference: Option<Difference>,
    /// Why the edit that stands there is not at work; `None` if it is.
    pub(crate) in_place_of: Option<NotAtWork>,
    /// How the file stands to what it was pulled from.
    pub(crate) since: Since,
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
    let at_work = table.at_work().await?;
    let there = There { place: table.place(), edited: &table.edited().await?, at_work: &at_work };
    let changes = Changes::of(&records, there, &Pulled::into(&args.records)?);
    let findings = Findings::of(&records, &[&table.records_of(at_work)]);
    unknown_kinds(&records);
    match args.json {
        true => {
            let mut told = changes.json();
            told.as_object_mut().map(|fields| fields.insert("check".to_owned(), findings.json()));
            print(&told.to_string());
        }
        false => {
            changes.tell();
            // Of one file it is no news that there are others.
            if args.records.is_dir() {
                changes.only_there.iter().for_each(|pk| print(&format!("only in the table: {pk}")));
            }
            let is_refused = findings.count(Severity::Error) > 0;
            if is_refused {
                findings.tell();
            }
            let refused = if is_refused { "; a push would be refused, and write nothing" } else { "" };
            print(&format!("{}{refused}", changes.counted()));
        }
    }
    Ok(if changes.changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a table holds.
#[derive(Clone, Copy)]
pub(crate) struct There<'a> {
    pub(crate) place: &'a Place,
    pub(crate) edited: &'a [Edited],
    pub(crate) at_work: &'a BTreeMap<String, AtWork>,
}

impl Changes {
    /// Holds records against what is at work of those of the table, and against the edits that stand there.
    pub(crate) fn of(records: &Records, there: There<'_>, pulled: &Pulled) -> Self {
        let edited = there.edited.iter();
        let only_there = edited.map(|edited| edited.pk.clone()).filter(|pk| records.get(pk).is_none()).collect();
        let change = |(pk, found): (&str, &Found)| Change::of(pk, &found.content, there, pulled);
        let changes: Vec<Change> = records.iter().filter_map(change).collect();
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
        let new = self.changes.iter().filter(|change| change.is_new()).count();
        format!("{}, {new} new, {} the same", counted(self.changes.len() - new, "changed record"), self.same)
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            let Difference { changes, matters } = change.difference.clone().unwrap_or_default();
            json!({ "record": change.pk, "is_new": change.is_new(), "in_place_of": change.in_place_of,
                "edited_since_pulled": matches!(change.since, Since::Behind | Since::Apart), "changes": changes, "matters": matters })
        });
        json!({ "changed": changes.collect::<Vec<_>>(), "only_there": self.only_there, "same": self.same })
    }
}

impl Change {
    /// What a record becomes by that content; `None` if it says that already, and is at work.
    fn of(pk: &str, content: &Value, there: There<'_>, pulled: &Pulled) -> Option<Self> {
        let There { place, edited, at_work } = there;
        let read = edited.iter().find(|edited| edited.pk == pk);
        let in_place_of = read.and_then(|edited| NotAtWork::of(edited, at_work.get(pk)));
        let current = match (read, in_place_of) {
            // As it is written, so that another spelling of it is told as one.
            (Some(edited), None) => Some(&edited.content),
            (Some(_), Some(_)) => at_work.get(pk).map(|at_work| &at_work.content),
            (None, _) => None,
        };
        if current == Some(content) && in_place_of.is_none() {
            return None;
        }
        let stays = |current: &&Value| in_place_of.is_some() && says_the_same(pk, current, content);
        let difference = current.filter(|current| !stays(current)).and_then(|current| {
            let used_by: Vec<&str> = at_work
                .iter()
                .filter_map(|(other, at_work)| Some((other.strip_prefix("CADENCE#")?, &at_work.content)))
                .filter(|(_, cadence)| names(cadence, pk))
                .map(|(id, _)| id)
                .collect();
            let leads = read.and_then(|edited| edited.told.as_ref()).and_then(|told| told.leads.as_deref());
            difference(pk, current, content, Context { leads, used_by: &used_by })
        });
        let since = read.map_or(Since::Current, |edited| pulled.since(place, pk, content, &edited.content));
        let (read, at_work) = (read.cloned(), current.cloned());
        Some(Self { pk: pk.to_owned(), content: content.clone(), read, at_work, difference, in_place_of, since })
    }

    /// Whether nothing of it is at work yet.
    fn is_new(&self) -> bool {
        self.at_work.is_none()
    }

    /// Tells what becomes different with it.
    pub(crate) fn tell(&self) {
        match &self.difference {
            _ if self.is_new() => print(&format!("{} is new", self.pk)),
            None => print(&format!("{}\n  nothing becomes different from what is at work", self.pk)),
            Some(difference) => {
                print(&self.pk);
                difference.changes.iter().for_each(|change| print(&format!("  {change}")));
                difference.matters.iter().for_each(|whom| print(&format!("  -> {whom}")));
            }
        }
        if let Some(why) = self.in_place_of {
            let is_same = self.read.as_ref().is_some_and(|edited| edited.content == self.content);
            let which = if is_same { "the same edit stands there, and" } else { "it overwrites an edit that" };
            print(&format!("  {which} {}", why.as_str()));
        }
        match self.since {
            Since::Current | Since::Unknown => {}
            Since::Behind => print("  somebody has edited it there since it was pulled, and the file is as it was"),
            Since::Apart => print("  somebody has edited it there since it was pulled, and the file would undo that"),
        }
        print("");
    }
}

/// Complains of keys that can be no record's.
fn unknown_kinds(records: &Records) {
    let kind = |pk: &str| pk.split('#').next().unwrap_or_default().to_owned();
    for (pk, found) in records.iter().filter(|(pk, _)| !KINDS.contains(&kind(pk).as_str())) {
        let meant = closest(&kind(pk), KINDS).map_or_else(|| KINDS.join(", "), |kind| format!("did you mean {kind}"));
        complain(&format!("note: {} holds {pk}, which is the key of no kind of record: {meant}?", found.place));
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
