//! Keys, sources and settings.

use serde_json::{Value, json};

use crate::{Broken, assert_told, settings};

#[test]
fn what_is_wrong_with_the_other_records_is_said() {
    assert_told("others", broken());
}

fn snippets(snippets: Value) -> Value {
    settings(json!({"snippets": snippets}))
}

fn broken() -> Vec<Broken> {
    vec![
        ("a key without a kind", "zillow-purchase", json!({})),
        ("a kind misspelt", "CADENSE#a", json!({})),
        ("a key without an id", "CADENCE#", json!({})),
        ("an id with a hash", "CADENCE#a#b", json!({})),
        ("other settings", "SETTINGS#mine", settings(json!({}))),
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
        ("a record that is far too long", "SOURCE#zillow", json!({"format": "zillow", "note": "x".repeat(150_000)})),
        ("a secret misspelt", "SOURCE#zillow", json!({"format": "zillow", "secret": "zilow"})),
        ("a secret that nearly is another source's", "SOURCE#forms", json!({"format": "plain", "secret": "partners"})),
        ("another source's secret", "SOURCE#forms", json!({"format": "plain", "secret": "partner"})),
        ("a secret of its own", "SOURCE#forms", json!({"format": "plain", "secret": "website"})),
        ("settings without anything", "SETTINGS#company", json!({})),
        (
            "caps wider than the floor",
            "SETTINGS#company",
            settings(json!({"caps": {"contacts_per_day": 10, "sms_per_day": "1", "ai_call_per_day": 1}})),
        ),
        (
            "caps that allow nothing",
            "SETTINGS#company",
            settings(json!({"caps": {"contacts_per_day": 0, "emails_per_day": 0}})),
        ),
        ("a name that makes texts dear", "SETTINGS#company", settings(json!({"company": "Riley’s Home Loans"}))),
        (
            "a snippet that uses a variable nobody knows",
            "SETTINGS#company",
            snippets(json!({"footer": "Hi\n{{ rate }}"})),
        ),
        ("a snippet that uses a snippet", "SETTINGS#company", snippets(json!({"footer": "{{ snippets.way_out }}"}))),
        ("a snippet named in words", "SETTINGS#company", snippets(json!({"e-mail footer": "a", "7": "b"}))),
        ("a snippet that is a list", "SETTINGS#company", snippets(json!({"footer": ["a", "b"]}))),
        ("a snippet that is far too long", "SETTINGS#company", snippets(json!({"footer": "a".repeat(5000)}))),
        ("a snippet gone that a message uses", "SETTINGS#company", snippets(json!({"other": "a"}))),
        (
            "a snippet that no longer says what a message needs it for",
            "SETTINGS#company",
            snippets(json!({"footer": "{{ company }}, {{ postal_address }}"})),
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
