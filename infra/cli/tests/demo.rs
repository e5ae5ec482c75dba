//! What `cadence demo` prints.

#![expect(clippy::unwrap_used, reason = "a test that can't go on stops")]

use std::process::Command;

use serde_json::{Value, json};

/// What the command prints to people or machines who ask nothing more of it.
fn printed(args: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_cadence")).args(args).output().unwrap();
    let complaints = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{complaints}");
    assert_eq!(complaints, "", "nothing is wrong, so nothing is complained of");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_story_is_told_in_words() {
    // What differs from run to run: signed ids, and how long it took.
    let redacted = |line: &str| match (line.split_once("/unsubscribe/"), line.rsplit_once(" in ")) {
        (Some((before, _)), _) => format!("{before}/unsubscribe/[token]"),
        (None, Some((before, took))) if took.ends_with(" s.") => format!("{before} in [seconds] s."),
        _ => line.to_owned(),
    };
    let told: Vec<String> = printed(&["demo"]).lines().map(redacted).collect();
    insta::assert_snapshot!("demo", told.join("\n"));
}

#[test]
fn machines_get_one_object_a_line() {
    let told = printed(&["demo", "--json"]);
    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        assert!(event["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{event}");
        assert!(event["kind"].is_string(), "{event}");
    }
    let (summary, entries) = events.split_last().unwrap();
    assert_eq!(summary["kind"], "summary");
    assert_eq!([&summary["leads"], &summary["sms"], &summary["ai_calls"], &summary["emails"]], [2, 2, 1, 1]);

    let first = &entries[0]["lead"];
    let of_first: Vec<&Value> = entries.iter().filter(|event| event["lead"] == *first).collect();
    let steps: Vec<Value> = of_first
        .iter()
        .filter(|event| event.get("step").is_some())
        .map(|event| {
            json!([event["at"], event["kind"], event["step"], event["channel"], event["to"], event["outcome"]])
        })
        .collect();
    let lead = "+14155550123";
    assert_eq!(
        steps,
        [
            json!(["2026-12-01T18:00:00Z", "task_opened", "first-call", "call", "lo-riley", null]),
            json!(["2026-12-01T18:00:00Z", "sent", "intro-text", "sms", lead, null]),
            json!(["2026-12-01T18:03:00Z", "outcome", "first-call", "call", null, "voicemail"]),
            json!(["2026-12-01T18:20:00Z", "call_placed", "robot-call", "call", lead, null]),
            json!(["2026-12-01T18:20:45Z", "outcome", "robot-call", "call", null, "no_answer"]),
            json!(["2026-12-01T18:40:00Z", "sent", "intro-email", "email", "jordan@example.com", null]),
        ]
    );
    assert_eq!(of_first.last().map(|event| &event["kind"]), Some(&json!("ended")));
    let sms = of_first.iter().find(|event| event["channel"] == "sms").unwrap();
    assert_eq!(sms["from"], "+14155550141", "the loan officer's own number");
    assert!(sms["text"].as_str().is_some_and(|text| text.contains("Reply STOP")), "{sms}");
}
