//! Steps that can't be read.

use serde_json::json;

use crate::{Broken, assert_told, cadence, step};

#[test]
fn what_cannot_be_read_of_a_step_is_said_in_words() {
    assert_told("steps", broken());
}

fn broken() -> Vec<Broken> {
    let cadences = vec![
        ("an id with a space", step(json!({"id": "first call"}))),
        ("an id that is a target", step(json!({"id": "End"}))),
        ("a do misspelt", step(json!({"do": "caned_sms"}))),
        ("an outcome as what is done", step(json!({"do": "voicemail"}))),
        ("a do nobody knows", step(json!({"do": "fax"}))),
        ("a wait in words", step(json!({"wait": "a while"}))),
        ("a wait without its unit", step(json!({"wait": 20}))),
        ("a wait of years", step(json!({"wait": "9999d"}))),
        ("a wait that is a list", step(json!({"wait": ["0m", "1d"]}))),
        ("no wait, and others without their units", step(json!({"wait": 0, "due": 30, "hold": "15"}))),
        (
            "one step without its list",
            cadence(json!({"steps": {"id": "call", "do": "dail", "wait": "0m", "on": {"busy": "x"}}})),
        ),
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
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}
