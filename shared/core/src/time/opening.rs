//! When several windows are open at once, in every zone that somebody may be in.

use chrono::{DateTime, Utc};
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{
    Holidays, Window, Zones, from_jiff,
    hours::{MINUTES_A_DAY, Span},
    to_jiff,
};

/// A span of time in which something may happen: from an instant until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
}

impl Opening {
    /// Whether it has no instant at all.
    pub fn is_empty(self) -> bool {
        self.until <= self.from
    }
}

/// How many days are looked at, today among them.
const DAYS: usize = 15;

/// The first span, from `from` on, in which all the windows are open in all the zones; `None` if there is none in two weeks.
pub fn opening(from: DateTime<Utc>, zones: &Zones, windows: &[Window], holidays: &Holidays) -> Option<Opening> {
    let mut all: Vec<Spans<'_>> = Vec::with_capacity(windows.len());
    for zone in zones.iter() {
        let rules = zone.rules();
        let today = rules.to_datetime(to_jiff(from)).date();
        all.extend(windows.iter().map(|window| Spans::new(today, rules, window, holidays)));
    }
    let mut at = from;
    loop {
        let mut common: Option<Opening> = None;
        for spans in &mut all {
            let span = spans.ending_after(at)?;
            let so_far = common.get_or_insert(span);
            *so_far = Opening { from: so_far.from.max(span.from), until: so_far.until.min(span.until) };
        }
        let common = common?;
        if common.from < common.until {
            return Some(Opening { from: common.from.max(from), until: common.until });
        }
        // What is open last is shut until then, so nothing that ends before counts.
        at = common.from;
    }
}

/// When one window is open in one zone, one span after the other, looked up day by day as far as they are asked for; spans that touch
/// are one.
struct Spans<'a> {
    window: &'a Window,
    rules: &'a TimeZone,
    holidays: &'a Holidays,
    date: Date,
    days_left: usize,
    /// How many of the day's spans were taken.
    taken: usize,
    current: Option<Opening>,
    /// The span after the current one, where it had to be looked up to know that it doesn't touch.
    after: Option<Opening>,
}

impl<'a> Spans<'a> {
    fn new(date: Date, rules: &'a TimeZone, window: &'a Window, holidays: &'a Holidays) -> Self {
        Self { window, rules, holidays, date, days_left: DAYS, taken: 0, current: None, after: None }
    }

    /// The first span that ends after `at`, which never goes back.
    fn ending_after(&mut self, at: DateTime<Utc>) -> Option<Opening> {
        while self.current.is_none_or(|current| current.until <= at) {
            let current = self.next()?;
            self.current = Some(current);
        }
        self.current
    }

    fn next(&mut self) -> Option<Opening> {
        if self.window.hours.are_any_time() && !self.window.skip_holidays {
            return self.all();
        }
        let (mut current, mut may_touch) = match self.after.take() {
            Some(after) => (after, true),
            None => self.next_of_day()?,
        };
        while may_touch {
            let Some((next, next_may_touch)) = self.next_of_day() else { break };
            if next.from > current.until {
                self.after = Some(next);
                break;
            }
            current.until = current.until.max(next.until);
            may_touch = next_may_touch;
        }
        Some(current)
    }

    /// The next span of the day or of the days after it, and whether another may touch it: one of the same day, or of the next if it
    /// lasts until midnight.
    fn next_of_day(&mut self) -> Option<(Opening, bool)> {
        while self.days_left > 0 {
            let spans = self.window.hours.on(self.date.weekday());
            let is_shut =
                self.taken == 0 && self.window.skip_holidays && !spans.is_empty() && self.holidays.contains(self.date);
            let Some(span) = spans.get(self.taken).filter(|_| !is_shut) else {
                self.date = self.date.tomorrow().ok()?;
                self.days_left -= 1;
                self.taken = 0;
                continue;
            };
            self.taken += 1;
            if let Some(opening) = on(self.date, *span, self.rules) {
                return Some((opening, self.taken < spans.len() || span.until == MINUTES_A_DAY));
            }
        }
        None
    }

    /// All the days as one span.
    fn all(&mut self) -> Option<Opening> {
        let days = i32::try_from(std::mem::take(&mut self.days_left)).ok().filter(|days| *days > 0)?;
        let last = self.date.checked_add(jiff::Span::new().days(days - 1)).ok()?;
        let from = instant(self.date, 0, self.rules)?.later().ok()?;
        let until = instant(last, MINUTES_A_DAY, self.rules)?.earlier().ok()?;
        Some(Opening { from: from_jiff(from), until: from_jiff(until) })
    }
}

/// One day's span as instants. Where a clock change makes a time ambiguous, the span is the shorter one.
fn on(date: Date, span: Span, rules: &TimeZone) -> Option<Opening> {
    let from = instant(date, span.from, rules)?.later().ok()?;
    let until = instant(date, span.until, rules)?.earlier().ok()?;
    (from < until).then(|| Opening { from: from_jiff(from), until: from_jiff(until) })
}

fn instant(date: Date, minute: i16, rules: &TimeZone) -> Option<jiff::tz::AmbiguousTimestamp> {
    let (date, minute) = match minute {
        MINUTES_A_DAY => (date.tomorrow().ok()?, 0),
        minute => (date, minute),
    };
    let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    Some(rules.to_ambiguous_timestamp(date.to_datetime(time)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::{WeeklyHours, Zone, parse_hours};

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

    /// All the spans of two weeks at once, put side by side.
    fn looked_up_whole(from: DateTime<Utc>, zones: &Zones, windows: &[Window], holidays: &Holidays) -> Option<Opening> {
        let whole = |zone: &Zone, window: &Window| {
            let today = zone.rules().to_datetime(to_jiff(from)).date();
            let mut spans: Vec<Opening> = Vec::new();
            for date in today.series(jiff::Span::new().days(1)).take(15) {
                let day =
                    if window.skip_holidays && holidays.contains(date) { &[] } else { window.hours.on(date.weekday()) };
                for span in day.iter().filter_map(|span| on(date, *span, zone.rules())) {
                    match spans.last_mut() {
                        Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
                        _ => spans.push(span),
                    }
                }
            }
            spans
        };
        let all = zones.iter().flat_map(|zone| windows.iter().map(move |window| whole(zone, window)));
        let common = all.reduce(|one, other| {
            let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
            let both = pairs.map(|(a, b)| Opening { from: a.from.max(b.from), until: a.until.min(b.until) });
            both.filter(|both| both.from < both.until).collect()
        })?;
        let next = common.into_iter().find(|opening| opening.until > from)?;
        Some(Opening { from: next.from.max(from), until: next.until })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn looking_only_as_far_as_needed_finds_the_same(
            second in 0_i64..800 * 86_400,
            zones in prop::sample::subsequence(vec!["America/New_York", "America/Phoenix", "Pacific/Honolulu", "UTC"], 1..3),
            hours in prop::collection::vec((prop::sample::select(HOURS.to_vec()), any::<bool>()), 1..4),
        ) {
            let from = at("2026-01-01T00:00:00Z") + chrono::TimeDelta::seconds(second);
            let zones = self::zones(&zones);
            let windows: Vec<Window> = hours.into_iter().map(|(hours, skip)| window(hours, skip)).collect();
            let holidays = Holidays::default();
            let (found, whole) =
                (opening(from, &zones, &windows, &holidays), looked_up_whole(from, &zones, &windows, &holidays));
            prop_assert_eq!(found, whole);
        }
    }

    const HOURS: [&str; 8] = [
        "any time",
        "daily 08:00-21:00",
        "Mon-Sat 09:00-19:30",
        "Mon-Fri 09:00-12:00, Mon-Fri 13:00-24:00, Sat 00:00-02:30",
        "Sun 01:30-02:30",
        "Tue 00:00-24:00",
        "weekends 00:00-24:00",
        "Mon 23:00-24:00, Tue 00:00-01:00",
    ];
}
