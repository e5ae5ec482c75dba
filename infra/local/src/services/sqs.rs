//! Amazon SQS, as AWS JSON 1.0.

use bytes::Bytes;
use chrono::TimeDelta;
use http::{HeaderValue, Request, Response};
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{
    Scope,
    queues::{self, Queue},
    wire::{self, Outcome, Refusal},
};

/// How long a message may be, in bytes: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MAX_BODY: usize = 1024 * 1024;
/// The longest delay of a message.
const MAX_DELAY: i64 = 900;

pub(crate) fn handle(scope: &Scope<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let outcome = wire::body(request).and_then(|body| answer(scope, wire::operation(request), &body));
    let no_such_queue = matches!(&outcome, Err(refusal) if refusal.code == "QueueDoesNotExist");
    let mut response = wire::json_answer(outcome, "com.amazonaws.sqs");
    if no_such_queue {
        // Clients of the older protocol know the error by this name.
        let name = HeaderValue::from_static("AWS.SimpleQueueService.NonExistentQueue;Sender");
        response.headers_mut().insert("x-amzn-query-error", name);
    }
    response
}

fn answer(scope: &Scope<'_>, operation: &str, body: &Value) -> Outcome {
    match operation {
        "CreateQueue" => create(scope, body),
        "GetQueueUrl" => {
            let queue = named(scope, wire::text(body, "QueueName")?)?;
            Ok(json!({ "QueueUrl": scope.account.queue_url(&queue.name) }))
        }
        "ListQueues" => {
            let prefix = body.get("QueueNamePrefix").and_then(Value::as_str).unwrap_or_default();
            let names = queues::names(scope.conn)?;
            let urls: Vec<_> = names
                .iter()
                .filter(|name| name.starts_with(prefix))
                .map(|name| scope.account.queue_url(name))
                .collect();
            Ok(json!({ "QueueUrls": urls }))
        }
        "GetQueueAttributes" => attributes(scope, &of_url(scope, body)?),
        "SendMessage" => send(scope, &of_url(scope, body)?, body),
        "ReceiveMessage" => receive(scope, &of_url(scope, body)?, body),
        "DeleteMessage" => {
            queues::delete(scope.conn, &of_url(scope, body)?.name, wire::text(body, "ReceiptHandle")?)?;
            Ok(json!({}))
        }
        "ChangeMessageVisibility" => {
            let queue = of_url(scope, body)?;
            let until = scope.now + seconds(body, "VisibilityTimeout", 43_200)?.unwrap_or(queue.visibility);
            match queues::hide(scope.conn, &queue.name, wire::text(body, "ReceiptHandle")?, scope.now, until)? {
                true => Ok(json!({})),
                false => Err(Refusal::of("MessageNotInflight", "the message is not in flight")),
            }
        }
        "PurgeQueue" => {
            queues::purge(scope.conn, &of_url(scope, body)?.name)?;
            Ok(json!({}))
        }
        other => Err(Refusal::unknown_operation(other)),
    }
}

fn create(scope: &Scope<'_>, body: &Value) -> Outcome {
    let name = wire::text(body, "QueueName")?;
    let attribute = |name: &str| body.pointer(&format!("/Attributes/{name}")).and_then(Value::as_str);
    let visibility = attribute("VisibilityTimeout").map_or(Ok(30), str::parse);
    let visibility =
        visibility.map_err(|_| Refusal::of("InvalidAttributeValue", "VisibilityTimeout is not a number"))?;
    let redrive =
        attribute("RedrivePolicy").and_then(|policy| serde_json::from_str::<Value>(policy).ok()).and_then(|policy| {
            let dlq = policy.get("deadLetterTargetArn")?.as_str()?.rsplit(':').next()?.to_owned();
            let max = policy.get("maxReceiveCount")?;
            let max = max.as_u64().or_else(|| max.as_str()?.parse().ok())?;
            Some((u32::try_from(max).ok()?, dlq))
        });
    queues::create(scope.conn, &Queue { name: name.to_owned(), visibility: TimeDelta::seconds(visibility), redrive })?;
    Ok(json!({ "QueueUrl": scope.account.queue_url(name) }))
}

fn attributes(scope: &Scope<'_>, queue: &Queue) -> Outcome {
    let (visible, in_flight, delayed) = queues::counts(scope.conn, &queue.name, scope.now)?;
    let mut attributes = json!({
        "QueueArn": scope.account.arn("sqs", &queue.name),
        "VisibilityTimeout": queue.visibility.num_seconds().to_string(),
        "ApproximateNumberOfMessages": visible.to_string(),
        "ApproximateNumberOfMessagesNotVisible": in_flight.to_string(),
        "ApproximateNumberOfMessagesDelayed": delayed.to_string(),
    });
    if let (Some((max, dlq)), Some(fields)) = (&queue.redrive, attributes.as_object_mut()) {
        let policy = json!({ "deadLetterTargetArn": scope.account.arn("sqs", dlq), "maxReceiveCount": max });
        fields.insert("RedrivePolicy".to_owned(), json!(policy.to_string()));
    }
    Ok(json!({ "Attributes": attributes }))
}

fn send(scope: &Scope<'_>, queue: &Queue, body: &Value) -> Outcome {
    let text = wire::text(body, "MessageBody")?;
    if text.len() > MAX_BODY {
        return Err(Refusal::of("InvalidParameterValue", "the message is longer than 1 MiB"));
    }
    let delay = seconds(body, "DelaySeconds", MAX_DELAY)?.unwrap_or_default();
    let id = queues::send(scope.conn, &queue.name, text, scope.now, delay)?;
    Ok(json!({ "MessageId": id, "MD5OfMessageBody": md5(text) }))
}

fn receive(scope: &Scope<'_>, queue: &Queue, body: &Value) -> Outcome {
    let count = body.get("MaxNumberOfMessages").and_then(Value::as_u64).unwrap_or(1);
    let visibility = seconds(body, "VisibilityTimeout", 43_200)?.unwrap_or(queue.visibility);
    let received =
        queues::receive(scope.conn, queue, usize::try_from(count.min(10)).unwrap_or(10), visibility, scope.now)?;
    let messages = received.iter().map(|message| {
        json!({
            "MessageId": message.id(), "ReceiptHandle": message.receipt(), "Body": message.body, "MD5OfBody": md5(&message.body),
            "Attributes": {
                "ApproximateReceiveCount": message.receives.to_string(), "SentTimestamp": message.sent_at.to_string(),
                "ApproximateFirstReceiveTimestamp": message.first_received_at.to_string(),
            },
        })
    });
    Ok(json!({ "Messages": messages.collect::<Vec<_>>() }))
}

fn seconds(body: &Value, name: &str, max: i64) -> Outcome<Option<TimeDelta>> {
    match body.get(name).and_then(Value::as_i64) {
        None => Ok(None),
        Some(seconds) if (0..=max).contains(&seconds) => Ok(Some(TimeDelta::seconds(seconds))),
        Some(_) => Err(Refusal::of("InvalidParameterValue", format!("{name} must be between 0 and {max}"))),
    }
}

fn of_url(scope: &Scope<'_>, body: &Value) -> Outcome<Queue> {
    named(scope, wire::text(body, "QueueUrl")?.rsplit('/').next().unwrap_or_default())
}

fn named(scope: &Scope<'_>, name: &str) -> Outcome<Queue> {
    queues::load(scope.conn, name)?
        .ok_or_else(|| Refusal::of("QueueDoesNotExist", "the specified queue does not exist"))
}

/// MD5 of a body, in hexadecimal: clients compare it.
pub(crate) fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
