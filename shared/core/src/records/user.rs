//! A user: who calls, writes, and lends their name and number to what is sent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    GroupId, UserId,
    time::{Day, Holidays, WeeklyHours, Window, Zone, Zones, opening},
};

/// One published user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The subject of the user's token: `lo-riley`.
    pub id: UserId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Where notices go, and the address that emails come from.
    pub email: String,
    /// The user's own phone, E.164: gets notices and transferred calls.
    pub phone: String,
    /// The number that texts and AI calls come from, E.164.
    pub sms_number: Option<String>,
    /// NMLS id.
    pub nmls_id: Option<String>,
    /// USPS codes of the states that license the user.
    pub licences: Vec<String>,
    /// False while the user takes no leads.
    pub active: bool,
    /// The groups in which the user takes turns.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub groups: Vec<GroupId>,
    /// Where `hours` and `out_of_office` are counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time_zone: Option<Zone>,
    /// When the user works; `None` says nothing of it. They never delay a cadence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hours: Option<WeeklyHours>,
    /// When the user is away.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub out_of_office: Vec<Absence>,
}

/// Days on which a user is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub until: Day,
    /// Who gets the user's tasks meanwhile.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stand_in: Option<UserId>,
}

impl User {
    /// Whether the user may act for a lead in that state.
    pub fn is_licensed_in(&self, state: &str) -> bool {
        self.licences.iter().any(|licence| licence == state)
    }

    /// First and last name.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// The absence that the user is in then.
    pub fn absence(&self, at: DateTime<Utc>) -> Option<&Absence> {
        let day = Day::of(at, &self.zone());
        self.out_of_office.iter().find(|absence| absence.from <= day && day <= absence.until)
    }

    /// The first instant from then on at which the user is at work; then itself, where the record says nothing of hours.
    pub fn at_work_from(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let Some(hours) = &self.hours else { return at };
        let window = Window { hours: hours.clone(), skip_holidays: false };
        let open = opening(at, &Zones::one(self.zone()), &[window], &Holidays::default());
        open.map_or(at, |open| open.from)
    }

    fn zone(&self) -> Zone {
        self.time_zone.clone().unwrap_or_else(Zone::utc)
    }
}

impl Absence {
    /// Whether two absences have a day in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from <= other.until && other.from <= self.until
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixtures::{at, user},
        time::parse_hours,
    };

    fn away(from: &str, until: &str) -> Absence {
        Absence { from: Day::parse(from).unwrap(), until: Day::parse(until).unwrap(), stand_in: None }
    }

    fn new_yorker() -> User {
        User { time_zone: Zone::parse("America/New_York"), ..user("lo-morgan", "Morgan", &["NY"]) }
    }

    #[test]
    fn a_user_is_away_from_the_first_day_to_the_last_in_their_own_zone() {
        let morgan = User { out_of_office: vec![away("2026-12-20", "2026-12-21")], ..new_yorker() };
        for (instant, is_away) in [
            ("2026-12-19T23:59:59-05:00", false),
            ("2026-12-20T00:00:00-05:00", true),
            ("2026-12-19T21:30:00-08:00", true),
            ("2026-12-21T23:59:59-05:00", true),
            ("2026-12-22T00:00:00-05:00", false),
        ] {
            assert_eq!(morgan.absence(at(instant)).is_some(), is_away, "{instant}");
        }
        assert!(away("2026-12-20", "2026-12-21").overlaps(&away("2026-12-21", "2026-12-30")));
        assert!(!away("2026-12-20", "2026-12-21").overlaps(&away("2026-12-22", "2026-12-30")));
    }

    #[test]
    fn a_user_is_at_work_in_their_hours_there_and_without_hours_always() {
        let morgan = User { hours: Some(parse_hours("Mon-Fri 09:00-17:00").unwrap()), ..new_yorker() };
        // 2026-12-04 is a Friday.
        for (instant, from) in [
            ("2026-12-04T10:30:00-05:00", "2026-12-04T10:30:00-05:00"),
            ("2026-12-04T05:00:00-08:00", "2026-12-04T09:00:00-05:00"),
            ("2026-12-04T17:00:00-05:00", "2026-12-07T09:00:00-05:00"),
        ] {
            assert_eq!(morgan.at_work_from(at(instant)), at(from), "{instant}");
            assert_eq!(new_yorker().at_work_from(at(instant)), at(instant));
        }
    }

    #[test]
    fn a_user_who_was_published_before_there_were_groups_and_absences_reads_as_having_none() {
        let stored = serde_json::to_value(user("lo-riley", "Riley", &["CA"])).unwrap();
        assert!(["groups", "time_zone", "hours", "out_of_office"].iter().all(|new| stored.get(new).is_none()));
        assert_eq!(serde_json::from_value::<User>(stored).unwrap(), user("lo-riley", "Riley", &["CA"]));
    }
}
