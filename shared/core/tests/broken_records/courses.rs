//! Cadences whose steps lead round, nowhere, or where they can't.

use cadence_core::records::{Known, check};
use serde_json::{Value, json};

use crate::{Broken, assert_told, cadence, read};

#[test]
fn where_steps_lead_without_end_or_nowhere_is_shown() {
    assert_told("courses", broken());
}

/// Steps that call, by id, with what each outcome leads to; each waits for its outcome.
fn calls<const N: usize>(steps: [(&str, Value); N]) -> Value {
    let steps = steps.map(|(id, on)| json!({"id": id, "do": "dial", "wait": "1d", "hold": "4h", "on": on}));
    cadence(json!({"steps": steps.to_vec()}))
}

/// Every way that a call by a user can end leads there.
fn all(target: &str) -> Value {
    let outcomes = [
        "skipped",
        "expired",
        "failed",
        "no_answer",
        "busy",
        "voicemail",
        "bad_number",
        "appointment_cancelled",
        "connected",
        "called_back",
        "appointment_set",
        "declined",
        "opted_out",
    ];
    outcomes.into_iter().map(|outcome| (outcome.to_owned(), json!(target))).collect()
}

fn broken() -> Vec<Broken> {
    let text =
        |id: &str, on: Value| json!({"id": id, "do": "canned_sms", "wait": "1d", "message": "sms/intro", "on": on});
    let long: Vec<Value> = (0..12)
        .map(|step| json!({"id": format!("call-{step}"), "do": "dial", "wait": "1d", "hold": "1h"}))
        .chain([json!({"id": "last", "do": "dial", "wait": "1d", "hold": "1h", "on": {"expired": "call-0"}})])
        .collect();
    let cadences = vec![
        ("a call repeated as long as nobody answers", calls([("a", json!({"no_answer": "a"})), ("b", json!({}))])),
        (
            "a round of three steps",
            calls([
                ("a", json!({})),
                ("b", json!({})),
                ("c", json!({"no_answer": "a", "busy": "b"})),
                ("d", json!({})),
            ]),
        ),
        ("a round over jumps", calls([("a", json!({"busy": "c"})), ("b", all("end")), ("c", json!({"expired": "a"}))])),
        ("a long round", cadence(json!({"steps": long}))),
        ("a round that anytime makes", {
            let mut record = calls([("a", json!({})), ("b", json!({"expired": "next"})), ("c", json!({}))]);
            record["anytime"] = json!({"expired": "b"});
            record
        }),
        (
            "a text repeated as long as it fails",
            cadence(json!({"steps": [text("a", json!({"failed": "a"})), text("b", json!({}))]})),
        ),
        ("a round that the lead makes", calls([("a", json!({})), ("b", json!({"appointment_cancelled": "a"}))])),
        ("a round over a pause", calls([("a", all("pause")), ("b", json!({"expired": "a"}))])),
        (
            "a way back that comes too late",
            cadence(json!({"steps": [text("a", json!({})), text("b", json!({"replied": "a"}))]})),
        ),
        ("no way to the end", calls([("a", json!({})), ("b", all("c")), ("c", all("b"))])),
        ("no way to a step", calls([("a", all("c")), ("b", json!({})), ("c", json!({}))])),
        (
            "outcomes that a step never has",
            cadence(json!({"steps": [
                text("a", json!({"voicemail": "end", "expired": "end"})),
                {"id": "b", "do": "dial", "wait": "1d", "on": {"transferred": "end", "bounced": "end"}},
                {"id": "c", "do": "canned_email", "wait": "1d", "message": "email/intro", "on": {"busy": "end"}}]})),
        ),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}

/// What is said of a cadence that leads into `nurture` when nobody answers, given the others.
fn told(others: &[(&str, Value)]) -> Vec<String> {
    let mut known = Known::default();
    for (pk, record) in others {
        known.insert(read(pk, record));
    }
    let record = read("CADENCE#new", &calls([("a", json!({"expired": {"cadence": "nurture"}})), ("b", json!({}))]));
    check(&record, &known).iter().map(ToString::to_string).filter(|told| told.starts_with("steps[0].on")).collect()
}

#[test]
fn cadences_that_hand_a_lead_to_each_other_are_named_in_their_round() {
    let leads = |outcome: &str, to: &str| calls([("x", json!({outcome: {"cadence": to}})), ("y", json!({}))]);
    let round = |rest: &str| {
        format!(
            "steps[0].on.expired: This cadence and others could hand a lead on to each other without end: new -> nurture{rest} -> new. \
             Let one of them end instead."
        )
    };
    assert_eq!(told(&[("CADENCE#nurture", leads("busy", "new"))]), [round("")]);
    assert_eq!(
        told(&[("CADENCE#nurture", leads("busy", "other")), ("CADENCE#other", leads("expired", "new"))]),
        [round(" -> other")]
    );
    let by_the_lead = told(&[("CADENCE#nurture", leads("connected", "new"))]);
    assert_eq!(
        by_the_lead,
        ["steps[0].on.expired: A lead can go round between cadences, though not by itself: \
          new -> nurture -> new. Make sure that this is meant; else let one of them end instead."]
    );
}

#[test]
fn cadences_that_lead_on_and_not_back_are_no_round() {
    let leads = |to: &str| calls([("x", json!({"expired": {"cadence": to}})), ("y", json!({}))]);
    assert_eq!(
        told(&[("CADENCE#nurture", leads("other")), ("CADENCE#other", leads("nurture"))]),
        [""; 0],
        "a round of others"
    );
    assert_eq!(told(&[("CADENCE#nurture", calls([("x", json!({}))]))]), [""; 0]);
    // A text is over before its reply, and what takes no leads hands none on.
    let mut off = leads("new");
    off["status"] = json!("off");
    assert_eq!(
        told(&[("CADENCE#nurture", off)]),
        ["steps[0].on.expired: The cadence \"nurture\" takes no leads now, so this outcome just ends this one. \
          Set that cadence's status to \"live\", or name another."]
    );
}

#[test]
fn what_comes_to_an_end_is_not_found_fault_with() {
    for good in [
        calls([("a", json!({"no_answer": "c"})), ("b", json!({"busy": "end"})), ("c", json!({"expired": "next"}))]),
        cadence(json!({"anytime": {"declined": "b"}, "steps": [
            {"id": "a", "do": "dial", "wait": "0m", "attempts": 3, "every": "1d", "on": {"no_answer": "c"}},
            {"id": "b", "do": "canned_email", "wait": "1d", "message": "email/intro", "on": {"replied": "c", "bounced": "pause"}},
            {"id": "c", "do": "dial", "wait": "1d"}]})),
    ] {
        let problems = check(&read("CADENCE#new", &good), &crate::known());
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0], "{good}");
    }
}
