//! Stream functions: a table's changes in, the first that failed out.

use cadence_core::failure::Class;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Deserialize;
use serde_dynamo::Item;
use serde_json::{Value, json};

use crate::{Running, diagnostic};

/// What is needed of a stream event; whatever else it holds never fails a batch.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Change,
}

/// One item's change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Change {
    /// Where the item lives.
    pub keys: Item,
    /// How it was; `None` if it is new.
    #[serde(default)]
    pub old_image: Option<Item>,
    /// How it is; `None` if it is gone.
    #[serde(default)]
    pub new_image: Option<Item>,
    sequence_number: String,
}

/// Runs `handle` on each change, in order, up to the first that fails: Lambda delivers again from there.
pub async fn each<A, E>(
    app: &A,
    event: LambdaEvent<Value>,
    class: fn(&E) -> Class,
    handle: for<'a> fn(&'a A, Change) -> Running<'a, E>,
) -> Result<Value, Diagnostic>
where
    E: std::error::Error + 'static,
{
    let records: Event = serde_json::from_value(event.payload).map_err(|error| diagnostic::unreadable(&error))?;
    for record in records.records {
        let number = record.dynamodb.sequence_number.clone();
        if let Err(error) = handle(app, record.dynamodb).await {
            let failure = diagnostic::of(class(&error), &error);
            tracing::error!(error.kind = failure.error_type, error.message = failure.error_message, "failed change");
            return Ok(json!({ "batchItemFailures": [{ "itemIdentifier": number }] }));
        }
    }
    Ok(json!({ "batchItemFailures": [] }))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no")]
    struct Refused;

    #[tokio::test]
    async fn the_first_change_that_fails_ends_the_batch() {
        let change = |number: &str| {
            json!({"eventID": "x", "dynamodb": {"Keys": {"pk": {"S": "A"}}, "NewImage": {"n": {"N": number}},
                "SequenceNumber": number, "SizeBytes": 3}})
        };
        let payload = json!({"Records": [change("1"), change("2"), change("3")]});
        let event = LambdaEvent::new(payload, lambda_runtime::Context::default());
        let seen = AtomicU32::new(0);
        let answer = each(
            &seen,
            event,
            |_: &Refused| Class::Retryable,
            |seen, change| {
                seen.fetch_add(1, Ordering::Relaxed);
                let image: Value = serde_dynamo::from_item(change.new_image.unwrap()).unwrap();
                Box::pin(async move { if image["n"] == 2 { Err(Refused) } else { Ok(()) } })
            },
        );
        assert_eq!(answer.await.unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
        assert_eq!(seen.load(Ordering::Relaxed), 2);
    }
}
