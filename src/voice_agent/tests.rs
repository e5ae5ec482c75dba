use chrono::TimeDelta;

use super::*;
use crate::{services, testing::World};

const NUMBER: &str = "+14155550123";

fn order() -> Value {
    json!({
        "phoneNumberId": "pn-1",
        "assistantId": "first-touch",
        "customer": {"number": NUMBER, "name": "Casey"},
        "assistantOverrides": {"variableValues": {"city": "Springfield"}},
        "metadata": {"step_key": "e-1/robot-call/1"},
    })
}

fn send(world: &World, method: &str, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("authorization", key);
    }
    let request = request.body(Bytes::from(body.to_string())).unwrap();
    world.json(|scope| handle(scope, &request))
}

fn post(world: &World, body: &Value) -> (u16, Value) {
    send(world, "POST", "/voice-agent/call", Some("Bearer key"), body)
}

fn get(world: &World, path: &str) -> Value {
    let (status, body) = send(world, "GET", path, Some("Bearer key"), &json!(null));
    assert_eq!(status, 200, "{body}");
    body
}

#[test]
fn a_call_is_taken_and_its_end_is_reported_until_it_is_marked() {
    let mut world = World::new();
    let (status, call) = post(&world, &order());
    assert_eq!((status, &call["status"]), (201, &json!("queued")));
    let id = call["id"].as_str().unwrap();
    let sent = &outbox::list(&world.conn, 0).unwrap()[0].what;
    assert_eq!((sent.to.as_str(), sent.vendor_id.as_str()), (NUMBER, id));
    assert_eq!(sent.tags["step_key"], "e-1/robot-call/1");
    assert_eq!(sent.details["city"], "Springfield");

    let ends_at = world.now + TimeDelta::seconds(45);
    assert_eq!(services::next_due_at(&world.conn, world.now, &[]).unwrap(), Some(ends_at));
    world.wait(TimeDelta::seconds(44));
    assert_eq!(due_reports(&world.scope()).unwrap(), []);
    world.wait(TimeDelta::seconds(1));
    for _ in 0..2 {
        let reports = due_reports(&world.scope()).unwrap();
        assert_eq!((reports.len(), reports[0].id.as_str()), (1, id));
        let message = &reports[0].body["message"];
        assert_eq!(message["type"], "end-of-call-report");
        assert_eq!(message["endedReason"], "customer-did-not-answer");
        assert_eq!(message["call"]["id"], id);
        assert_eq!(message["call"]["metadata"], order()["metadata"]);
        assert_eq!(message["artifact"]["transcript"], "");
    }
    mark_reported(&world.conn, id).unwrap();
    assert_eq!(due_reports(&world.scope()).unwrap(), []);
}

#[test]
fn a_script_says_how_calls_to_a_number_end() {
    let mut world = World::new();
    let ending = Ending {
        structured_data: json!({"appointment": "2027-01-06T17:00:00Z"}),
        ..Ending::new(TimeDelta::minutes(3), "assistant-forwarded-call")
    };
    script(&world.conn, NUMBER, &ending).unwrap();
    post(&world, &order());
    world.wait(TimeDelta::minutes(3));
    let reports = due_reports(&world.scope()).unwrap();
    let message = &reports[0].body["message"];
    assert_eq!(message["endedReason"], "assistant-forwarded-call");
    assert_eq!(message["analysis"]["structuredData"], ending.structured_data);
    assert_eq!(message["analysis"]["successEvaluation"], "true");
}

#[test]
fn calls_are_listed_newest_first_within_bounds() {
    let mut world = World::new();
    let (_, first) = post(&world, &order());
    world.wait(TimeDelta::minutes(10));
    let (_, second) = post(&world, &order());
    let ids = |query: &str| {
        let listed = get(&world, &format!("/voice-agent/call{query}"));
        listed.as_array().unwrap().iter().map(|call| call["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(""), [second["id"].clone(), first["id"].clone()]);
    assert_eq!(ids("?createdAtGe=2027-01-05T15:10:00Z"), [second["id"].clone()]);
    assert_eq!(ids("?createdAtGt=2027-01-05T15:10:00.000Z"), [] as [Value; 0]);
    assert_eq!(ids("?createdAtLt=2027-01-05T15:10:00Z&limit=5"), [first["id"].clone()]);
    assert_eq!(ids("?limit=1").len(), 1);
    assert_eq!(ids("?assistantId=other"), [] as [Value; 0]);
    let one = get(&world, &format!("/voice-agent/call/{}", first["id"].as_str().unwrap()));
    assert_eq!((&one["status"], &one["endedReason"]), (&json!("ended"), &json!("customer-did-not-answer")));
    assert_eq!(send(&world, "GET", "/voice-agent/call/none", Some("Bearer key"), &json!(null)).0, 404);
}

#[test]
fn a_call_without_a_key_or_that_is_no_order_is_refused() {
    let world = World::new();
    for key in [None, Some("Bearer "), Some("Basic key")] {
        assert_eq!(send(&world, "POST", "/voice-agent/call", key, &order()).0, 401, "{key:?}");
    }
    for (pointer, value) in [
        ("/customer/number", json!("4155550123")),
        ("/customer", json!(null)),
        ("/phoneNumberId", json!("")),
        ("/assistantId", json!(7)),
        ("/metadata", json!("x")),
    ] {
        let mut body = order();
        *body.pointer_mut(pointer).unwrap() = value;
        let (status, refused) = post(&world, &body);
        assert_eq!((status, &refused["error"]), (400, &json!("Bad Request")), "{body}");
    }
    assert_eq!(send(&world, "DELETE", "/voice-agent/call/x", Some("Bearer key"), &json!(null)).0, 404);
    assert!(outbox::list(&world.conn, 0).unwrap().is_empty());
}
