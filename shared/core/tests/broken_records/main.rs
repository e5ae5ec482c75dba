//! What an editor reads after a mistake: the findings of broken records, word for word.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod actors;
mod courses;
mod edits;
mod enrolling;
mod forgiven;
mod forms;
mod hours;
mod mappings;
mod messages;
mod others;
mod paces;
mod references;
mod steps;
mod users;

use std::{collections::BTreeMap, sync::LazyLock};

use cadence_core::records::{Draft, Known, Problem, Record, SCHEMAS, Severity, parse_record};
use jsonschema::Validator;
use serde_json::{Value, json};

/// What is wrong, the record's key, and the record.
type Broken = (&'static str, &'static str, Value);

/// Broken records of one kind: what is said of each is in the snapshot of that name.
fn assert_told(name: &str, broken: Vec<Broken>) {
    let told: Vec<String> =
        broken.iter().map(|(title, pk, record)| format!("# {title}\n{}", findings(pk, record))).collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, told.join("\n"));
    });
}

fn findings(pk: &str, record: &Value) -> String {
    let (read, problems) = Draft::read(pk, record).check(&known());
    if read.is_some() {
        assert_editors_take(pk, record);
    }
    told_of(&problems)
}

fn told_of(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| match problem.severity {
        Severity::Error => format!("error   {problem}\n"),
        Severity::Warning => format!("warning {problem}\n"),
    });
    lines.collect()
}

/// What is read is what its schema says a record is: an editor underlines nothing of it.
fn assert_editors_take(pk: &str, record: &Value) {
    static EDITORS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
        let validator = |text| jsonschema::draft202012::new(&serde_json::from_str(text).unwrap()).unwrap();
        SCHEMAS.iter().map(|(kind, text)| (kind.to_uppercase(), validator(text))).collect()
    });
    let mut record = record.clone();
    leave_out_empty(&mut record);
    let schema = &EDITORS[pk.split('#').next().unwrap()];
    let errors: Vec<String> = schema.iter_errors(&record).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0], "{record}");
}

fn leave_out_empty(record: &mut Value) {
    let Some(fields) = record.as_object_mut() else { return };
    fields.retain(|_, value| !value.is_null() && value != "");
    fields.values_mut().for_each(leave_out_empty);
}

/// What is published besides.
fn known() -> Known {
    let intro = "{{ lo_first_name }}, NMLS {{ lo_nmls_id }}, Example Home Loans. Reply STOP to opt out.";
    let email = "{{ lo_first_name }}, NMLS {{ lo_nmls_id }}. {{ unsubscribe_url }} {{ postal_address }}";
    let published = [
        ("MESSAGE#sms/intro", json!({"text": intro})),
        ("MESSAGE#sms/bare", json!({"text": "Hello"})),
        ("MESSAGE#script/hello", json!({"text": "Hello"})),
        ("MESSAGE#email/intro", json!({"subject": "s", "body": email})),
        ("MESSAGE#email/bare", json!({"subject": "s", "body": "{{ unsubscribe_url }} {{ postal_address }}"})),
        ("MESSAGE#sms/hello", json!({"text": "Hello"})),
        (
            "CADENCE#long-term",
            cadence(json!({"for_leads": {"purpose": "construction"},
                "steps": [{"id": "a", "do": "canned_sms", "wait": "0m", "message": "sms/hello"}]})),
        ),
        ("CADENCE#asks-again", cadence(json!({"takes_over": "new", "for_leads": {"purpose": "construction"}}))),
        ("USER#lo-riley", user(json!({}))),
        (
            "USER#lo-morgan",
            user(json!({"licences": ["NY"], "time_zone": "America/New_York", "groups": ["callers", "closers"],
                "out_of_office": {"from": "2026-12-20", "until": "2027-01-02", "stand_in": "lo-riley"}})),
        ),
        ("USER#jules", user(json!({"active": false, "groups": "retired"}))),
        ("SOURCE#zillow", json!({"format": "zillow"})),
        (
            "SOURCE#partner",
            json!({"format": "plain", "consent": {"call": "none", "sms": "express_written", "email": "express", "proof": "Yes"}}),
        ),
        ("MESSAGE#email/signed", json!({"subject": "s", "body": "Hi\n{{ snippets.footer }}"})),
        (
            "SETTINGS#company",
            settings(json!({"snippets": {"footer": "{{ company }}, {{ postal_address }}\n{{ unsubscribe_url }}",
                "way_out": "Reply STOP to opt out", "from": "{{ lo_first_name }} of {{ company }}"}})),
        ),
    ];
    let refused = ["SOURCE#forms", "MESSAGE#sms/spring", "CADENCE#summer", "USER#lo-sam"];
    let mut known = Known { refused: refused.map(str::to_owned).into(), ..Known::default() };
    for (pk, record) in published {
        known.insert(read(pk, &record));
    }
    known
}

fn read(pk: &str, record: &Value) -> Record {
    parse_record(pk, record).unwrap_or_else(|problems| panic!("{pk}: {problems:#?}"))
}

/// A good cadence with these fields instead of its own.
fn cadence(changes: Value) -> Value {
    let mut record = json!({"name": "New leads", "status": "live", "for_leads": {}, "steps": [{"id": "call", "do": "dial", "wait": "0m"}]});
    for (name, value) in changes.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

/// A good cadence of one step, a dial, with these fields instead of its own.
fn step(changes: Value) -> Value {
    let mut step = json!({"id": "call", "do": "dial", "wait": "0m"});
    for (name, value) in changes.as_object().unwrap() {
        step[name] = value.clone();
    }
    cadence(json!({"steps": [step, {"id": "last-call", "do": "dial", "wait": "1d"}]}))
}

fn user(changes: Value) -> Value {
    let mut record = json!({"first_name": "Riley", "last_name": "Example", "email": "riley@example.com", "phone": "+14155550140",
        "sms_number": "+14155550141", "nmls_id": 1000001, "licences": ["CA"]});
    for (name, value) in changes.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

fn settings(changes: Value) -> Value {
    let mut record = json!({"company": "Example Home Loans", "postal_address": "100 Example Street", "notices_from": "notices@example.com",
        "unsubscribe_url": "https://example.com/unsubscribe"});
    for (name, value) in changes.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}
