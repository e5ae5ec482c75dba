//! The records that ship can be published as they are, and say what the law asks.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::{collections::BTreeMap, fs, path::Path};

use cadence_core::{
    lead::{ChannelConsent, Facts, Lead, Proof},
    records::{Known, Message, Record, SCHEMAS, Settings, User, check, parse_record, print},
    template::{Rendered, Variables, render},
};
use serde_json::Value;

#[test]
fn every_shipped_record_parses_and_refers_only_to_what_ships() {
    let records = shipped();
    let mut known = Known::default();
    records.values().cloned().for_each(|record| known.insert(record));
    for (pk, record) in &records {
        let problems: Vec<String> = check(record, &known).iter().map(ToString::to_string).collect();
        assert_eq!(problems, [""; 0], "{pk}");
    }
    assert!(records.len() >= 14);
}

#[test]
fn the_shipped_records_survive_being_published() {
    for (pk, record) in shipped() {
        let stored = record.to_stored().unwrap();
        let read = Record::from_stored(pk.split('#').next().unwrap(), &stored);
        assert_eq!(read, Some(record), "{pk}");
    }
}

#[test]
fn the_shipped_records_are_what_their_schemas_say_as_they_stand_and_as_they_print() {
    for (pk, item) in items() {
        let kind = pk.split('#').next().unwrap().to_lowercase();
        let (_, schema) = SCHEMAS.iter().find(|(name, _)| *name == kind).unwrap();
        let schema = jsonschema::draft202012::new(&serde_json::from_str(schema).unwrap()).unwrap();
        for item in [&item, &print(&read(&pk, &item))] {
            let errors: Vec<String> = schema.iter_errors(item).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0], "{pk}");
        }
    }
}

#[test]
fn the_shipped_users_are_licensed_everywhere_between_them() {
    let mut licences: Vec<String> = users().into_iter().flat_map(|user| user.licences).collect();
    licences.sort();
    licences.dedup();
    assert_eq!(licences.len(), 51, "50 states and DC");
}

#[test]
fn the_shipped_texts_fit_into_one_segment_for_every_user() {
    for user in users() {
        for (id, text) in [
            (
                "sms/intro",
                "Hi John, Riley Example (NMLS 1000001) of Example Home Loans about your purchase loan. When can we talk? Reply STOP to opt out.",
            ),
            (
                "sms/follow-up",
                "Hi John, Riley of Example Home Loans again. I have numbers for your purchase loan. Shall I call? Reply STOP to opt out.",
            ),
        ] {
            let rendered = rendered(id, &user);
            assert!(rendered.text().is_ascii() && rendered.text().len() <= 160, "{}", rendered.text());
            if user.first_name == "Riley" {
                assert_eq!(rendered.text(), text);
            }
        }
    }
}

#[test]
fn the_shipped_emails_carry_licence_address_and_a_way_out() {
    for id in ["email/intro", "email/follow-up"] {
        let Rendered::Email { subject, text, html } = rendered(id, &users()[0]) else {
            panic!("{id} is an email");
        };
        assert!(!subject.contains('\n') && subject.contains("purchase loan"), "{subject}");
        for part in ["NMLS 100000", "100 Example Street", "https://example.com/unsubscribe/token", "Hi John,"] {
            assert!(text.contains(part) && html.contains(part), "{id}: {part}");
        }
    }
}

fn rendered(id: &str, user: &User) -> Rendered {
    let url = "https://example.com/unsubscribe/token";
    render(&message(id), &Variables::new(&lead(), &facts(), Some(user), &settings(), Some(url))).unwrap()
}

/// The files, by their keys.
fn items() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/cadences");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| {
        let item: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        (item["pk"].as_str().unwrap().to_owned(), item)
    })
    .collect()
}

fn read(pk: &str, item: &Value) -> Record {
    let mut content = item.clone();
    let fields = content.as_object_mut().unwrap();
    fields.remove("pk");
    assert_eq!(fields.remove("sk").unwrap(), "CURRENT", "{pk}");
    parse_record(pk, &content).unwrap_or_else(|problems| panic!("{pk}: {problems:#?}"))
}

fn shipped() -> BTreeMap<String, Record> {
    items().into_iter().map(|(pk, item)| (pk.clone(), read(&pk, &item))).collect()
}

fn message(id: &str) -> Message {
    match shipped().remove(&format!("MESSAGE#{id}")) {
        Some(Record::Message(message)) => message,
        other => panic!("{id} is {other:?}"),
    }
}

fn settings() -> Settings {
    match shipped().remove("SETTINGS#company") {
        Some(Record::Settings(settings)) => settings,
        other => panic!("the settings are {other:?}"),
    }
}

fn users() -> Vec<User> {
    let users = shipped().into_values().filter_map(|record| match record {
        Record::User(user) => Some(user),
        _ => None,
    });
    users.collect()
}

fn lead() -> Lead {
    Lead {
        id: "a1".into(),
        revision: 1,
        phone: Some("+14155550123".to_owned()),
        email: Some("john@example.com".to_owned()),
        phone_hash: None,
        email_hash: None,
        state: Some("CA".to_owned()),
        zones: None,
        owner: None,
        consent: ChannelConsent::default(),
        opt_outs: BTreeMap::new(),
        touches: BTreeMap::new(),
    }
}

fn facts() -> Facts {
    Facts {
        first_name: "John".to_owned(),
        last_name: "Doe".to_owned(),
        source: "zillow".into(),
        consent_proof: Proof {
            text: "yes".to_owned(),
            source: "lead".to_owned(),
            at: "2026-01-22T18:30:00Z".parse().unwrap(),
        },
        city: Some("Beverly Hills".to_owned()),
        zip: None,
        purpose: Some("purchase".to_owned()),
        attributes: BTreeMap::new(),
    }
}
