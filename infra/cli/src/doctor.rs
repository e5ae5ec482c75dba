//! `cadence doctor`: what needs somebody's attention, and why.

mod examination;
mod finding;

use std::process::ExitCode;

use serde_json::json;

use self::{
    examination::Clock,
    finding::{Finding, Kind},
};
use crate::{
    check::counted,
    here,
    table::{self, Place},
    told::print,
};

/// How many findings of a kind are shown to people.
const SHOWN: usize = 20;

/// Tells what needs somebody's attention, and why: what is overdue, parked, unsure, given up, quarantined or refused
#[derive(clap::Args)]
#[command(after_help = "\
Nothing is changed. Ends with 0 if all is well, with 1 if something needs somebody, with 2 if it can't be told.

Examples:

  cadence doctor --local
  cadence doctor --stage prod
  cadence doctor --stage prod --json | jq '.findings[] | select(.kind == \"unsure\")'")]
pub(crate) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stage = args.table.open_stage().await?;
    let clock = if args.json { Clock::Iso } else { Clock::Local(here::zone()) };
    let findings = examination::examine(&stage, &clock).await?;
    let needs_somebody = findings.iter().any(|finding| finding.kind.needs_somebody());
    match args.json {
        true => print(&json!({ "well": !needs_somebody, "findings": findings }).to_string()),
        false => tell(&findings, needs_somebody, &stage.place),
    }
    Ok(if needs_somebody { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(findings: &[Finding], needs_somebody: bool, place: &Place) {
    for kind in Kind::ALL {
        let of_kind: Vec<&Finding> = findings.iter().filter(|finding| finding.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        print(&format!("{}: {}", kind.title(), of_kind.len()));
        for finding in of_kind.iter().take(SHOWN) {
            print(&format!("  {}: {}", finding.about, finding.why));
        }
        if of_kind.len() > SHOWN {
            print(&format!("  and {} more; --json has them all", of_kind.len() - SHOWN));
        }
        print(&format!("  -> {}\n", kind.remedy(&place.flags)));
    }
    match (needs_somebody, findings.len()) {
        (true, _) => {
            let count = findings.iter().filter(|finding| finding.kind.needs_somebody()).count();
            let verb = if count == 1 { "needs" } else { "need" };
            print(&format!("{} {verb} somebody in {place}.", counted(count, "finding")));
        }
        (false, _) => print(&format!("Nothing needs anybody in {place}.")),
    }
}
