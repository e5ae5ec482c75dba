//! Why a step had to wait for its hours, in words for people: the calendar's own windows, each asked by itself.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Calendar;
use crate::{
    Do,
    time::{self, Zone, Zones},
};

/// Hours outside of which a step waited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shut {
    /// Whose hours.
    pub whose: Whose,
    /// The hours, as they are written.
    pub hours: String,
    /// Where they were shut, if the lead may be in several zones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The holidays on which they would have been open: `Mon Jan 18 (Martin Luther King Jr. Day)`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// When they opened.
    pub until: DateTime<Utc>,
}

/// Whose hours a step has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The cadence's own.
    Cadence,
    /// What holds where a cadence is silent.
    Default,
    /// Federal law's.
    Federal,
    /// The lead's state's.
    State,
    /// What holds where nobody knows where the lead is.
    UnknownZone,
    /// Any of them: too little was left before they closed.
    Margin,
}

impl Calendar<'_> {
    /// What kept a step that could have run at `from` from running before `until`, each until it opened.
    pub fn shut(&self, action: Do, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Shut> {
        let mut found: Vec<Shut> = Vec::new();
        let mut at = from;
        while at < until {
            let Some(shut) = self.shut_at(action, at).filter(|shut| shut.until > at) else { break };
            at = shut.until;
            found.push(shut);
        }
        found
    }

    /// The window that stays shut longest of those that are shut then; if none is, the one that closes first.
    fn shut_at(&self, action: Do, at: DateTime<Utc>) -> Option<Shut> {
        let many = self.zones.iter().nth(1).is_some();
        let windows = self.windows(action);
        let each = || windows.iter().flat_map(|window| self.zones.iter().map(move |zone| (zone, window)));
        let opening = |from, zone: &Zone, window: &time::Window| {
            time::opening(from, &Zones::one(zone.clone()), std::slice::from_ref(window), &self.holidays)
        };
        let mut longest: Option<Shut> = None;
        for (zone, (whose, window)) in each() {
            let until = opening(at, zone, window)?.from;
            if until > at && longest.as_ref().is_none_or(|longest| longest.until < until) {
                longest = Some(Shut {
                    whose: *whose,
                    hours: window.hours.to_string(),
                    zone: many.then(|| zone.clone()),
                    holidays: self.holidays.missed(window, zone, at, until),
                    until,
                });
            }
        }
        longest.or_else(|| {
            let closing = |(zone, (_, window)): (_, &(Whose, time::Window))| {
                Some((opening(at, zone, window)?.until, window.hours.to_string()))
            };
            let (until, hours) = each().filter_map(closing).min_by_key(|(until, _)| *until)?;
            Some(Shut { whose: Whose::Margin, hours, zone: None, holidays: Vec::new(), until })
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        fixtures::{at, cadence, clock, lead, settings, step, zones},
        lead::Lead,
    };

    /// What keeps a call of a Mon-Sat 09:00-19:30 cadence waiting, from an instant until it may be made.
    fn keeps(lead: &Lead, from: &str) -> Vec<String> {
        let cadence = cadence(json!({
            "hours": {"call": "Mon-Sat 09:00-19:30"}, "skip_holidays": true, "steps": [step(Do::Dial)]
        }));
        let (settings, from) = (settings(), at(from));
        let calendar = Calendar::new(lead, &cadence, &settings);
        let until = calendar.opening(Do::Dial, from).from;
        let found = calendar.shut(Do::Dial, from, until);
        assert_eq!(found.last().map(|shut| shut.until), Some(until).filter(|until| *until > from));
        let told = |shut: &Shut| {
            let zone = shut.zone.as_ref().map(|zone| format!(" in {zone}")).unwrap_or_default();
            let holidays = shut.holidays.iter().map(|day| format!(", {day}")).collect::<String>();
            format!("{:?} {}{zone}{holidays} until {}", shut.whose, shut.hours, clock(shut.until))
        };
        found.iter().map(told).collect()
    }

    #[test]
    fn what_kept_a_step_waiting_is_told_window_by_window_until_all_are_open() {
        let in_state =
            |state: &str, names: &[&str]| Lead { state: Some(state.to_owned()), zones: Some(zones(names)), ..lead() };
        let kentucky = in_state("KY", &["America/New_York"]);
        let coasts = in_state("CA", &["America/Los_Angeles", "America/New_York"]);
        let nowhere = Lead { state: None, zones: None, ..lead() };
        for (lead, from, expected) in [
            (&lead(), "2026-12-01T10:00:00-08:00", &[][..]),
            (&lead(), "2026-12-01T08:30:00-08:00", &["Cadence Mon-Sat 09:00-19:30 until Tue 09:00:00"]),
            (
                // A Saturday night before the Monday of a holiday.
                &lead(),
                "2027-01-16T23:50:00-08:00",
                &["Cadence Mon-Sat 09:00-19:30, Mon Jan 18 (Martin Luther King Jr. Day) until Tue 09:00:00"],
            ),
            (&kentucky, "2026-12-01T09:30:00-05:00", &["State daily 10:00-21:00 until Tue 07:00:00"]),
            (
                &coasts,
                "2026-12-01T17:00:00-08:00",
                &[
                    "Cadence Mon-Sat 09:00-19:30 in America/New_York until Wed 06:00:00",
                    "Cadence Mon-Sat 09:00-19:30 in America/Los_Angeles until Wed 09:00:00",
                ],
            ),
            (&nowhere, "2026-12-01T09:30:00-05:00", &["UnknownZone daily 12:00-20:00 until Tue 09:00:00"]),
            (
                &lead(),
                "2026-12-01T19:27:00-08:00",
                &["Margin Mon-Sat 09:00-19:30 until Tue 19:30:00", "Cadence Mon-Sat 09:00-19:30 until Wed 09:00:00"],
            ),
        ] {
            assert_eq!(keeps(lead, from), expected, "{from}");
        }
    }
}
