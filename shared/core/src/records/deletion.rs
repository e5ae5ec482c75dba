//! What keeps a record from being deleted: what is at work goes on, so a record of it must be there to be seen and edited.

use super::{
    Cadence, Record, Status,
    problem::{Problem, all_of},
};

/// Why the deletion of a published record is undone; `None` where nothing is at work that it speaks of. `cadences` are the published ones.
pub fn kept_because(record: &Record, cadences: &[Cadence]) -> Option<Problem> {
    let (at_work, remedy) = match record {
        Record::Cadence(cadence) if cadence.status == Status::Archived => return None,
        Record::Cadence(_) => (
            "the cadence is at work".to_owned(),
            "Set \"status\" to \"archived\": that ends it for every lead. Then delete the record.",
        ),
        Record::User(user) if !user.active => return None,
        Record::User(_) => (
            "the user is at work".to_owned(),
            "Set \"active\" to false: then the user gets no more leads. Then delete the record.",
        ),
        Record::Message(message) => {
            let uses = |cadence: &&Cadence| {
                cadence.status != Status::Archived
                    && cadence.steps.iter().any(|step| step.messages().any(|id| *id == message.id))
            };
            let users: Vec<&str> = cadences.iter().filter(uses).map(|cadence| cadence.id.as_str()).collect();
            if users.is_empty() {
                return None;
            }
            (
                format!("the message is used by {}", all_of(users)),
                "Let their steps name another message. Then delete the record.",
            )
        }
        Record::Source(_) => (
            "leads may come from the source at any time".to_owned(),
            "To take no more of them, remove the source's secret from the deployment's secrets.",
        ),
        Record::Settings(_) => ("everything that is sent goes by the settings".to_owned(), "Edit them instead."),
    };
    Some(Problem::error("", format!("The record was deleted and is back, because {at_work}."), remedy))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{fixtures::steps, records::parse_record};

    #[test]
    fn what_is_at_work_keeps_its_record_and_what_was_retired_does_not() {
        let user = json!({"first_name": "Riley", "last_name": "Example", "email": "riley@example.com", "phone": "+14155550140"});
        let settings = json!({"company": "Example Home Loans", "postal_address": "100 Example Street", "notices_from": "notices@example.com",
            "unsubscribe_url": "https://example.com/unsubscribe"});
        let cadence = json!({"name": "Spring", "steps": [{"id": "a", "do": "dial", "wait": "0m"}]});
        let with = |record: &Value, name: &str, value: Value| {
            let mut record = record.clone();
            record[name] = value;
            record
        };
        for (pk, content, word) in [
            ("CADENCE#spring", cadence.clone(), Some("archived")),
            ("CADENCE#spring", with(&cadence, "status", json!("paused")), Some("archived")),
            ("CADENCE#spring", with(&cadence, "status", json!("off")), Some("archived")),
            ("CADENCE#spring", with(&cadence, "status", json!("archived")), None),
            ("USER#lo-riley", user.clone(), Some("\"active\" to false")),
            ("USER#lo-riley", with(&user, "active", json!(false)), None),
            ("MESSAGE#sms/intro", json!({"text": "Hi"}), Some("\"new-lead\"")),
            ("MESSAGE#sms/other", json!({"text": "Hi"}), None),
            ("SOURCE#zillow", json!({"format": "zillow"}), Some("secret")),
            ("SETTINGS#company", settings, Some("Edit them")),
        ] {
            let uses = json!([{"id": "a", "do": "canned_sms", "wait": "0m", "message": "sms/intro"}]);
            let mut cadences = vec![Cadence { id: "new-lead".into(), ..steps(uses.clone()) }];
            let record = parse_record(pk, &content).unwrap_or_else(|problems| panic!("{pk}: {problems:?}"));
            let said = kept_because(&record, &cadences).map(|problem| problem.to_string());
            assert_eq!(said.is_some(), word.is_some(), "{pk}: {said:?}");
            assert!(said.is_none_or(|said| said.contains(word.unwrap_or_default())), "{pk}");
            if pk.starts_with("MESSAGE#") {
                cadences[0].status = Status::Archived;
                assert_eq!(kept_because(&record, &cadences), None, "what is archived uses nothing");
            }
        }
    }
}
