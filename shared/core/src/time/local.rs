//! Instants as people say them where they are: `09:30`, `Tue 09:30`, `2026-12-01 09:30`.

use chrono::{DateTime, Utc};
use jiff::civil::{Date, DateTime as Civil, Time, Weekday};

use super::{Zone, from_jiff, hours, to_jiff};

/// A local time, on a day that may be left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    day: Day,
    time: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    Any,
    Weekday(Weekday),
    Date(Date),
}

impl LocalTime {
    /// Reads a time of day, after a weekday or a date if the day is not left open; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, time) = text.trim().rsplit_once([' ', 'T']).unwrap_or(("", text.trim()));
        let minute = hours::minute(time).filter(|minute| *minute < 24 * 60)?;
        let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
        let day = match day.trim() {
            "" => Day::Any,
            day => match hours::weekday(&day.to_lowercase()) {
                Some(weekday) => Day::Weekday(weekday),
                None => Day::Date(day.parse().ok()?),
            },
        };
        Some(Self { day, time })
    }

    /// Whether it names its date, and by that one instant.
    pub fn is_dated(self) -> bool {
        matches!(self.day, Day::Date(_))
    }

    /// The first such instant in that zone that is not before `from`; a date's own, even if that lies before. A time that the clock
    /// skips is read as what it jumps to, one that comes twice as the first.
    pub fn after(self, from: DateTime<Utc>, zone: &Zone) -> DateTime<Utc> {
        let rules = zone.rules();
        let today = rules.to_datetime(to_jiff(from)).date();
        let on = |date: Date| {
            let zoned = Civil::from_parts(date, self.time).to_zoned(rules.clone());
            zoned.ok().map(|zoned| from_jiff(zoned.timestamp()))
        };
        let days = today.series(jiff::Span::new().days(1)).take(9);
        let found = match self.day {
            Day::Date(date) => on(date),
            Day::Any => days.filter_map(on).find(|at| *at >= from),
            Day::Weekday(weekday) => {
                days.filter(|date| date.weekday() == weekday).filter_map(on).find(|at| *at >= from)
            }
        };
        // Only the end of the calendar has no such day.
        found.unwrap_or(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn a_local_time_is_the_next_one_where_the_lead_is() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        let tuesday = at("2026-12-01T10:00:00-08:00");
        for (text, expected) in [
            ("10:00", "2026-12-01T10:00:00-08:00"),
            ("9:30", "2026-12-02T09:30:00-08:00"),
            ("Tue 10:30", "2026-12-01T10:30:00-08:00"),
            ("tuesday 09:30", "2026-12-08T09:30:00-08:00"),
            ("2026-12-24 09:30", "2026-12-24T09:30:00-08:00"),
            ("2026-07-01T09:30", "2026-07-01T09:30:00-07:00"),
            // The hour that the clock skips, and the one that comes twice.
            ("2027-03-14 02:30", "2027-03-14T03:30:00-07:00"),
            ("2026-11-01 01:30", "2026-11-01T01:30:00-07:00"),
        ] {
            assert_eq!(LocalTime::parse(text).unwrap().after(tuesday, &zone), at(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_local_time_is_none() {
        for text in ["", "soon", "24:00", "9", "Someday 09:30", "2026-13-01 09:30", "2026-12-01", "10:00:00"] {
            assert_eq!(LocalTime::parse(text), None, "{text}");
        }
    }
}
