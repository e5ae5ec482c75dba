//! DynamoDB and its streams, as AWS JSON 1.0 over HTTP, answered by dynoxide.

mod tokens;
mod wire;

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use dynoxide::{
    DynoxideError,
    actions::{
        batch_get_item, batch_write_item, create_table, delete_item, delete_table, describe_stream, describe_table,
        describe_time_to_live, get_item, get_records, get_shard_iterator, list_streams, list_tables, put_item, query,
        scan, transact_get_items, update_item, update_time_to_live, vector_lifecycle::VectorIndexLifecycle,
    },
    storage::Storage,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

pub(crate) use self::tokens::SCHEMA as TOKENS_SCHEMA;
use crate::{
    database::Database,
    services::wire::{Refusal, json_answer},
};

type Answer = Result<Vec<u8>, DynoxideError>;

/// Answers one request, whose `x-amz-target` names the operation.
pub fn handle(db: &Database, now: DateTime<Utc>, request: &http::Request<Bytes>) -> http::Response<Bytes> {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok()).unwrap_or_default();
    let body = wire::with_dynoxide_arns(target, request.body());
    let answer = match target.split_once('.') {
        Some(("DynamoDB_20120810", operation)) => db.storage(|storage| tables(storage, now, operation, &body)),
        Some(("DynamoDBStreams_20120810", operation)) => db.storage(|storage| streams(storage, operation, &body)),
        _ => None,
    };
    let id = wire::request_id(target, now, request.body());
    match answer {
        Some(Ok(answer)) => wire::answered(&id, wire::with_aws_arns(target, answer)),
        Some(Err(error)) => wire::refused(&id, target, error),
        None => wire::unknown_operation(&id, target),
    }
}

/// A refusal as DynamoDB words it; a cancelled transaction's reasons say that another one was at its first item.
pub(crate) fn refusal(refusal: Refusal) -> http::Response<Bytes> {
    let is_cancelled = refusal.code == "TransactionCanceledException";
    let mut response = json_answer(Err(refusal), "com.amazonaws.dynamodb.v20120810");
    if is_cancelled {
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
            "CancellationReasons": [{ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" }],
        });
        *response.body_mut() = Bytes::from(body.to_string());
    }
    response
}

fn tables(s: &Storage, now: DateTime<Utc>, operation: &str, body: &[u8]) -> Option<Answer> {
    // Vector indexes, which this is about, are not served.
    let lifecycle = VectorIndexLifecycle::new();
    let answer = match operation {
        "CreateTable" => answer(body, |request| create_table::execute(s, request)),
        "DescribeTable" => answer(body, |request| describe_table::execute(s, request, &lifecycle)),
        "ListTables" => answer(body, |request| list_tables::execute(s, request)),
        "DeleteTable" => answer(body, |request| delete_table::execute(s, request, &lifecycle)),
        "UpdateTimeToLive" => answer(body, |request| update_time_to_live::execute(s, request)),
        "DescribeTimeToLive" => answer(body, |request| describe_time_to_live::execute(s, request)),
        "GetItem" => answer(body, |request| get_item::execute(s, request)),
        "PutItem" => answer(body, |request| put_item::execute(s, request)),
        "UpdateItem" => answer(body, |request| update_item::execute(s, request)),
        "DeleteItem" => answer(body, |request| delete_item::execute(s, request)),
        "Query" => answer(body, |request| query::execute(s, request)),
        "Scan" => answer(body, |request| scan::execute(s, request)),
        "BatchGetItem" => answer(body, |request| batch_get_item::execute(s, request)),
        "BatchWriteItem" => answer(body, |request| batch_write_item::execute(s, request)),
        "TransactGetItems" => answer(body, |request| transact_get_items::execute(s, request)),
        "TransactWriteItems" => answer(body, |request| async { tokens::write_once(s, request, now) }),
        _ => return None,
    };
    Some(answer)
}

fn streams(s: &Storage, operation: &str, body: &[u8]) -> Option<Answer> {
    let answer = match operation {
        "ListStreams" => answer(body, |request| list_streams::execute(s, request)),
        "DescribeStream" => answer(body, |request| describe_stream::execute(s, request)),
        "GetShardIterator" => answer(body, |request| get_shard_iterator::execute(s, request)),
        "GetRecords" => answer(body, |request| get_records::execute(s, request)),
        _ => return None,
    };
    Some(answer)
}

fn answer<Q, A, F>(body: &[u8], execute: impl FnOnce(Q) -> F) -> Answer
where
    Q: DeserializeOwned,
    A: Serialize,
    F: Future<Output = Result<A, DynoxideError>>,
{
    // serde would take a list of values for a request, field by field.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(DynoxideError::SerializationException(String::new()));
    }
    let request = serde_json::from_slice(body).map_err(|error| wire::unreadable(&error))?;
    let answer = finished(execute(request))?;
    serde_json::to_vec(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// Runs what never waits: over SQLite, dynoxide's futures are ready when they are first polled.
fn finished<A>(work: impl Future<Output = Result<A, DynoxideError>>) -> Result<A, DynoxideError> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(DynoxideError::InternalServerError("the storage did not answer at once".to_owned())),
    }
}
