//! Delivers a queue's messages to a function, as Lambda's event source mappings do.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    account::Account,
    database::Database,
    function::Function,
    services::{
        queues::{self, Received},
        sqs::md5,
    },
};

/// A queue that a function reads.
#[derive(Clone, Debug)]
pub struct QueueMapping {
    /// The queue.
    pub queue: String,
    /// Who gets its messages.
    pub function: Function,
    /// How many messages one invocation gets at most.
    pub batch_size: usize,
}

/// Takes the next batch; `None` where no message is to be seen.
pub(crate) fn take(db: &Database, mapping: &QueueMapping, now: DateTime<Utc>) -> rusqlite::Result<Option<Batch>> {
    let received = db.with(|conn| match queues::load(conn, &mapping.queue)? {
        Some(queue) => queues::receive(conn, &queue, mapping.batch_size, queue.visibility, now),
        None => Ok(Vec::new()),
    })?;
    Ok((!received.is_empty()).then_some(Batch(received)))
}

/// Messages in a function's hands.
pub(crate) struct Batch(pub(crate) Vec<Received>);

impl Batch {
    /// Invokes the function once with them.
    ///
    /// What it reports as failed, and all of a batch whose invocation or answer fails, comes again when its visibility runs out.
    pub(crate) async fn hand_over(
        self,
        db: &Database,
        account: &Account,
        mapping: &QueueMapping,
        now: DateTime<Utc>,
    ) -> rusqlite::Result<()> {
        let Self(received) = self;
        let receipts: Vec<String> = received.iter().map(Received::receipt).collect();
        let request_id = format!("{}-{}", mapping.function.name, receipts.join("-"));
        let request_id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, request_id.as_bytes()).to_string();
        let records: Vec<Value> = received.iter().map(|message| record(account, &mapping.queue, message)).collect();
        let failed = match mapping.function.invoke(json!({ "Records": records }), request_id, now).await {
            Ok(answer) => failures(&answer, &received),
            Err(error) => {
                tracing::warn!(queue = mapping.queue, %error, "the function failed; its messages come again");
                None
            }
        };
        let Some(failed) = failed else { return Ok(()) };
        db.with(|conn| {
            let mut done = received.iter().filter(|message| !failed.contains(&message.id()));
            done.try_for_each(|message| queues::delete(conn, &mapping.queue, &message.receipt()).map(drop))
        })
    }
}

/// Which messages failed; `None` where the answer is malformed or names a message that was not delivered, so that all failed.
fn failures(answer: &Value, delivered: &[Received]) -> Option<Vec<String>> {
    let failures = match answer {
        Value::Null => None,
        Value::Object(fields) => fields.get("batchItemFailures").filter(|failures| !failures.is_null()),
        // Anything else is no report at all.
        _ => return None,
    };
    let Some(failures) = failures else { return Some(Vec::new()) };
    let ids: Option<Vec<String>> = failures
        .as_array()?
        .iter()
        .map(|failure| failure.get("itemIdentifier").and_then(Value::as_str).map(str::to_owned))
        .collect();
    ids.filter(|ids| ids.iter().all(|id| delivered.iter().any(|message| message.id() == *id)))
}

fn record(account: &Account, queue: &str, message: &Received) -> Value {
    json!({
        "messageId": message.id(), "receiptHandle": message.receipt(), "body": message.body, "md5OfBody": md5(&message.body),
        "attributes": {
            "ApproximateReceiveCount": message.receives.to_string(), "SentTimestamp": message.sent_at.to_string(),
            "SenderId": account.id, "ApproximateFirstReceiveTimestamp": message.first_received_at.to_string(),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs", "eventSourceARN": account.arn("sqs", queue), "awsRegion": account.region,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_fails_what_it_names_and_all_where_it_is_malformed() {
        let delivered = Received { seq: 1, body: String::new(), sent_at: 0, first_received_at: 0, receives: 1 };
        let id = delivered.id();
        let named = |id: Value| json!({ "batchItemFailures": [{ "itemIdentifier": id }] });
        for (answer, failed) in [
            (json!(null), Some(vec![])),
            (json!({}), Some(vec![])),
            (json!({ "batchItemFailures": null }), Some(vec![])),
            (json!({ "batchItemFailures": [] }), Some(vec![])),
            (named(json!(id)), Some(vec![id])),
            (named(json!("")), None),
            (named(json!(null)), None),
            (named(json!("not-delivered")), None),
            (json!({ "batchItemFailures": [{ "id": "x" }] }), None),
            (json!({ "batchItemFailures": "all" }), None),
            (json!("done"), None),
            (json!([]), None),
        ] {
            assert_eq!(failures(&answer, std::slice::from_ref(&delivered)), failed, "{answer}");
        }
    }
}
