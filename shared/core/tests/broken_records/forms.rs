//! Cadences that can't be read.

use serde_json::json;

use crate::{Broken, assert_told, cadence};

#[test]
fn what_cannot_be_read_is_said_in_words() {
    assert_told("forms", broken());
}

fn broken() -> Vec<Broken> {
    let cadences = vec![
        ("nothing in it", json!({})),
        ("a name and nothing else yet", json!({"name": "New leads"})),
        (
            "outcomes before there are steps",
            json!({"name": "New leads", "steps": {}, "anytime": {"replied": "say-thanks"}}),
        ),
        ("a step that is only named yet", cadence(json!({"steps": [{"id": "call"}]}))),
        ("a step begun and one not", cadence(json!({"steps": [{"id": "call", "do": "dial", "wait": "x"}, {}]}))),
        ("not a map", json!("hello")),
        ("two maps for one", cadence(json!({"hours": [{"call": "any time"}, {"sms": "any time"}]}))),
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
        ("hours in words", cadence(json!({"hours": {"call": "office hours", "fax": "any time"}}))),
        ("hours for texts", cadence(json!({"hours": {"text": "any time", "Phone": "any time", "emial": "any time"}}))),
        ("hours backwards", cadence(json!({"hours": {"sms": "Mon 20:00-09:00"}}))),
        ("a state nobody knows", cadence(json!({"for_leads": {"state": ["CA", "Calif"], "sources": ["zillow"]}}))),
        (
            "many mistakes at once",
            cadence(json!({"name": "", "status": "lve", "steps": [
            {"id": "a b", "do": "dail", "wait": "x", "mesage": "m"}, {"id": "b", "do": "ai_dial", "wait": "1d", "on": {"busy": "c"}}]})),
        ),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}
