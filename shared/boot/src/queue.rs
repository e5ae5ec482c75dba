//! Queue functions: SQS messages in, the ids of those that failed out.

use cadence_core::failure::Class;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Running, diagnostic};

/// What is needed of an SQS event; whatever else it holds never fails a batch.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    body: String,
}

/// Runs `handle` on each message. One that fails, or can't be read, comes again and ends in the dead-letter queue.
pub async fn each<A, T, E>(
    app: &A,
    event: LambdaEvent<Value>,
    class: fn(&E) -> Class,
    handle: for<'a> fn(&'a A, T, &'a Context) -> Running<'a, E>,
) -> Result<Value, Diagnostic>
where
    T: DeserializeOwned,
    E: std::error::Error + 'static,
{
    let records: Event = serde_json::from_value(event.payload).map_err(|error| diagnostic::unreadable(&error))?;
    let mut failed = Vec::new();
    for message in records.records {
        let failure = match serde_json::from_str(&message.body) {
            Ok(body) => {
                handle(app, body, &event.context).await.err().map(|error| diagnostic::of(class(&error), &error))
            }
            Err(error) => Some(diagnostic::unreadable(&error)),
        };
        if let Some(failure) = failure {
            tracing::error!(error.kind = failure.error_type, error.message = failure.error_message, "failed message");
            failed.push(json!({ "itemIdentifier": message.message_id }));
        }
    }
    Ok(json!({ "batchItemFailures": failed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no")]
    struct Refused;

    #[tokio::test]
    async fn only_the_messages_that_failed_or_cant_be_read_come_again() {
        let payload = json!({"Records": [
            {"messageId": "a", "body": "1", "unknown": true},
            {"messageId": "b", "body": "2"},
            {"messageId": "c", "body": "not json"},
        ]});
        let event = LambdaEvent::new(payload, lambda_runtime::Context::default());
        let answer = each(
            &(),
            event,
            |_: &Refused| Class::Permanent,
            |_, number: u32, _| Box::pin(async move { if number == 1 { Ok(()) } else { Err(Refused) } }),
        );
        let expected = json!({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "c"}]});
        assert_eq!(answer.await.unwrap(), expected);
    }
}
