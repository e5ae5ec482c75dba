//! What came of a world, or of many, in figures.

use std::collections::BTreeMap;

use cadence_core::{enrollment::State, timeline::EntryKind};
use serde::{Deserialize, Serialize};

use super::seen::Seen;

/// Figures of one world, or the sums of many.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Totals {
    /// Worlds.
    pub worlds: u64,
    /// Leads.
    pub leads: u64,
    /// Steps that came to an end: one for each round of each step.
    pub lead_steps: u64,
    /// How they ended.
    pub steps_ended: BTreeMap<String, u64>,
    /// How enrollments ended, or why they rest.
    pub enrollments: BTreeMap<String, u64>,
    /// What vendors received.
    pub sent: BTreeMap<String, u64>,
    /// Requests that functions and people made of AWS and of vendors.
    pub requests: u64,
    /// What went wrong, by kind.
    pub faults: BTreeMap<String, u64>,
    /// What timelines say, by kind.
    pub told: BTreeMap<String, u64>,
    /// What came of steps, as it was reported.
    pub outcomes: BTreeMap<String, u64>,
    /// Steps that nobody can know the end of: each is told as such.
    pub unsure: u64,
    /// Of these, how many a vendor did receive.
    pub unsure_but_sent: u64,
    /// What does not hold, by invariant.
    pub violations: BTreeMap<String, u64>,
}

impl Totals {
    /// The figures of a world that came to rest.
    pub(crate) fn of(seen: &Seen, requests: u64, faults: BTreeMap<String, u64>) -> Self {
        let mut totals = Self { worlds: 1, leads: seen.leads.len() as u64, requests, faults, ..Self::default() };
        for lead in seen.leads.values() {
            let mut steps: BTreeMap<_, &'static str> = BTreeMap::new();
            for entry in lead.timeline.values() {
                let (Some(word), Some(step)) = (ending(entry.kind), &entry.step) else { continue };
                steps.insert((entry.enrollment.clone(), step.clone(), entry.round), word);
            }
            for word in steps.values() {
                totals.lead_steps += 1;
                count(&mut totals.steps_ended, word);
            }
            for entry in lead.timeline.values() {
                count(&mut totals.told, entry.kind.as_str());
            }
            for outcome in lead.outcomes.values() {
                count(&mut totals.outcomes, outcome.outcome.as_str());
            }
            for enrollment in lead.enrollments.values() {
                count(&mut totals.enrollments, &state(&enrollment.now.progress.state));
            }
            for claim in &lead.claims {
                let Some(sent) = &claim.sent else { continue };
                count(&mut totals.sent, &sent.kind);
                let key = (Some(claim.enrollment.clone()), claim.claim.step.clone(), Some(claim.claim.round));
                totals.unsure_but_sent += u64::from(steps.get(&key) == Some(&"unsure"));
            }
        }
        totals.unsure = totals.steps_ended.get("unsure").copied().unwrap_or(0);
        totals
    }

    /// Adds another world's figures.
    pub fn add(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.leads += other.leads;
        self.lead_steps += other.lead_steps;
        self.requests += other.requests;
        self.unsure += other.unsure;
        self.unsure_but_sent += other.unsure_but_sent;
        for (sums, added) in [
            (&mut self.steps_ended, &other.steps_ended),
            (&mut self.enrollments, &other.enrollments),
            (&mut self.sent, &other.sent),
            (&mut self.told, &other.told),
            (&mut self.outcomes, &other.outcomes),
            (&mut self.faults, &other.faults),
            (&mut self.violations, &other.violations),
        ] {
            for (name, number) in added {
                *sums.entry(name.clone()).or_insert(0) += number;
            }
        }
    }
}

fn ending(kind: EntryKind) -> Option<&'static str> {
    Some(match kind {
        EntryKind::Sent => "sent",
        EntryKind::CallPlaced => "called",
        EntryKind::TaskOpened => "asked of a user",
        EntryKind::Skipped => "skipped",
        EntryKind::Unsure => "unsure",
        EntryKind::Failed => "failed",
        _ => return None,
    })
}

fn state(state: &State) -> String {
    match state {
        State::Active => "running".to_owned(),
        State::Parked { why } => format!("rests: {why:?}"),
        State::Ended { why } => match why {
            cadence_core::enrollment::End::Outcome(outcome) => format!("ended by {}", outcome.as_str()),
            cadence_core::enrollment::End::Switched(_) => "moved to another cadence".to_owned(),
            other => format!("ended: {other:?}"),
        },
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    *counts.entry(name.to_owned()).or_insert(0) += 1;
}
