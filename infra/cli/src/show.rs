//! `cadence show`: one record, what was made of it, and its versions.

use std::process::ExitCode;

use anyhow::Context;
use cadence_store::{Edited, Kept};
use serde_json::json;

use crate::{named, pull::text_of, table, told::print};

/// Shows a record: what the check says, what it does, who runs through it, and its versions
#[derive(clap::Args)]
#[command(after_help = "\
Examples:

  cadence show zillow-purchase --local
  cadence show message/sms/intro --stage prod
  cadence show zillow-purchase --version 3 --stage prod")]
pub(crate) struct Args {
    /// The record: zillow-purchase, CADENCE#zillow-purchase or cadence/zillow-purchase
    #[arg(value_name = "ID")]
    record: String,
    /// Show what this version said, and nothing else
    #[arg(long, value_name = "VERSION")]
    version: Option<u32>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let table = args.table.open().await?;
    let pk = named::key_of(&table, &args.record).await?;
    if let Some(number) = args.version {
        let kept = table.version(&pk, number).await?;
        let content = kept.written(&pk);
        print(text_of(&pk, &content).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let versions = table.versions(&pk).await?;
    let edited = table.load(&pk).await?.with_context(|| format!("there is no record {pk} in {}", table.place()))?;
    match args.json {
        true => print(&json_of(&edited, &versions)),
        false => tell(&edited, &versions),
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(edited: &Edited, versions: &[Kept]) {
    let told = edited.told.clone().unwrap_or_default();
    let check = if told.check.is_empty() { "not checked yet" } else { &told.check };
    print(&edited.pk);
    print(&format!("  check     {check}"));
    told.problems.iter().for_each(|problem| print(&format!("            {problem}")));
    for (name, value) in [("summary", &told.summary), ("leads", &told.leads)] {
        if let Some(value) = value {
            print(&format!("  {name:<8}  {value}"));
        }
    }
    for (index, kept) in versions.iter().enumerate() {
        let name = if index == 0 { "versions" } else { "" };
        let at = kept.published_at.map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
        let is_at_work = told.published_version == Some(kept.version);
        print(
            format!("  {name:<8}  {:<4}  {at}{}", kept.version, if is_at_work { "  at work" } else { "" }).trim_end(),
        );
    }
    print("");
    print(text_of(&edited.pk, &edited.content).trim_end());
}

fn json_of(edited: &Edited, versions: &[Kept]) -> String {
    let told = edited.told.clone().unwrap_or_default();
    let versions = versions.iter().map(|kept| json!({ "version": kept.version, "published_at": kept.published_at }));
    json!({ "record": edited.pk, "content": edited.content, "check": told.check, "problems": told.problems,
        "published_version": told.published_version, "summary": told.summary, "leads": told.leads,
        "versions": versions.collect::<Vec<_>>() })
    .to_string()
}
