//! The services beside DynamoDB. All they know is in the cloud's one database, committed before a request is answered.

pub(crate) mod outbox;
pub(crate) mod queues;
pub(crate) mod scheduler;
pub(crate) mod secrets;
pub(crate) mod ses;
pub(crate) mod sns;
pub(crate) mod sqs;
pub(crate) mod timers;
pub(crate) mod voice_agent;
pub(crate) mod wire;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, Response};
use rusqlite::Connection;

use crate::{account::Account, cloud, dynamo, faults::Refused, function::Invocation};

/// What one request is answered with: the database, whose cloud it is, and the instant.
pub(crate) struct Scope<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) account: &'a Account,
    pub(crate) now: DateTime<Utc>,
}

impl Scope<'_> {
    /// The invocation that asks, where functions run inside this process.
    fn asked_by() -> Option<String> {
        Invocation::that_asks().map(|invocation| invocation.request_id.to_string())
    }
}

/// Makes the services' tables, where they are not there yet.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, visibility INTEGER NOT NULL, max_receives INTEGER, dlq TEXT);
    CREATE TABLE IF NOT EXISTS messages (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body TEXT NOT NULL, sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL, receives INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER);
    CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (queue, visible_at);
    CREATE TABLE IF NOT EXISTS schedule_groups (name TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS schedules (
        group_name TEXT NOT NULL, name TEXT NOT NULL, due_at INTEGER NOT NULL, request TEXT NOT NULL,
        PRIMARY KEY (group_name, name));
    CREATE INDEX IF NOT EXISTS schedules_by_instant ON schedules (due_at);
    CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS sent (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, sent TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS calls (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL, metadata TEXT NOT NULL, ends_at INTEGER NOT NULL,
        ended_reason TEXT NOT NULL, analysis TEXT NOT NULL, reported INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS call_scripts (
        number TEXT PRIMARY KEY, seconds INTEGER NOT NULL, ended_reason TEXT NOT NULL, analysis TEXT NOT NULL);
";

/// The next instant after `now` at which a timer fires, a message of those queues shows, or a call ends.
pub(crate) fn next_due_at(
    conn: &Connection,
    now: DateTime<Utc>,
    queues: &[&str],
) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let ask = |sql: &str, queue: &str| -> rusqlite::Result<Option<i64>> {
        conn.prepare_cached(sql)?.query_row(rusqlite::params![now.timestamp_millis(), queue], |row| row.get(0))
    };
    let mut found = vec![
        ask("SELECT min(due_at) FROM schedules WHERE due_at > ?1 AND ?2 = ''", "")?,
        ask("SELECT min(ends_at) FROM calls WHERE reported = 0 AND ends_at > ?1 AND ?2 = ''", "")?,
    ];
    for queue in queues {
        found.push(ask("SELECT min(visible_at) FROM messages WHERE visible_at > ?1 AND queue = ?2", queue)?);
    }
    Ok(found.into_iter().flatten().min().and_then(instant))
}

/// An instant as the tables hold it.
pub(crate) fn instant(millis: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis)
}

/// A refusal of a request, in the words of the service that it is for.
pub(crate) fn refusal(request: &Request<Bytes>, why: Refused) -> Response<Bytes> {
    let refusal = wire::Refusal { status: why.status, code: why.code, message: "refused on purpose".to_owned() };
    match cloud::service(request) {
        Some("sns") => wire::query_answer(Err(refusal)),
        Some("dynamodb") => dynamo::refusal(refusal),
        Some("sqs") => wire::json_answer(Err(refusal), "com.amazonaws.sqs"),
        Some("secretsmanager") => wire::json_answer(Err(refusal), "com.amazonaws.secretsmanager"),
        Some(_) | None => wire::rest_answer(Err(refusal)),
    }
}
