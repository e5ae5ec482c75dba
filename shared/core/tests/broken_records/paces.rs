//! Cadences that come too often.

use cadence_core::records::Draft;
use serde_json::{Value, json};

use crate::{Broken, assert_told, cadence, known, read, user};

#[test]
fn what_comes_too_often_is_said_with_how_long_it_would_wait() {
    assert_told("paces", broken());
}

#[test]
fn what_is_so_in_some_of_the_named_states_is_said_of_those() {
    let mut known = known();
    known.insert(read("USER#lo-riley", &user(json!({"licences": ["CA", "WY", "KY", "CT", "RI"]}))));
    let told = |states: &[&str]| {
        let mut record = steps(vec![step("a", "canned_sms", "1d at 08:30"), step("b", "canned_sms", "0d at 10:00")]);
        record["for_leads"] = json!({ "state": states });
        record["hours"] = json!({"sms": "daily 08:00-20:00"});
        let mut told = Draft::read("CADENCE#new", &record).check(&known).1;
        told.retain(|problem| problem.path == "steps[1].wait");
        told.into_iter().map(|problem| problem.sentence).collect::<Vec<_>>()
    };
    let plain = "This text follows that of \"a\" at once.";
    assert_eq!(told(&["KY"]), [plain], "where nothing opens before ten");
    assert_eq!(told(&["CA", "WY"]), [""; 0]);
    assert_eq!(told(&["CA", "KY", "WY"]), [format!("For leads in KY: {plain}")]);
    assert_eq!(told(&["TX", "KY"]), [plain], "where nobody is licensed, leads wait for somebody");
}

fn step(id: &str, action: &str, wait: &str) -> Value {
    let message = if action == "canned_email" { "email/intro" } else { "sms/intro" };
    let mut step = json!({"id": id, "do": action, "wait": wait});
    match action {
        "ai_dial" => step["agent"] = json!("first-touch"),
        "canned_sms" | "canned_email" => step["message"] = json!(message),
        _ => {}
    }
    step
}

fn steps(steps: Vec<Value>) -> Value {
    cadence(json!({"steps": steps}))
}

/// A call that leads to another, which an email would else part from it.
fn twice_at_once(on: Value) -> Value {
    let mut first = step("a", "dial", "0m");
    first["hold"] = json!("1d");
    first["on"] = on;
    steps(vec![first, step("b", "canned_email", "1d"), step("c", "dial", "0m")])
}

/// A second AI call on the day, unless the first one's outcome keeps it from that.
fn paused(on: Value) -> Value {
    let mut first = step("a", "ai_dial", "0m");
    first["on"] = on;
    steps(vec![first, step("b", "ai_dial", "0m")])
}

/// Two calls that another user is asked for where the first is not in time.
fn overdue_calls(due: &str, wait: &str) -> Vec<Value> {
    let call = |id: &str, wait: &str| {
        let mut call = step(id, "dial", wait);
        call["due"] = json!(due);
        call["on_overdue"] = json!({"assign": "round_robin: callers"});
        call
    };
    vec![call("a", "0m"), call("b", wait)]
}

fn broken() -> Vec<Broken> {
    let again = |mut step: Value, attempts: u32, every: &str| {
        step["attempts"] = json!(attempts);
        step["every"] = json!(every);
        step
    };
    let cadences = vec![
        ("two calls at once", steps(vec![step("a", "dial", "0m"), step("b", "ai_dial", "0m")])),
        (
            "two texts with an email between",
            steps(vec![step("a", "canned_sms", "0m"), step("b", "canned_email", "4m"), step("c", "canned_sms", "5m")]),
        ),
        ("ten minutes between two texts", steps(vec![step("a", "canned_sms", "0m"), step("b", "canned_sms", "10m")])),
        ("a user's own texts", steps(vec![step("a", "custom_sms", "0m"), step("b", "canned_sms", "0m")])),
        ("calls that somebody else is asked for in time, beyond what caps allow", steps(overdue_calls("10m", "1h"))),
        ("calls that somebody else is asked for", steps(overdue_calls("10m", "1d"))),
        ("a call that nobody has the time for", steps(overdue_calls("0m", "1d"))),
        ("calls repeated at once", steps(vec![again(step("a", "dial", "0m"), 3, "5m")])),
        ("a second email on the day", steps(vec![step("a", "canned_email", "0m"), step("b", "canned_email", "4h")])),
        ("a second AI call on the day", steps(vec![step("a", "ai_dial", "0m"), step("b", "ai_dial", "1h")])),
        (
            "a third text on the day",
            steps(vec![step("a", "canned_sms", "0m"), step("b", "canned_sms", "1h"), step("c", "canned_sms", "1h")]),
        ),
        (
            "two texts that only repeated calls keep apart, and a wrong number doesn't",
            steps(vec![
                step("a", "canned_sms", "0m"),
                again(step("b", "dial", "0m"), 2, "2h"),
                step("c", "canned_sms", "5m"),
            ]),
        ),
        ("a fourth contact on the day", steps(vec![again(step("a", "dial", "0m"), 4, "1h")])),
        (
            "a ninth contact in the week",
            steps(
                (0..9)
                    .map(|index| step(&format!("call-{index}"), "dial", if index == 0 { "0m" } else { "12h" }))
                    .collect(),
            ),
        ),
        (
            "a user's texts and emails before a machine's",
            steps(vec![
                step("a", "custom_sms", "0m"),
                step("b", "canned_sms", "5m"),
                step("c", "custom_email", "0m"),
                step("d", "canned_email", "5m"),
            ]),
        ),
        ("two calls at once after a voicemail", twice_at_once(json!({"voicemail": "c"}))),
        (
            "two calls at once whenever nobody answers",
            twice_at_once(json!({"voicemail": "c", "busy": "c", "bad_number": "c", "no_answer": "c"})),
        ),
        ("a pause before it comes to that, after one outcome of four", paused(json!({"no_answer": "pause"}))),
        (
            "a pause before it comes to that",
            paused(json!({"no_answer": "pause", "voicemail": "pause", "busy": "pause", "bad_number": "pause"})),
        ),
        ("texts that the hours push together", {
            let mut record = steps(vec![
                step("a", "canned_sms", "0m"),
                step("b", "canned_sms", "3h"),
                step("c", "canned_sms", "0d at 09:05"),
            ]);
            record["hours"] = json!({"sms": "Mon-Fri 09:00-11:00"});
            record
        }),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}
