//! Hours and holidays, reckoned apart from the engine: what the checker holds its effects against.

use std::collections::BTreeSet;

use cadence_core::{
    Channel, Do,
    law::STATE_RULES,
    lead::Lead,
    records::Cadence,
    time::{Zone, Zones, local_text},
};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};

const FEDERAL: &str = "daily 08:00-21:00";
const MACHINES: &str = "Mon-Fri 09:00-20:00, Sat 10:00-18:00";
const EMAILS: &str = "daily 08:00-20:00";
/// Where nothing tells a lead's zone: these hours, there.
const ANYWHERE: (&str, &str) = ("daily 12:00-20:00", "America/New_York");
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What forbids that step to reach that lead then, if anything does. `rests` are the company's own holidays.
pub(crate) fn forbids(
    action: Do,
    lead: &Lead,
    cadence: &Cadence,
    rests: &BTreeSet<NaiveDate>,
    at: DateTime<Utc>,
) -> Option<String> {
    let anywhere = Zone::parse(ANYWHERE.1).map(Zones::one);
    let zones = lead.zones.clone().or(anywhere)?;
    let windows = windows(action, lead, cadence);
    zones.iter().find_map(|zone| {
        let local = Local::of(at, zone)?;
        let is_holiday = local.is_holiday() || rests.contains(&local.date);
        let shut = windows.iter().find(|(hours, keeps)| !local.is_within(hours) || (*keeps && is_holiday))?;
        Some(format!("{} in {} is outside \"{}\"", local_text(at, zone), zone.as_str(), shut.0))
    })
}

/// What the federal hours forbid somebody who lives in that zone.
pub(crate) fn federal_forbids(zone: &str, at: DateTime<Utc>) -> Option<String> {
    let zone = Zone::parse(zone)?;
    let local = Local::of(at, &zone)?;
    (!local.is_within(FEDERAL)).then(|| format!("it is {} where they live", local_text(at, &zone)))
}

/// The hours that hold, and whether each rests on holidays.
fn windows(action: Do, lead: &Lead, cadence: &Cadence) -> Vec<(String, bool)> {
    let (channel, hours) = (action.channel(), &cadence.hours);
    let stated = match channel {
        Channel::Call => hours.call.clone().map(String::from),
        Channel::Sms => hours.sms.clone().map(String::from),
        Channel::Email => hours.email.clone().map(String::from),
    };
    let anywhere = lead.zones.is_none().then(|| (ANYWHERE.0.to_owned(), false));
    if channel == Channel::Email {
        let hours = (stated.unwrap_or_else(|| EMAILS.to_owned()), false);
        return std::iter::once(hours).chain(anywhere).collect();
    }
    let is_machines = matches!(action, Do::AiDial | Do::AiSms | Do::CannedSms);
    let (default, rests) = if is_machines { (MACHINES, true) } else { (FEDERAL, false) };
    let mut windows = vec![
        (stated.unwrap_or_else(|| default.to_owned()), cadence.skip_holidays.unwrap_or(rests)),
        (FEDERAL.to_owned(), false),
    ];
    let rule = STATE_RULES.iter().find(|rule| lead.state.as_deref() == Some(rule.state));
    windows.extend(rule.map(|rule| (rule.hours.to_owned(), rule.no_holidays)));
    windows.extend(anywhere);
    windows
}

/// A wall clock's time, and its date.
struct Local {
    date: NaiveDate,
    seconds: u32,
}

impl Local {
    fn of(at: DateTime<Utc>, zone: &Zone) -> Option<Self> {
        // `Tue Nov 24 10:00:05 PST`
        let text = local_text(at, zone);
        let words: Vec<&str> = text.split_whitespace().collect();
        let [_, month, day, time, ..] = words.as_slice() else { return None };
        let month = u32::try_from(MONTHS.iter().position(|name| name == month)? + 1).ok()?;
        let year = match (at.month(), month) {
            (12, 1) => at.year() + 1,
            (1, 12) => at.year() - 1,
            _ => at.year(),
        };
        let parts: Vec<u32> = time.split(':').filter_map(|part| part.parse().ok()).collect();
        let [hour, minute, second] = parts.as_slice() else { return None };
        let date = NaiveDate::from_ymd_opt(year, month, day.parse().ok()?)?;
        Some(Self { date, seconds: hour * 3600 + minute * 60 + second })
    }

    /// Whether it is within hours such as `Mon-Fri 09:00-20:00, Sat 10:00-18:00`.
    fn is_within(&self, hours: &str) -> bool {
        if hours.eq_ignore_ascii_case("any time") {
            return true;
        }
        let today = self.date.weekday().num_days_from_monday() as usize;
        hours.split(',').filter_map(|part| part.trim().split_once(' ')).any(|(days, span)| {
            let is_today = match days.split_once('-') {
                _ if days == "daily" => true,
                Some((first, last)) => {
                    day(first).zip(day(last)).is_some_and(|(first, last)| (first..=last).contains(&today))
                }
                None => day(days) == Some(today),
            };
            let span = span.split_once('-').and_then(|(from, until)| Some((seconds(from)?, seconds(until)?)));
            is_today && span.is_some_and(|(from, until)| (from..until).contains(&self.seconds))
        })
    }

    /// Whether it is a federal holiday, or the day on which one is observed.
    fn is_holiday(&self) -> bool {
        let date = self.date;
        let (before, after) = (date - TimeDelta::days(1), date + TimeDelta::days(1));
        let is_observed =
            (date.weekday() == Weekday::Mon && is_fixed(before)) || (date.weekday() == Weekday::Fri && is_fixed(after));
        is_fixed(date) || is_observed || is_floating(date)
    }
}

fn is_fixed(date: NaiveDate) -> bool {
    [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)].contains(&(date.month(), date.day()))
}

fn is_floating(date: NaiveDate) -> bool {
    let nth = (date.day() - 1) / 7 + 1;
    let is_last = (date + TimeDelta::days(7)).month() != date.month();
    match (date.month(), date.weekday()) {
        (1 | 2, Weekday::Mon) => nth == 3,
        (5, Weekday::Mon) => is_last,
        (9, Weekday::Mon) => nth == 1,
        (10, Weekday::Mon) => nth == 2,
        (11, Weekday::Thu) => nth == 4,
        _ => false,
    }
}

fn day(name: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == name)
}

fn seconds(time: &str) -> Option<u32> {
    let (hour, minute) = time.split_once(':')?;
    Some(hour.parse::<u32>().ok()? * 3600 + minute.parse::<u32>().ok()? * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str, zone: &str) -> Local {
        Local::of(DateTime::parse_from_rfc3339(text).unwrap().to_utc(), &Zone::parse(zone).unwrap()).unwrap()
    }

    #[test]
    fn hours_hold_on_their_days_from_their_first_second_to_before_their_last() {
        let zone = "America/Los_Angeles";
        for (at, expected) in [
            ("2026-12-01T09:00:00-08:00", true),
            ("2026-12-01T08:59:59-08:00", false),
            ("2026-12-01T19:59:59-08:00", true),
            ("2026-12-01T20:00:00-08:00", false),
            ("2026-12-05T09:30:00-08:00", false),
            ("2026-12-05T17:59:00-08:00", true),
            ("2026-12-06T12:00:00-08:00", false),
        ] {
            assert_eq!(local(at, zone).is_within(MACHINES), expected, "{at}");
        }
        assert!(local("2026-12-06T03:00:00Z", zone).is_within("any time"));
    }

    #[test]
    fn holidays_are_those_of_the_federal_list() {
        let zone = "America/New_York";
        for (date, expected) in [
            ("2026-11-26", true),
            ("2026-11-19", false),
            ("2027-05-31", true),
            ("2027-01-18", true),
            ("2026-07-03", true),
            ("2026-07-04", true),
            ("2027-07-05", true),
            ("2027-06-18", true),
            ("2026-12-24", false),
            ("2027-12-31", true),
        ] {
            assert_eq!(local(&format!("{date}T12:00:00-05:00"), zone).is_holiday(), expected, "{date}");
        }
    }

    #[test]
    fn a_year_ends_where_the_clock_is() {
        assert_eq!(
            local("2027-01-01T03:00:00Z", "America/Los_Angeles").date,
            NaiveDate::from_ymd_opt(2026, 12, 31).unwrap()
        );
    }
}
