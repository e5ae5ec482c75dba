//! When leads may be reached: the floor that the law sets, and what holds where a record is silent.

use std::{collections::BTreeMap, sync::LazyLock};

use super::{
    State,
    state_rules::{FEDERAL_HOURS, STATE_RULES, StateRule},
};
use crate::{
    Do,
    time::{WeeklyHours, Window, Zone, Zones, parse_hours},
};

/// Calls by an AI and texts, where a record is silent.
const MACHINE_HOURS: &str = "Mon-Fri 09:00-20:00, Sat 10:00-18:00";
/// Emails, where a record is silent.
const EMAIL_HOURS: &str = "daily 08:00-20:00";
/// Calls and texts to a lead who may be anywhere: within the federal window from the Atlantic to the Pacific coast.
const UNKNOWN_ZONE: &str = "America/New_York";
const UNKNOWN_ZONE_HOURS: &str = "daily 12:00-20:00";

/// The windows that no record widens: the federal one, and the state's own.
pub fn floor_windows(state: Option<&State>) -> Vec<Window> {
    let states =
        state.and_then(rule_of).map(|rule| Window { hours: hours(rule.hours), skip_holidays: rule.no_holidays });
    let federal = Window { hours: hours(FEDERAL_HOURS), skip_holidays: false };
    std::iter::once(federal).chain(states).collect()
}

/// How many calls and texts in 24 hours the state allows, where it says so. Takes a USPS code.
pub fn contacts_per_day(state: &str) -> Option<u32> {
    rule_of(&State::parse(state)?)?.contacts_per_day
}

/// When a step may run if its cadence doesn't say.
pub fn default_window(action: Do) -> Window {
    let (text, skip_holidays) = match action {
        Do::AiDial | Do::AiSms | Do::CannedSms => (MACHINE_HOURS, true),
        Do::Dial | Do::CustomSms => (FEDERAL_HOURS, false),
        Do::CustomEmail | Do::AiEmail | Do::CannedEmail => (EMAIL_HOURS, false),
    };
    Window { hours: hours(text), skip_holidays }
}

/// The zone in which [`unknown_zone_hours`] hold.
pub fn unknown_zones() -> Zones {
    Zones::one(Zone::parse(UNKNOWN_ZONE).unwrap_or_else(Zone::utc))
}

/// When a lead whose zone nothing tells may be called or texted.
pub fn unknown_zone_hours() -> WeeklyHours {
    hours(UNKNOWN_ZONE_HOURS)
}

fn rule_of(state: &State) -> Option<&'static StateRule> {
    STATE_RULES.iter().find(|rule| rule.state == state.code())
}

/// The hours of the law's texts, read once. The tests read all of them; one that can't be read would never open.
fn hours(text: &str) -> WeeklyHours {
    static READ: LazyLock<BTreeMap<&str, WeeklyHours>> = LazyLock::new(|| {
        let own = [FEDERAL_HOURS, MACHINE_HOURS, EMAIL_HOURS, UNKNOWN_ZONE_HOURS].into_iter();
        let texts = own.chain(STATE_RULES.iter().map(|rule| rule.hours));
        texts.filter_map(|text| Some((text, parse_hours(text).ok()?))).collect()
    });
    READ.get(text).cloned().unwrap_or_else(WeeklyHours::never)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};
    use rstest::rstest;

    use super::*;
    use crate::time::{Holidays, opening};

    fn state(code: &str) -> State {
        State::parse(code).unwrap()
    }

    #[test]
    fn every_row_of_the_law_can_be_read_and_says_where_it_comes_from() {
        for text in [FEDERAL_HOURS, MACHINE_HOURS, EMAIL_HOURS, UNKNOWN_ZONE_HOURS] {
            assert!(parse_hours(text).is_ok(), "{text}");
        }
        let federal = hours(FEDERAL_HOURS);
        for rule in STATE_RULES {
            assert!(State::parse(rule.state).is_some_and(|state| state.code() == rule.state));
            let own = parse_hours(rule.hours).unwrap();
            assert!(own.is_within(&federal), "{} is wider than federal law", rule.state);
            assert!(!rule.source.is_empty(), "{}", rule.state);
            assert!(rule.as_of.parse::<NaiveDate>().is_ok(), "{}", rule.state);
        }
        assert!(STATE_RULES.is_sorted_by(|one, next| one.state < next.state));
        assert_eq!(unknown_zones().first().as_str(), UNKNOWN_ZONE);
    }

    #[test]
    fn the_federal_window_always_holds_and_a_states_is_added_to_it() {
        assert_eq!(floor_windows(None).len(), 1);
        for state in State::all() {
            let floor = floor_windows(Some(&state));
            assert_eq!(floor[0].hours, hours(FEDERAL_HOURS));
            assert_eq!(floor.len() == 2, rule_of(&state).is_some(), "{state}");
        }
    }

    /// Instants are New York's local time; 2026-11-26 is Thanksgiving, 2026-11-29 a Sunday.
    #[rstest]
    #[case::no_state("", "2026-11-24T08:00:00-05:00", true)]
    #[case::no_state_early("", "2026-11-24T07:59:59-05:00", false)]
    #[case::no_state_late("", "2026-11-24T21:00:00-05:00", false)]
    #[case::no_rule("OH", "2026-11-29T20:59:59-05:00", true)]
    #[case::florida("FL", "2026-11-24T19:59:59-05:00", true)]
    #[case::florida_late("FL", "2026-11-24T20:00:00-05:00", false)]
    #[case::kentucky_early("KY", "2026-11-24T09:59:59-05:00", false)]
    #[case::kentucky("KY", "2026-11-24T20:59:59-05:00", true)]
    #[case::texas_on_sunday_morning("TX", "2026-11-29T11:59:59-05:00", false)]
    #[case::texas_on_sunday("TX", "2026-11-29T12:00:00-05:00", true)]
    #[case::alabama_on_sunday("AL", "2026-11-29T12:00:00-05:00", false)]
    #[case::alabama_on_thanksgiving("AL", "2026-11-26T12:00:00-05:00", false)]
    #[case::florida_on_thanksgiving("FL", "2026-11-26T12:00:00-05:00", true)]
    #[case::rhode_island_on_saturday("RI", "2026-11-28T12:00:00-05:00", false)]
    #[case::rhode_island_late("RI", "2026-11-24T18:00:00-05:00", false)]
    fn the_floor_is_open_only_when_the_law_allows(#[case] code: &str, #[case] at: &str, #[case] open: bool) {
        let at = DateTime::parse_from_rfc3339(at).unwrap().to_utc();
        let floor = floor_windows(State::parse(code).as_ref());
        let next = opening(at, &unknown_zones(), &floor, &Holidays::default()).unwrap();
        assert_eq!(next.from == at, open, "{next:?}");
    }

    #[test]
    fn some_states_limit_contacts_a_day() {
        for (code, limit) in [("FL", Some(3)), ("ok", Some(3)), ("TX", None), ("", None)] {
            assert_eq!(contacts_per_day(code), limit, "{code}");
        }
    }

    #[test]
    fn defaults_of_calls_and_texts_lie_within_the_federal_window() {
        let federal = hours(FEDERAL_HOURS);
        for action in Do::ALL {
            let window = default_window(action);
            assert_ne!(window.hours, WeeklyHours::never(), "{action:?}");
            assert!(window.hours.is_within(&federal), "{action:?}");
        }
        assert!(default_window(Do::CannedSms).skip_holidays);
        assert!(default_window(Do::AiDial).skip_holidays);
        assert!(!default_window(Do::Dial).skip_holidays);
        assert_eq!(default_window(Do::CustomSms).hours, federal);
        assert_eq!(default_window(Do::CannedEmail).hours, hours("daily 08:00-20:00"));
    }

    #[test]
    fn hours_that_cannot_be_read_never_open() {
        assert_eq!(hours("nonsense"), WeeklyHours::never());
        let shut = Window { hours: hours("nonsense"), skip_holidays: false };
        let now = DateTime::parse_from_rfc3339("2026-11-24T12:00:00Z").unwrap().to_utc();
        assert_eq!(opening(now, &unknown_zones(), &[shut], &Holidays::default()), None);
        assert_eq!(rule_of(&state("OH")).map(|rule| rule.state), None);
    }
}
