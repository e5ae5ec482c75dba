use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;

use super::*;
use crate::{
    queues::{NewMessage, QueueConfig, Redrive},
    testing::World,
};

type Answer = Result<Value, FunctionError>;

fn world(bodies: &[&str]) -> World {
    let world = World::new();
    let queue = |name: &str, redrive| QueueConfig {
        name: name.to_owned(),
        visibility: TimeDelta::seconds(360),
        redrive,
    };
    let redrive = Redrive {
        queue: "sms-dlq".to_owned(),
        max_receives: 5,
    };
    for config in [queue("sms-dlq", None), queue("sms", Some(redrive))] {
        queues::ensure(&world.scope(), &config).unwrap();
    }
    for body in bodies {
        let attributes = json!({"trace": {"DataType": "String", "StringValue": "t-1"}});
        let message = NewMessage {
            attributes,
            ..NewMessage::of(*body)
        };
        queues::send(&world.scope(), &stored_queue(&world, "sms"), &message).unwrap();
    }
    world
}

fn stored_queue(world: &World, name: &str) -> Queue {
    queues::find(&world.conn, name).unwrap().unwrap()
}

fn depth(world: &World, name: &str) -> queues::Depth {
    queues::depth(&world.scope(), &stored_queue(world, name)).unwrap()
}

/// A mapping to a function that answers so, and the events that it got.
fn mapping(answer: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> (QueueMapping, Arc<Mutex<Vec<Value>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let function = Function::new("sms", Duration::from_secs(60), move |event, _| {
        let answer = answer(&event);
        seen.lock().unwrap().push(event);
        Box::pin(async move { answer })
    });
    let mapping = QueueMapping {
        queue: "sms".to_owned(),
        function,
        batch_size: 2,
        report_batch_item_failures: true,
    };
    (mapping, events)
}

async fn deliver(world: &World, mapping: &QueueMapping) -> bool {
    let lend = |work: &mut dyn FnMut(&Scope<'_>)| work(&world.scope());
    deliver_from_queue(&lend, mapping).await.unwrap()
}

#[tokio::test]
async fn a_function_gets_messages_as_lambda_shapes_them_and_they_are_deleted() {
    let world = world(&["one", "two", "three"]);
    let (mapping, events) = mapping(|_| Ok(json!({"batchItemFailures": []})));
    assert!(deliver(&world, &mapping).await);
    assert!(deliver(&world, &mapping).await);
    assert!(!deliver(&world, &mapping).await);
    assert_eq!(depth(&world, "sms"), queues::Depth::default());
    let events = events.lock().unwrap();
    let record = events[0]["Records"][1].as_object().unwrap();
    assert_eq!(record["body"], "two");
    assert_eq!(record["md5OfBody"], sqs::md5_hex("two"));
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:sms");
    assert_eq!(record["awsRegion"], "us-east-1");
    let now = world.now.timestamp_millis().to_string();
    let attributes = json!({"ApproximateReceiveCount": "1", "SentTimestamp": now, "SenderId": "000000000000",
        "ApproximateFirstReceiveTimestamp": now});
    assert_eq!(record["attributes"], attributes);
    let trace = json!({"dataType": "String", "stringValue": "t-1", "stringListValues": [], "binaryListValues": []});
    assert_eq!(record["messageAttributes"], json!({"trace": trace}));
    assert_eq!(events[1]["Records"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_the_messages_that_the_function_names_are_seen_again_and_after_their_timeout() {
    let mut world = world(&["one", "two"]);
    let (mapping, events) = mapping(|event| {
        let failed = event["Records"].as_array().unwrap().iter().find(|record| record["body"] == "two");
        Ok(json!({"batchItemFailures": [{"itemIdentifier": failed.unwrap()["messageId"]}]}))
    });
    assert!(deliver(&world, &mapping).await);
    assert_eq!(depth(&world, "sms").in_flight, 1);
    assert!(!deliver(&world, &mapping).await);
    world.wait(TimeDelta::seconds(360));
    assert!(deliver(&world, &mapping).await);
    let events = events.lock().unwrap();
    assert_eq!(events[1]["Records"][0]["body"], "two");
    assert_eq!(events[1]["Records"][0]["attributes"]["ApproximateReceiveCount"], "2");
}

#[tokio::test]
async fn what_an_answer_says_of_a_batch_of_two() {
    let error = FunctionError {
        error_type: "Retryable".to_owned(),
        message: "no".to_owned(),
    };
    let named = |identifier: Value| Ok(json!({"batchItemFailures": [{"itemIdentifier": identifier}]}));
    for (answer, kept) in [
        (Ok(json!(null)), 0),
        (Ok(json!({})), 0),
        (Ok(json!({"batchItemFailures": null})), 0),
        (Ok(json!({"batchItemFailures": []})), 0),
        (Ok(json!("done")), 2),
        (Ok(json!({"batchItemFailures": "all"})), 2),
        (named(json!("")), 2),
        (named(json!(null)), 2),
        (named(json!("no-such-message")), 2),
        (Ok(json!({"batchItemFailures": [{"id": "x"}]})), 2),
        (Err(error), 2),
    ] {
        let world = world(&["one", "two"]);
        let (mapping, _) = mapping({
            let answer: Answer = answer.clone();
            move |_| answer.clone()
        });
        assert!(deliver(&world, &mapping).await);
        assert_eq!(depth(&world, "sms").in_flight, kept, "{answer:?}");
        let unreported = QueueMapping {
            report_batch_item_failures: false,
            ..mapping
        };
        let world = self::world(&["one", "two"]);
        deliver(&world, &unreported).await;
        let kept = if answer.is_err() { 2 } else { 0 };
        assert_eq!(depth(&world, "sms").in_flight, kept, "nobody reads the answer {answer:?}");
    }
}

#[tokio::test]
async fn a_message_that_always_fails_ends_in_the_dead_letter_queue_after_five_tries() {
    let mut world = world(&["poison"]);
    let (mapping, events) = mapping(|_| Ok(json!("malformed")));
    while deliver(&world, &mapping).await {
        world.wait(TimeDelta::seconds(360));
    }
    assert_eq!(events.lock().unwrap().len(), 5);
    assert_eq!(depth(&world, "sms"), queues::Depth::default());
    assert_eq!(depth(&world, "sms-dlq").visible, 1);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_hangs_is_cut_off_and_its_messages_are_kept() {
    let world = world(&["one"]);
    let (mapping, _) = mapping(|_| Ok(json!(null)));
    let hung = QueueMapping {
        function: Function::new("sms", Duration::from_secs(60), |_, _| Box::pin(std::future::pending())),
        ..mapping
    };
    assert!(deliver(&world, &hung).await);
    assert_eq!(depth(&world, "sms").in_flight, 1);
}

#[tokio::test]
async fn a_message_that_was_received_again_meanwhile_is_not_deleted_by_the_slower_run() {
    let mut world = world(&["one"]);
    let (mapping, _) = mapping(|_| Ok(json!(null)));
    let slow = take(&world.scope(), &mapping).unwrap().unwrap();
    world.wait(TimeDelta::seconds(360));
    let fast = take(&world.scope(), &mapping).unwrap().unwrap();
    settle(&world.scope(), &mapping, &slow, &Ok(json!(null))).unwrap();
    assert_eq!(depth(&world, "sms").in_flight, 1);
    settle(&world.scope(), &mapping, &fast, &Ok(json!(null))).unwrap();
    assert_eq!(depth(&world, "sms"), queues::Depth::default());
}
