//! Cadences that come too often.

use serde_json::{Value, json};

use crate::{Broken, assert_told, cadence};

#[test]
fn what_comes_too_often_is_said_with_how_long_it_would_wait() {
    assert_told("paces", broken());
}

fn broken() -> Vec<Broken> {
    let step = |id: &str, action: &str, wait: &str| {
        let message = if action == "canned_email" { "email/intro" } else { "sms/intro" };
        let mut step = json!({"id": id, "do": action, "wait": wait});
        match action {
            "ai_dial" => step["agent"] = json!("first-touch"),
            "canned_sms" | "canned_email" => step["message"] = json!(message),
            _ => {}
        }
        step
    };
    let steps = |steps: Vec<Value>| cadence(json!({"steps": steps}));
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
        ("calls repeated at once", steps(vec![again(step("a", "dial", "0m"), 3, "5m")])),
        ("a second email on the day", steps(vec![step("a", "canned_email", "0m"), step("b", "canned_email", "4h")])),
        ("a second AI call on the day", steps(vec![step("a", "ai_dial", "0m"), step("b", "ai_dial", "1h")])),
        (
            "a third text on the day",
            steps(vec![step("a", "canned_sms", "0m"), step("b", "canned_sms", "1h"), step("c", "canned_sms", "1h")]),
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
        ("a pause before it comes to that", {
            let mut first = step("a", "ai_dial", "0m");
            first["on"] = json!({"no_answer": "pause"});
            steps(vec![first, step("b", "ai_dial", "0m")])
        }),
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
