//! `cadence push`: files become the records of a table, and publish says what it makes of them.

mod order;
mod verdict;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use cadence_core::records::Severity;
use cadence_store::{Committed, Edited};
use serde_json::{Value, json};

use crate::{
    check::{Findings, counted, known},
    diff::{Change, Changes, There},
    difference::says_the_same,
    pulled::{Pulled, Since},
    records::Records,
    table::{self, Place, Table},
    told::{complain, print},
};
use order::{Stuck, Write, order};
use verdict::{Verdict, awaited};

/// Writes files into a table as its records, and waits until each is published
#[derive(clap::Args)]
#[command(after_help = "\
First the records are checked, against each other and what is at work in the table; if one would be refused, nothing is written.
Then what differs is written, in an order in which each can be published: what is added before what refers to it, what is removed
after it. Where a snippet takes another's place, the settings are written twice, first with both. A record that somebody else
edits meanwhile is left as they made it, and if its file would undo what somebody has edited since `cadence pull`, nothing is
written without --force. Records that only the table has stay: to take one out of use, set its status or active.
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
    /// Overwrite what somebody has edited since the files were pulled
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let records = Records::of_files(&args.records)?;
    let pulled = Pulled::into(&args.records)?;
    let how = How { is_dry_run: args.dry_run, overwrites: args.force, as_json: args.json };
    carry_out(&args.table.open().await?, &records, pulled, how).await
}

/// How a push goes about it.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// Nothing is written.
    pub(crate) is_dry_run: bool,
    /// What somebody has edited since it was pulled is overwritten.
    pub(crate) overwrites: bool,
    /// It is told to a machine.
    pub(crate) as_json: bool,
}

/// Checks records, tells what differs, writes that unless it is a dry run, and tells what came of it.
pub(crate) async fn carry_out(
    table: &Table,
    records: &Records,
    mut pulled: Pulled,
    How { is_dry_run, overwrites, as_json }: How,
) -> anyhow::Result<ExitCode> {
    let (edited, at_work) = (table.edited().await?, table.at_work().await?);
    let there = There { place: table.place(), edited: &edited, at_work: &at_work };
    let changes = Changes::of(records, there, &pulled);
    let others = table.records_of(at_work);
    let findings = Findings::of(records, &[&others]);
    let is_refused = findings.count(Severity::Error) > 0;
    if !as_json {
        if is_refused || findings.count(Severity::Warning) > 0 {
            findings.tell();
            print("");
        }
        changes.tell();
    }
    // A file that nobody touched is no edit of what somebody has edited since.
    let is_meant = |change: &&Change| overwrites || change.since != Since::Behind;
    let meant: Vec<&Change> = changes.changes.iter().filter(is_meant).collect();
    let ordered = if is_refused { Ok(Vec::new()) } else { order(&meant, known(others.iter())) };
    let is_stale = !overwrites && meant.iter().any(|change| change.since == Since::Apart);
    if !overwrites {
        tell_of_others(&changes.changes, &meant, is_stale, table.place());
    }
    let is_refused = is_refused || is_stale || ordered.is_err();
    let (pushed, is_done) = match &ordered {
        Err(stuck) => {
            complain_of(stuck);
            (Vec::new(), false)
        }
        Ok(_) if is_refused || is_dry_run => (Vec::new(), !is_refused),
        Ok(writes) => push_all(table, writes, &mut pulled).await?,
    };
    if !is_refused && !is_dry_run {
        let is_same = |edited: &&Edited| records.get(&edited.pk).is_some_and(|found| found.content == edited.content);
        edited.iter().filter(is_same).for_each(|edited| pulled.note(table.place(), &edited.pk, &edited.content));
        pulled.keep()?;
    }
    if as_json {
        print(&json!({ "check": findings.json(), "diff": changes.json(), "pushed": pushed }).to_string());
    } else if is_refused || is_dry_run {
        print(&format!("{}; nothing was written", changes.counted()));
    } else if meant.is_empty() {
        print(&format!("nothing differs: {} the same", counted(changes.same, "record")));
    } else if is_done {
        print(&format!("{} written to {}, {} the same", counted(meant.len(), "record"), table.place(), changes.same));
    }
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells what becomes of what others have edited in the table since the files were pulled.
fn tell_of_others(changes: &[Change], meant: &[&Change], is_stale: bool, place: &Place) {
    for change in changes.iter().filter(|change| meant.iter().all(|other| other.pk != change.pk)) {
        complain(&format!("{}: left as somebody has edited it; `cadence pull` brings the file up to date", change.pk));
    }
    if is_stale {
        complain(
            "What somebody has edited since it was pulled would be undone: write it into the file as well (`cadence show ID` tells \
             what it is), or give --force.",
        );
    }
    if meant.iter().any(|change| change.since == Since::Unknown) {
        complain(&format!("note: not pulled from {place}, so nobody can tell what others have edited there meanwhile"));
    }
}

/// Tells that each of some records would have to be published before the others.
fn complain_of(stuck: &Stuck) {
    complain("Whichever of these is written first is refused, since each needs the others:");
    for (pk, problems) in stuck {
        problems.iter().for_each(|problem| complain(&format!("  {pk}: {problem}")));
    }
    complain("Push one of them without what it says of the others, and then as it is.");
}

/// Writes one after the other, up to the first that isn't published; what came of each, and whether all were.
async fn push_all(table: &Table, writes: &[Write<'_>], pulled: &mut Pulled) -> anyhow::Result<(Vec<Value>, bool)> {
    let mut pushed = Vec::new();
    // What is written twice is read anew in between.
    let mut stands: BTreeMap<&str, Edited> = BTreeMap::new();
    for (index, write) in writes.iter().enumerate() {
        let pk = write.change.pk.as_str();
        let place = format!("[{}/{}] {pk}", index + 1, writes.len());
        let read = stands.remove(pk).or_else(|| write.change.read.clone());
        let is_done = match push(table, write, read.as_ref()).await? {
            None => {
                complain(&format!("{place}: somebody else edited it meanwhile, so it was left as they made it"));
                pushed.push(json!({ "record": pk, "edited_meanwhile": true }));
                false
            }
            Some(verdict) => {
                complain(&format!("{place}: {}", verdict.told.check));
                verdict.told.problems.iter().for_each(|problem| complain(&format!("    {problem}")));
                pushed.push(verdict.json(pk));
                let is_published = verdict.is_published();
                // If it is somebody else's edit, the next write finds that it is not what was read.
                if says_the_same(pk, &verdict.edited.content, &write.content) {
                    pulled.note(table.place(), pk, &verdict.edited.content);
                    stands.insert(pk, verdict.edited);
                }
                is_published
            }
        };
        if !is_done {
            let left = writes.len() - index - 1;
            if left > 0 {
                complain(&format!("{} not written after it", counted(left, "record")));
            }
            return Ok((pushed, false));
        }
    }
    Ok((pushed, true))
}

/// Writes one record, and waits for what publish says; `None` if somebody else edited it first.
async fn push(table: &Table, write: &Write<'_>, read: Option<&Edited>) -> anyhow::Result<Option<Verdict>> {
    let pk = &write.change.pk;
    match table.save(pk, &write.content, read).await? {
        Committed::Stale => Ok(None),
        Committed::Yes => awaited(table, pk).await.map(Some),
    }
}
