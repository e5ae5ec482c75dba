//! Cadences that name what isn't there, or what does nothing.

use serde_json::{Value, json};

use crate::{Broken, assert_told, cadence, step};

#[test]
fn what_is_not_there_is_named() {
    assert_told("references", broken());
}

fn broken() -> Vec<Broken> {
    let cadences = messages().into_iter().chain(others());
    cadences.map(|(title, record)| (title, "CADENCE#new", record)).collect()
}

fn messages() -> Vec<(&'static str, Value)> {
    vec![
        ("a message that does not exist", step(json!({"do": "canned_sms", "message": "sms/into"}))),
        ("a script that does not exist", step(json!({"message": "script/welcome"}))),
        ("an email sent as a text", step(json!({"do": "canned_sms", "message": "email/intro"}))),
        ("a text sent as an email", step(json!({"do": "canned_email", "message": "sms/intro"}))),
        ("an email to be said on the phone", step(json!({"message": "email/intro"}))),
        ("a script sent as the first text", step(json!({"do": "canned_sms", "message": "script/hello"}))),
        ("a first email that says too little", step(json!({"do": "canned_email", "message": "email/bare"}))),
        (
            "a first text that a jump leads to",
            cadence(json!({"steps": [
                {"id": "call", "do": "dial", "wait": "0m", "on": {"busy": "bare"}},
                {"id": "text", "do": "canned_sms", "wait": "1d", "message": "sms/intro"},
                {"id": "bare", "do": "canned_sms", "wait": "1d", "message": "sms/bare"},
                {"id": "bare-too", "do": "canned_sms", "wait": "1d", "message": "sms/bare"}]})),
        ),
        ("a first text that says too little", step(json!({"do": "canned_sms", "message": "sms/bare"}))),
        (
            "variants of which one does not exist and one says too little",
            step(json!({"do": "canned_sms", "message": {"sms/intro": 25, "sms/bare": 25, "sms/inro": 50}})),
        ),
        (
            "variants of which one is an email",
            step(json!({"do": "canned_sms", "message": {"sms/intro": 50, "email/intro": 50}})),
        ),
    ]
}

fn others() -> Vec<(&'static str, Value)> {
    vec![
        ("a user that does not exist", step(json!({"assign": "lo-rily"}))),
        ("a group that does not exist", step(json!({"assign": "round_robin: caller"}))),
        ("a group named as a user", step(json!({"assign": "callers"}))),
        ("a group in which nobody is active", step(json!({"assign": {"round_robin": "retired"}}))),
        ("turns of nobody", step(json!({"assign": "round robin"}))),
        ("an assignment of the wrong kind", step(json!({"assign": {"round_robbin": "callers"}}))),
        (
            "a group that does not exist, for what is overdue",
            step(json!({"due": "10m", "on_overdue": {"assign": "round_robin: caller"}})),
        ),
        (
            "a cadence that does not exist, for what is overdue",
            step(json!({"due": "10m", "on_overdue": {"cadence": "longterm"}})),
        ),
        ("an assignment misspelt", step(json!({"assign": "loan officer"}))),
        ("a cadence that does not exist", cadence(json!({"anytime": {"replied": {"cadence": "longterm"}}}))),
        ("a cadence that leads to itself", step(json!({"on": {"busy": {"cadence": "CADENCE#new"}}}))),
        ("a source that does not exist", cadence(json!({"for_leads": {"source": ["Zilow", "Zillow "]}}))),
        (
            "fields that do nothing",
            step(json!({"do": "canned_sms", "message": "sms/intro", "attempts": 2, "every": "2h", "agent": "x"})),
        ),
        (
            "what no user does, assigned",
            cadence(json!({"steps": [
                {"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro", "assign": "lo-riley"},
                {"id": "robot", "do": "ai_dial", "wait": "1d", "agent": "x", "message": "script/hello", "assign": "round_robin: callers"},
                {"id": "write", "do": "ai_sms", "wait": "1d", "message": "sms/intro", "assign": "lo-riley"},
                {"id": "mail", "do": "canned_email", "wait": "1d", "message": "email/intro", "assign": "loan_officer"}]})),
        ),
        (
            "an agent whose name nearly is one that others name",
            cadence(json!({"steps": [
                {"id": "a", "do": "ai_dial", "wait": "0m", "agent": "Frist-touch"}, {"id": "b", "do": "ai_dial", "wait": "1d", "agent": "spanish"},
                {"id": "c", "do": "ai_dial", "wait": "1d", "agent": "first-touch"}, {"id": "d", "do": "ai_dial", "wait": "1d", "agent": "first-touch"}]})),
        ),
        (
            "a due of a machine's",
            cadence(json!({"steps": [
                {"id": "robot", "do": "ai_dial", "wait": "0m", "agent": "x", "due": "10m"},
                {"id": "text", "do": "canned_sms", "wait": "1d", "message": "sms/intro", "due": "10m"},
                {"id": "call", "do": "dial", "wait": "1d", "due": "10m"}]})),
        ),
        (
            "records that have errors of their own",
            cadence(
                json!({"for_leads": {"source": "forms"}, "takes_over": ["summer"], "anytime": {"replied": {"cadence": "summer"}},
                "steps": [{"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/spring"},
                    {"id": "call", "do": "dial", "wait": "1d", "assign": "lo-sam"},
                    {"id": "more", "do": "dial", "wait": "1d", "assign": "round_robin: newcomers"}]}),
            ),
        ),
        ("a name like that of a record that has errors", cadence(json!({"for_leads": {"source": ["zillow", "form"]}}))),
        ("every without attempts", step(json!({"every": "2h"}))),
        (
            "names that stand for nothing, in a record that can't be read whole",
            cadence(json!({"name": "", "anytime": {"replied": {"cadence": "longterm"}}, "steps": [
                {"id": "call", "do": "dail", "wait": "soon", "assign": "lo-rily", "message": "script/hello"},
                {"id": "text", "do": "canned_sms", "wait": "1d", "message": "sms/into", "due": "soon"},
                "call again",
                {"id": "mail", "do": "canned_email", "wait": "1d", "message": "email/into"}]})),
        ),
    ]
}
