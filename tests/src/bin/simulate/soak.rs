//! Runs the worlds of many seeds, as many at a time as there are processors, and sums up what came of them.

use std::{
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

use cadence_tests::simulation::{Invariant, Run, Totals, commit, failure, on_threads, processors};
use serde::Serialize;

use super::print;

/// Run the worlds of many seeds
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many worlds
    #[arg(long, default_value_t = 1000, value_name = "N")]
    worlds: u64,
    /// The first of their seeds
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    from: u64,
    /// After how many minutes no more worlds are begun
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<u64>,
    /// How long to look for a shorter way to each of the first failures, in seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    shrink: u64,
    /// How many worlds at a time
    #[arg(long, default_value_t = processors())]
    threads: usize,
    /// Print the sums as one JSON object on one line
    #[arg(long)]
    json: bool,
}

/// What came of all of them.
#[derive(Serialize)]
struct Soaked {
    command: String,
    commit: String,
    seeds: String,
    seconds: f64,
    lead_steps_per_second: f64,
    promises: Promises,
    #[serde(flatten)]
    totals: Totals,
    failures: Vec<Failure>,
}

/// How often each promise was broken.
#[derive(Serialize)]
struct Promises {
    lost: u64,
    doubled_outside_the_unsure_window: u64,
    after_opt_out: u64,
    outside_hours: u64,
    to_the_wrong_person: u64,
}

#[derive(Serialize)]
struct Failure {
    seed: u64,
    invariant: String,
    found: String,
    replay: String,
}

/// How often it says how far it is.
const SHOWN_EVERY: Duration = Duration::from_secs(2);

/// For how many of the failures a shorter way is looked for.
const SHRUNK: usize = 5;

pub(crate) fn run(args: &Args) -> ExitCode {
    let began = Instant::now();
    let (mut totals, mut failures, mut shown) = (Totals::default(), Vec::new(), Instant::now());
    let is_time_left = || args.minutes.is_none_or(|minutes| began.elapsed() < Duration::from_secs(minutes * 60));
    let seeds = (args.from..args.from + args.worlds).take_while(|_| is_time_left());
    let mut until = args.from;
    on_threads(args.threads, seeds.map(|seed| (seed, Run::of_seed(seed))), |seed, run, ran| {
        until = until.max(seed + 1);
        totals.add(&ran.totals);
        if let Some(violation) = ran.violation.clone() {
            let shrinking = Duration::from_secs(if failures.len() < SHRUNK { args.shrink } else { 0 });
            progress(&format!("\n{}\n", failure(&run, ran, shrinking).unwrap_or_default()));
            let (invariant, found) = (violation.invariant.to_string(), violation.found);
            failures.push(Failure { seed, invariant, found, replay: run.to_string() });
        }
        if shown.elapsed() > SHOWN_EVERY {
            shown = Instant::now();
            let (worlds, steps, failed) = (totals.worlds, totals.lead_steps, failures.len());
            let speed = steps as f64 / began.elapsed().as_secs_f64();
            progress(&format!(
                "\r{worlds} of {} worlds, {steps} lead-steps, {speed:.0} a second, {failed} failed ",
                args.worlds
            ));
        }
    });
    progress("\n");
    failures.sort_by_key(|failure| failure.seed);
    let seconds = began.elapsed().as_secs_f64();
    let soaked = Soaked {
        command: std::env::args().collect::<Vec<_>>().join(" "),
        commit: commit(),
        seeds: format!("{}..{until}", args.from),
        seconds,
        lead_steps_per_second: totals.lead_steps as f64 / seconds,
        promises: Promises::of(&totals),
        totals,
        failures,
    };
    let told = if args.json { serde_json::to_string(&soaked) } else { serde_json::to_string_pretty(&soaked) };
    print(&told.unwrap_or_default());
    if soaked.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Promises {
    fn of(totals: &Totals) -> Self {
        let broken = |invariant: Invariant| totals.violations.get(&invariant.to_string()).copied().unwrap_or(0);
        Self {
            lost: broken(Invariant::NothingLost) + broken(Invariant::Webhooks) + broken(Invariant::Told),
            doubled_outside_the_unsure_window: broken(Invariant::OneEffect),
            after_opt_out: broken(Invariant::OptOut),
            outside_hours: broken(Invariant::Hours),
            to_the_wrong_person: broken(Invariant::Person),
        }
    }
}

fn progress(text: &str) {
    let _ = write!(std::io::stderr(), "{text}");
}
