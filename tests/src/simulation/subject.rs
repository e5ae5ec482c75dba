//! Whom a request or a delivery is about, in words that stay the same when something else is left out of a world.

use std::collections::HashMap;

use bytes::Bytes;
use cadence_local::faults::Parcel;
use http::Request;

/// Who each lead is, as requests came to tell it.
#[derive(Default)]
pub(crate) struct Subjects {
    /// A lead's or an enrollment's id, and whose it is.
    known: HashMap<String, String>,
    /// Whom each invocation was about last.
    latest: HashMap<String, String>,
}

/// How long the ids of leads and enrollments are, in hex digits.
const ID: usize = 32;

impl Subjects {
    /// Whom a request of that invocation is about: the person that it names, else the record, else whom the invocation was about before.
    pub(crate) fn of(&mut self, invocation: &str, request: &Request<Bytes>) -> String {
        let text = format!("{} {}", request.uri().path(), String::from_utf8_lossy(request.body()));
        let found = self.named(&text);
        let latest = self.latest.get(invocation);
        let subject = found.or_else(|| latest.cloned()).unwrap_or_else(|| "all".to_owned());
        self.latest.insert(invocation.to_owned(), subject.clone());
        subject
    }

    /// What a delivery is, and whom it is about.
    pub(crate) fn of_parcel(&mut self, parcel: &Parcel<'_>) -> String {
        match parcel {
            Parcel::Timer { name } => format!("timer of {}", self.named(name).unwrap_or_default()),
            Parcel::Message { queue, body, .. } => {
                format!("{queue} message of {}", self.named(body).unwrap_or_default())
            }
            Parcel::Records { function, .. } => format!("{function} records"),
            Parcel::Tick { function } => format!("{function} tick"),
            Parcel::Report { metadata } => format!("report of {}", self.named(metadata).unwrap_or_default()),
        }
    }

    fn named(&mut self, text: &str) -> Option<String> {
        let ids = ids(text);
        let known = ids.iter().find_map(|id| self.known.get(*id)).cloned();
        // A number is read before the ids beside it are known: in the request that first writes them.
        let found = known.or_else(|| person(text)).or_else(|| record(text));
        if let Some(found) = &found {
            for id in ids {
                self.known.entry(id.to_owned()).or_insert_with(|| found.clone());
            }
        }
        found
    }
}

/// Every run of as many hex digits as an id has.
fn ids(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.filter(|word| word.len() == ID).collect()
}

/// The person whose event, name or address is in it.
fn person(text: &str) -> Option<String> {
    ["EVENT-", "Robin", "person", "Sample"].iter().find_map(|word| {
        let at = text.find(word)? + word.len();
        let digits = text.get(at..at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(format!("lead {}", digits.trim_start_matches('0').parse::<u32>().unwrap_or(0)))
    })
}

/// The record that is edited.
fn record(text: &str) -> Option<String> {
    ["CADENCE#", "MESSAGE#", "USER#", "SOURCE#", "SETTINGS#"].iter().find_map(|kind| {
        let rest = text.split(kind).nth(1)?;
        let id: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-/".contains(*c)).collect();
        Some(format!("{kind}{id}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> Request<Bytes> {
        Request::post("/").body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_request_is_about_whom_it_names_and_about_them_when_it_only_has_their_id() {
        let mut subjects = Subjects::default();
        let (id, other) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
        assert_eq!(subjects.of("i1", &request("{}")), "all");
        assert_eq!(subjects.of("i1", &request("WEBHOOK#zillow#id#EVENT-0007-1")), "lead 7");
        assert_eq!(subjects.of("i1", &request("{}")), "lead 7", "as before in this invocation");
        subjects.of("i1", &request(&format!("LEAD#{id} ENROLLMENT#{other} Robin0007")));
        assert_eq!(subjects.of("i2", &request(&format!("LEAD#{id}"))), "lead 7");
        assert_eq!(subjects.of_parcel(&Parcel::Timer { name: &format!("{other}-3") }), "timer of lead 7");
        assert_eq!(subjects.of("i3", &request("CADENCE#new-lead VERSION#0001")), "CADENCE#new-lead");
    }
}
