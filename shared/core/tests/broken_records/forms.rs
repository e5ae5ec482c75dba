//! Cadences that can't be read.

use serde_json::json;

use crate::{Broken, assert_told, cadence, step};

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
        ("an id with a space", step(json!({"id": "first call"}))),
        ("an id that is a target", step(json!({"id": "End"}))),
        ("a do misspelt", step(json!({"do": "caned_sms"}))),
        ("a do nobody knows", step(json!({"do": "fax"}))),
        ("a wait in words", step(json!({"wait": "a while"}))),
        ("a wait without its unit", step(json!({"wait": 20}))),
        ("a wait of years", step(json!({"wait": "9999d"}))),
        ("a wait that is a list", step(json!({"wait": ["0m", "1d"]}))),
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
        (
            "a target of the wrong kind",
            step(json!({"on": {"busy": ["end", "next"], "voicemail": {"step": "last-call"}}})),
        ),
        ("variants that don't add up", step(json!({"message": {"script/hello": 50, "MESSAGE#sms/intro": "40%"}}))),
        (
            "variants without percents",
            step(json!({"message": {"script/hello": "half", "sms/intro": 120, "sms/bare": [1, 2]}})),
        ),
        ("the same variant twice", step(json!({"message": {"script/hello": 50, "MESSAGE#script/hello": 50}}))),
        ("no variants", step(json!({"message": {"note": "soon"}}))),
        ("overdue without due", step(json!({"on_overdue": "end"}))),
        (
            "overdue of what holds and of what is attempted",
            step(json!({"due": "10m", "on_overdue": "end", "hold": "1h", "attempts": 3, "every": "2h"})),
        ),
        (
            "overdue of a machine's",
            step(json!({"do": "canned_sms", "message": "sms/intro", "due": "10m", "on_overdue": "end"})),
        ),
        ("overdue and expired", step(json!({"due": "10m", "on_overdue": "end", "on": {"expired": "last-call"}}))),
        (
            "overdue for the same user",
            step(json!({"due": "10m", "assign": "lo-riley", "on_overdue": {"assign": "lo-riley"}})),
        ),
        ("overdue leading nowhere", step(json!({"due": "10m", "on_overdue": "last-cal"}))),
        ("overdue of the wrong kind", step(json!({"due": "10m", "on_overdue": {"assing": "lo-riley"}}))),
        ("a state nobody knows", cadence(json!({"for_leads": {"state": ["CA", "Calif"], "sources": ["zillow"]}}))),
        (
            "many mistakes at once",
            cadence(json!({"name": "", "status": "lve", "steps": [
            {"id": "a b", "do": "dail", "wait": "x", "mesage": "m"}, {"id": "b", "do": "ai_dial", "wait": "1d", "on": {"busy": "c"}}]})),
        ),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}
