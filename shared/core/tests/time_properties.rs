//! Whatever the zones, hours and instants, clock changes included: waits never go back, and openings are open.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use cadence_core::time::{Holidays, Wait, Window, Zone, Zones, after, local_text, opening, parse_hours};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_wait_never_ends_before_it_begins_nor_much_later_than_it_says(
        base in instants(), (text, most_days) in waits(), zone in zone(),
    ) {
        let wait = Wait::parse(&text).unwrap();
        let ends = after(base, &wait, &zone, &Holidays::default());
        prop_assert!(ends >= base, "{base} + {text} in {zone} = {ends}");
        prop_assert!(ends - base <= TimeDelta::days(most_days) + TimeDelta::hours(2), "{base} + {text} in {zone} = {ends}");
    }

    #[test]
    fn a_longer_wait_never_ends_earlier(base in instants(), days in 0_u32..30, zone in zone(), unit in units()) {
        let of = |count: u32| after(base, &Wait::parse(&format!("{count}{unit}")).unwrap(), &zone, &Holidays::default());
        prop_assert!(of(days) <= of(days + 1), "{days}{unit} after {base} in {zone}");
    }

    #[test]
    fn an_opening_lies_within_all_windows_in_all_zones(from in instants(), zones in zones(), hours in hours(), inside in 0.0..1.0) {
        let windows: Vec<Window> = hours.iter().map(Hours::window).collect();
        let Some(found) = opening(from, &zones, &windows, &Holidays::default()) else {
            return Ok(());
        };
        prop_assert!(found.from >= from && found.from < found.until);
        for at in [found.from, between(found.from, found.until, inside), found.until - TimeDelta::seconds(1)] {
            for zone in zones.iter() {
                for hours in &hours {
                    prop_assert!(hours.are_open(at, zone), "{} in {zone} is outside {hours:?}", local_text(at, zone));
                }
            }
        }
    }

    #[test]
    fn nothing_was_open_between_the_instant_asked_for_and_the_opening(
        from in instants(), zones in zones(), hours in hours(), inside in 0.0..1.0,
    ) {
        let windows: Vec<Window> = hours.iter().map(Hours::window).collect();
        let until = opening(from, &zones, &windows, &Holidays::default())
            .map_or(from + TimeDelta::days(13), |found| found.from);
        if until == from {
            return Ok(());
        }
        let before = between(from, until, inside);
        let is_open = |zone: &Zone| hours.iter().all(|hours| hours.are_open(before, zone));
        // An hour that the clock repeats is shut the first time, or the second: the span is the shorter one.
        let is_repeated = zones.iter().any(|zone| is_near_a_clock_change(before, zone));
        prop_assert!(is_repeated || !zones.iter().all(is_open), "{before} is open, before {until}");
    }

    #[test]
    fn an_opening_asked_for_within_it_is_the_rest_of_it(from in instants(), zones in zones(), hours in hours(), inside in 0.0..1.0) {
        let windows: Vec<Window> = hours.iter().map(Hours::window).collect();
        let ask = |at| opening(at, &zones, &windows, &Holidays::default());
        // What is open for longer than a day ends where the search does.
        if let Some(found) = ask(from).filter(|found| found.until - found.from < TimeDelta::days(1)) {
            let within = between(found.from, found.until, inside);
            let rest = ask(within).unwrap();
            prop_assert_eq!((rest.from, rest.until), (within, found.until));
        }
    }
}

/// An instant so far along the way from one to another, before the other.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any instant on the way will do")]
fn between(from: DateTime<Utc>, until: DateTime<Utc>, part: f64) -> DateTime<Utc> {
    from + TimeDelta::seconds(((until - from).num_seconds() as f64 * part) as i64)
}

/// Hours as a test can check them without the code under test.
#[derive(Clone, Debug)]
struct Hours {
    /// Monday is 0.
    days: (usize, usize),
    /// Minutes of the day.
    from: u32,
    until: u32,
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Hours {
    fn window(&self) -> Window {
        let (first, last) = self.days;
        let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let text = format!("{}-{} {}-{}", DAYS[first], DAYS[last], time(self.from), time(self.until));
        Window { hours: parse_hours(&text).unwrap(), skip_holidays: false }
    }

    fn are_open(&self, at: DateTime<Utc>, zone: &Zone) -> bool {
        let text = local_text(at, zone);
        let words: Vec<&str> = text.split(' ').collect();
        let day = DAYS.iter().position(|day| *day == words[0]).unwrap();
        let clock: Vec<u32> = words[3].split(':').map(|part| part.parse().unwrap()).collect();
        let minute = clock[0] * 60 + clock[1];
        let (first, last) = self.days;
        let is_day = (day + 7 - first) % 7 <= (last + 7 - first) % 7;
        is_day && (self.from..self.until).contains(&minute)
    }
}

/// Whether the clock there is set within three hours.
fn is_near_a_clock_change(at: DateTime<Utc>, zone: &Zone) -> bool {
    let abbreviation = |hours| local_text(at + TimeDelta::hours(hours), zone).split(' ').nth(4).unwrap().to_owned();
    abbreviation(-3) != abbreviation(3)
}

/// Half of them within a day of a clock change in the United States.
fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    let of = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp();
    let changes = ["2026-03-08T10:00:00Z", "2026-11-01T09:00:00Z", "2027-03-14T10:00:00Z", "2027-11-07T09:00:00Z"];
    let near = (prop::sample::select(changes.map(of).to_vec()), -86_400_i64..86_400).prop_map(|(at, by)| at + by);
    let any = of("2025-01-01T00:00:00Z")..of("2030-01-01T00:00:00Z");
    prop_oneof![near, any].prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

fn zone() -> impl Strategy<Value = Zone> {
    let names = [
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Phoenix",
        "America/Los_Angeles",
        "America/Anchorage",
        "Pacific/Honolulu",
        "America/Puerto_Rico",
        "America/Indiana/Knox",
        // Half an hour's clock change, and a change at midnight.
        "Australia/Lord_Howe",
        "America/Havana",
    ];
    prop::sample::select(names.to_vec()).prop_map(|name| Zone::parse(name).unwrap())
}

fn zones() -> impl Strategy<Value = Zones> {
    prop::collection::vec(zone(), 1..4).prop_map(|zones| Zones::of(zones).unwrap())
}

fn hours() -> impl Strategy<Value = Vec<Hours>> {
    let one = (0_usize..7, 0_usize..7, 0_u32..1440, 1_u32..1441).prop_map(|(first, last, from, length)| Hours {
        days: (first, last),
        from,
        until: (from + length).min(1440),
    });
    prop::collection::vec(one, 1..4)
}

fn units() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["m", "h", "d", "bd"])
}

/// A wait, and how many days it may take at most: holidays and weekends stretch business days.
fn waits() -> impl Strategy<Value = (String, i64)> {
    let at = prop::option::of((0_u32..24, 0_u32..60).prop_map(|(hour, minute)| format!(" at {hour:02}:{minute:02}")));
    (0_i64..40, units(), at).prop_map(|(count, unit, at)| {
        let at = if matches!(unit, "d" | "bd") { at.unwrap_or_default() } else { String::new() };
        let most_days = match unit {
            "m" | "h" => count / 24 + 1,
            "d" => count + 1,
            _ => count * 2 + 8,
        };
        (format!("{count}{unit}{at}"), most_days)
    })
}
