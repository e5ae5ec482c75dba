//! `cadence pull`: the records of a table become files.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use cadence_core::records::laid_out;
use cadence_store::{AtWork, Edited};
use serde_json::{Value, json};

use crate::{
    check::counted,
    pulled::{Pulled, Since},
    records::Records,
    status::NotAtWork,
    table,
    told::{complain, print},
};

/// Writes the records of a table into files
#[derive(clap::Args)]
#[command(after_help = "\
Each record is a file, named by its key; a record that has a file already, by whatever name, goes there. Files that say the same
stay as they are, and so do files of records that the table doesn't have. An edit that was refused is written as it stands, and
that is told. A file that was pulled before and that nobody touched since is brought up to date. One that says something else is
not overwritten without --force: `cadence diff DIR` shows what differs. What publish wrote on a record is no part of its file. What
was pulled is noted in DIR/.pulled.json, by which `cadence push` tells what somebody else has edited since: keep it with the files.
Ends with 1 if there is a file that it must not overwrite; nothing is written then.

Examples:

  cadence pull my-records --local
  cadence pull infra/cadences --stage dev
  cadence pull infra/cadences --stage prod --profile cadence-prod --region us-west-2 --force")]
pub(crate) struct Args {
    /// The folder; it is made if it isn't there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Overwrite files that say something else
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

/// What is to be done about a record's file.
enum Plan {
    /// There is none.
    New(String),
    /// It is as it was pulled before, and the record has been edited since.
    Newer(String),
    /// It says something else.
    Changed(String),
    /// It says the same.
    Same,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let table = args.table.open().await?;
    let edited = table.edited().await?;
    let not_at_work = not_at_work(&edited, &table.at_work().await?);
    let records = table.records_as_edited(edited);
    let there = match args.folder.exists() {
        true => Records::of_folder(&args.folder)?,
        false => Records::default(),
    };
    let mut pulled = Pulled::anew(&args.folder)?;
    let is_untouched =
        |pk: &str, file: &Value, now: &Value| pulled.since(table.place(), pk, file, now) == Since::Behind;
    let plans = plans(&args.folder, &records, &there, is_untouched)?;
    let paths = |is_it: fn(&Plan) -> bool| -> Vec<String> {
        plans.iter().filter(|(_, plan)| is_it(plan)).map(|(path, _)| path.display().to_string()).collect()
    };
    let changed = paths(|plan| matches!(plan, Plan::Changed(_)));
    if !changed.is_empty() && !args.force {
        complain(&format!("{} not as in {}:", these(changed.len()), table.place()));
        changed.iter().for_each(|path| complain(&format!("  {path}")));
        complain(&format!(
            "Nothing was written. `cadence diff {}{}` shows what differs; --force overwrites them.",
            args.folder.display(),
            table.place().flags
        ));
        if args.json {
            print(&json!({ "not_overwritten": changed }).to_string());
        }
        return Ok(ExitCode::FAILURE);
    }
    fs::create_dir_all(&args.folder).with_context(|| format!("{} can't be made", args.folder.display()))?;
    for (path, plan) in &plans {
        if let Plan::New(text) | Plan::Newer(text) | Plan::Changed(text) = plan {
            fs::write(path, text).with_context(|| format!("{} can't be written", path.display()))?;
        }
    }
    records.iter().for_each(|(pk, record)| pulled.note(table.place(), pk, &record.content));
    pulled.keep()?;
    let new = paths(|plan| matches!(plan, Plan::New(_)));
    let newer = paths(|plan| matches!(plan, Plan::Newer(_)));
    let same = plans.len() - new.len() - newer.len() - changed.len();
    let only_here: Vec<&str> = there.iter().map(|(pk, _)| pk).filter(|pk| records.get(pk).is_none()).collect();
    if args.json {
        print(
            &json!({ "new": new, "updated": newer, "overwritten": changed, "same": same, "only_here": only_here, "not_at_work": not_at_work })
                .to_string(),
        );
        return Ok(ExitCode::SUCCESS);
    }
    for (pk, why) in &not_at_work {
        complain(&format!("note: {pk} is the edit that stands there, which {}", why.as_str()));
    }
    new.iter().for_each(|path| print(&format!("new          {path}")));
    newer.iter().for_each(|path| print(&format!("updated      {path}")));
    changed.iter().for_each(|path| print(&format!("overwritten  {path}")));
    only_here.iter().for_each(|pk| print(&format!("only here    {pk}")));
    print(&format!(
        "{} of {}: {} written, {same} the same",
        counted(records.len(), "record"),
        table.place(),
        new.len() + newer.len() + changed.len()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The records whose edits are not what is at work.
fn not_at_work(edited: &[Edited], at_work: &BTreeMap<String, AtWork>) -> BTreeMap<String, NotAtWork> {
    let why = |edited: &Edited| Some((edited.pk.clone(), NotAtWork::of(edited, at_work.get(&edited.pk))?));
    edited.iter().filter_map(why).collect()
}

fn these(count: usize) -> &'static str {
    if count == 1 { "This file is" } else { "These files are" }
}

/// What is to be done, file by file.
fn plans(
    folder: &Path,
    records: &Records,
    there: &Records,
    is_untouched: impl Fn(&str, &Value, &Value) -> bool,
) -> anyhow::Result<Vec<(PathBuf, Plan)>> {
    let mut plans = Vec::new();
    for (pk, record) in records.iter() {
        let text = text_of(pk, &record.content);
        let (path, plan) = match there.get(pk) {
            Some(found) if found.content == record.content => (PathBuf::from(&found.place), Plan::Same),
            Some(found) if there.keys_in(Path::new(&found.place)).count() > 1 => {
                bail!(
                    "{} holds several records, and {pk} is not as in the table: give each a file of its own",
                    found.place
                )
            }
            Some(found) if is_untouched(pk, &found.content, &record.content) => {
                (PathBuf::from(&found.place), Plan::Newer(text))
            }
            Some(found) => (PathBuf::from(&found.place), Plan::Changed(text)),
            None => (free_path(folder, pk, &plans), Plan::New(text)),
        };
        plans.push((path, plan));
    }
    Ok(plans)
}

/// A record's own file name, or the next that is free where another record's key comes to the same.
fn free_path(folder: &Path, pk: &str, taken: &[(PathBuf, Plan)]) -> PathBuf {
    let name = file_name(pk);
    let path = |number: u32| match number {
        1 => folder.join(format!("{name}.json")),
        number => folder.join(format!("{name}-{number}.json")),
    };
    let is_free = |path: &PathBuf| !path.exists() && taken.iter().all(|(other, _)| other != path);
    (1..).map(path).find(is_free).unwrap_or_else(|| path(1))
}

/// A record as it stands in a file: the same record is always the same text.
pub(crate) fn text_of(pk: &str, content: &Value) -> String {
    let mut item = content.clone();
    if let Some(fields) = item.as_object_mut() {
        fields.insert("pk".to_owned(), pk.into());
        fields.insert("sk".to_owned(), "CURRENT".into());
    }
    laid_out(&item)
}

/// `MESSAGE#email/intro` is `message-email-intro`.
fn file_name(pk: &str) -> String {
    let (kind, id) = pk.split_once('#').unwrap_or((pk, ""));
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+') { c } else { '-' };
    format!("{}-{}", kind.to_lowercase(), id.chars().map(safe).collect::<String>()).chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_s_file_is_named_as_the_shipped_ones_are() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../cadences");
        let records = Records::of_files(Path::new(folder)).unwrap();
        for (pk, found) in records.iter() {
            assert_eq!(Path::new(&found.place).file_stem().unwrap(), file_name(pk).as_str());
        }
        for (pk, name) in
            [("USER#a|b:c@example.com", "user-a-b-c@example.com"), ("CADENCE#../x", "cadence-..-x"), ("#", "-")]
        {
            assert_eq!(file_name(pk), name);
        }
    }

    #[test]
    fn keys_that_come_to_one_name_get_a_file_each() {
        let mut records = Records::default();
        for pk in ["MESSAGE#email-intro", "MESSAGE#email/intro"] {
            records.insert(pk.to_owned(), json!({ "text": pk }), "config");
        }
        let folder = tempfile::tempdir().unwrap();
        let plans = plans(folder.path(), &records, &Records::default(), |_, _, _| false).unwrap();
        let names: Vec<_> = plans.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["message-email-intro.json", "message-email-intro-2.json"]);
    }
}
