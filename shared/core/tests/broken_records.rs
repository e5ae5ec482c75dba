//! What an editor reads after a mistake: the findings of broken records, word for word.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use cadence_core::records::{Known, Severity, check, parse_record};
use serde_json::{Value, json};

#[test]
fn every_mistake_is_said_in_words_with_a_remedy() {
    let mut told = String::new();
    for (title, pk, record) in broken() {
        told.push_str(&format!("# {title}\n{}\n", findings(pk, &record)));
    }
    insta::assert_snapshot!("broken_records", told);
}

#[test]
fn every_mistake_about_which_leads_are_taken_is_said_in_words_with_a_remedy() {
    let told: String = broken_enrolling()
        .iter()
        .map(|(title, record)| format!("# {title}\n{}\n", findings("CADENCE#new", record)))
        .collect();
    insta::assert_snapshot!("broken_enrolling", told);
}

#[test]
fn what_the_console_does_to_a_record_is_forgiven() {
    let plain = cadence(json!({"priority": 3, "skip_holidays": true, "steps": [
        {"id": "call", "do": "dial", "wait": "0m", "attempts": 3, "every": "2h", "on": {"busy": "end"}},
    ]}));
    let edited = cadence(json!({"priority": " 3 ", "skip_holidays": "true", "for_leads": null, "hours": {}, "steps": [
        {"id": " call", " do": "Dial ", "wait": " 0m", "attempts": "3.0", "every": "2h", "message": "", "on": {"busy ": "End"},
         "note": {"anything": [1]}},
    ], "note": "mine"}));
    let read = |record| parse_record("CADENCE#new", &record).unwrap();
    assert_eq!(read(edited), read(plain));
    for (one, other) in [
        (
            json!({"source": "a, b", "state": "CA", "purpose": ["Purchase "]}),
            json!({"source": ["a", "b"], "state": ["ca", "California"], "purpose": ["purchase"]}),
        ),
        (json!({"source": ["SOURCE#a"]}), json!({"source": ["a"]})),
        (
            json!({"hold_out": " 10 % ", "attributes": {"loanAmount ": {"at_least": "$100,000", "at_most": null}, "has agent": true}}),
            json!({"hold_out": 10, "attributes": {"loan_amount": {"at_least": 100_000.0}, "has_agent": [true, ""]}}),
        ),
    ] {
        assert_eq!(read(cadence(json!({"for_leads": one}))), read(cadence(json!({"for_leads": other}))));
    }
}

#[test]
fn when_a_lead_is_taken_again_may_be_written_in_any_way() {
    let read = |fields| parse_record("CADENCE#new", &cadence(fields)).unwrap();
    assert_eq!(read(json!({"reenroll": " 30D"})), read(json!({})));
    assert_eq!(read(json!({"reenroll": "Never"})), read(json!({"reenroll": "never", "takes_over": []})));
    let both = json!({"takes_over": ["a", "b"]});
    assert_eq!(read(json!({"takes_over": "CADENCE#a, b"})), read(both.clone()));
    assert_eq!(read(json!({"takes_over": ["a ", "b", "CADENCE#a"]})), read(both));
}

#[test]
fn a_very_long_list_of_mistakes_still_fits_on_the_record() {
    let long = "x".repeat(300_000);
    let mut fields = json!({});
    for index in 0..1000 {
        fields[format!("{index}{long}").get(..100 + index).unwrap()] = json!(long);
    }
    for record in [
        fields,
        json!({"name": "n", "steps": [{"id": long, "do": long, "wait": long, "hours": long, "on": {long.clone(): long}}]}),
    ] {
        let problems = parse_record("CADENCE#new", &record).unwrap_err();
        let told: usize = problems.iter().map(|problem| problem.to_string().len()).sum();
        assert!(told < 50_000, "{told} bytes");
    }
}

fn findings(pk: &str, record: &Value) -> String {
    let problems = match parse_record(pk, record) {
        Err(problems) => problems,
        Ok(record) => check(&record, &known()),
    };
    let lines = problems.iter().map(|problem| match problem.severity {
        Severity::Error => format!("error   {problem}\n"),
        Severity::Warning => format!("warning {problem}\n"),
    });
    lines.collect()
}

fn known() -> Known {
    let mut known = Known::default();
    let email = json!({"email": {"subject": "s", "body": "{{ unsubscribe_url }} {{ postal_address }}"}});
    let intro = "{{ lo_first_name }}, NMLS {{ lo_nmls_id }}, Example Home Loans. Reply STOP to opt out.";
    let consent = json!({"call": "none", "sms": "none", "email": "express", "proof": ""});
    let zillow = json!({"id": "zillow", "format": "zillow", "secret": "zillow", "consent": consent});
    for (kind, record) in [
        ("MESSAGE", json!({"id": "sms/intro", "copy": {"text": intro}})),
        ("MESSAGE", json!({"id": "sms/bare", "copy": {"text": "Hello"}})),
        ("MESSAGE", json!({"id": "email/intro", "copy": email})),
        ("CADENCE", json!({"id": "long-term"})),
        ("USER", json!({"id": "lo-riley"})),
        ("SOURCE", zillow),
        ("SETTINGS", json!({"company": "Example Home Loans"})),
    ] {
        known.add(kind, &record);
    }
    known
}

/// A good cadence with these fields instead of its own.
fn cadence(changes: Value) -> Value {
    let mut record = json!({"name": "New leads", "steps": [{"id": "call", "do": "dial", "wait": "0m"}]});
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

fn broken() -> Vec<(&'static str, &'static str, Value)> {
    let mut broken = broken_cadences();
    broken.extend(broken_references());
    broken.extend(broken_messages());
    broken.extend(broken_others());
    broken
}

fn broken_cadences() -> Vec<(&'static str, &'static str, Value)> {
    let cadences = vec![
        ("nothing in it", json!({})),
        ("not a map", json!("hello")),
        ("a field misspelt", cadence(json!({"prioritty": 3}))),
        ("a field nobody knows", cadence(json!({"budget": 3}))),
        ("a status misspelt", cadence(json!({"status": "pause"}))),
        ("a status nobody knows", cadence(json!({"status": "running"}))),
        ("a priority in words", cadence(json!({"priority": "high"}))),
        ("a flag in words", cadence(json!({"skip_holidays": "perhaps"}))),
        ("no steps", cadence(json!({"steps": []}))),
        ("steps as a map", cadence(json!({"steps": {"call": {"do": "dial"}}}))),
        ("a step without anything", cadence(json!({"steps": [{}]}))),
        ("a step that is text", cadence(json!({"steps": ["dial"]}))),
        (
            "the same id twice",
            cadence(
                json!({"steps": [{"id": "a", "do": "dial", "wait": "0m"}, {"id": "a", "do": "dial", "wait": "1d"}]}),
            ),
        ),
        ("an id with a space", step(json!({"id": "first call"}))),
        ("an id that is a target", step(json!({"id": "End"}))),
        ("a do misspelt", step(json!({"do": "caned_sms"}))),
        ("a do nobody knows", step(json!({"do": "fax"}))),
        ("a wait in words", step(json!({"wait": "a while"}))),
        ("a wait without its unit", step(json!({"wait": 20}))),
        ("a wait of years", step(json!({"wait": "9999d"}))),
        ("a wait that is a list", step(json!({"wait": ["0m"]}))),
        ("hours in words", cadence(json!({"hours": {"call": "office hours", "fax": "any time"}}))),
        ("hours backwards", cadence(json!({"hours": {"sms": "Mon 20:00-09:00"}}))),
        ("attempts without every", step(json!({"attempts": 3}))),
        ("no attempts", step(json!({"attempts": 0, "every": "2h"}))),
        ("an AI call without its agent", step(json!({"do": "ai_dial"}))),
        ("a text without its message", step(json!({"do": "canned_sms"}))),
        ("an outcome misspelt", step(json!({"on": {"voice-mail": "end"}}))),
        ("an outcome nobody knows", cadence(json!({"anytime": {"happy": "end"}}))),
        ("a target misspelt", step(json!({"on": {"busy": "last-cal", "no_answer": "nxt"}}))),
        ("a target nobody knows", step(json!({"on": {"busy": "somewhere"}}))),
        ("a target of the wrong kind", step(json!({"on": {"busy": ["end"], "voicemail": {"step": "last-call"}}}))),
        ("a state nobody knows", cadence(json!({"for_leads": {"state": ["CA", "Calif"], "sources": ["zillow"]}}))),
        (
            "many mistakes at once",
            cadence(json!({"name": "", "status": "lve", "steps": [
            {"id": "a b", "do": "dail", "wait": "x", "mesage": "m"}, {"id": "b", "do": "ai_dial", "wait": "1d", "on": {"busy": "c"}}]})),
        ),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}

/// Which leads a cadence takes, and which again.
fn broken_enrolling() -> Vec<(&'static str, Value)> {
    let attributes = |attributes: Value| cadence(json!({"for_leads": {"attributes": attributes}}));
    vec![
        ("attributes that are no map", attributes(json!(["loan_amount"]))),
        (
            "bounds that exclude each other",
            attributes(json!({"loan_amount": {"at_least": 766_550, "at_most": "$100,000"}})),
        ),
        ("bounds without a bound", attributes(json!({"loan_amount": {"note": "ask Morgan"}}))),
        ("a bound misspelt", attributes(json!({"loan_amount": {"at_lest": 5, "at_most": 9}}))),
        ("a bound in words", attributes(json!({"loan_amount": {"at_least": "high", "at_most": [9]}}))),
        ("a bound as text", attributes(json!({"loan_amount": ">= 100000"}))),
        ("a value that is a list in a list", attributes(json!({"property_type": ["TownHouse", ["Modular"]]}))),
        ("a value that is a map in a list", attributes(json!({"property_type": [{"is": "Modular"}]}))),
        ("no value", attributes(json!({"property_type": [], "county": " ", "has_agent": [null]}))),
        ("an attribute twice", attributes(json!({"loanAmount": 1, "loan_amount": 2}))),
        ("an attribute without a name", attributes(json!({"?": 1}))),
        ("what is no attribute", attributes(json!({"state": "CA", "Purpose": "purchase"}))),
        (
            "an attribute misspelt",
            attributes(json!({"loan_ammount": 1, "shoe_size": 43, "credit_score": 700, "has_agent": true})),
        ),
        ("a percent in words", cadence(json!({"for_leads": {"hold_out": "half"}}))),
        ("more than everybody", cadence(json!({"for_leads": {"hold_out": "110%"}}))),
        ("everybody", cadence(json!({"for_leads": {"hold_out": 100}}))),
        ("a part of a percent", cadence(json!({"for_leads": {"hold_out": 0.5}}))),
        ("a list of percents", cadence(json!({"for_leads": {"hold_out": [10]}}))),
        ("again after a while", cadence(json!({"reenroll": "a while"}))),
        ("never misspelt", cadence(json!({"reenroll": "nevr"}))),
        ("again without a unit", cadence(json!({"reenroll": 30}))),
        ("again after years", cadence(json!({"reenroll": "999d"}))),
        ("taking over from a cadence that does not exist", cadence(json!({"takes_over": ["longterm", "other-thing"]}))),
        ("taking over from itself", cadence(json!({"takes_over": ["long-term", "new"]}))),
        ("taking over from a map", cadence(json!({"takes_over": {"cadence": "nurture"}}))),
        (
            "fields of it misspelt",
            cadence(
                json!({"re_enroll": "never", "take_over": ["nurture"], "for_leads": {"holdout": 5, "attribute": {}}}),
            ),
        ),
    ]
}

fn broken_references() -> Vec<(&'static str, &'static str, Value)> {
    let cadences = vec![
        ("a message that does not exist", step(json!({"do": "canned_sms", "message": "sms/into"}))),
        ("a script that does not exist", step(json!({"message": "script/welcome"}))),
        ("an email sent as a text", step(json!({"do": "canned_sms", "message": "email/intro"}))),
        ("a first text that says too little", step(json!({"do": "canned_sms", "message": "sms/bare"}))),
        ("a user that does not exist", step(json!({"assign": "lo-rily"}))),
        ("an assignment misspelt", step(json!({"assign": "loan officer"}))),
        ("a cadence that does not exist", cadence(json!({"anytime": {"replied": {"cadence": "longterm"}}}))),
        ("a cadence that leads to itself", step(json!({"on": {"busy": {"cadence": "CADENCE#new"}}}))),
        ("a source that does not exist", cadence(json!({"for_leads": {"source": ["zilow"]}}))),
        (
            "hours that the law narrows",
            cadence(json!({"hours": {"call": "any time", "sms": "Mon-Sun 07:00-20:00", "email": "any time"}})),
        ),
        (
            "fields that do nothing",
            step(json!({"do": "canned_sms", "message": "sms/intro", "attempts": 2, "every": "2h", "agent": "x"})),
        ),
        ("every without attempts", step(json!({"every": "2h"}))),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}

fn broken_messages() -> Vec<(&'static str, &'static str, Value)> {
    let lawful = "{{ unsubscribe_url }} {{ postal_address }}";
    let messages = vec![
        ("an empty message", json!({})),
        ("a text and an email in one", json!({"text": "a", "subject": "b", "body": "c"})),
        ("an email without its subject", json!({"body": lawful})),
        ("an email without its body", json!({"subject": "b"})),
        ("a variable misspelt", json!({"text": "Hi {{ lead_frist_name }}"})),
        ("a variable nobody knows", json!({"subject": "Hi\n{{ rate }}", "body": lawful})),
        ("a brace forgotten", json!({"text": "Hi {{ lead_first_name }"})),
        ("a block left open", json!({"text": "{% if city %}in {{ city }}"})),
        ("a filter nobody knows", json!({"text": "{{ city | shout }}"})),
        ("a function", json!({"text": "{{ range(10) }}"})),
        ("an include", json!({"text": "{% include 'footer' %}"})),
        ("arithmetic on what may be missing", json!({"text": "{{ attributes.loan_amount / 2 }}"})),
        (
            "a loop without end",
            json!({"text": "{% for a in 'x' * 99999 %}{% for b in 'x' * 99999 %}y{% endfor %}{% endfor %}"}),
        ),
        ("an email without a way out", json!({"subject": "b", "body": "Hi"})),
        ("a first text that says too little", json!({"text": "Hi"})),
    ];
    messages.into_iter().map(|(title, record)| (title, "MESSAGE#sms/intro", record)).collect()
}

fn broken_others() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("a key without a kind", "zillow-purchase", json!({})),
        ("a kind misspelt", "CADENSE#a", json!({})),
        ("a key without an id", "CADENCE#", json!({})),
        ("an id with a hash", "CADENCE#a#b", json!({})),
        ("other settings", "SETTINGS#mine", settings(json!({}))),
        ("a user without anything", "USER#lo-riley", json!({"note": "half-saved"})),
        (
            "a user's contacts unreadable",
            "USER#lo-riley",
            user(json!({"phone": "call me", "sms_number": "555-0123", "email": "riley"})),
        ),
        (
            "a user's field misspelt",
            "USER#lo-riley",
            user(json!({"licenses": ["CA"], "licences": null, "active": "maybe"})),
        ),
        ("a user's licence unreadable", "USER#lo-riley", user(json!({"licences": ["CA", "XX"]}))),
        ("a user who can't act", "USER#lo-riley", user(json!({"licences": [], "sms_number": null, "nmls_id": ""}))),
        ("a source without its format", "SOURCE#zillow", json!({})),
        ("a format nobody knows", "SOURCE#zillow", json!({"format": "xml"})),
        (
            "consent without its proof",
            "SOURCE#zillow",
            json!({"format": "zillow", "consent": {"sms": "express_written"}}),
        ),
        (
            "consent misspelt",
            "SOURCE#zillow",
            json!({"format": "zillow", "consent": {"sms": "expres", "calls": "none"}}),
        ),
        ("settings without anything", "SETTINGS#company", json!({})),
        (
            "caps wider than the floor",
            "SETTINGS#company",
            settings(json!({"caps": {"contacts_per_day": 10, "sms_per_day": "1", "ai_call_per_day": 1}})),
        ),
        (
            "holidays unreadable",
            "SETTINGS#company",
            settings(json!({"holidays": ["2026-12-24", "24.12.2026", "2026-02-30"]})),
        ),
        (
            "links that are none",
            "SETTINGS#company",
            settings(json!({"unsubscribe_url": "example.com", "notices_from": "nobody"})),
        ),
    ]
}
