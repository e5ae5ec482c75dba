//! Crashes every request of every story: before it is done, after it, done and unanswered, and done but reported as failed; on demand in
//! ordered pairs.

use std::{process::ExitCode, time::Instant};

use cadence_tests::simulation::{Crashes, Kind, Run, SCENARIOS, Scenario, crashed, left, on_threads, processors};

use super::{SHOWN_EVERY, print, progress, story};

/// Crash every request of every story
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this story
    #[arg(long, value_name = "NAME", value_parser = story)]
    scenario: Option<Scenario>,
    /// Crash a second request after each first one too
    #[arg(long)]
    pairs: bool,
    /// In which of these ways: before, after, unanswered, failed
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Kind>,
    /// Of the requests that could crash, only every so manieth
    #[arg(long, default_value_t = 1, value_name = "N")]
    every: usize,
    /// How many worlds at a time
    #[arg(long, default_value_t = processors())]
    threads: usize,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let stories =
        SCENARIOS.iter().copied().filter(|known| args.scenario.is_none_or(|wanted| wanted.name == known.name));
    let (mut failed, mut worlds, began) = (0, 0, Instant::now());
    for scenario in stories {
        let (calm, requests) = run_all(args, [crashed(scenario, Crashes::default())].into_iter());
        let firsts: Vec<Crashes> = after(args, &requests);
        let (single, requests) = run_all(args, firsts.into_iter().map(|crashes| crashed(scenario, crashes)));
        let (pairs, _) = match args.pairs {
            true => run_all(args, after(args, &requests).into_iter().map(|crashes| crashed(scenario, crashes))),
            false => Sums::default().and_none(),
        };
        let sums = [calm, single, pairs];
        print(&format!(
            "{:<26} {:>4} requests, {:>6} single crashes, {:>7} pairs, {} failed",
            scenario.name,
            sums[0].requests,
            sums[1].worlds,
            sums[2].worlds,
            sums.iter().map(|sums| sums.failed).sum::<usize>()
        ));
        failed += sums.iter().map(|sums| sums.failed).sum::<usize>();
        worlds += sums.iter().map(|sums| sums.worlds).sum::<usize>();
    }
    print(&format!("{worlds} worlds in {:.0} s, {failed} failed", began.elapsed().as_secs_f64()));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn kind(name: &str) -> Result<Kind, String> {
    let found = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
    found.ok_or_else(|| format!("there is no crash \"{name}\"; there are {}", Kind::ALL.map(Kind::as_str).join(", ")))
}

/// What came of some worlds.
#[derive(Default)]
struct Sums {
    worlds: usize,
    requests: usize,
    failed: usize,
}

/// What crashed in a world, and which of its requests could crash next.
type Next = Vec<(Crashes, Vec<u64>)>;

impl Sums {
    fn and_none(self) -> (Self, Next) {
        (self, Vec::new())
    }
}

fn run_all(args: &Args, runs: impl ExactSizeIterator<Item = Run> + Send) -> (Sums, Next) {
    let (mut sums, mut next) = (Sums::default(), Vec::new());
    let (all, mut shown) = (runs.len(), Instant::now());
    on_threads(args.threads, runs.map(|run| ((), run)), |(), run, ran| {
        sums.worlds += 1;
        sums.requests += ran.calls.len();
        if let Some(violation) = &ran.violation {
            sums.failed += 1;
            progress(&format!("\n{violation}\n  {run}\n"));
        }
        if let Some((_, crashes)) = run.scenario {
            let requests = left(&ran, &crashes);
            next.push((crashes, requests));
        }
        if shown.elapsed() > SHOWN_EVERY {
            shown = Instant::now();
            progress(&format!("\r{} of {all} worlds, {} failed ", sums.worlds, sums.failed));
        }
    });
    (sums, next)
}

/// Each of those worlds with one more crash, of each kind at each request that is left.
fn after(args: &Args, worlds: &Next) -> Vec<Crashes> {
    let mut all = Vec::new();
    for (crashes, requests) in worlds {
        for address in requests {
            let kinds = if args.kinds.is_empty() { &Kind::ALL[..] } else { &args.kinds };
            all.extend(kinds.iter().map(|kind| crashes.and(*address, *kind)));
        }
    }
    all.into_iter().step_by(args.every.max(1)).collect()
}
