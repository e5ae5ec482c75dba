//! `cadence local` is killed and started again on the same folder.

use std::path::Path;

use serde_json::Value;

use crate::running::{Local, MORNING, complaint};

/// Five minutes a second: the reference cadence takes eight seconds, and on a busy machine functions still end within their time.
const SPEED: &str = "300";

/// What was sent, as `kind to`.
fn sent(local: &Local) -> Vec<String> {
    let outbox = local.get("/_local/outbox?json");
    let word = |sent: &Value, name: &str| sent[name].as_str().unwrap().to_owned();
    outbox["outbox"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sent| format!("{} {}", word(sent, "kind"), word(sent, "to")))
        .collect()
}

/// What the lead's timeline says, as `kind step`.
fn told(local: &Local, lead: &str) -> Vec<String> {
    let page = local.get(&format!("/_local/leads/{lead}?json"));
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let entries = page["timeline"].as_array().unwrap();
    entries.iter().map(|entry| format!("{} {}", word(entry, "kind"), word(entry, "step"))).collect()
}

fn has_ended(local: &Local, lead: &str) -> bool {
    told(local, lead).iter().any(|told| told == "ended -")
}

#[test]
fn after_a_kill_the_cadence_goes_on_where_it_was_and_everything_happens_once() {
    let data = tempfile::tempdir().unwrap();
    let first = Local::start(data.path(), SPEED, MORNING);
    let lead = first.post_lead();
    first.until("the text is out", || sent(&first).iter().any(|sent| sent == "sms +14155550123"));
    let outbox = first.get("/_local/outbox?json");
    let told_at = outbox["outbox"][1]["at"].as_str().unwrap().to_owned();
    first.kill();

    let second = Local::start(data.path(), SPEED, MORNING);
    assert!(second.started_at > told_at, "the clock went back from {told_at} to {}", second.started_at);
    assert_eq!(second.get("/_local/outbox?json"), outbox);
    second.until("the cadence is over", || has_ended(&second, &lead));
    assert_eq!(
        sent(&second),
        ["email riley@example.com", "sms +14155550123", "ai_call +14155550123", "email jordan@example.com"]
    );
    assert_eq!(
        told(&second, &lead),
        [
            "lead_in -",
            "enrolled -",
            "task_opened first-call",
            "sent intro-text",
            "call_placed robot-call",
            "outcome robot-call",
            "sent intro-email",
            "ended -",
        ]
    );
}

#[test]
fn killed_at_any_moment_nothing_is_sent_twice_and_every_step_comes_to_an_end() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let data = tempfile::tempdir().unwrap();
    let mut local = Local::start(data.path(), SPEED, MORNING);
    let lead = local.post_lead();
    for _ in 0..5 {
        local.let_log(random.usize(1..6));
        local.kill();
        local = Local::start(data.path(), SPEED, MORNING);
    }
    local.until("the cadence is over", || has_ended(&local, &lead));

    let (sent, told) = (sent(&local), told(&local, &lead));
    let count = |list: &[String], what: &str| list.iter().filter(|found| *found == what).count();
    for (effect, recorded, step) in [
        ("sms +14155550123", "sent", "intro-text"),
        ("ai_call +14155550123", "call_placed", "robot-call"),
        ("email jordan@example.com", "sent", "intro-email"),
    ] {
        let (effects, known) = (count(&sent, effect), count(&told, &format!("{recorded} {step}")));
        let unsure = count(&told, &format!("unsure {step}"));
        assert!(effects <= 1, "seed {seed}: {effect} was sent {effects} times: {told:?}");
        assert_eq!(known + unsure, 1, "seed {seed}: {step} ends once: {told:?}");
        assert!(effects == 1 || unsure == 1, "seed {seed}: {step} was told of and not done: {told:?}");
    }
    assert_eq!(count(&told, "task_opened first-call"), 1, "seed {seed}: {told:?}");
    assert!(count(&sent, "email riley@example.com") <= 1, "seed {seed}: {sent:?}");
    assert_eq!(count(&told, "ended -"), 1, "seed {seed}: {told:?}");
}

#[test]
fn a_second_one_in_the_same_place_is_told_what_is_in_its_way() {
    let data = tempfile::tempdir().unwrap();
    let first = Local::start(data.path(), "1", MORNING);
    let folder = data.path().to_str().unwrap();
    let same_folder = complaint(&["local", "--port", "0", "--data", folder]);
    assert!(same_folder.starts_with("error: "), "{same_folder}");
    assert!(same_folder.contains("in use by another local cloud"), "{same_folder}");
    assert!(same_folder.contains(folder), "{same_folder}");

    let port = first.port().to_string();
    let same_port = complaint(&["local", "--port", &port]);
    assert!(same_port.contains(&format!("port {port}")) && same_port.contains("--port"), "{same_port}");
    assert_eq!(sent(&first), Vec::<String>::new(), "the first one goes on");

    first.kill();
    assert!(Path::new(folder).join("cloud.sqlite").exists());
    Local::start(data.path(), "1", MORNING);
}

#[test]
fn a_speed_that_makes_no_sense_is_refused() {
    for speed in ["0", "-1", "NaN", "1e9", "fast"] {
        let told = complaint(&["local", "--port", "0", &format!("--speed={speed}")]);
        assert!(told.contains("--speed"), "{speed}: {told}");
    }
}

#[test]
fn a_folder_that_does_not_hold_the_functions_binaries_is_refused_with_how_to_build_them() {
    let folder = tempfile::tempdir().unwrap();
    let told = complaint(&["local", "--port", "0", "--processes", folder.path().to_str().unwrap()]);
    for part in [folder.path().to_str().unwrap(), "ingest/bootstrap", "cargo build --workspace --bins"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
