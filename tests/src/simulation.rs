//! The simulation: whole deployments on one thread, in virtual time, with faults, all of it drawn from a seed.
//!
//! A seed says who lives in a world, what ops write and everybody does, and what goes wrong with each request and each delivery. The real
//! handlers run against the local cloud through the real SDK clients. After everything that happens a checker asserts what must hold.

mod checker;
mod civil;
mod climate;
mod company;
mod crashes;
mod digest;
mod drafts;
mod draws;
mod failure;
mod fates;
mod hands;
mod invariants;
mod ledger;
mod operation;
mod part;
mod people;
mod plan;
mod planted;
mod scenarios;
mod seen;
mod shrink;
mod subject;
mod threads;
mod totals;
mod violation;
mod world;

use std::fmt;

pub use self::{
    crashes::{Crashes, Kind, crashed, left},
    failure::{commit_of_folder, failure},
    part::{Part, PartError, Parts},
    planted::Bug,
    scenarios::{SCENARIOS, Scenario},
    shrink::shrunk,
    threads::{on_threads, processors},
    totals::Totals,
    violation::{Invariant, Violation},
};
use self::{plan::Plan, violation::Held, world::World};

/// Which world is run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The seed that says all of it.
    pub seed: u64,
    /// The parts that it has.
    pub parts: Parts,
    /// Whether its requests are summed up, which takes time.
    pub with_digest: bool,
    /// A bug that its functions have.
    pub planted: Option<Bug>,
    /// A story instead of what the seed says, and what crashes in it.
    pub scenario: Option<(Scenario, Crashes)>,
}

/// What came of a world.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What does not hold, if anything.
    pub violation: Option<Violation>,
    /// What came of it in figures.
    pub totals: Totals,
    /// Everything that could be left out of it, in the order of time, and what that is.
    pub parts: Vec<(Part, String)>,
    /// What all its requests come to.
    pub digest: Option<String>,
    /// The addresses of the requests that functions made while something could go wrong, in order.
    pub calls: Vec<u64>,
}

impl Ran {
    /// What came of a world that did not even begin, or broke down.
    pub fn broken(found: impl Into<String>) -> Self {
        let violation = Some(Violation::of(Invariant::Alive, found));
        Self { violation, totals: Totals::default(), parts: Vec::new(), digest: None, calls: Vec::new() }
    }
}

impl Run {
    /// The world of that seed, with all its parts.
    pub fn of_seed(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Runs it until it is at rest, or something does not hold.
    pub fn go(&self) -> Ran {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let ran = match runtime {
            Ok(runtime) => runtime.block_on(self.live()),
            Err(error) => Err(error.into()),
        };
        ran.unwrap_or_else(|error| Ran::broken(format!("the world could not begin: {error}")))
    }

    async fn live(&self) -> crate::Tested<Ran> {
        let plan = match &self.scenario {
            Some((scenario, _)) => scenario.plan(),
            None => Plan::of_seed(self.seed)?,
        };
        let mut world = World::begin(plan, self).await?;
        let held: Held = world.run().await;
        let fates = world.fates();
        let mut totals = Totals::of(&world.checker().seen, fates.calls(), fates.kinds());
        if let Err(violation) = &held {
            *totals.violations.entry(violation.invariant.to_string()).or_insert(0) += 1;
        }
        let faults = fates.befallen().into_iter().map(|(part, _)| part);
        let parts = world.parts().into_iter().chain(faults);
        let mut parts: Vec<_> = parts.filter_map(|part| Some((part, world.words(&part)?))).collect();
        parts.sort_by(|(_, one), (_, other)| one.cmp(other));
        Ok(Ran { violation: held.err(), totals, parts, digest: fates.digest(), calls: fates.called() })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cargo build --workspace --bin simulate && target/debug/simulate")?;
        match &self.scenario {
            Some((scenario, crashes)) => {
                write!(f, " --scenario {}", scenario.name)?;
                if *crashes != Crashes::default() {
                    write!(f, " --crash {crashes}")?;
                }
            }
            None => write!(f, " --seed {}", self.seed)?,
        }
        if let Some(bug) = self.planted {
            write!(f, " --planted {bug}")?;
        }
        match self.parts == Parts::default() {
            true => Ok(()),
            false => write!(f, " --only {}", self.parts),
        }
    }
}
