//! What `list` and `show` tell of records in files: there are no versions and no leads, and the check is made now.

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use cadence_core::records::{Problem, Record, parse_record, summary};
use cadence_store::Edited;
use serde_json::{Value, json};

use crate::{
    check::{Findings, counted},
    named,
    pull::text_of,
    records::{Found, Records},
    status::status_of,
    told::{print, table},
};

/// Lists the records that are meant, by their keys.
pub(crate) fn list(path: &Path, is_meant: impl Fn(&str) -> bool, is_json: bool) -> anyhow::Result<ExitCode> {
    let records = Records::of_files(path)?;
    let findings = Findings::of(&records, &[]);
    let meant: Vec<(&str, &Found)> = records.iter().filter(|(pk, _)| is_meant(pk)).collect();
    if is_json {
        let told = meant.iter().map(|(pk, found)| json_of(pk, found, findings.about(pk)));
        print(&Value::from(told.collect::<Vec<_>>()).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let rows = meant.iter().map(|(pk, found)| {
        [(*pk).to_owned(), status_of(pk, &found.content), check(findings.about(pk)), found.place.clone()]
    });
    let head = ["RECORD", "STATUS", "CHECK", "FILE"].map(str::to_owned);
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    print(&format!("{} in {}", counted(meant.len(), "record"), path.display()));
    Ok(ExitCode::SUCCESS)
}

/// Shows one of them.
pub(crate) fn show(path: &Path, name: &str, is_json: bool) -> anyhow::Result<ExitCode> {
    let records = Records::of_files(path)?;
    let keys: Vec<&str> = records.iter().map(|(pk, _)| pk).collect();
    let whole = named::whole_key(name);
    let pk = match &whole {
        Some(pk) => pk.as_str(),
        None => named::by_id(&keys, name, &format!(" --files {}", path.display()))?,
    };
    let found = records.get(pk).with_context(|| format!("there is no record {pk} in {}", path.display()))?;
    let findings = Findings::of(&records, &[]);
    let problems = findings.about(pk);
    if is_json {
        print(&json_of(pk, found, problems).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{pk}  ({})", found.place));
    print(&format!("  check     {}", check(problems)));
    problems.iter().for_each(|problem| print(&format!("            {problem}")));
    if let Some(summary) = summary_of(pk, &found.content) {
        print(&format!("  summary   {summary}"));
    }
    print("");
    print(text_of(pk, &found.content).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// What comes of the check, in short.
fn check(problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    match (errors, problems.len()) {
        (0, 0) => "ok".to_owned(),
        (0, warnings) => format!("ok, {}", counted(warnings, "warning")),
        (errors, _) => counted(errors, "error"),
    }
}

fn summary_of(pk: &str, content: &Value) -> Option<String> {
    match parse_record(pk, content) {
        Ok(Record::Cadence(cadence)) => Some(summary(&cadence)),
        Ok(_) | Err(_) => None,
    }
}

fn json_of(pk: &str, found: &Found, problems: &[Problem]) -> Value {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    json!({ "record": pk, "file": found.place, "status": status_of(pk, &found.content), "problems": problems,
        "summary": summary_of(pk, &found.content), "content": Edited::content_of(found.content.clone()) })
}
