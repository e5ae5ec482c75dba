//! Runs worlds of the simulation: that of one seed, those of many, every crash of every story, and worlds with a known bug.

mod crashes;
mod planted;
mod soak;

use std::{io::Write, process::ExitCode, time::Duration};

use cadence_tests::simulation::{Bug, Crashes, Parts, Run, SCENARIOS, Scenario, failure};
use clap::{Parser, Subcommand};

/// A world is many small requests, each of many small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Run whole deployments in virtual time, with faults, and assert what is promised
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    many: Option<Many>,
    #[command(flatten)]
    one: One,
}

/// How often long work says how far it is.
const SHOWN_EVERY: Duration = Duration::from_secs(2);

#[derive(Subcommand)]
enum Many {
    Soak(soak::Args),
    Crashes(crashes::Args),
    Planted(planted::Args),
}

/// One world.
#[derive(clap::Args)]
struct One {
    /// The seed that says all of the world
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A story instead of what the seed says
    #[arg(long, value_name = "NAME", value_parser = story)]
    scenario: Option<Scenario>,
    /// What crashes in the story, as a failure lists it: 1f2e:b,3a4b:e
    #[arg(long, value_name = "CRASHES", requires = "scenario", default_value = "")]
    crash: Crashes,
    /// Only these parts of it, as a failure lists them: d3,o0,ff00
    #[arg(long, value_name = "PARTS")]
    only: Option<Parts>,
    /// How long to look for a shorter list of parts with which it still fails, in seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    shrink: u64,
    /// Sum up its requests, to compare two runs
    #[arg(long)]
    digest: bool,
    /// Give its functions a known bug, which must be found
    #[arg(long, value_name = "BUG")]
    planted: Option<Bug>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match &args.many {
        Some(Many::Soak(args)) => soak::run(args),
        Some(Many::Crashes(args)) => crashes::run(args),
        Some(Many::Planted(args)) => planted::run(args),
        None => one(args.one),
    }
}

fn one(args: One) -> ExitCode {
    let run = Run {
        seed: args.seed,
        parts: args.only.unwrap_or_default(),
        with_digest: args.digest,
        planted: args.planted,
        scenario: args.scenario.map(|story| (story, args.crash)),
    };
    let ran = run.go();
    print(&serde_json::to_string_pretty(&ran.totals).unwrap_or_default());
    if let Some(digest) = &ran.digest {
        print(&format!("requests: {digest}"));
    }
    match failure(&run, ran, Duration::from_secs(args.shrink)) {
        Some(failure) => {
            print(&format!("\n{failure}"));
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

fn story(name: &str) -> Result<Scenario, String> {
    let names: Vec<&str> = SCENARIOS.iter().map(|known| known.name).collect();
    Scenario::named(name).ok_or_else(|| format!("there is no story \"{name}\"; there are {}", names.join(", ")))
}

/// Says how far it is, on a line that the next one takes.
fn progress(text: &str) {
    let _ = write!(std::io::stderr(), "{text}");
}

#[expect(clippy::print_stdout, reason = "it is what the command is for")]
fn print(text: &str) {
    println!("{text}");
}
