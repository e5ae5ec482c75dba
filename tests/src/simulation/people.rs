//! The people of a world: who they are, where they live, and what their words in a message look like.

use fastrand::Rng;
use serde_json::{Value, json};

use super::draws::{happens, one_of, weighted};

/// Somebody who may become a lead. Every word of theirs carries their number, so that it is told from everybody else's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    /// Their number in the world.
    pub(crate) number: usize,
    /// Where they live.
    pub(crate) home: &'static Home,
}

/// Where people live: what webhooks say of it, and what time it is there.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) state: &'static str,
    pub(crate) zip: &'static str,
    pub(crate) area_code: &'static str,
    pub(crate) zone: &'static str,
}

const fn home(state: &'static str, zip: &'static str, area_code: &'static str, zone: &'static str) -> Home {
    Home { state, zip, area_code, zone }
}

/// Homes in every zone, in states with hours of their own, and in states that lie in two zones.
pub(crate) const HOMES: [Home; 26] = [
    home("CA", "94607", "415", "America/Los_Angeles"),
    home("WA", "98101", "206", "America/Los_Angeles"),
    home("NV", "89101", "702", "America/Los_Angeles"),
    home("AZ", "85001", "602", "America/Phoenix"),
    home("UT", "84101", "801", "America/Denver"),
    home("CO", "80202", "303", "America/Denver"),
    home("TX", "79901", "915", "America/Denver"),
    home("TX", "75201", "214", "America/Chicago"),
    home("IL", "60601", "312", "America/Chicago"),
    home("AL", "35203", "205", "America/Chicago"),
    home("OK", "73102", "405", "America/Chicago"),
    home("LA", "70112", "504", "America/Chicago"),
    home("IN", "46402", "219", "America/Chicago"),
    home("KY", "42101", "270", "America/Chicago"),
    home("FL", "32501", "850", "America/Chicago"),
    home("FL", "33101", "305", "America/New_York"),
    home("NY", "10001", "212", "America/New_York"),
    home("PA", "19102", "215", "America/New_York"),
    home("RI", "02903", "401", "America/New_York"),
    home("CT", "06103", "860", "America/New_York"),
    home("MA", "02108", "617", "America/New_York"),
    home("OH", "44114", "216", "America/New_York"),
    home("GA", "30303", "404", "America/New_York"),
    home("MI", "48201", "313", "America/Detroit"),
    home("HI", "96813", "808", "Pacific/Honolulu"),
    home("AK", "99501", "907", "America/Anchorage"),
];

/// The words that a person's number follows: `Robin0007`.
const WORDS: [&str; 3] = ["Robin", "Sample", "Town"];
/// The last digits that the shipped users' numbers have.
const USERS_LINES: [usize; 4] = [40, 41, 50, 51];

/// What a webhook of theirs says beyond who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tells {
    pub(crate) phone: bool,
    pub(crate) email: bool,
    pub(crate) state: bool,
    pub(crate) zip: bool,
}

impl Person {
    /// Somebody with that number, at home anywhere.
    pub(crate) fn drawn(number: usize, rng: &mut Rng) -> Self {
        Self { number, home: one_of(rng, &HOMES).unwrap_or(&HOMES[0]) }
    }

    /// `Robin0007`
    pub(crate) fn first_name(&self) -> String {
        self.word(WORDS[0])
    }

    /// `Sample0007`
    pub(crate) fn last_name(&self) -> String {
        self.word(WORDS[1])
    }

    /// `Town0007`
    pub(crate) fn city(&self) -> String {
        self.word(WORDS[2])
    }

    /// `person0007@example.com`
    pub(crate) fn email(&self) -> String {
        self.word("person") + "@example.com"
    }

    /// In E.164, with the area code of their home.
    pub(crate) fn phone(&self) -> String {
        let line = (0..).filter(|line| !USERS_LINES.contains(line)).nth(self.number).unwrap_or_default();
        format!("+1{}55501{line:02}", self.home.area_code)
    }

    fn word(&self, word: &str) -> String {
        format!("{word}{:04}", self.number)
    }

    /// Their webhook as that source writes it.
    pub(crate) fn webhook(&self, source: &str, id: &str, tells: Tells, rng: &mut Rng) -> Value {
        let told = |is_told: bool, value: String| if is_told { json!(value) } else { Value::Null };
        let (phone, email) = (told(tells.phone, self.phone()), told(tells.email, self.email()));
        let (state, zip) = (told(tells.state, self.home.state.to_owned()), told(tells.zip, self.home.zip.to_owned()));
        let purpose = one_of(rng, &["Purchase", "Refinance", "HomeEquity"]).copied().unwrap_or("Purchase");
        match source {
            "gizmo" => json!({
                "crmId": id, "firstName": self.first_name(), "lastName": self.last_name(), "email": email, "phone": phone,
                "city": self.city(), "state": state, "zip": zip, "leadProviderSlug": "example",
            }),
            "plain" => {
                let degrees = [(1, "none"), (1, "express"), (1, "revoked"), (8, "express_written")];
                let mut degree = || weighted(rng, &degrees).unwrap_or("none");
                let consent = json!({
                    "call": degree(), "sms": degree(), "email": degree(), "text": "Yes, please contact me.",
                });
                let zone = if happens(rng, 0.3) { json!(self.home.zone) } else { Value::Null };
                json!({
                    "id": id, "first_name": self.first_name(), "last_name": self.last_name(), "email": email, "phone": phone,
                    "city": self.city(), "state": state, "zip": zip, "time_zone": zone, "purpose": purpose.to_lowercase(),
                    "consent": if happens(rng, 0.8) { consent } else { Value::Null },
                    "loan_amount": 100_000 + 1000 * rng.u32(..900),
                })
            }
            _ => {
                let statuses = ["Transferred", "AppointmentSet", "DoNotCall", "NotInterested", "LenderMustCall"];
                let status = if happens(rng, 0.05) { json!(one_of(rng, &statuses)) } else { Value::Null };
                json!({
                    "id": id, "type": "longForm", "source": "Zillow", "conciergeStatus": status,
                    "sender": {
                        "firstName": self.first_name(), "lastName": self.last_name(), "emailAddress": email, "phoneNumber": phone,
                    },
                    "details": {
                        "loanPurpose": purpose, "loanAmount": 100_000 + 1000 * rng.u32(..900), "city": self.city(),
                        "stateAbbreviation": state, "zipCode": zip,
                    },
                })
            }
        }
    }
}

/// The numbers of the people of whom a text says something.
pub(crate) fn told_of(text: &str) -> Vec<usize> {
    let mut told = Vec::new();
    for word in WORDS.iter().chain(&["person"]) {
        for (at, _) in text.match_indices(word) {
            let number = text.get(at + word.len()..at + word.len() + 4).and_then(|digits| digits.parse::<usize>().ok());
            told.extend(number);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cadence_core::{
        address::{normalize_email, normalize_phone},
        law::{State, resolve_zones, state_of_zip},
        records::Format,
        sources,
    };

    use super::*;

    #[test]
    fn the_law_places_each_home_where_it_is() {
        for home in &HOMES {
            let state = State::parse(home.state).unwrap();
            assert_eq!(state_of_zip(home.zip).unwrap().code(), home.state);
            let zones = resolve_zones(None, Some(home.zip), Some(&state), None).unwrap();
            assert!(zones.iter().any(|zone| zone.as_str() == home.zone), "{home:?}: {zones:?}");
        }
    }

    #[test]
    fn everybody_can_be_reached_by_addresses_of_their_own() {
        let people: Vec<Person> = (0..50).map(|number| Person { number, home: &HOMES[0] }).collect();
        for person in &people {
            assert_eq!(normalize_phone(&person.phone()), Some(person.phone()));
            assert_eq!(normalize_email(&person.email()), Some(person.email()));
            assert!(!["+14155550140", "+14155550141"].contains(&person.phone().as_str()));
        }
        let phones: BTreeSet<String> = people.iter().map(Person::phone).collect();
        assert_eq!(phones.len(), 50);
    }

    #[test]
    fn every_sources_webhook_reads_as_the_person_it_is_about() {
        let person = Person { number: 7, home: &HOMES[6] };
        let tells = Tells { phone: true, email: true, state: true, zip: true };
        for (source, format) in [("zillow", Format::Zillow), ("gizmo", Format::Gizmo), ("plain", Format::Plain)] {
            for seed in 0..30 {
                let body = person.webhook(source, "id-1", tells, &mut Rng::with_seed(seed));
                let read = sources::parse(&format, None, body.to_string().as_bytes()).unwrap();
                assert_eq!((read.phone, read.email), (Some(person.phone()), Some(person.email())), "{body}");
                assert_eq!((read.state.as_deref(), read.first_name.as_str()), (Some("TX"), "Robin0007"));
                assert_eq!(told_of(&body.to_string()), [7, 7, 7, 7]);
            }
        }
    }
}
