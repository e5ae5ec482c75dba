//! `cadence list`: the records of a table, one a line.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use cadence_store::{AtWork, Edited};
use serde_json::{Value, json};

use crate::{
    check::counted,
    files,
    status::status,
    table::{self, Place},
    told::{self, print},
};

/// Lists the records of a table: version, status, running leads, and what the check says
#[derive(clap::Args)]
#[command(after_help = "\
Version and status are those at work, whatever edit stands on the record; the check is of the edit.

Examples:

  cadence list --local
  cadence list cadence --stage prod
  cadence list --files infra/cadences
  cadence list --deleted --stage prod
  cadence list --stage prod --json | jq '.[] | select(.problems != [])'")]
pub(crate) struct Args {
    /// Only this kind: cadence, message, user, source or settings
    #[arg(value_name = "KIND", ignore_case = true, value_parser = ["cadence", "message", "user", "source", "settings"])]
    kind: Option<String>,
    /// Only those that were deleted and can be brought back
    #[arg(long, conflicts_with = "files")]
    deleted: bool,
    /// Those of a folder, or of one file, in place of a table's
    #[arg(long, value_name = "FILE|DIR", conflicts_with_all = table::PLACES)]
    files: Option<PathBuf>,
    /// Print one JSON list
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let is_meant = |pk: &str| {
        let is_kind = |kind: &String| pk.split('#').next().is_some_and(|found| found.eq_ignore_ascii_case(kind));
        args.kind.as_ref().is_none_or(is_kind)
    };
    if let Some(path) = &args.files {
        return files::list(path, is_meant, args.json);
    }
    let table = args.table.open().await?;
    if args.deleted {
        let mut deleted = table.deleted().await?;
        deleted.retain(|pk| is_meant(pk));
        tell_deleted(&deleted, args.json, table.place());
        return Ok(ExitCode::SUCCESS);
    }
    let mut all = table.edited().await?;
    all.retain(|edited| is_meant(&edited.pk));
    let at_work = table.at_work().await?;
    let of = |edited: &Edited| at_work.get(&edited.pk);
    if args.json {
        print(&Value::from(all.iter().map(|edited| json_of(edited, of(edited))).collect::<Vec<_>>()).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let head = ["RECORD", "VERSION", "STATUS", "LEADS", "CHECK"].map(str::to_owned);
    let rows: Vec<[String; 5]> =
        std::iter::once(head).chain(all.iter().map(|edited| row(edited, of(edited)))).collect();
    told::table(&rows);
    print(&format!("{} in {}", counted(all.len(), "record"), table.place()));
    Ok(ExitCode::SUCCESS)
}

fn tell_deleted(deleted: &BTreeSet<String>, is_json: bool, place: &Place) {
    if is_json {
        return print(&Value::from(deleted.iter().map(|pk| json!({ "record": pk })).collect::<Vec<_>>()).to_string());
    }
    deleted.iter().for_each(|pk| print(pk));
    print(&format!("{} in {place}", counted(deleted.len(), "deleted record")));
    if let Some(first) = deleted.first() {
        print(&format!("`cadence show {first}{}` tells how to bring it back", place.flags));
    }
}

fn row(edited: &Edited, at_work: Option<&AtWork>) -> [String; 5] {
    let told = edited.told.clone().unwrap_or_default();
    let in_short = told.check.split(':').next().unwrap_or_default();
    let check = match told.problems.len() {
        _ if in_short.is_empty() => "not checked yet".to_owned(),
        0 => in_short.to_owned(),
        // What is published has nothing worse.
        count if told.is_published() => format!("{in_short}, {}", counted(count, "warning")),
        count => format!("{in_short} ({})", counted(count, "problem")),
    };
    let or_none = |text: Option<String>| text.unwrap_or("-".to_owned());
    let version = or_none(at_work.map(|at_work| at_work.version.to_string()));
    [edited.pk.clone(), version, or_none(status(&edited.pk, at_work)), told.leads.unwrap_or_default(), check]
}

fn json_of(edited: &Edited, at_work: Option<&AtWork>) -> Value {
    let told = edited.told.clone().unwrap_or_default();
    json!({ "record": edited.pk, "status": status(&edited.pk, at_work), "check": told.check, "problems": told.problems,
        "published_version": at_work.map(|at_work| at_work.version), "summary": told.summary, "leads": told.leads })
}
