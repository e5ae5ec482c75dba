//! Days on which nobody is called or texted.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use jiff::civil::{Date, Weekday};

use super::{Window, Zone, from_jiff, to_jiff};

/// The federal holidays, each on its actual and on its observed day, and the company's own.
///
/// Source: 5 U.S.C. 6103, and Executive Order 11582 for the observed days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    own: BTreeSet<Date>,
}

/// The holidays of a fixed date: month and day.
const FIXED: [(i8, i8, &str); 5] = [
    (1, 1, "New Year's Day"),
    (6, 19, "Juneteenth"),
    (7, 4, "Independence Day"),
    (11, 11, "Veterans Day"),
    (12, 25, "Christmas Day"),
];
/// The holidays of a weekday: month, which one of the month (-1 for the last), weekday.
const FLOATING: [(i8, i8, Weekday, &str); 6] = [
    (1, 3, Weekday::Monday, "Martin Luther King Jr. Day"),
    (2, 3, Weekday::Monday, "Washington's Birthday"),
    (5, -1, Weekday::Monday, "Memorial Day"),
    (9, 1, Weekday::Monday, "Labor Day"),
    (10, 2, Weekday::Monday, "Columbus Day"),
    (11, 4, Weekday::Thursday, "Thanksgiving"),
];

impl Holidays {
    /// The federal holidays and these days, `2026-12-24`; what is no date is left out, since `check` has refused it.
    pub fn federal_and(own: &[String]) -> Self {
        Self { own: own.iter().filter_map(|date| Self::date(date)).collect() }
    }

    /// Whether that is a date as holidays are written: `2026-12-24`.
    pub fn is_date(text: &str) -> bool {
        Self::date(text).is_some()
    }

    fn date(text: &str) -> Option<Date> {
        text.trim().parse().ok()
    }

    /// The days, from `from` until before `until`, on which that window would be open if they were no holidays: `Mon Jan 18 (Martin
    /// Luther King Jr. Day)`.
    pub fn missed(&self, window: &Window, zone: &Zone, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<String> {
        let date = |at| zone.rules().to_datetime(to_jiff(at)).date();
        let last = date(until);
        let days = date(from).series(jiff::Span::new().days(1)).take_while(|day| *day < last);
        let open = days.filter(|day| window.skip_holidays && !window.hours.on(day.weekday()).is_empty());
        open.filter_map(|day| Some(format!("{} ({})", day.strftime("%a %b %-d"), self.name(day)?))).collect()
    }

    /// The noon of the next day from an instant on, in that zone, that is a holiday and no Saturday or Sunday; `None` only at the end of the
    /// calendar.
    pub fn next_on_a_weekday(&self, from: DateTime<Utc>, zone: &Zone) -> Option<DateTime<Utc>> {
        let today = zone.rules().to_datetime(to_jiff(from)).date();
        let is_weekday = |day: &Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let mut days = today.series(jiff::Span::new().days(1)).take(400).filter(is_weekday);
        let noon = days.find(|day| self.contains(*day))?.at(12, 0, 0, 0).to_zoned(zone.rules().clone()).ok()?;
        Some(from_jiff(noon.timestamp()))
    }

    pub(super) fn contains(&self, date: Date) -> bool {
        self.name(date).is_some()
    }

    fn name(&self, date: Date) -> Option<&'static str> {
        federal(date).or_else(|| self.own.contains(&date).then_some("a day of the company's own"))
    }
}

fn federal(date: Date) -> Option<&'static str> {
    let floating = FLOATING.iter().find(|(month, nth, weekday, _)| {
        date.month() == *month && date.nth_weekday_of_month(*nth, *weekday).is_ok_and(|holiday| holiday == date)
    });
    floating.map(|(.., name)| *name).or_else(|| fixed(date)).or_else(|| observed(date))
}

fn fixed(date: Date) -> Option<&'static str> {
    FIXED.iter().find(|(month, day, _)| (*month, *day) == (date.month(), date.day())).map(|(.., name)| *name)
}

/// A holiday on a Saturday is observed on the Friday before, one on a Sunday on the Monday after.
fn observed(date: Date) -> Option<&'static str> {
    let day = match date.weekday() {
        Weekday::Friday => date.tomorrow(),
        Weekday::Monday => date.yesterday(),
        Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Saturday | Weekday::Sunday => return None,
    };
    fixed(day.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn federal_holidays_rest_on_their_actual_and_on_their_observed_day() {
        let holidays = Holidays::federal_and(&["2026-12-24".to_owned()]);
        for (date, expected) in [
            ("2026-01-01", true),
            ("2026-01-19", true),
            ("2026-05-25", true),
            ("2026-05-18", false),
            ("2026-07-03", true),
            ("2026-07-04", true),
            ("2026-11-26", true),
            ("2026-11-27", false),
            ("2026-12-24", true),
            ("2025-12-24", false),
            ("2027-12-31", true),
            ("2028-01-01", true),
            ("2027-12-24", true),
            ("2027-07-05", true),
        ] {
            assert_eq!(holidays.contains(date.parse().unwrap()), expected, "{date}");
        }
    }

    #[test]
    fn the_next_holiday_of_a_week_is_no_weekend_day() {
        let zone = Zone::parse("America/New_York").unwrap();
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        for (from, next) in [
            ("2026-11-20T00:00:00-05:00", "2026-11-26T12:00:00-05:00"),
            ("2026-11-26T20:00:00-05:00", "2026-11-26T12:00:00-05:00"),
            // Independence Day is a Sunday, and observed on the Monday.
            ("2027-07-01T00:00:00-04:00", "2027-07-05T12:00:00-04:00"),
        ] {
            assert_eq!(Holidays::default().next_on_a_weekday(at(from), &zone), Some(at(next)), "{from}");
        }
    }

    #[test]
    fn holidays_are_named_where_they_keep_a_window_shut() {
        let zone = Zone::parse("America/New_York").unwrap();
        let holidays = Holidays::federal_and(&["2026-12-28".to_owned()]);
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let (from, until) = (at("2026-12-24T23:00:00-05:00"), at("2026-12-29T09:00:00-05:00"));
        for (hours, skip_holidays, expected) in [
            (
                "Mon-Fri 09:00-20:00",
                true,
                &["Fri Dec 25 (Christmas Day)", "Mon Dec 28 (a day of the company's own)"][..],
            ),
            ("Mon-Thu 09:00-20:00", true, &["Mon Dec 28 (a day of the company's own)"]),
            ("daily 09:00-20:00", false, &[]),
        ] {
            let window = Window { hours: crate::time::parse_hours(hours).unwrap(), skip_holidays };
            assert_eq!(holidays.missed(&window, &zone, from, until), expected, "{hours}");
        }
    }
}
