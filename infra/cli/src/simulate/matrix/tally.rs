//! What is counted of the leads of one place.

use std::collections::BTreeMap;

use cadence_core::{
    StepId,
    enrollment::{Act, Park},
    simulation::{Ending, Event, Simulated},
    timeline::EntryKind,
};
use chrono::{DateTime, TimeDelta, Utc};

/// What is counted of the leads of one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) leads: usize,
    /// Runs of steps, over all leads.
    pub(super) runs: usize,
    pub(super) steps: BTreeMap<StepId, StepTally>,
    /// Leads whom nothing reached, and why not.
    pub(super) unreached: BTreeMap<String, Cases>,
    /// Leads who waited too long for their first touch.
    pub(super) late: Cases,
    /// Leads whose cadence took too long.
    pub(super) long: Cases,
    /// Leads whose cadences never ended.
    pub(super) unending: Cases,
}

/// What is counted of one step.
#[derive(Clone, Debug, Default)]
pub(super) struct StepTally {
    /// For how many leads it was due.
    pub(super) due: usize,
    /// For how many of them only later than its wait says.
    pub(super) shifted: Cases,
    /// For how many it ran.
    pub(super) ran: usize,
    /// For how many it was left out or failed, and why.
    pub(super) lost: BTreeMap<String, Cases>,
}

/// How many leads something befell, and whom worst.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cases {
    pub(super) count: usize,
    pub(super) worst: Option<Worst>,
}

/// The lead whom something befell worst.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worst {
    pub(super) by: TimeDelta,
    pub(super) arrived_at: DateTime<Utc>,
}

/// What is expected of a cadence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) first_touch: TimeDelta,
    pub(super) whole: TimeDelta,
}

impl Tally {
    /// Counts a lead.
    pub(super) fn add(&mut self, simulated: &Simulated, limits: Limits) {
        self.leads += 1;
        let begun = simulated.began_at;
        match simulated.first_touch_at() {
            Some(at) if at - begun > limits.first_touch => self.late.add(at - begun, begun),
            Some(_) => {}
            None => self.unreached.entry(why_unreached(simulated)).or_default().add(TimeDelta::zero(), begun),
        }
        let took = simulated.ended_at - begun;
        if simulated.ending == Ending::Unending {
            self.unending.add(took, begun);
        } else if took > limits.whole {
            self.long.add(took, begun);
        }
        self.add_steps(simulated);
    }

    fn add_steps(&mut self, simulated: &Simulated) {
        let Some(world) = simulated.worlds.first() else { return };
        let cadence = &world.context.cadence;
        let ids = || cadence.steps.iter().map(|step| &step.id);
        self.runs += simulated.worlds.iter().map(|world| world.claims.len()).sum::<usize>();
        for id in ids() {
            let step = self.steps.entry(id.clone()).or_default();
            step.ran += usize::from(world.claims.iter().any(|taken| taken.claim.step == *id && taken.reached()));
            let waits = simulated.events.iter().filter_map(|event| match event {
                Event::Waits(waiting) if waiting.step == *id && waiting.act == Act::Run => Some(waiting),
                Event::Waits(_) | Event::Told(_) | Event::Unheard(_) => None,
            });
            let shifts: Vec<TimeDelta> = waits.map(|waiting| waiting.until - waiting.ready_at).collect();
            step.due += usize::from(!shifts.is_empty());
            if let Some(most) = shifts.into_iter().max().filter(|most| *most > TimeDelta::zero()) {
                step.shifted.add(most, simulated.began_at);
            }
            for why in lost(simulated, id) {
                step.lost.entry(why).or_default().add(TimeDelta::zero(), simulated.began_at);
            }
        }
    }
}

impl Cases {
    pub(super) fn add(&mut self, by: TimeDelta, arrived_at: DateTime<Utc>) {
        self.count += 1;
        if self.worst.is_none_or(|worst| by > worst.by) {
            self.worst = Some(Worst { by, arrived_at });
        }
    }
}

fn why_unreached(simulated: &Simulated) -> String {
    let said = simulated.events.iter().rev().find_map(|event| match event {
        Event::Told(entry) if matches!(entry.kind, EntryKind::Parked | EntryKind::Ended) => entry.text.clone(),
        Event::Told(_) | Event::Waits(_) | Event::Unheard(_) => None,
    });
    said.unwrap_or_else(|| match &simulated.ending {
        Ending::Rests(Park::CadencePaused) => "the cadence is paused".to_owned(),
        Ending::Rests(_) | Ending::Over(_) | Ending::Unending => "no step ran".to_owned(),
    })
}

/// Why a step was left out or failed.
fn lost(simulated: &Simulated, step: &StepId) -> impl Iterator<Item = String> {
    simulated.events.iter().filter_map(move |event| match event {
        Event::Told(entry) if entry.step.as_ref() == Some(step) => match entry.kind {
            EntryKind::Skipped | EntryKind::Failed => Some(entry.text.clone().unwrap_or_default()),
            _ => None,
        },
        Event::Told(_) | Event::Waits(_) | Event::Unheard(_) => None,
    })
}
