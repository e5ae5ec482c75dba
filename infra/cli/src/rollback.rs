//! `cadence rollback`: a record says again what an earlier version of it said.

use std::process::ExitCode;

use anyhow::Context as _;
use cadence_core::records::Severity;
use serde_json::json;

use crate::{
    check::Findings,
    diff::Change,
    difference::{Context, difference},
    named,
    push::{Pushed, push},
    records::Records,
    table,
    told::{complain, print},
};

/// Writes an earlier version of a record as its newest edit
#[derive(clap::Args)]
#[command(after_help = "\
The version is checked as any edit is and becomes a new one; nothing is lost, and it can be undone in the same way. `cadence show`
lists a record's versions.
Ends with 1 if the version would be refused today or the record was edited meanwhile.

Examples:

  cadence rollback zillow-purchase --to 3 --local
  cadence rollback message/sms/intro --to 1 --stage prod --dry-run")]
pub(crate) struct Args {
    /// The record: zillow-purchase, CADENCE#zillow-purchase or cadence/zillow-purchase
    #[arg(value_name = "ID")]
    record: String,
    /// The version's number
    #[arg(long, value_name = "VERSION")]
    to: u32,
    /// Say what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let table = args.table.open().await?;
    let pk = named::key_of(&table, &args.record).await?;
    let kept = table.version(&pk, args.to).await?;
    let content = kept.written(&pk);
    let read = table.load(&pk).await?.with_context(|| format!("{pk} was deleted meanwhile"))?;
    let leads = read.told.as_ref().and_then(|told| told.leads.clone());
    let context = Context { leads: leads.as_deref(), used_by: &[] };
    let Some(difference) = difference(&pk, &read.content, &content, context) else {
        match args.json {
            true => print(&json!({ "record": pk, "changes": [] }).to_string()),
            false => print(&format!("{pk} says what version {} says: there is nothing to do", args.to)),
        }
        return Ok(ExitCode::SUCCESS);
    };
    let mut meant = Records::default();
    meant.insert(pk.clone(), content.clone(), &format!("version {}", args.to));
    let findings = Findings::of(&meant, &[&table.records().await?])?;
    let is_refused = findings.count(Severity::Error) > 0;
    let change = Change { pk, content, read: Some(read), difference: Some(difference.clone()) };
    if !args.json {
        change.tell();
    }
    if is_refused || args.dry_run {
        match args.json {
            true => {
                print(&json!({ "record": change.pk, "diff": difference.json(), "check": findings.json() }).to_string())
            }
            false => {
                if is_refused {
                    findings.tell();
                }
                print("nothing was written");
            }
        }
        return Ok(if is_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    match push(&table, &change).await? {
        Pushed::EditedMeanwhile => {
            complain(&format!("{}: somebody else edited it meanwhile, so it was left as they made it", change.pk));
            Ok(ExitCode::FAILURE)
        }
        Pushed::Told(verdict) => {
            match args.json {
                true => print(&json!({ "diff": difference.json(), "pushed": verdict.json(&change.pk) }).to_string()),
                false => {
                    print(&format!("{}: {}", change.pk, verdict.told.check));
                    verdict.told.problems.iter().for_each(|problem| print(&format!("  {problem}")));
                }
            }
            Ok(if verdict.is_published() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
