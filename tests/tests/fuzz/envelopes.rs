//! The envelopes that Lambda hands in: stream records, queue messages, API Gateway's requests.

use std::panic::AssertUnwindSafe;

use axum::{Router, body::Bytes, routing::any};
use cadence_boot::{http, queue, stream};
use cadence_core::{
    enrollment::{Enrollment, StepDue},
    failure::Class,
    scheduling::scheduling,
};
use cadence_tests::{Tested, World};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};

use crate::{
    Ways,
    bad_webhooks::made_of,
    damage::{damaged_value, one_of},
    fuzz,
};

/// A damaged event, which is JSON, as Lambda's always are.
fn event(good: &Value, (_, edits): &(usize, Vec<crate::damage::Edit>)) -> LambdaEvent<Value> {
    LambdaEvent { payload: damaged_value(good, edits), context: Context::default() }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The ids that are to come again, each of a message or change that was in the event.
fn failures(answer: &Value) -> usize {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert!(failures.iter().all(|failure| failure["itemIdentifier"].is_string()));
    failures.len()
}

#[test]
fn a_queue_event_fails_message_by_message_or_as_one() {
    let body = json!({ "lead": "a1", "enrollment": "e1", "generation": 3 }).to_string();
    let message = |id: &str| json!({ "messageId": id, "body": body, "attributes": {}, "eventSource": "aws:sqs" });
    let (good, ways) = (json!({ "Records": [message("m1"), message("m2")] }), Ways::default());
    fuzz!(one_of(1), |input: &(usize, Vec<_>)| {
        let event = event(&good, input);
        let count = event.payload["Records"].as_array().map_or(0, Vec::len);
        let answered = wait(queue::each(
            &(),
            event,
            |_: &std::fmt::Error| Class::Permanent,
            |(), _: StepDue, _| Box::pin(async { Ok(()) }),
        ));
        let failed = answered.map(|answer| failures(&answer));
        assert!(failed.as_ref().is_ok_and(|failed| *failed <= count) || failed.is_err());
        ways.went(failed.is_ok_and(|failed| failed < count));
    });
    ways.assert("queue events", 200);
}

#[test]
fn a_stream_event_fails_from_one_change_on_or_as_one() {
    let change = |number: &str| {
        json!({ "eventName": "MODIFY", "dynamodb": {
            "Keys": { "pk": { "S": "LEAD#a1" }, "sk": { "S": "ENROLLMENT#e1" } },
            "OldImage": { "id": { "S": "e1" }, "n": { "N": "1" }, "b": { "B": "AA==" } },
            "NewImage": { "id": { "S": "e1" }, "l": { "L": [{ "NULL": true }, { "BOOL": false }] }, "s": { "SS": ["x"] } },
            "SequenceNumber": number, "StreamViewType": "NEW_AND_OLD_IMAGES",
        }})
    };
    let (good, ways) = (json!({ "Records": [change("1"), change("2")] }), Ways::default());
    fuzz!(one_of(1), |input: &(usize, Vec<_>)| {
        let event = event(&good, input);
        let answered = wait(stream::each(
            &(),
            event,
            |_: &std::fmt::Error| Class::Permanent,
            |(), change| {
                Box::pin(async move { if change.new_image.is_some() { Ok(()) } else { Err(std::fmt::Error) } })
            },
        ));
        let failed = answered.map(|answer| failures(&answer));
        assert!(failed.as_ref().is_ok_and(|failed| *failed <= 1) || failed.is_err());
        ways.went(failed.is_ok_and(|failed| failed == 0));
    });
    ways.assert("stream events", 200);
}

/// A request as API Gateway hands it in.
fn request() -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /leads/{source}", "rawPath": "/leads/zillow", "rawQueryString": "a=1&b=%20",
        "headers": { "content-type": "application/json", "x-cadence-secret": "s" }, "cookies": ["a=b"],
        "pathParameters": { "source": "zillow" }, "queryStringParameters": { "a": "1" },
        "requestContext": { "accountId": "1", "apiId": "a", "domainName": "example.com", "domainPrefix": "a", "requestId": "r", "stage": "$default",
            "routeKey": "POST /leads/{source}", "time": "01/Dec/2026:18:00:00 +0000", "timeEpoch": 1_796_148_000_000_i64,
            "http": { "method": "POST", "path": "/leads/zillow", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "x" } },
        "body": "{}", "isBase64Encoded": false,
    })
}

#[test]
fn a_request_whose_url_cannot_be_read_is_refused() {
    let router = Router::new().route("/leads/{source}", any(async |body: Bytes| body));
    let answer = |change: fn(&mut Value)| {
        let mut payload = request();
        change(&mut payload);
        wait(http::answer(&router, LambdaEvent { payload, context: Context::default() })).unwrap()
    };
    assert_eq!(answer(|_| ())["statusCode"], 200);
    for change in [
        |request: &mut Value| request["headers"]["host"] = json!("a b"),
        |request: &mut Value| request["requestContext"]["domainName"] = json!("xn--\u{0}"),
        |request: &mut Value| request["headers"]["x-forwarded-proto"] = json!("1:"),
        |request: &mut Value| request["rawQueryString"] = json!("x".repeat(70_000)),
    ] {
        let refused = answer(change);
        assert_eq!(refused["statusCode"], 400, "{refused}");
        assert!(refused["body"].as_str().unwrap().contains("urn:cadence:problem:unreadable-request"), "{refused}");
    }
}

#[test]
fn a_request_of_the_gateway_is_answered_or_refused() {
    let (request, ways) = (request(), Ways::default());
    let router = AssertUnwindSafe(Router::new().route("/leads/{source}", any(async |body: Bytes| body)));
    fuzz!(one_of(1), |input: &(usize, Vec<_>)| {
        let answered = wait(http::answer(&router, event(&request, input)));
        ways.went(answered.as_ref().is_ok_and(|answer| answer["statusCode"] == 200));
        if let Ok(answer) = answered {
            assert!(answer["statusCode"].as_u64().is_some_and(|status| status < 500), "{answer}");
        }
    });
    ways.assert("requests", 200);
}

#[tokio::test]
async fn an_enrollment_in_the_stream_is_scheduled_or_refused() -> Tested {
    let world = World::start().await?;
    world.enroll().await?;
    world.settle().await?;
    let items = world.lead_items("LEAD#").await?;
    let enrollment = items.iter().find(|item| item["sk"].as_str().unwrap().starts_with("ENROLLMENT#")).unwrap();
    let (mut scheduled, mut refused) = (0, 0);
    for damaged in made_of("", None, enrollment.to_string().as_bytes()) {
        let Ok(item) = serde_json::from_slice::<Value>(&damaged.body) else { continue };
        let Ok(image) = serde_dynamo::to_item::<_, serde_dynamo::Item>(item) else { continue };
        match serde_dynamo::from_item::<_, Enrollment>(image) {
            Ok(read) => {
                scheduled += 1;
                let ours = scheduling(None, Some(&read), world.cloud.now());
                assert!(ours.retire.is_none(), "{}: {ours:?}", damaged.what);
            }
            Err(_) => refused += 1,
        }
    }
    println!("{scheduled} scheduled, {refused} refused");
    assert!(scheduled > 100 && refused > 100);
    Ok(())
}
