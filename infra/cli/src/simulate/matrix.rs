//! `cadence simulate --matrix`: a cadence for leads of all states and zones, arriving at each hour of a week, and what is odd about it.

mod odd;
mod places;
mod progress;
mod tally;

use std::{
    collections::BTreeSet,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context, anyhow};
use cadence_core::{
    Outcome, StepId,
    arrival::Catalogue,
    intake::OwnerHints,
    records::{Cadence, Source},
    simulation::{Arriving, Script, Simulated, simulate},
    sources::Inbound,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::published::Published;
use crate::told::print;
use places::{Place, Week};
use progress::Progress;
use tally::{Limits, Tally};

/// The sweep
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The sweep")]
pub(crate) struct MatrixFlags {
    /// Run the cadence for leads of all US states and time zones, arriving at each hour of a week, and report what is odd: leads that wait
    /// too long or whom nothing reaches, steps that never run or always later than they should. Ends with 1 if anything is
    #[arg(long, conflicts_with_all = ["lead", "state", "zip", "time_zone", "phone", "owner", "draw", "outcome", "script", "full"])]
    pub(super) matrix: bool,
    /// Which weeks
    #[arg(long, value_enum, value_delimiter = ',', default_value = "next", requires = "matrix")]
    weeks: Vec<Week>,
    /// A first touch that comes more hours than that after the lead is odd
    #[arg(long, value_name = "HOURS", default_value_t = 24, requires = "matrix")]
    first_touch: u16,
    /// A cadence that takes more weeks than that is odd
    #[arg(long, value_name = "WEEKS", default_value_t = 4, requires = "matrix")]
    longest: u16,
}

/// A cadence and the leads that it is swept with.
pub(super) struct Sweep<'a> {
    pub(super) published: &'a Published,
    /// The catalogue in which only that cadence takes leads.
    pub(super) takers: &'a Catalogue,
    pub(super) cadence: &'a Cadence,
    pub(super) source: &'a Source,
    /// All of a lead but where it is.
    pub(super) inbound: &'a Inbound,
    pub(super) at: DateTime<Utc>,
    /// How one such lead is simulated, but for where it is.
    pub(super) command: String,
}

impl Sweep<'_> {
    pub(super) fn run(&self, flags: &MatrixFlags, is_json: bool) -> anyhow::Result<ExitCode> {
        let places = Place::all(self.cadence, &self.published.records.catalogue.users);
        let arrivals = Week::arrivals(&flags.weeks, self.at, &self.published.records.catalogue.settings.holidays());
        let limits = Limits {
            first_touch: TimeDelta::hours(flags.first_touch.into()),
            whole: TimeDelta::weeks(flags.longest.into()),
        };
        let progress = Progress::of(places.len() as u64)?;
        let tallies = self.tallies(&places, &arrivals, limits, &progress)?;
        let steps: Vec<StepId> = self.cadence.steps.iter().map(|step| step.id.clone()).collect();
        let found = odd::odd(&tallies, &self.ever_ran(&places, &arrivals, &tallies)?, &steps);

        let swept = places.len() * arrivals.len();
        let runs: usize = tallies.iter().map(|tally| tally.runs).sum();
        if is_json {
            found.iter().for_each(|odd| print(&odd.object(&places, &self.command).to_string()));
            print(&json!({"kind": "summary", "cadence": self.cadence.id, "places": places.len(), "arrivals": arrivals.len(),
                "leads": swept, "steps_run": runs, "odd": found.len()}).to_string());
        } else {
            for odd in &found {
                print(&format!("! {}\n", odd.words(&places, swept, &self.command)));
            }
            print(&self.summary(&places, &arrivals, runs, found.len()));
        }
        Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn summary(&self, places: &[Place], arrivals: &[DateTime<Utc>], runs: usize, odd: usize) -> String {
        let day = |at: Option<&DateTime<Utc>>| at.map_or_else(String::new, |at| at.format("%Y-%m-%d").to_string());
        let weeks = arrivals.chunks(7 * 24).map(|week| format!("{} to {}", day(week.first()), day(week.last())));
        let weeks: Vec<String> = weeks.collect();
        format!(
            "{}: {}, at each hour from {}: {} leads, {runs} steps run, {}.",
            self.cadence.id,
            match places {
                [place] => format!("leads in {}", place.name()),
                places => format!("{} places (states and each of their zones)", places.len()),
            },
            weeks.join(" and from "),
            places.len() * arrivals.len(),
            match odd {
                0 => "nothing odd".to_owned(),
                odd => format!("{odd} odd"),
            }
        )
    }

    /// What is counted of the leads of each place, on all processors.
    fn tallies(
        &self,
        places: &[Place],
        arrivals: &[DateTime<Utc>],
        limits: Limits,
        progress: &Progress,
    ) -> anyhow::Result<Vec<Tally>> {
        let next = AtomicUsize::new(0);
        let work = || -> anyhow::Result<Vec<(usize, Tally)>> {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(place) = places.get(index) else { return Ok(done) };
                let mut tally = Tally::default();
                for at in arrivals {
                    tally.add(&self.simulated(place, *at, &Script::default())?, limits);
                }
                done.push((index, tally));
                progress.step();
            }
        };
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let mut tallies: Vec<(usize, Tally)> = Vec::new();
        thread::scope(|scope| {
            let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            for worker in running {
                tallies.extend(worker.join().map_err(|_| anyhow!("a simulation panicked"))??);
            }
            anyhow::Ok(())
        })?;
        progress.finish();
        tallies.sort_by_key(|(index, _)| *index);
        Ok(tallies.into_iter().map(|(_, tally)| tally).collect())
    }

    /// The steps that ran for some lead of the sweep, or run for one of whose steps something comes that the cadence names.
    fn ever_ran(
        &self,
        places: &[Place],
        arrivals: &[DateTime<Utc>],
        tallies: &[Tally],
    ) -> anyhow::Result<BTreeSet<StepId>> {
        let ran = |tally: &Tally| {
            tally.steps.iter().filter(|(_, step)| step.ran > 0).map(|(id, _)| id.clone()).collect::<Vec<_>>()
        };
        let mut ever: BTreeSet<StepId> = tallies.iter().flat_map(ran).collect();
        let reached = places.iter().zip(tallies).find(|(_, tally)| tally.unreached.is_empty()).map(|(place, _)| place);
        let (Some(place), Some(at)) = (reached, arrivals.first()) else { return Ok(ever) };
        // What comes of a step is tried once, after what first brought the lead to it.
        let mut tried: BTreeSet<(StepId, Outcome)> = BTreeSet::new();
        let mut scripts = vec![String::new()];
        while let Some(script) = scripts.pop() {
            let parsed = Script::parse(&script).map_err(|errors| anyhow!("{errors:?}"))?;
            let simulated = self.simulated(place, *at, &parsed)?;
            let world = simulated.worlds.first().context("a simulation without an enrollment")?;
            for taken in world.claims.iter().filter(|taken| taken.reached()) {
                ever.insert(taken.claim.step.clone());
                let Some(step) = self.cadence.step(&taken.claim.step) else { continue };
                let redialled = (step.attempts > 1).then_some(&Outcome::NoAnswer);
                for outcome in step.on.keys().chain(self.cadence.anytime.keys()).chain(redialled) {
                    if tried.insert((step.id.clone(), *outcome)) {
                        scripts.extend(line(&script, &step.id, *outcome));
                    }
                }
            }
        }
        Ok(ever)
    }

    fn simulated(&self, place: &Place, at: DateTime<Utc>, script: &Script) -> anyhow::Result<Simulated> {
        let records = &self.published.records;
        let mut inbound = self.inbound.clone();
        inbound.state = place.state.map(|state| state.code().to_owned());
        inbound.time_zone = place.zone.as_ref().map(|zone| zone.as_str().to_owned());
        inbound.zip = None;
        let owner = place.owner.as_ref().map(|owner| owner.email.clone());
        inbound.owner_hints = OwnerHints { email: owner, nmls_id: None };
        let arriving = Arriving { source: self.source, inbound: &inbound, takers: self.takers, at };
        let begun = records.arrive(arriving).map_err(|_| anyhow!("the cadence {} takes no leads", self.cadence.id))?;
        Ok(simulate(records, begun, script)?)
    }
}

/// The script with that outcome after it; `None` for what only the engine says, which comes by itself or by a vendor's answer.
fn line(script: &str, step: &StepId, outcome: Outcome) -> Option<String> {
    let word = match outcome {
        Outcome::Failed => "rejected",
        Outcome::Expired | Outcome::Skipped => return None,
        outcome => outcome.as_str(),
    };
    Some(format!("{script}\n{step}={word}"))
}
