//! Waits, as ops write them: `20m`, `2h`, `1d`, `1bd at 10:15`.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::{Holidays, Zone, from_jiff, hours::minute, to_jiff};

/// How long to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Wait(Length);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Length {
    Minutes(u32),
    Hours(u32),
    /// To the same local time, or to that minute of the day, so many days on.
    Days {
        count: u32,
        business: bool,
        at: Option<i16>,
    },
}

/// Why a wait can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// It is not a number and a unit.
    #[error("\"{text}\" is not a wait; write it like 20m, 2h, 1d, 1bd (business day) or \"1d at 10:15\"")]
    Unreadable {
        /// What was written.
        text: String,
    },
    /// It is a number without a unit.
    #[error(
        "\"{text}\" is a number without a unit; write \"{text}m\" for minutes, \"{text}h\" for hours or \"{text}d\" for days"
    )]
    NoUnit {
        /// The number.
        text: String,
    },
    /// It is written as waits are elsewhere, and can mean only one thing.
    #[error("\"{text}\" is not a wait; write \"{meant}\"")]
    Meant {
        /// What was written.
        text: String,
        /// The same as it is written here.
        meant: String,
    },
    /// It is longer than a year.
    #[error("\"{text}\" is longer than a year")]
    TooLong {
        /// What was written.
        text: String,
    },
}

const MAX_DAYS: u32 = 365;

impl Wait {
    /// Reads a wait.
    pub fn parse(text: &str) -> Result<Self, WaitError> {
        let words = text.trim().to_lowercase();
        let unreadable = || match meant(&words) {
            Some(meant) => WaitError::Meant { text: text.to_owned(), meant },
            None => WaitError::Unreadable { text: text.to_owned() },
        };
        let (length, at) = match words.split_once(" at ") {
            Some((length, at)) => {
                (length.trim(), Some(minute(at.trim()).filter(|at| *at < 24 * 60).ok_or_else(unreadable)?))
            }
            None => (words.as_str(), None),
        };
        let digits = length.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = length.split_at_checked(digits).ok_or_else(unreadable)?;
        let count: u32 = number.parse().map_err(|_| unreadable())?;
        let (length, days) = match (unit.trim(), at) {
            // Nothing is nothing, whatever it is counted in.
            ("", None) if count == 0 => (Length::Minutes(0), 0),
            ("", None) => return Err(WaitError::NoUnit { text: count.to_string() }),
            ("m" | "min" | "mins" | "minute" | "minutes", None) => (Length::Minutes(count), count / (24 * 60)),
            ("h" | "hr" | "hrs" | "hour" | "hours", None) => (Length::Hours(count), count / 24),
            ("d" | "day" | "days", at) => (Length::Days { count, business: false, at }, count),
            ("bd" | "business day" | "business days", at) => (Length::Days { count, business: true, at }, count),
            _ => return Err(unreadable()),
        };
        match days <= MAX_DAYS {
            true => Ok(Self(length)),
            false => Err(WaitError::TooLong { text: text.to_owned() }),
        }
    }

    /// That many minutes.
    pub fn minutes(count: u32) -> Self {
        Self(Length::Minutes(count))
    }

    /// That many hours.
    pub fn hours(count: u32) -> Self {
        Self(Length::Hours(count))
    }

    /// That many days.
    pub fn days(count: u32) -> Self {
        Self(Length::Days { count, business: false, at: None })
    }

    /// Whether it ends as it begins, on whatever day.
    pub fn is_none(&self) -> bool {
        matches!(self.0, Length::Minutes(0) | Length::Hours(0) | Length::Days { count: 0, business: false, at: None })
    }

    /// The time of day that it names, counted from midnight.
    pub fn time_of_day(&self) -> Option<TimeDelta> {
        match self.0 {
            Length::Days { at, .. } => at.map(|minute| TimeDelta::minutes(minute.into())),
            Length::Minutes(_) | Length::Hours(_) => None,
        }
    }

    /// When something happens that waits so: `at once`, `after 20m`, `at 09:00`.
    pub fn in_words(&self) -> String {
        match self.0 {
            _ if self.is_none() => "at once".to_owned(),
            Length::Days { count: 0, business: false, at: Some(at) } => format!("at {}", clock(at)),
            Length::Minutes(_) | Length::Hours(_) | Length::Days { .. } => format!("after {self}"),
        }
    }
}

/// What is meant by a wait as they are written elsewhere: `2w`, `1.5h`, `1h30m`, `1d at 10`.
fn meant(words: &str) -> Option<String> {
    if let Some((days, hour)) = words.split_once(" at ") {
        let hour: u8 = hour.trim().parse().ok()?;
        return Wait::parse(&format!("{days} at {hour:02}:00")).ok().map(|wait| wait.to_string());
    }
    let digits = words.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = words.split_at_checked(digits)?;
    let number: f64 = number.parse().ok()?;
    let (count, smaller) = match unit.trim() {
        "w" | "week" | "weeks" => (number * 7.0, "d"),
        "d" | "day" | "days" => (number * 24.0, "h"),
        "h" | "hour" | "hours" => (number * 60.0, "m"),
        unit => (f64::from(minutes_after(unit)?) + number * 60.0, "m"),
    };
    let meant = (count.fract() == 0.0).then(|| format!("{count}{smaller}"))?;
    Wait::parse(&meant).is_ok().then_some(meant)
}

/// The minutes of `h30m`.
fn minutes_after(unit: &str) -> Option<u32> {
    let named = ["hours", "hour", "h"].into_iter().find_map(|hours| unit.strip_prefix(hours));
    let minutes = named?.trim_start();
    let digits = minutes.bytes().take_while(u8::is_ascii_digit).count();
    let (minutes, unit) = minutes.split_at_checked(digits)?;
    let is_minutes = ["", "m", "min", "minutes"].contains(&unit.trim());
    minutes.parse().ok().filter(|_| is_minutes)
}

/// `base` plus the wait. Days are counted in that zone, business days leave out weekends and holidays; never before `base`.
pub fn after(base: DateTime<Utc>, wait: &Wait, zone: &Zone, holidays: &Holidays) -> DateTime<Utc> {
    match wait.0 {
        Length::Minutes(count) => base + TimeDelta::minutes(count.into()),
        Length::Hours(count) => base + TimeDelta::hours(count.into()),
        Length::Days { count, business, at } => days_after(base, count, business, at, zone, holidays).unwrap_or(base),
    }
}

/// `None` only at the end of the calendar.
fn days_after(
    base: DateTime<Utc>,
    count: u32,
    business: bool,
    at: Option<i16>,
    zone: &Zone,
    holidays: &Holidays,
) -> Option<DateTime<Utc>> {
    let rules = zone.rules();
    let local = rules.to_datetime(to_jiff(base));
    let time = match at {
        Some(minute) => Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?,
        None => local.time(),
    };
    let mut date = local.date();
    let mut left = count;
    while left > 0 {
        date = date.tomorrow().ok()?;
        if !business || is_business_day(date, holidays) {
            left -= 1;
        }
    }
    loop {
        let is_now = at.is_none() && date == local.date();
        // A local time may come twice a night, so no wait at all is not read from the clock.
        let instant = match is_now {
            true => base,
            false => from_jiff(date.to_datetime(time).to_zoned(rules.clone()).ok()?.timestamp()),
        };
        // Only a time of day that has passed today, with a wait of no days, lies before `base`.
        if instant >= base && (!business || is_business_day(date, holidays)) {
            return Some(instant);
        }
        date = date.tomorrow().ok()?;
    }
}

fn is_business_day(date: Date, holidays: &Holidays) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !holidays.contains(date)
}

impl TryFrom<String> for Wait {
    type Error = WaitError;

    fn try_from(text: String) -> Result<Self, WaitError> {
        Self::parse(&text)
    }
}

impl From<Wait> for String {
    fn from(wait: Wait) -> Self {
        wait.to_string()
    }
}

/// A minute of the day: `09:05`.
fn clock(minute: i16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Length::Minutes(count) => write!(f, "{count}m"),
            Length::Hours(count) => write!(f, "{count}h"),
            Length::Days { count, business, at } => {
                write!(f, "{count}{}", if business { "bd" } else { "d" })?;
                at.map_or(Ok(()), |at| write!(f, " at {}", clock(at)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn a_wait_counts_in_the_leads_own_days() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        let holidays = Holidays::default();
        for (base, wait, expected) in [
            ("2026-11-24T10:00:00-08:00", "0m", "2026-11-24T10:00:00-08:00"),
            ("2026-11-24T10:00:00-08:00", "20m", "2026-11-24T10:20:00-08:00"),
            ("2026-11-24T10:00:00-08:00", "2h", "2026-11-24T12:00:00-08:00"),
            ("2026-11-24T10:00:00-08:00", "1d", "2026-11-25T10:00:00-08:00"),
            ("2026-11-24T10:00:00-08:00", "1d at 10:15", "2026-11-25T10:15:00-08:00"),
            ("2026-11-25T10:00:00-08:00", "1bd", "2026-11-27T10:00:00-08:00"),
            ("2026-11-27T10:00:00-08:00", "1bd", "2026-11-30T10:00:00-08:00"),
            ("2026-10-31T10:00:00-07:00", "1d", "2026-11-01T10:00:00-08:00"),
            ("2026-11-24T10:00:00-08:00", "0d at 09:00", "2026-11-25T09:00:00-08:00"),
            ("2026-11-28T10:00:00-08:00", "0bd at 11:00", "2026-11-30T11:00:00-08:00"),
            // The second 01:30 of the night in which the clock goes back.
            ("2026-11-01T01:30:00-08:00", "0d", "2026-11-01T01:30:00-08:00"),
            ("2026-11-01T01:30:00-08:00", "1d", "2026-11-02T01:30:00-08:00"),
        ] {
            let wait = Wait::parse(wait).unwrap();
            assert_eq!(after(at(base), &wait, &zone, &holidays), at(expected), "{base} + {wait}");
        }
    }

    #[test]
    fn what_is_not_a_wait_is_refused_in_words() {
        for text in [
            "",
            "m",
            "20 moments",
            "-5m",
            "20 at 10:00",
            "1d at 25:00",
            "1d at 24:00",
            "20m at 10:00",
            "1.51h",
            "99w",
            "1d at 30",
            "1h30s",
            "9999999999m",
        ] {
            let error = Wait::parse(text).unwrap_err().to_string();
            assert!(error.contains("is not a wait"), "{text}: {error}");
        }
        for text in ["20", "020", " 20 "] {
            let error = Wait::parse(text).unwrap_err().to_string();
            assert!(error.contains("write \"20m\" for minutes"), "{text}: {error}");
        }
        for (text, meant) in [
            ("1h30m", "90m"),
            ("1h 30", "90m"),
            ("1 Hour 30 minutes", "90m"),
            ("1.5h", "90m"),
            ("0.5 days", "12h"),
            ("2w", "14d"),
            ("1 Week", "7d"),
            ("1d at 10", "1d at 10:00"),
            ("2 business days at 8", "2bd at 08:00"),
        ] {
            let error = Wait::parse(text).unwrap_err().to_string();
            assert_eq!(error, format!("\"{text}\" is not a wait; write \"{meant}\""));
        }
        assert!(Wait::parse("400d").unwrap_err().to_string().contains("longer than a year"));
    }

    #[test]
    fn a_wait_reads_back_as_it_prints() {
        for text in ["0m", "20m", "2h", "1d", "3bd", "1d at 10:15", "2bd at 08:05"] {
            assert_eq!(Wait::parse(text).unwrap().to_string(), text);
        }
        for (text, wait) in [
            ("25 min", "25m"),
            ("1 hour", "1h"),
            ("3 days at 9:05", "3d at 09:05"),
            ("1 business day", "1bd"),
            ("0", "0m"),
            ("1d at 9:15PM", "1d at 21:15"),
            ("1d at 12 am", "1d at 00:00"),
        ] {
            assert_eq!(Wait::parse(text).map(|wait| wait.to_string()), Ok(wait.to_owned()));
        }
        assert_eq!(Wait::parse(" 1 D AT 9:05 ").map(|wait| wait.to_string()), Ok("1d at 09:05".to_owned()));
    }
}
