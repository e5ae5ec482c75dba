//! Runs the worlds of many seeds, as many at a time as there are processors, and sums up what came of them.

use std::{
    ops::Range,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use cadence_tests::simulation::{Invariant, Ran, Run, Totals, commit_of_folder, failure, on_threads, processors};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{SHOWN_EVERY, print, progress};

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
    /// Keep the sums in this file as it goes, and go on from there when the same build is started again
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Print the sums as one JSON object on one line
    #[arg(long)]
    json: bool,
}

/// What came of all of them.
#[derive(Default, Deserialize, Serialize)]
struct Soaked {
    command: String,
    commit_of_folder: String,
    /// What tells the build that ran from any other.
    binary: String,
    /// The first seed, and the one after the last.
    seeds: Range<u64>,
    seconds: f64,
    lead_steps_per_second: f64,
    promises: Promises,
    #[serde(flatten)]
    totals: Totals,
    failures: Vec<Failure>,
}

/// How often each promise was broken.
#[derive(Default, Deserialize, Serialize)]
struct Promises {
    lost: u64,
    doubled_outside_the_unsure_window: u64,
    after_opt_out: u64,
    outside_hours: u64,
    to_the_wrong_person: u64,
}

#[derive(Deserialize, Serialize)]
struct Failure {
    seed: u64,
    invariant: String,
    found: String,
    replay: String,
}

/// For how many of the failures a shorter way is looked for.
const SHRUNK: usize = 5;

/// After so many worlds the sums are kept. All of them are over by then, so the seeds have no gaps.
const ROUND: u64 = 200;

pub(crate) fn run(args: &Args) -> ExitCode {
    match soaked(args) {
        Ok(soaked) => {
            let told = if args.json { serde_json::to_string(&soaked) } else { serde_json::to_string_pretty(&soaked) };
            print(&told.unwrap_or_default());
            if soaked.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            progress(&format!("error: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn soaked(args: &Args) -> Result<Soaked, String> {
    let began = Instant::now();
    let mut soaked = Soaked::begun(args, binary()?)?;
    let seconds_before = soaked.seconds;
    let is_time_left = || args.minutes.is_none_or(|minutes| began.elapsed() < Duration::from_secs(minutes * 60));
    let end = args.from + args.worlds;
    while soaked.seeds.end < end && is_time_left() {
        let round = soaked.seeds.end..end.min(soaked.seeds.end + ROUND);
        let mut until = round.start;
        let seeds = round.take_while(|_| is_time_left());
        let mut shown = Instant::now();
        on_threads(args.threads, seeds.map(|seed| (seed, Run::of_seed(seed))), |seed, run, ran| {
            until = until.max(seed + 1);
            soaked.add(seed, &run, ran, args.shrink);
            if shown.elapsed() > SHOWN_EVERY {
                shown = Instant::now();
                soaked.show(seconds_before + began.elapsed().as_secs_f64(), args.worlds);
            }
        });
        soaked.seeds.end = until;
        soaked.end(seconds_before + began.elapsed().as_secs_f64());
        soaked.keep(args)?;
    }
    progress("\n");
    Ok(soaked)
}

/// The hash of the running binary's own bytes. Its commit would not tell two builds apart, nor that of a folder whose binary it is.
fn binary() -> Result<String, String> {
    let bytes = std::env::current_exe().and_then(std::fs::read);
    let bytes = bytes.map_err(|error| format!("this binary can't be read, to tell it from others: {error}"))?;
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(hash.chars().take(16).collect())
}

impl Soaked {
    /// What the file holds, if there is one.
    fn begun(args: &Args, binary: String) -> Result<Self, String> {
        let command = std::env::args().collect::<Vec<_>>().join(" ");
        let (commit_of_folder, seeds) = (commit_of_folder(), args.from..args.from);
        let fresh = Self { command, commit_of_folder, binary, seeds, ..Self::default() };
        let Some(file) = args.keep.as_ref().filter(|file| file.exists()) else { return Ok(fresh) };
        let text =
            std::fs::read_to_string(file).map_err(|error| format!("{} can't be read: {error}", file.display()))?;
        let kept: Self = serde_json::from_str(&text)
            .map_err(|error| format!("{} is not what a soak keeps: {error}", file.display()))?;
        let of = |soaked: &Self| {
            let Self { binary, commit_of_folder, seeds, .. } = soaked;
            format!("of build {binary} (commit of its folder: {commit_of_folder}) from seed {}", seeds.start)
        };
        let is_same = (&kept.binary, kept.seeds.start) == (&fresh.binary, args.from);
        let elsewhere = || format!("{} is {}, this is {}: keep it elsewhere", file.display(), of(&kept), of(&fresh));
        if is_same { Ok(kept) } else { Err(elsewhere()) }
    }

    fn add(&mut self, seed: u64, run: &Run, ran: Ran, shrink: u64) {
        self.totals.add(&ran.totals);
        if let Some(violation) = ran.violation.clone() {
            let shrinking = Duration::from_secs(if self.failures.len() < SHRUNK { shrink } else { 0 });
            progress(&format!("\n{}\n", failure(run, ran, shrinking).unwrap_or_default()));
            let (invariant, found) = (violation.invariant.to_string(), violation.found);
            self.failures.push(Failure { seed, invariant, found, replay: run.to_string() });
        }
    }

    fn show(&self, seconds: f64, worlds: u64) {
        let Totals { worlds: done, lead_steps, .. } = &self.totals;
        let (speed, failed) = (*lead_steps as f64 / seconds, self.failures.len());
        progress(&format!(
            "\r{done} of {worlds} worlds, {lead_steps} lead-steps, {speed:.0} a second, {failed} failed "
        ));
    }

    fn end(&mut self, seconds: f64) {
        self.failures.sort_by_key(|failure| failure.seed);
        self.seconds = seconds;
        self.lead_steps_per_second = self.totals.lead_steps as f64 / seconds;
        self.promises = Promises::of(&self.totals);
    }

    fn keep(&self, args: &Args) -> Result<(), String> {
        let Some(file) = &args.keep else { return Ok(()) };
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        let beside = file.with_extension("new");
        let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file));
        written.map_err(|error| format!("{} can't be written: {error}", file.display()))
    }
}

impl Promises {
    fn of(totals: &Totals) -> Self {
        let broken = |invariant: Invariant| totals.violations.get(&invariant.to_string()).copied().unwrap_or(0);
        let lost = [Invariant::NothingLost, Invariant::Webhooks, Invariant::Told, Invariant::Alive, Invariant::Course];
        Self {
            lost: lost.map(broken).iter().sum(),
            doubled_outside_the_unsure_window: broken(Invariant::OneEffect),
            after_opt_out: broken(Invariant::OptOut),
            outside_hours: broken(Invariant::Hours),
            to_the_wrong_person: broken(Invariant::Person),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_of_one_build_and_one_first_seed() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Some(folder.path().join("sums"));
        let args = |from| {
            let keep = keep.clone();
            Args { worlds: 2, from, minutes: None, shrink: 0, threads: 1, keep, json: true }
        };
        let mut soaked = Soaked::begun(&args(5), "one".to_owned()).unwrap();
        soaked.seeds.end = 7;
        soaked.keep(&args(5)).unwrap();
        let goes_on = |from, binary: &str| Soaked::begun(&args(from), binary.to_owned());
        assert_eq!(goes_on(5, "one").unwrap().seeds, 5..7);
        for (from, binary) in [(5, "another"), (4, "one")] {
            let refused = goes_on(from, binary).err().unwrap();
            assert!(
                refused.contains("is of build one ") && refused.contains(&format!("this is of build {binary} ")),
                "{refused}"
            );
        }
        assert_eq!(binary().unwrap().len(), 16);
    }
}
