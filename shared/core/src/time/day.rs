//! Days of the calendar, in no zone of their own.

use std::fmt;

use chrono::{DateTime, Utc};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Zone, to_jiff};

/// A day, as ops write it: `2026-12-24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(Date);

/// A text that is no day's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a day; write it as 2026-12-24")]
pub struct DayError {
    /// What was written.
    text: String,
}

impl Day {
    /// Reads a day.
    pub fn parse(text: &str) -> Result<Self, DayError> {
        let text = text.trim();
        text.parse().map(Self).map_err(|_| DayError { text: text.to_owned() })
    }

    /// The day that an instant falls on there.
    pub fn of(at: DateTime<Utc>, zone: &Zone) -> Self {
        Self(zone.rules().to_datetime(to_jiff(at)).date())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_reads_back_as_it_is_written_and_nothing_else_is_one() {
        let day = Day::parse(" 2026-12-24 ").unwrap();
        assert_eq!((day.to_string().as_str(), serde_json::to_value(day).unwrap()), ("2026-12-24", "2026-12-24".into()));
        assert_eq!(serde_json::from_str::<Day>("\"2026-12-24\"").unwrap(), day);
        for wrong in ["", "24.12.2026", "2026-02-30", "Christmas", "12/24/2026"] {
            assert!(Day::parse(wrong).unwrap_err().to_string().contains("is not a day"), "{wrong}");
        }
        assert!(Day::parse("2026-12-31").unwrap() < Day::parse("2027-01-01").unwrap());
    }

    #[test]
    fn the_same_instant_falls_on_one_day_here_and_on_another_there() {
        let at = DateTime::parse_from_rfc3339("2026-12-24T23:30:00-08:00").unwrap().to_utc();
        let day = |zone: &str| Day::of(at, &Zone::parse(zone).unwrap()).to_string();
        assert_eq!((day("America/Los_Angeles"), day("America/New_York")), ("2026-12-24".into(), "2026-12-25".into()));
    }
}
