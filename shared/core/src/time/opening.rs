//! When several windows are open at once, in every zone that somebody may be in.

use chrono::{DateTime, Utc};
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{Holidays, Window, Zone, Zones, from_jiff, hours::Span, to_jiff};

/// A span of time in which something may happen: from an instant until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
}

/// How many days ahead is looked.
const DAYS: usize = 16;

/// The first span, from `from` on, in which all the windows are open in all the zones; `None` if there is none in two weeks.
pub fn opening(from: DateTime<Utc>, zones: &Zones, windows: &[Window], holidays: &Holidays) -> Option<Opening> {
    let all = zones.iter().flat_map(|zone| windows.iter().map(move |window| open(from, zone, window, holidays)));
    let common = all.reduce(|one, other| intersection(&one, &other))?;
    let next = common.into_iter().find(|opening| opening.until > from)?;
    Some(Opening { from: next.from.max(from), until: next.until })
}

/// When one window is open in one zone, from the day before `from`; spans that touch are one.
fn open(from: DateTime<Utc>, zone: &Zone, window: &Window, holidays: &Holidays) -> Vec<Opening> {
    let rules = zone.rules();
    let today = to_jiff(from).to_zoned(rules.clone()).date();
    let days = today.yesterday().unwrap_or(today).series(jiff::Span::new().days(1)).take(DAYS);
    let open_days = days.filter(|date| !(window.skip_holidays && holidays.contains(*date)));
    let mut openings: Vec<Opening> = Vec::new();
    for date in open_days {
        for found in window.hours.on(date.weekday()).iter().filter_map(|span| on(date, *span, &rules)) {
            match openings.last_mut() {
                Some(last) if found.from <= last.until => last.until = last.until.max(found.until),
                Some(_) | None => openings.push(found),
            }
        }
    }
    openings
}

/// One day's span as instants. Where a clock change makes a time ambiguous, the span is the shorter one.
fn on(date: Date, span: Span, rules: &TimeZone) -> Option<Opening> {
    let from = instant(date, span.from, rules)?.later().ok()?;
    let until = instant(date, span.until, rules)?.earlier().ok()?;
    (from < until).then(|| Opening { from: from_jiff(from), until: from_jiff(until) })
}

fn instant(date: Date, minute: i16, rules: &TimeZone) -> Option<jiff::tz::AmbiguousTimestamp> {
    let (date, minute) = match minute {
        1440 => (date.tomorrow().ok()?, 0),
        minute => (date, minute),
    };
    let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    Some(rules.to_ambiguous_timestamp(date.to_datetime(time)))
}

fn intersection(one: &[Opening], other: &[Opening]) -> Vec<Opening> {
    let mut common = Vec::new();
    for a in one {
        for b in other {
            let both = Opening { from: a.from.max(b.from), until: a.until.min(b.until) };
            if both.from < both.until {
                common.push(both);
            }
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{WeeklyHours, parse_hours};

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn window(hours: &str, skip_holidays: bool) -> Window {
        Window { hours: parse_hours(hours).unwrap(), skip_holidays }
    }

    fn zones(names: &[&str]) -> Zones {
        Zones::of(names.iter().filter_map(|name| Zone::parse(name))).unwrap()
    }

    #[test]
    fn the_opening_is_common_to_all_windows_and_zones_and_skips_holidays() {
        let workdays = || window("Mon-Sat 09:00-20:00", true);
        let law = || window("daily 08:00-21:00", false);
        let la = &["America/Los_Angeles"][..];
        let coasts = &["America/Los_Angeles", "America/New_York"][..];
        for (from, names, windows, open, shut) in [
            (
                "2026-11-24T10:00:00-08:00",
                la,
                vec![workdays(), law()],
                "2026-11-24T10:00:00-08:00",
                "2026-11-24T20:00:00-08:00",
            ),
            (
                "2026-11-24T20:00:00-08:00",
                la,
                vec![workdays(), law()],
                "2026-11-25T09:00:00-08:00",
                "2026-11-25T20:00:00-08:00",
            ),
            (
                "2026-11-25T20:00:00-08:00",
                la,
                vec![workdays()],
                "2026-11-27T09:00:00-08:00",
                "2026-11-27T20:00:00-08:00",
            ),
            (
                "2026-11-28T21:00:00-08:00",
                la,
                vec![workdays()],
                "2026-11-30T09:00:00-08:00",
                "2026-11-30T20:00:00-08:00",
            ),
            (
                "2026-11-24T06:00:00-08:00",
                coasts,
                vec![workdays()],
                "2026-11-24T09:00:00-08:00",
                "2026-11-24T17:00:00-08:00",
            ),
            (
                "2026-03-08T00:00:00-08:00",
                la,
                vec![window("Sun 02:30-05:00", false)],
                "2026-03-08T03:30:00-07:00",
                "2026-03-08T05:00:00-07:00",
            ),
        ] {
            let found = opening(at(from), &zones(names), &windows, &Holidays::default());
            assert_eq!(found, Some(Opening { from: at(open), until: at(shut) }), "{from} {names:?}");
        }
    }

    #[test]
    fn any_time_is_one_span_over_midnight() {
        let always = Window { hours: WeeklyHours::any_time(), skip_holidays: false };
        let from = at("2026-11-24T23:59:30-08:00");
        let found = opening(from, &zones(&["America/Los_Angeles"]), &[always], &Holidays::default()).unwrap();
        assert_eq!(found.from, from);
        assert!(found.until > at("2026-12-01T00:00:00-08:00"));
    }

    #[test]
    fn windows_that_are_never_open_together_give_none() {
        let windows = [window("Mon-Fri 09:00-10:00", false), window("Sat-Sun 09:00-10:00", false)];
        assert_eq!(opening(at("2026-11-24T10:00:00Z"), &zones(&["UTC"]), &windows, &Holidays::default()), None);
        let never = Window { hours: WeeklyHours::never(), skip_holidays: false };
        assert_eq!(opening(at("2026-11-24T10:00:00Z"), &zones(&["UTC"]), &[never], &Holidays::default()), None);
    }
}
