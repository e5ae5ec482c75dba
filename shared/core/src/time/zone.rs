//! Time zones, by their IANA names.

use std::{
    cmp::Ordering,
    collections::BTreeSet,
    hash::{Hash, Hasher},
};

use chrono::{DateTime, Utc};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{from_jiff, to_jiff};
use crate::records::problem::closest;

/// A time zone that exists: `America/Los_Angeles`. Holds its rules, so that they are looked up once.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// Every zone that a lead may be in: at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeSet<Zone>", into = "BTreeSet<Zone>")]
pub struct Zones {
    first: Zone,
    rest: BTreeSet<Zone>,
}

/// A name that is no time zone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a time zone, such as America/Chicago")]
pub struct ZoneError;

impl Zone {
    /// Reads an IANA name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name.trim()).ok()?;
        zone.iana_name().is_some().then_some(Self(zone))
    }

    /// The name that somebody who wrote `word` most likely meant: one that is spelt like it, or whose place is. An abbreviation is
    /// like too many places.
    pub fn closest(word: &str) -> Option<String> {
        let named = jiff::tz::db().available().map(|name| name.as_str().to_owned());
        let names: Vec<String> = named.filter(|name| name.contains('/')).collect();
        let spelt = || names.iter().map(String::as_str);
        let place = |name: &'_ str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let places: Vec<String> = spelt().map(place).collect();
        let by_place = || {
            word.chars().nth(3)?;
            let meant = closest(word, places.iter().map(String::as_str))?;
            spelt().zip(&places).find(|(_, place)| *place == meant).map(|(name, _)| name)
        };
        closest(word, spelt()).or_else(by_place).map(str::to_owned)
    }

    /// UTC, for what belongs to no place.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The IANA name.
    pub fn as_str(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// When the clock there next goes forward or back after an instant; `None` where it never does.
    pub fn next_clock_change(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.rules().following(to_jiff(after)).next().map(|change| from_jiff(change.timestamp()))
    }

    pub(super) fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl Zones {
    /// The zones, if there is one.
    pub fn of(zones: impl IntoIterator<Item = Zone>) -> Option<Self> {
        let mut rest: BTreeSet<Zone> = zones.into_iter().collect();
        let first = rest.pop_first()?;
        Some(Self { first, rest })
    }

    /// One zone.
    pub fn one(zone: Zone) -> Self {
        Self { first: zone, rest: BTreeSet::new() }
    }

    /// The first in the alphabet: the one that waits and local times are told in.
    pub fn first(&self) -> &Zone {
        &self.first
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Zone> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

/// An instant as people in that zone read it: `Tue Nov 24 10:00:05 PST`.
pub fn local_text(at: DateTime<Utc>, zone: &Zone) -> String {
    to_jiff(at).to_zoned(zone.rules().clone()).strftime("%a %b %-d %H:%M:%S %Z").to_string()
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(name: String) -> Result<Self, ZoneError> {
        Self::parse(&name).ok_or(ZoneError)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.as_str().to_owned()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Zone {}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Zone").field(&self.as_str()).finish()
    }
}

impl TryFrom<BTreeSet<Zone>> for Zones {
    type Error = ZoneError;

    fn try_from(zones: BTreeSet<Zone>) -> Result<Self, ZoneError> {
        Self::of(zones).ok_or(ZoneError)
    }
}

impl From<Zones> for BTreeSet<Zone> {
    fn from(zones: Zones) -> Self {
        let mut all = zones.rest;
        all.insert(zones.first);
        all
    }
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_zones_are_zones() {
        assert_eq!(Zone::parse(" America/Los_Angeles ").unwrap().as_str(), "America/Los_Angeles");
        for wrong in ["", "PDT", "America/Nowhere", "../etc/passwd"] {
            assert_eq!(Zone::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_zone_is_guessed_by_its_spelling_or_its_city() {
        for (word, meant) in [
            ("America/Los Angeles", Some("America/Los_Angeles")),
            ("America/Chicgo", Some("America/Chicago")),
            ("Chicago", Some("America/Chicago")),
            ("denver", Some("America/Denver")),
            ("EST", None),
            ("somewhere over the rainbow", None),
        ] {
            assert_eq!(Zone::closest(word).as_deref(), meant, "{word}");
        }
    }

    #[test]
    fn clocks_change_twice_a_year_but_for_where_they_never_do() {
        let next = |zone: &str, after: &str| {
            let after = DateTime::parse_from_rfc3339(after).unwrap().to_utc();
            Zone::parse(zone).unwrap().next_clock_change(after).map(|at| at.to_rfc3339())
        };
        let (autumn, spring) = ("2026-11-01T06:00:00+00:00", "2027-03-14T07:00:00+00:00");
        assert_eq!(next("America/New_York", "2026-10-01T00:00:00Z").as_deref(), Some(autumn));
        assert_eq!(next("America/New_York", autumn).as_deref(), Some(spring));
        assert_eq!(next("America/Phoenix", "2026-10-01T00:00:00Z"), None);
    }

    #[test]
    fn zones_read_back_as_they_are_written_and_are_never_none() {
        let zones = Zones::of(["America/New_York", "America/Chicago"].into_iter().filter_map(Zone::parse)).unwrap();
        let text = serde_json::to_string(&zones).unwrap();
        assert_eq!(text, r#"["America/Chicago","America/New_York"]"#);
        assert_eq!(serde_json::from_str::<Zones>(&text).unwrap(), zones);
        assert!(serde_json::from_str::<Zones>("[]").is_err());
    }

    #[test]
    fn local_text_tells_the_time_where_the_lead_is() {
        let at = DateTime::parse_from_rfc3339("2026-11-24T18:00:05Z").unwrap().to_utc();
        assert_eq!(local_text(at, &Zone::parse("America/Los_Angeles").unwrap()), "Tue Nov 24 10:00:05 PST");
    }
}
