//! The commands of those who look after a stage, against what AWS answers of one.

use serde_json::{Value, json};

use crate::{answers::answering_by, running::Ran};

const STACK: &str = "cadence-dev";
const DENIED: &str = r#"{"__type": "com.amazonaws.sqs#AccessDenied", "message": "Access to the resource is denied."}"#;

/// A stage of which only that is known: two messages in one dead-letter queue.
fn answer(request: &str) -> (&'static str, String) {
    let queues = ["Sms", "Email", "Call"].map(|channel| [format!("{channel}Queue"), format!("{channel}DeadLetters")]);
    let others = ["TimerDeadLetters", "ScheduleFailures", "PublishFailures"].map(str::to_owned);
    let url = |name: &String| format!("https://sqs.us-east-1.amazonaws.com/000000000000/{STACK}-{name}-1ABC");
    let urls: Vec<String> = queues.as_flattened().iter().chain(&others).map(url).collect();
    let count = if request.contains("SmsDeadLetters") { "2" } else { "0" };
    let answer = if request.contains("DynamoDB_20120810.ListTables") {
        json!({ "TableNames": [format!("{STACK}-ConfigTable-1ABC"), format!("{STACK}-LeadsTable-1ABC")] })
    } else if request.contains("AmazonSQS.ListQueues") {
        json!({ "QueueUrls": urls })
    } else if request.contains("AmazonSQS.GetQueueAttributes") {
        json!({ "Attributes": { "ApproximateNumberOfMessages": count } })
    } else {
        json!({})
    };
    ("200 OK", answer.to_string())
}

fn doctor(endpoint: &str) -> Ran {
    Ran::of(&["doctor", "--endpoint-url", endpoint, "--stage", "dev", "--json"], &[])
}

#[test]
fn a_stage_s_tables_and_queues_are_found_by_its_stack_s_name() {
    let ran = doctor(&answering_by(answer));
    let given_up = json!({
        "kind": "given_up", "about": "sms-dlq", "why": "2 messages: their function failed five times, and its log says why",
    });
    assert_eq!((ran.code, ran.json()), (1, json!({ "well": false, "findings": [given_up] })), "{}", ran.complained);
}

#[test]
fn what_may_not_be_done_or_is_not_there_is_told_with_what_to_do() {
    let denied: fn(&str) -> (&'static str, String) = |request| match request.contains("AmazonSQS.GetQueueAttributes") {
        true => ("403 Forbidden", DENIED.to_owned()),
        false => answer(request),
    };
    let gone: fn(&str) -> (&'static str, String) = |request| match request.contains("AmazonSQS.ListQueues") {
        true => ("200 OK", json!({ "QueueUrls": [] }).to_string()),
        false => answer(request),
    };
    let expired: fn(&str) -> (&'static str, String) = |request| match request.contains("AmazonSQS.") {
        true => ("403 Forbidden", json!({ "__type": "ExpiredToken", "message": "The token has expired." }).to_string()),
        false => answer(request),
    };
    for (answer, words) in [
        (denied, ["may not sqs:GetQueueAttributes on the queues of", "Ask for a role"]),
        (gone, ["the stack cadence-dev has no queue SmsQueue", "deploy this version's template"]),
        (expired, ["have expired", "aws sso login"]),
    ] {
        let ran = doctor(&answering_by(answer));
        assert_eq!((ran.code, ran.told.as_str()), (2, ""));
        for word in words {
            assert!(ran.complained.contains(word), "{word}: {}", ran.complained);
        }
    }
}

#[test]
fn webhooks_of_a_stage_are_posted_only_where_the_api_and_the_secret_are_named() {
    let kept = |request: &str| match request.contains("DynamoDB_20120810.Query") {
        true if request.contains("QUARANTINE#plain") => {
            let text = |text: &str| json!({ "S": text });
            let item = json!({
                "pk": text("QUARANTINE#plain"), "sk": text("1"), "source": text("plain"), "at": text("2026-11-25T18:00:00Z"),
                "body": text(r#"{"first_name": "Casey", "last_name": "Sample", "phone": "415-555-0187"}"#),
                "problems": { "L": [text("it was not JSON")] },
            });
            ("200 OK", json!({ "Items": [item], "Count": 1 }).to_string())
        }
        true if request.contains("PUBLISHED#SOURCE") => ("200 OK", source()),
        _ => answer(request),
    };
    let endpoint = answering_by(kept);
    let redrive = ["redrive", "--endpoint-url", &endpoint, "--stage", "dev", "--json", "--only", "webhooks"];
    let named = ["--api-url", "http://127.0.0.1:9", "--secret-id", "cadence-dev-secret"];
    let fates = |ran: &Ran| -> Vec<(Value, Value)> {
        let found = ran.json()["found"].clone();
        found.as_array().unwrap().iter().map(|found| (found["fate"].clone(), found["why"].clone())).collect()
    };
    for args in [&redrive[..], &[&redrive[..], &["--yes"]].concat()] {
        let ran = Ran::of(args, &[]);
        assert_eq!(ran.code, 1, "{}{}", ran.told, ran.complained);
        let fates = fates(&ran);
        assert!(fates[0].0 == "keep" && fates[0].1.as_str().unwrap().contains("give --api-url"), "{fates:?}");
    }
    let dry = Ran::of(&[&redrive[..], &named].concat(), &[]);
    assert_eq!((dry.code, &fates(&dry)[0].0), (0, &json!("post")), "{}{}", dry.told, dry.complained);
    let done = Ran::of(&[&redrive[..], &named, &["--yes"]].concat(), &[]);
    assert_eq!(done.code, 2);
    assert!(done.complained.contains("the secret cadence-dev-secret can't be read"), "{}", done.complained);
}

/// The published source `plain`.
fn source() -> String {
    let text = |text: &str| json!({ "S": text });
    let consent = json!({ "M": { "call": text("none"), "sms": text("none"), "email": text("express"), "proof": text("I agree.") } });
    let record =
        json!({ "M": { "id": text("plain"), "format": text("plain"), "secret": text("plain"), "consent": consent } });
    let item =
        json!({ "pk": text("PUBLISHED#SOURCE"), "sk": text("plain"), "version": { "N": "1" }, "record": record });
    json!({ "Items": [item], "Count": 1 }).to_string()
}
