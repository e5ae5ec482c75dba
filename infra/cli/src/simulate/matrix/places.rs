//! Where and when the leads of a sweep arrive.

use cadence_core::{
    law::{self, Holidays, State},
    records::{Cadence, User},
    time::Zone,
};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use clap::ValueEnum;

/// Where a lead says that it is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The state; `None` for a lead of whom nothing tells it.
    pub(super) state: Option<State>,
    /// The zone, where the state has several and the lead states one.
    pub(super) zone: Option<Zone>,
    /// Whom the source sent the lead to: without a state nobody else may act.
    pub(super) owner: Option<User>,
}

/// Which week leads arrive in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Week {
    /// The seven days from --at on
    Next,
    /// The weeks around the next two nights in which the clocks change
    Clocks,
    /// The week around the next holiday
    Holiday,
}

/// The clock and the holidays that weeks are found by.
const CLOCK: &str = "America/New_York";
const HOURS_A_WEEK: i64 = 7 * 24;

impl Place {
    /// Every state that the cadence is for, and each of its zones if there are several; and nowhere, if it is for any.
    pub(super) fn all(cadence: &Cadence, users: &[User]) -> Vec<Self> {
        let wanted = &cadence.for_leads.state;
        let states = State::all().filter(|state| wanted.is_empty() || wanted.iter().any(|code| code == state.code()));
        let mut places: Vec<Self> = states
            .flat_map(|state| {
                let zones = law::resolve_zones(None, None, Some(&state), None);
                let zones: Vec<Zone> = zones.iter().flat_map(|zones| zones.iter().cloned()).collect();
                let stated = if zones.len() > 1 { zones } else { Vec::new() };
                let each = stated.into_iter().map(Some);
                std::iter::once(None).chain(each).map(move |zone| Self { state: Some(state), zone, owner: None })
            })
            .collect();
        if wanted.is_empty() {
            let owner = users.iter().find(|user| user.active).cloned();
            places.push(Self { state: None, zone: None, owner });
        }
        places
    }

    /// `TX`, `TX in America/Denver`, `nowhere known`.
    pub(super) fn name(&self) -> String {
        match (&self.state, &self.zone) {
            (Some(state), None) => state.to_string(),
            (Some(state), Some(zone)) => format!("{state} in {zone}"),
            (None, _) => "nowhere known".to_owned(),
        }
    }

    /// The flags of a simulation of one such lead.
    pub(super) fn flags(&self) -> String {
        let state = self.state.as_ref().map_or("unknown", |state| state.code());
        let zone = self.zone.as_ref().map(|zone| format!(" --time-zone {zone}")).unwrap_or_default();
        let owner = self.owner.as_ref().map(|owner| format!(" --owner {}", owner.id)).unwrap_or_default();
        format!("--state {state}{zone}{owner}")
    }
}

impl Week {
    /// The hours of these weeks, from each week's first on.
    pub(super) fn arrivals(weeks: &[Self], at: DateTime<Utc>, holidays: &Holidays) -> Vec<DateTime<Utc>> {
        let mut begin: Vec<DateTime<Utc>> = weeks.iter().flat_map(|week| week.begin(at, holidays)).collect();
        begin.dedup();
        let hours = |from: DateTime<Utc>| (0..HOURS_A_WEEK).map(move |hour| from + TimeDelta::hours(hour));
        begin.into_iter().flat_map(hours).collect()
    }

    fn begin(self, at: DateTime<Utc>, holidays: &Holidays) -> Vec<DateTime<Utc>> {
        let Some(zone) = Zone::parse(CLOCK) else { return Vec::new() };
        let around = |instant: DateTime<Utc>| instant - TimeDelta::hours(HOURS_A_WEEK / 2);
        let begin: Vec<DateTime<Utc>> = match self {
            Self::Next => vec![at],
            Self::Clocks => {
                let first = zone.next_clock_change(at);
                let second = first.and_then(|first| zone.next_clock_change(first));
                first.into_iter().chain(second).map(around).collect()
            }
            Self::Holiday => holidays.next_on_a_weekday(at, &zone).into_iter().map(around).collect(),
        };
        let hour = |at: DateTime<Utc>| at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
        begin.into_iter().map(hour).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cadence(states: &[&str]) -> Cadence {
        let record =
            json!({"name": "a", "for_leads": {"state": states}, "steps": [{"id": "a", "do": "dial", "wait": "0m"}]});
        match cadence_core::records::parse_record("CADENCE#a", &record).unwrap() {
            cadence_core::records::Record::Cadence(cadence) => cadence,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_state_and_zone_and_nowhere_are_swept_unless_a_cadence_is_for_some() {
        let names = |states: &[&str]| Place::all(&cadence(states), &[]).iter().map(Place::name).collect::<Vec<_>>();
        assert_eq!(names(&["AZ", "CA"]), ["AZ", "AZ in America/Denver", "AZ in America/Phoenix", "CA"]);
        let all = names(&[]);
        assert!(all.len() > 80 && all.last().is_some_and(|last| last == "nowhere known"), "{all:?}");
        assert_eq!(State::all().filter(|state| all.contains(&state.to_string())).count(), State::all().count());
    }

    #[test]
    fn weeks_are_those_that_were_asked_for() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let now = at("2026-11-25T10:20:00Z");
        let arrivals = |weeks: &[Week]| Week::arrivals(weeks, now, &Holidays::default());
        for (week, first, days) in [
            (Week::Next, "2026-11-25T10:00:00Z", 7),
            (Week::Clocks, "2027-03-10T19:00:00Z", 14),
            (Week::Holiday, "2026-11-23T05:00:00Z", 7),
        ] {
            let arrivals = arrivals(&[week]);
            assert_eq!((arrivals.len(), arrivals[0]), (days * 24, at(first)), "{week:?}");
        }
        let change = at("2027-03-14T07:00:00Z");
        assert!(arrivals(&[Week::Clocks]).contains(&change));
        assert_eq!(arrivals(&[Week::Next, Week::Holiday]).len(), 14 * 24);
    }
}
