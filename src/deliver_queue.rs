//! Delivers a queue's messages to a function, as Lambda's event source mappings do.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{
    function::{Function, FunctionError},
    queues::{self, Message, Queue},
    services::{Scope, commit, issue_id},
    sqs,
};

/// A queue whose messages a function gets.
#[derive(Clone, Debug)]
pub struct QueueMapping {
    /// The queue's name.
    pub queue: String,
    /// Who gets its messages.
    pub function: Function,
    /// How many messages one invocation gets at most.
    pub batch_size: u32,
    /// Whether the function says which messages failed.
    pub report_batch_item_failures: bool,
}

/// Messages that one invocation gets.
#[derive(Clone, Debug)]
pub struct Batch {
    queue: Queue,
    messages: Vec<Message>,
    event: Value,
    request_id: String,
    taken_at: DateTime<Utc>,
}

/// Delivers what can be received, with one invocation at most; answers whether there was anything.
///
/// `lend` calls what it is given once, with the database and the instant. Nothing is lent while the function runs.
pub async fn deliver_from_queue<L>(lend: &L, mapping: &QueueMapping) -> rusqlite::Result<bool>
where
    L: Fn(&mut dyn FnMut(&Scope<'_>)),
{
    let mut taken = Ok(None);
    lend(&mut |scope| taken = take(scope, mapping));
    let Some(batch) = taken? else { return Ok(false) };
    let answer = invoke(mapping, &batch).await;
    let mut settled = Ok(());
    lend(&mut |scope| settled = settle(scope, mapping, &batch, &answer));
    settled?;
    Ok(true)
}

/// Receives the next batch; `None` if there is no message.
pub fn take(scope: &Scope<'_>, mapping: &QueueMapping) -> rusqlite::Result<Option<Batch>> {
    commit(scope.conn, || {
        let Some(queue) = queues::find(scope.conn, &mapping.queue)? else {
            return Ok(None);
        };
        let messages = queues::receive(scope, &queue, mapping.batch_size, None)?;
        if messages.is_empty() {
            return Ok(None);
        }
        let records = messages.iter().map(|message| record(scope, &queue, message));
        Ok(Some(Batch {
            event: json!({"Records": records.collect::<Vec<_>>()}),
            request_id: issue_id(scope.conn, "invocation")?.to_string(),
            taken_at: scope.now,
            queue,
            messages,
        }))
    })
}

async fn invoke(mapping: &QueueMapping, batch: &Batch) -> Result<Value, FunctionError> {
    let function = &mapping.function;
    let running = function.invoke(batch.event.clone(), batch.request_id.clone(), batch.taken_at);
    match tokio::time::timeout(function.timeout, running).await {
        Ok(answer) => answer,
        Err(_) => Err(FunctionError {
            error_type: "Sandbox.Timedout".to_owned(),
            message: format!("Task timed out after {:.2} seconds", function.timeout.as_secs_f64()),
        }),
    }
}

/// Deletes what the function took. What it did not take is seen again when its visibility timeout has passed.
pub fn settle(
    scope: &Scope<'_>,
    mapping: &QueueMapping,
    batch: &Batch,
    answer: &Result<Value, FunctionError>,
) -> rusqlite::Result<()> {
    let failed = failed(mapping, batch, answer);
    if !failed.is_empty() {
        let kind = answer.as_ref().err().map(|error| error.error_type.as_str());
        tracing::warn!(
            queue = mapping.queue,
            function = mapping.function.name,
            failed = failed.len(),
            error.kind = kind,
            "kept messages for another try"
        );
    }
    commit(scope.conn, || {
        let taken = batch.messages.iter().filter(|message| !failed.contains(message.id.as_str()));
        for message in taken {
            // Somebody else may have received it since, if the function ran longer than the message was hidden.
            if queues::delete(scope, &batch.queue, &message.receipt_handle)?.is_err() {
                tracing::error!(queue = mapping.queue, "kept a message whose handle was not understood");
            }
        }
        Ok(())
    })
}

/// The ids of the messages that failed.
fn failed<'a>(mapping: &QueueMapping, batch: &'a Batch, answer: &Result<Value, FunctionError>) -> BTreeSet<&'a str> {
    let all = || batch.messages.iter().map(|message| message.id.as_str()).collect();
    match answer {
        Err(_) => all(),
        Ok(_) if !mapping.report_batch_item_failures => BTreeSet::new(),
        Ok(answer) => named(batch, answer).unwrap_or_else(all),
    }
}

/// The messages that an answer names; `None` if it is malformed, which fails the whole batch.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
fn named<'a>(batch: &'a Batch, answer: &Value) -> Option<BTreeSet<&'a str>> {
    let failures = match answer {
        Value::Null => return Some(BTreeSet::new()),
        Value::Object(answer) => match answer.get("batchItemFailures") {
            None | Some(Value::Null) => return Some(BTreeSet::new()),
            Some(failures) => failures.as_array()?,
        },
        _ => return None,
    };
    let named = failures.iter().map(|failure| {
        let id = failure.get("itemIdentifier")?.as_str()?;
        let message = batch.messages.iter().find(|message| message.id == id)?;
        Some(message.id.as_str())
    });
    named.collect()
}

fn record(scope: &Scope<'_>, queue: &Queue, message: &Message) -> Value {
    let attributes = message.attributes.as_object().into_iter().flatten();
    let attributes: Map<_, _> = attributes.map(|(name, attribute)| (name.clone(), event_attribute(attribute))).collect();
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": sqs::system_attributes(scope, message),
        "messageAttributes": attributes,
        "md5OfBody": sqs::md5_hex(&message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": queues::arn_of(scope.account, &queue.name),
        "awsRegion": scope.account.region,
    })
}

/// An attribute as events spell it: their names begin in lower case, and they have two lists that are never filled.
fn event_attribute(attribute: &Value) -> Value {
    let mut shown = Map::from_iter([
        ("stringListValues".to_owned(), json!([])),
        ("binaryListValues".to_owned(), json!([])),
    ]);
    for (name, field) in [
        ("dataType", "DataType"),
        ("stringValue", "StringValue"),
        ("binaryValue", "BinaryValue"),
    ] {
        if let Some(value) = attribute.get(field) {
            shown.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests;
