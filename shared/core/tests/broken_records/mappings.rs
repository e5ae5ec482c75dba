//! Where a source's bodies hold what.

use serde_json::{Value, json};

use crate::{Broken, assert_told, read};

#[test]
fn what_is_wrong_with_where_a_body_holds_what_is_said() {
    assert_told("mappings", broken());
}

#[test]
fn where_a_body_holds_what_may_be_written_in_any_way() {
    let flat = mapped(
        json!({"phone": "lead.phone", "attributes.loan_amount": "loan[0].amount", "consent.sms": "ok", "consent.text": "terms"}),
    );
    let nested = mapped(json!({" phone ": ["lead.phone "], "email": " ", "note": {"from": "their manual"},
        "attributes": {"loanAmount": {"S": "loan[0].amount"}, "note": "in dollars"}, "consent": {"sms": "ok", "text": "terms"}}));
    assert_eq!(read("SOURCE#vendor", &flat), read("SOURCE#vendor", &nested));
}

fn mapped(fields: Value) -> Value {
    json!({"format": "mapped", "fields": fields})
}

fn broken() -> Vec<Broken> {
    let sources = vec![
        ("a mapped source without its fields", json!({"format": "mapped"})),
        ("fields of another format", json!({"format": "plain", "fields": {"phone": "mobile"}})),
        ("fields without a format", json!({"fields": {"phone": "mobile"}})),
        ("a variable as a path", mapped(json!({"phone": "{{ phone }}"}))),
        ("no fields", mapped(json!({"phone": "", "email": null}))),
        ("fields as a list", mapped(json!(["phone", "email"]))),
        ("nobody to reach", mapped(json!({"first_name": "first", "attributes.loan_amount": "amount"}))),
        (
            "a field misspelt",
            mapped(json!({"phone": "mobile", "frist_name": "first", "consent.smss": "ok", "Zip": "zip"})),
        ),
        (
            "a field nobody knows",
            mapped(json!({"phone": "mobile", "loanAmount": "amount", "attributes.?": "x", "lead": {"phone": "x"}})),
        ),
        (
            "a field twice",
            mapped(json!({"phone": "mobile", "attributes.loanAmount": "a", "attributes": {"loan_amount": "b"}})),
        ),
        ("a place that is no text", mapped(json!({"phone": true, "email": ["a", "b"]}))),
        (
            "places with names missing",
            mapped(json!({"phone": "lead..phone", "email": "lead.emails[", "city": "lead."})),
        ),
        ("a place parted by slashes", mapped(json!({"phone": "/lead/phone"}))),
        ("consent without its words", mapped(json!({"phone": "mobile", "consent.sms": "opt_in"}))),
    ];
    sources.into_iter().map(|(title, record)| (title, "SOURCE#vendor", record)).collect()
}
