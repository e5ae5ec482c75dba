//! Plants each known bug and tells which seed finds it, and after how long.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use cadence_tests::simulation::{Bug, Run, Violation};

use super::print;

/// Plant each known bug, and find it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this bug
    #[arg(long)]
    bug: Option<Bug>,
    /// How long to look for each, in seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    within: u64,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let mut missed = 0;
    print(&format!("{:<28} {:>6} {:>8}  {}", "bug", "seed", "found in", "what it breaks"));
    for bug in Bug::all().filter(|bug| args.bug.is_none_or(|wanted| wanted == *bug)) {
        match found(bug, Duration::from_secs(args.within)) {
            Some((seed, time, what)) => print(&format!("{bug:<28} {seed:>6} {:>6.1} s  {what}", time.as_secs_f64())),
            None => {
                missed += 1;
                print(&format!("{bug:<28} {:>6} {:>8}  NOT FOUND: {}", "-", "-", bug.words()));
            }
        }
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The story or the first seed whose world shows what the bug breaks, how long it took to find that, and what it is.
fn found(bug: Bug, within: Duration) -> Option<(String, Duration, String)> {
    let began = Instant::now();
    let story = Some(bug.shown()).filter(|run| run.scenario.is_some());
    let seeds = (0..).map(|seed| Run { planted: Some(bug), ..Run::of_seed(seed) });
    story.into_iter().chain(seeds).take_while(|_| began.elapsed() < within).find_map(|run| {
        let breaks = |violation: &Violation| violation.invariant == bug.breaks();
        let violation = run.go().violation.filter(breaks)?;
        let shown_by = run.scenario.map_or(run.seed.to_string(), |(story, _)| story.name.to_owned());
        Some((shown_by, began.elapsed(), violation.invariant.to_string()))
    })
}
