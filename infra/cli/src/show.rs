//! `cadence show`: one record, what was made of it, and its versions.

use std::{path::PathBuf, process::ExitCode};

use cadence_store::{AtWork, Edited, Kept};
use serde_json::json;

use crate::{
    files, named,
    pull::text_of,
    status::{NotAtWork, status},
    table,
    told::print,
};

/// Shows a record: what the check says, what it does, who runs through it, and its versions
#[derive(clap::Args)]
#[command(after_help = "\
Examples:

  cadence show zillow-purchase --local
  cadence show message/sms/intro --stage prod
  cadence show zillow-purchase --files infra/cadences
  cadence show zillow-purchase --version 3 --stage prod")]
pub(crate) struct Args {
    /// The record: zillow-purchase, CADENCE#zillow-purchase or cadence/zillow-purchase
    #[arg(value_name = "ID")]
    record: String,
    /// The one of a folder, or of a file, in place of a table's
    #[arg(long, value_name = "FILE|DIR", conflicts_with_all = table::PLACES)]
    files: Option<PathBuf>,
    /// Show what this version said, and nothing else
    #[arg(long, value_name = "VERSION", value_parser = named::number, conflicts_with = "files")]
    version: Option<u32>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.files {
        return files::show(path, &args.record, args.json);
    }
    let table = args.table.open().await?;
    let pk = named::key_of(&table, &args.record).await?;
    if let Some(number) = args.version {
        let kept = named::version(&table, &pk, number).await?;
        let content = kept.written(&pk);
        print(text_of(&pk, &content).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let versions = table.versions(&pk).await?;
    let Some(edited) = table.load(&pk).await? else {
        return Err(named::no_record(&table, &pk, &versions).await?);
    };
    let at_work = table.at_work().await?.remove(&pk);
    match args.json {
        true => print(&json_of(&edited, at_work.as_ref(), &versions)),
        false => tell(&edited, at_work.as_ref(), &versions),
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(edited: &Edited, at_work: Option<&AtWork>, versions: &[Kept]) {
    let told = edited.told.clone().unwrap_or_default();
    let check = if told.check.is_empty() { "not checked yet" } else { &told.check };
    print(&edited.pk);
    print(&format!("  check     {check}"));
    told.problems.iter().for_each(|problem| print(&format!("            {problem}")));
    print(&format!("  status    {}", standing(edited, at_work)));
    for (name, value) in [("summary", &told.summary), ("leads", &told.leads)] {
        if let Some(value) = value {
            print(&format!("  {name:<8}  {value}"));
        }
    }
    for (index, kept) in versions.iter().enumerate() {
        let name = if index == 0 { "versions" } else { "" };
        let at = kept.published_at.map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
        let is_at_work = at_work.is_some_and(|at_work| at_work.version == kept.version);
        print(
            format!("  {name:<8}  {:<4}  {at}{}", kept.version, if is_at_work { "  at work" } else { "" }).trim_end(),
        );
    }
    print("");
    print(text_of(&edited.pk, &edited.content).trim_end());
}

/// What is at work, and that what stands below is not, if so.
fn standing(edited: &Edited, at_work: Option<&AtWork>) -> String {
    let at_work_is = match (at_work, status(&edited.pk, at_work)) {
        (Some(at_work), Some(status)) if status.is_empty() => format!("version {} is at work", at_work.version),
        (Some(at_work), Some(status)) => format!("{status}, by version {}", at_work.version),
        _ => "nothing is at work".to_owned(),
    };
    match NotAtWork::of(edited, at_work) {
        Some(why) => format!("{at_work_is}; the edit below {}", why.as_str()),
        None => at_work_is,
    }
}

fn json_of(edited: &Edited, at_work: Option<&AtWork>, versions: &[Kept]) -> String {
    let told = edited.told.clone().unwrap_or_default();
    let versions = versions.iter().map(|kept| json!({ "version": kept.version, "published_at": kept.published_at }));
    json!({ "record": edited.pk, "content": edited.content, "check": told.check, "problems": told.problems,
        "status": status(&edited.pk, at_work), "edit_not_at_work": NotAtWork::of(edited, at_work),
        "published_version": at_work.map(|at_work| at_work.version), "summary": told.summary, "leads": told.leads,
        "versions": versions.collect::<Vec<_>>() })
    .to_string()
}
