//! `cadence list`: the records of a table, one a line.

use std::process::ExitCode;

use cadence_store::Edited;
use serde_json::{Value, json};

use crate::{check::counted, table, told::print};

/// Lists the records of a table: version, status, running leads, and what the check says
#[derive(clap::Args)]
#[command(after_help = "\
Examples:

  cadence list --local
  cadence list cadence --stage prod
  cadence list --stage prod --json | jq '.[] | select(.problems != [])'")]
pub(crate) struct Args {
    /// Only this kind: cadence, message, user, source or settings
    #[arg(value_name = "KIND", ignore_case = true, value_parser = ["cadence", "message", "user", "source", "settings"])]
    kind: Option<String>,
    /// Print one JSON list
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let table = args.table.open().await?;
    let mut all = table.edited().await?;
    if let Some(kind) = &args.kind {
        all.retain(|edited| edited.pk.split('#').next().is_some_and(|found| found.eq_ignore_ascii_case(kind)));
    }
    if args.json {
        print(&Value::from(all.iter().map(json_of).collect::<Vec<_>>()).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let head = ["RECORD", "VERSION", "STATUS", "LEADS", "CHECK"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(all.iter().map(row)).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    for row in &rows {
        let cells: Vec<String> =
            row.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = width(column))).collect();
        print(cells.join("  ").trim_end());
    }
    print(&format!("{} in {}", counted(all.len(), "record"), table.place()));
    Ok(ExitCode::SUCCESS)
}

fn row(edited: &Edited) -> [String; 5] {
    let told = edited.told.clone().unwrap_or_default();
    let check = match (told.check.as_str(), told.problems.len()) {
        ("", _) => "not checked yet".to_owned(),
        (check, 0) => check.split(':').next().unwrap_or(check).to_owned(),
        (check, count) => format!("{} ({})", check.split(':').next().unwrap_or(check), counted(count, "problem")),
    };
    let version = told.published_version.map(|version| version.to_string()).unwrap_or("-".to_owned());
    [edited.pk.clone(), version, status(edited), told.leads.unwrap_or_default(), check]
}

/// Whether it is in use, where its kind says so.
fn status(edited: &Edited) -> String {
    let field = |name: &str| edited.content.get(name);
    match edited.pk.split('#').next() {
        Some("CADENCE") => field("status").and_then(Value::as_str).unwrap_or("live").trim().to_owned(),
        Some("USER") => match field("active") {
            Some(Value::Bool(false)) => "not active".to_owned(),
            _ => "active".to_owned(),
        },
        _ => String::new(),
    }
}

fn json_of(edited: &Edited) -> Value {
    let told = edited.told.clone().unwrap_or_default();
    json!({ "record": edited.pk, "status": status(edited), "check": told.check, "problems": told.problems,
        "published_version": told.published_version, "summary": told.summary, "leads": told.leads })
}
