//! What is odd about a sweep, each oddity told once for all the places that share it.

use std::collections::{BTreeMap, BTreeSet};

use cadence_core::StepId;
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::{
    places::Place,
    tally::{Cases, Tally},
};
use crate::simulate::telling::span;

/// Something odd, in the places that share it.
#[derive(Debug)]
pub(super) struct Odd {
    pub(super) kind: Kind,
    /// Why, or of which step and why.
    pub(super) about: String,
    /// How many leads it befell.
    leads: usize,
    /// By place: its index, and whom worst there.
    places: Vec<(usize, Cases)>,
}

/// What may be odd, in the order of how bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Unending,
    Unreached,
    NeverRuns,
    Lost,
    Late,
    Long,
    AlwaysShifted,
}

/// So many places are named.
const NAMED: usize = 6;

/// Everything odd about these places, whose tallies these are.
pub(super) fn odd(tallies: &[Tally], ever_ran: &BTreeSet<StepId>, steps: &[StepId]) -> Vec<Odd> {
    let mut found: BTreeMap<(Kind, String), Vec<(usize, Cases)>> = BTreeMap::new();
    for (place, tally) in tallies.iter().enumerate() {
        let mut note = |kind, about: String, cases: Cases| {
            if cases.count > 0 {
                found.entry((kind, about)).or_default().push((place, cases));
            }
        };
        note(Kind::Unending, String::new(), tally.unending);
        note(Kind::Late, String::new(), tally.late);
        note(Kind::Long, String::new(), tally.long);
        for (why, cases) in &tally.unreached {
            note(Kind::Unreached, why.clone(), *cases);
        }
        for (id, step) in &tally.steps {
            for (why, cases) in &step.lost {
                note(Kind::Lost, format!("{id}: {why}"), *cases);
            }
            let is_always = step.due > 0 && step.shifted.count == step.due;
            note(Kind::AlwaysShifted, id.to_string(), if is_always { step.shifted } else { Cases::default() });
        }
    }
    let never = steps.iter().filter(|step| !ever_ran.contains(step));
    found.extend(never.map(|step| ((Kind::NeverRuns, step.to_string()), Vec::new())));
    found
        .into_iter()
        .map(|((kind, about), places)| {
            let leads = places.iter().map(|(_, cases)| cases.count).sum();
            Odd { kind, about, leads, places }
        })
        .collect()
}

impl Odd {
    /// As people read it, with the command that shows the worst case.
    pub(super) fn words(&self, all: &[Place], swept: usize, command: &str) -> String {
        let about = &self.about;
        let what = match self.kind {
            Kind::Unending => "cadences lead into each other without an end".to_owned(),
            Kind::Unreached => format!("nothing reaches the lead: {about}"),
            Kind::NeverRuns => format!("{about} never runs, whatever comes of the other steps"),
            Kind::Lost => format!("left out or failed: {about}"),
            Kind::Late => format!("the first touch comes too late{}", self.at_worst(", at worst after ")),
            Kind::Long => format!("the cadence takes too long{}", self.at_worst(", at worst ")),
            Kind::AlwaysShifted => {
                format!("{about} always runs later than its wait says{}", self.at_worst(", at worst by "))
            }
        };
        if self.places.is_empty() {
            return what;
        }
        let example = self.example(all).map(|flags| format!("\n    {command} {flags}")).unwrap_or_default();
        format!("{what}\n    {} of {swept} leads, {}{example}", self.leads, self.places_in_words(all))
    }

    /// The same for machines.
    pub(super) fn object(&self, all: &[Place], command: &str) -> Value {
        let names = self.places.iter().filter_map(|(place, _)| all.get(*place)).map(Place::name);
        json!({
            "kind": self.kind.as_str(), "about": self.about, "leads": self.leads, "places": names.collect::<Vec<_>>(),
            "worst_minutes": self.worst().map(|(_, cases)| cases.worst.map(|worst| worst.by.num_minutes())),
            "example": self.example(all).map(|flags| format!("{command} {flags}")),
        })
    }

    /// Where, each state once if it is all of it.
    fn places_in_words(&self, all: &[Place]) -> String {
        if self.places.len() == all.len() {
            return "everywhere".to_owned();
        }
        let places: Vec<&Place> = self.places.iter().filter_map(|(place, _)| all.get(*place)).collect();
        let is_told = |place: &Place| {
            place.zone.is_some() && places.iter().any(|whole| whole.zone.is_none() && whole.state == place.state)
        };
        let mut names: Vec<String> = places.iter().filter(|place| !is_told(place)).map(|place| place.name()).collect();
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        match more {
            0 => format!("in {}", names.join(", ")),
            more => format!("in {} and {more} more", names.join(", ")),
        }
    }

    fn worst(&self) -> Option<&(usize, Cases)> {
        let by = |(_, cases): &&(usize, Cases)| cases.worst.map(|worst| worst.by);
        // Of equals the first, which is the plainest.
        self.places.iter().rev().max_by_key(by)
    }

    fn at_worst(&self, before: &str) -> String {
        let by = self.worst().and_then(|(_, cases)| cases.worst).map(|worst| worst.by);
        by.filter(|by| *by > TimeDelta::zero()).map(|by| format!("{before}{}", span(by))).unwrap_or_default()
    }

    fn example(&self, all: &[Place]) -> Option<String> {
        let (place, cases) = self.worst()?;
        let at = cases.worst?.arrived_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        Some(format!("{} --at {at}", all.get(*place)?.flags()))
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unending => "unending",
            Self::Unreached => "unreached",
            Self::NeverRuns => "never_runs",
            Self::Lost => "lost",
            Self::Late => "late_first_touch",
            Self::Long => "too_long",
            Self::AlwaysShifted => "always_shifted",
        }
    }
}
