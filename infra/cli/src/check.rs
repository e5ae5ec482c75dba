//! `cadence check`: what publish would find wrong with records, before they are there.

use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use cadence_core::records::{Draft, Known, Problem, Severity, parse_record};
use serde_json::{Value, json};

use crate::{
    records::{Found, Records},
    table,
    told::{complain, print},
};

/// Checks records as publish does
#[derive(clap::Args)]
#[command(after_help = "\
What the records refer to is looked up among them, then beside the file, then in the table if one is named,
as it is at work there. Without a file or a folder it is the table's own records that are checked, as they stand there.
Ends with 1 if a record would be refused (or is warned of, with --strict), with 2 if they can't be read.

Examples:

  cadence check infra/cadences
  cadence check infra/cadences/cadence-new-lead.json --strict
  cadence check my-cadence.json --stage dev
  cadence check --stage dev
  cadence check infra/cadences --json | jq '.records[] | select(.findings != [])'")]
pub(crate) struct Args {
    /// A folder of records such as infra/cadences, or one file of it
    #[arg(value_name = "FILE|DIR")]
    records: Option<PathBuf>,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

/// What was found about records.
pub(crate) struct Findings(Vec<Finding>);

/// What was found about a record, or about what is none.
struct Finding {
    /// Its key; `None` of what is no record.
    record: Option<String>,
    place: String,
    problems: Vec<Problem>,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let table = args.table.open_if_given().await?;
    let (meant, beside) = match (&args.records, &table) {
        (Some(path), _) => Records::meant(path)?,
        (None, Some(table)) => (table.records().await?, Records::default()),
        (None, None) => bail!(
            "say what to check: a folder of records such as infra/cadences, a file, or a table with --local or --stage dev"
        ),
    };
    let at_work = match &table {
        Some(table) => Some(table.records_at_work().await?),
        None => None,
    };
    let others: Vec<&Records> = at_work.iter().chain([&beside]).collect();
    let findings = Findings::of(&meant, &others);
    beside.unusable().iter().for_each(|(place, problem)| complain(&format!("left out {place}: {problem}")));
    match args.json {
        true => print(&findings.json().to_string()),
        false => findings.tell(),
    }
    let is_bad = findings.count(Severity::Error) > 0 || (args.strict && findings.count(Severity::Warning) > 0);
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Findings {
    /// Checks records against each other and the others, of which the last count most: where one of the same key is among those, as an
    /// edit of that.
    pub(crate) fn of(meant: &Records, others: &[&Records]) -> Self {
        // Publish holds what is written anew against what is at work of it, too.
        let at_work = known_of(others.iter().copied().flat_map(Records::iter));
        let known = known(others.iter().copied().chain([meant]).flat_map(Records::iter));
        let findings = meant.iter().map(|(pk, found)| {
            let (_, problems) = Draft::read(pk, &found.content).over(at_work.record(pk)).check(&known);
            Finding { record: Some(pk.to_owned()), place: found.place.clone(), problems }
        });
        let unusable = meant.unusable().iter().map(|(place, problem)| Finding {
            record: None,
            place: place.clone(),
            problems: vec![problem.clone()],
        });
        Self(findings.chain(unusable).collect())
    }

    /// What was found about the record of that key.
    pub(crate) fn about(&self, pk: &str) -> &[Problem] {
        let of = self.0.iter().find(|finding| finding.record.as_deref() == Some(pk));
        of.map(|finding| finding.problems.as_slice()).unwrap_or_default()
    }

    /// How many there are of that severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.0.iter().flat_map(|finding| &finding.problems).filter(|problem| problem.severity == severity).count()
    }

    /// Tells them, record by record, and how many there are.
    pub(crate) fn tell(&self) {
        for Finding { record, place, problems } in self.0.iter().filter(|finding| !finding.problems.is_empty()) {
            print(&record.as_ref().map_or_else(|| place.clone(), |pk| format!("{pk}  ({place})")));
            for problem in problems {
                let path = if problem.path.is_empty() { String::new() } else { format!("{}: ", problem.path) };
                print(&format!("  {:<7}  {path}{}", word(problem.severity), problem.sentence));
                print(&format!("           {}", problem.remedy));
            }
            print("");
        }
        print(&format!(
            "{}: {}, {}",
            counted(self.0.iter().filter(|finding| finding.record.is_some()).count(), "record"),
            counted(self.count(Severity::Error), "error"),
            counted(self.count(Severity::Warning), "warning")
        ));
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        let records = self.0.iter().map(|Finding { record, place, problems }| {
            let findings = problems.iter().map(|problem| {
                json!({ "severity": word(problem.severity), "path": problem.path, "sentence": problem.sentence, "remedy": problem.remedy })
            });
            json!({ "record": record, "place": place, "findings": findings.collect::<Vec<_>>() })
        });
        json!({
            "records": records.collect::<Vec<_>>(),
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
        })
    }
}

/// What a check looks up: of records of the same key, the last. Those that were deleted are not there.
pub(crate) fn known<'a>(records: impl IntoIterator<Item = (&'a str, &'a Found)>) -> Known {
    known_of(records.into_iter().filter(|(_, found)| !found.is_deleted))
}

fn known_of<'a>(records: impl Iterator<Item = (&'a str, &'a Found)>) -> Known {
    let mut known = Known::default();
    for (pk, found) in records {
        match parse_record(pk, &found.content) {
            Ok(record) => known.insert(record),
            Err(_) => drop(known.refused.insert(pk.to_owned())),
        }
    }
    known
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// `1 error`, `3 errors`
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
