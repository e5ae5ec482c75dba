//! Weekly hours, as ops write them: `Mon-Sat 09:00-20:00, Sun 12:00-18:00`.

use std::{fmt, sync::Arc};

use chrono::TimeDelta;
use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

/// When something may happen, by weekday, in local time. Cheap to clone, because every step asks for the same few.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WeeklyHours {
    text: Arc<str>,
    /// Monday first; in each day, spans in order that don't touch.
    days: Arc<[Vec<Span>; 7]>,
}

/// From one minute of the day to another, the last left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) from: i16,
    pub(super) until: i16,
}

/// Weekly hours, and whether they rest on holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it is open.
    pub hours: WeeklyHours,
    /// Whether it stays shut on holidays.
    pub skip_holidays: bool,
}

impl Window {
    /// Whether the other is open whenever this one is, so that it adds nothing beside it.
    pub fn implies(&self, other: &Self) -> bool {
        (self.skip_holidays || !other.skip_holidays) && self.hours.is_within(&other.hours)
    }
}

/// Why hours can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// A part is not days and hours.
    #[error(
        "\"{part}\" is not days and hours; write it like \"Mon-Fri 09:00-20:00, Sat 10:00-18:00\", or \"any time\""
    )]
    Part {
        /// The part.
        part: String,
    },
    /// A span ends before it begins.
    #[error("\"{part}\" ends before it begins; hours end on the day on which they begin")]
    Backwards {
        /// The part.
        part: String,
    },
    /// Days stand in it without hours.
    #[error("\"{part}\" has no hours; write it like \"Sat 10:00-18:00\", or leave out a day on which nothing opens")]
    NoHours {
        /// The days.
        part: String,
    },
    /// There is nothing in it.
    #[error("no hours are given; write them like \"Mon-Fri 09:00-20:00\", or \"any time\"")]
    Empty,
}

pub(super) const MINUTES_A_DAY: i16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads weekly hours.
pub fn parse_hours(text: &str) -> Result<WeeklyHours, HoursError> {
    if ["any time", "anytime", "always"].iter().any(|words| text.trim().eq_ignore_ascii_case(words)) {
        return Ok(WeeklyHours::any_time());
    }
    let mut days: [Vec<Span>; 7] = Default::default();
    let mut named: Vec<usize> = Vec::new();
    // Hours without days are of the days before them: `Mon-Fri 09:00-12:00, 13:00-17:00`.
    let mut before: Option<Vec<usize>> = None;
    let mut without_hours = None;
    for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        let wrong = || HoursError::Part { part: part.to_owned() };
        let words = part.to_lowercase().replace(['\u{2013}', '\u{2014}'], "-");
        let (day_text, span) = split(&words).ok_or_else(wrong)?;
        match before.take() {
            Some(days) if day_text.is_empty() => named = days,
            None if day_text.is_empty() && !named.is_empty() => {}
            Some(_) | None => named.extend(days_of(day_text).ok_or_else(wrong)?),
        }
        without_hours = span.is_none().then_some(part);
        let Some((from, until)) = span else { continue };
        let from = minute(from).ok_or_else(wrong)?;
        let until = minute(until).ok_or_else(wrong)?;
        if from >= until {
            return Err(HoursError::Backwards { part: part.to_owned() });
        }
        for day in &named {
            if let Some(spans) = days.get_mut(*day) {
                spans.push(Span { from, until });
            }
        }
        before = Some(std::mem::take(&mut named));
    }
    if let Some(part) = without_hours {
        return Err(HoursError::NoHours { part: part.to_owned() });
    }
    if days.iter().all(Vec::is_empty) {
        return Err(HoursError::Empty);
    }
    Ok(WeeklyHours { text: text.trim().into(), days: Arc::new(days.map(merged)) })
}

/// `Mon-Sat 09:00-20:00` as days and span; `Mon` alone has no span yet.
fn split(part: &str) -> Option<(&str, Option<(&str, &str)>)> {
    let Some(digit) = part.find(|c: char| c.is_ascii_digit()) else {
        return Some((part, None));
    };
    let (days, hours) = part.split_at_checked(digit)?;
    let (from, until) = hours.split_once('-')?;
    Some((days.trim(), Some((from.trim(), until.trim()))))
}

fn days_of(text: &str) -> Option<Vec<usize>> {
    match text {
        "" | "daily" | "every day" => return Some((0..7).collect()),
        "weekdays" => return Some((0..5).collect()),
        "weekends" => return Some(vec![5, 6]),
        _ => {}
    }
    let Some((first, last)) = text.split_once('-') else {
        return Some(vec![day(text)?]);
    };
    let (first, last) = (day(first)?, day(last)?);
    let count = (last + 7 - first) % 7 + 1;
    Some((first..first + count).map(|day| day % 7).collect())
}

fn day(text: &str) -> Option<usize> {
    let text = text.trim();
    let full = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    DAYS.iter().position(|day| *day == text).or_else(|| full.iter().position(|day| *day == text))
}

/// `tue` or `tuesday`.
pub(super) fn weekday(text: &str) -> Option<Weekday> {
    Weekday::from_monday_zero_offset(i8::try_from(day(text)?).ok()?).ok()
}

/// `09:30`, `9:30`, `9:30am` or `9 am` as a minute of the day; `24:00` is its end.
pub(super) fn minute(text: &str) -> Option<i16> {
    let halves = [("am", 0), ("pm", 12)];
    let half = halves.into_iter().find_map(|(half, hours)| Some((text.strip_suffix(half)?.trim_end(), hours)));
    let (clock, half) = half.map_or((text, None), |(clock, hours)| (clock, Some(hours)));
    let (hour, minute) = match (clock.split_once(':'), half) {
        (Some(parts), _) => parts,
        (None, Some(_)) => (clock, "00"),
        (None, None) => return None,
    };
    let is_number = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (i16, i16) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        Some(hours) => Some(hour % 12 + hours).filter(|_| (1..=12).contains(&hour))?,
        None => hour,
    };
    let at = hour * 60 + minute;
    (minute < 60 && at <= MINUTES_A_DAY).then_some(at)
}

fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            Some(_) | None => merged.push(span),
        }
    }
    merged
}

impl WeeklyHours {
    /// All day, every day.
    pub fn any_time() -> Self {
        let day = vec![Span { from: 0, until: MINUTES_A_DAY }];
        Self { text: "any time".into(), days: Arc::new(std::array::from_fn(|_| day.clone())) }
    }

    /// Not at all.
    pub fn never() -> Self {
        Self { text: "never".into(), days: Arc::default() }
    }

    /// Whether every minute of these hours is one of the other's.
    pub fn is_within(&self, other: &Self) -> bool {
        let covers =
            |outer: &[Span], inner: &Span| outer.iter().any(|o| o.from <= inner.from && inner.until <= o.until);
        self.days.iter().zip(other.days.iter()).all(|(mine, theirs)| mine.iter().all(|span| covers(theirs, span)))
    }

    /// Whether they never close.
    pub(super) fn are_any_time(&self) -> bool {
        self.days.iter().all(|day| matches!(day.as_slice(), [Span { from: 0, until: MINUTES_A_DAY }]))
    }

    pub(super) fn on(&self, weekday: Weekday) -> &[Span] {
        let day = usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0);
        self.days.get(day).map_or(&[], Vec::as_slice)
    }
}

/// The longest time of a day for which all of these are open at a stretch.
pub fn longest_span(all: &[&WeeklyHours]) -> TimeDelta {
    let common = |one: Vec<Span>, other: &[Span]| -> Vec<Span> {
        let both =
            |a: &Span| other.iter().map(|b| Span { from: a.from.max(b.from), until: a.until.min(b.until) }).collect();
        one.iter().flat_map(|a| -> Vec<Span> { both(a) }).filter(|span| span.from < span.until).collect()
    };
    let on = |day: usize| {
        let whole = vec![Span { from: 0, until: MINUTES_A_DAY }];
        all.iter().filter_map(|hours| hours.days.get(day)).fold(whole, |open, spans| common(open, spans))
    };
    let longest = (0..DAYS.len()).flat_map(on).map(|span| span.until - span.from).max();
    TimeDelta::minutes(longest.unwrap_or(0).into())
}

impl TryFrom<String> for WeeklyHours {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        match text.as_str() {
            "never" => Ok(Self::never()),
            text => parse_hours(text),
        }
    }
}

impl From<WeeklyHours> for String {
    fn from(hours: WeeklyHours) -> Self {
        hours.text.to_string()
    }
}

impl fmt::Display for WeeklyHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str, weekday: Weekday) -> Vec<(i16, i16)> {
        parse_hours(text).unwrap().on(weekday).iter().map(|span| (span.from, span.until)).collect()
    }

    #[test]
    fn hours_open_on_the_days_they_name() {
        for (text, weekday, expected) in [
            ("Mon-Sat 09:00-20:00", Weekday::Saturday, vec![(540, 1200)]),
            ("Mon-Sat 09:00-20:00", Weekday::Sunday, vec![]),
            ("mon-fri 9:00-20:00, Sat 10:00-18:00", Weekday::Saturday, vec![(600, 1080)]),
            ("Sat-Mon 10:00-12:00", Weekday::Monday, vec![(600, 720)]),
            ("Sat-Mon 10:00-12:00", Weekday::Tuesday, vec![]),
            ("Mon, Wed 10:00-12:00", Weekday::Monday, vec![(600, 720)]),
            ("daily 08:00-12:00, daily 11:00-13:00", Weekday::Friday, vec![(480, 780)]),
            ("Mon-Fri 09:00-12:00, 13:00-17:00", Weekday::Friday, vec![(540, 720), (780, 1020)]),
            ("Mon-Fri 09:00-12:00, 13:00-17:00", Weekday::Saturday, vec![]),
            ("Mon-Fri 09:00-12:00, Sat 10:00-12:00, 13:00-14:00", Weekday::Saturday, vec![(600, 720), (780, 840)]),
            ("09:00-12:00, 13:00-17:00", Weekday::Sunday, vec![(540, 720), (780, 1020)]),
            ("Mon, 09:00-12:00", Weekday::Tuesday, vec![]),
            ("08:00-24:00", Weekday::Friday, vec![(480, 1440)]),
            ("Mon-Fri 9am-7:30 PM, Sat 12pm-1:05pm", Weekday::Friday, vec![(540, 1170)]),
            ("Mon-Fri 9am-7:30 PM, Sat 12pm-1:05pm", Weekday::Saturday, vec![(720, 785)]),
            ("any time", Weekday::Sunday, vec![(0, 1440)]),
            ("Monday \u{2013} Friday 09:00\u{2013}17:00", Weekday::Friday, vec![(540, 1020)]),
        ] {
            assert_eq!(spans(text, weekday), expected, "{text} on {weekday:?}");
        }
    }

    #[test]
    fn what_is_not_hours_is_refused_in_words() {
        for (text, part) in [
            ("", "no hours are given"),
            ("Mon-Fri", "\"Mon-Fri\" has no hours"),
            ("Mon-Fri 09:00-19:30, Sat", "\"Sat\" has no hours"),
            ("Mon-Fri 9-17", "not days and hours"),
            ("Mon-Fry 09:00-17:00", "\"Mon-Fry 09:00-17:00\" is not days and hours"),
            ("Tue 9:00-17:00, Mon \u{2013} Fri 20:00-09:00", "\"Mon \u{2013} Fri 20:00-09:00\" ends before it begins"),
            ("Mon 09:00-25:00", "not days and hours"),
            ("Mon 0am-13pm", "not days and hours"),
            ("Mon 09:00-09:75", "not days and hours"),
        ] {
            let error = parse_hours(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_window_implies_another_only_if_it_is_never_open_without_it() {
        let window = |text, skip_holidays| Window { hours: parse_hours(text).unwrap(), skip_holidays };
        let wide = ["daily 08:00-21:00", "any time"];
        for (one, other, implies) in [
            (window("Mon-Sat 09:00-20:00", true), window(wide[0], true), true),
            (window("Mon-Sat 09:00-20:00", true), window(wide[0], false), true),
            (window("Mon-Sat 09:00-20:00", false), window(wide[0], false), true),
            // It is open on holidays, and the other is not.
            (window("Mon-Sat 09:00-20:00", false), window(wide[0], true), false),
            (window("Mon-Sat 07:00-20:00", true), window(wide[0], false), false),
            (window(wide[1], false), window(wide[0], false), false),
            (window(wide[0], false), window(wide[0], false), true),
        ] {
            assert_eq!(one.implies(&other), implies, "{one:?} {other:?}");
        }
    }

    #[test]
    fn hours_read_back_as_they_are_written() {
        for hours in [parse_hours("Mon-Fri 09:00-17:00").unwrap(), WeeklyHours::any_time(), WeeklyHours::never()] {
            let text = serde_json::to_string(&hours).unwrap();
            assert_eq!(serde_json::from_str::<WeeklyHours>(&text).unwrap(), hours);
        }
    }

    #[test]
    fn hours_are_open_together_for_as_long_as_their_common_span() {
        let hours = |text| parse_hours(text).unwrap();
        for (one, other, minutes) in [
            ("daily 08:00-21:00", "Mon-Sat 09:00-19:30", 630),
            ("daily 08:00-21:00", "daily 05:00-08:00", 0),
            ("Mon 08:00-21:00", "Tue 08:00-21:00", 0),
            ("daily 08:00-10:00, daily 12:00-13:00", "daily 09:30-12:45", 45),
        ] {
            let (one, other) = (hours(one), hours(other));
            assert_eq!(longest_span(&[&one, &other]), TimeDelta::minutes(minutes), "{one}; {other}");
            assert_eq!(longest_span(&[&other, &one, &WeeklyHours::any_time()]), TimeDelta::minutes(minutes));
        }
        assert_eq!(longest_span(&[&WeeklyHours::never()]), TimeDelta::zero());
    }

    #[test]
    fn hours_are_within_others_only_if_every_minute_is() {
        let floor = parse_hours("daily 08:00-21:00").unwrap();
        assert!(parse_hours("Mon-Sat 09:00-20:00").unwrap().is_within(&floor));
        assert!(!parse_hours("Mon-Sat 07:00-20:00").unwrap().is_within(&floor));
        assert!(!WeeklyHours::any_time().is_within(&floor));
    }
}
