//! `cadence push`: files become the records of a table, and publish says what it makes of them.

mod order;
mod verdict;

use std::{path::PathBuf, process::ExitCode};

use cadence_core::records::Severity;
use cadence_store::Committed;
use serde_json::json;

use crate::{
    check::{Findings, counted},
    diff::{Change, Changes},
    records::Records,
    table::{self, Table},
    told::{complain, print},
};
use verdict::{Verdict, awaited};

/// Writes files into a table as its records, and waits until each is published
#[derive(clap::Args)]
#[command(after_help = "\
First the records are checked, against each other and those of the table; if one would be refused, nothing is written. Then what
differs is written, what others refer to first. A record that somebody else edits meanwhile is left as they made it; what they
edited since the files were pulled is overwritten, so look at `cadence diff` first. Records that only the table has stay: to take
one out of use, set its status or active.
Ends with 1 if a record is refused or was edited meanwhile, with 2 if the table can't be reached.

Examples:

  cadence push infra/cadences --local
  cadence push infra/cadences --stage prod --dry-run
  cadence push infra/cadences/message-sms-intro.json --stage prod --profile cadence-prod")]
pub(crate) struct Args {
    /// A folder of records, or one file of it
    #[arg(value_name = "FILE|DIR")]
    records: PathBuf,
    /// Say what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

/// What became of a record that was written.
enum Pushed {
    /// This is what publish says.
    Told(Verdict),
    /// Somebody else edited it first.
    EditedMeanwhile,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let records = Records::of_files(&args.records)?;
    carry_out(&args.table.open().await?, &records, args.dry_run, args.json).await
}

/// Checks records, tells what differs, writes that unless it is a dry run, and tells what came of it.
pub(crate) async fn carry_out(
    table: &Table,
    records: &Records,
    is_dry_run: bool,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let there = table.edited().await?;
    let findings = Findings::of(records, &[&table.records_of(&there)]);
    let mut changes = Changes::of(records, there);
    let is_refused = findings.count(Severity::Error) > 0;
    if !as_json {
        if is_refused || findings.count(Severity::Warning) > 0 {
            findings.tell();
            print("");
        }
        changes.tell();
    }
    let (pushed, is_done) = match is_refused || is_dry_run {
        true => (Vec::new(), !is_refused),
        false => {
            order::sort(&mut changes.changes);
            push_all(table, &changes.changes).await?
        }
    };
    if as_json {
        print(&json!({ "check": findings.json(), "diff": changes.json(), "pushed": pushed }).to_string());
    } else if is_refused || is_dry_run {
        print(&format!("{}; nothing was written", changes.counted()));
    } else if changes.changes.is_empty() {
        print(&format!("nothing differs: {} the same", counted(changes.same, "record")));
    } else if is_done {
        print(&format!("{} written to {}, {} the same", counted(pushed.len(), "record"), table.place(), changes.same));
    }
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes one after the other, up to the first that isn't published; what came of each, and whether all were.
async fn push_all(table: &Table, changes: &[Change]) -> anyhow::Result<(Vec<serde_json::Value>, bool)> {
    let mut pushed = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let place = format!("[{}/{}] {}", index + 1, changes.len(), change.pk);
        let is_done = match push(table, change).await? {
            Pushed::EditedMeanwhile => {
                complain(&format!("{place}: somebody else edited it meanwhile, so it was left as they made it"));
                pushed.push(json!({ "record": change.pk, "edited_meanwhile": true }));
                false
            }
            Pushed::Told(verdict) => {
                complain(&format!("{place}: {}", verdict.told.check));
                verdict.told.problems.iter().for_each(|problem| complain(&format!("    {problem}")));
                pushed.push(verdict.json(&change.pk));
                verdict.is_published()
            }
        };
        if !is_done {
            let left = changes.len() - index - 1;
            if left > 0 {
                complain(&format!("{} not written after it", counted(left, "record")));
            }
            return Ok((pushed, false));
        }
    }
    Ok((pushed, true))
}

/// Writes one record, and waits for what publish says.
async fn push(table: &Table, change: &Change) -> anyhow::Result<Pushed> {
    match table.save(&change.pk, &change.content, change.read.as_ref()).await? {
        Committed::Stale => Ok(Pushed::EditedMeanwhile),
        Committed::Yes => Ok(Pushed::Told(awaited(table, &change.pk).await?)),
    }
}
