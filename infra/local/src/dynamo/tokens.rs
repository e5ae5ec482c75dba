//! `ClientRequestToken`: a transaction that is sent twice within ten minutes is applied once.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>

use chrono::{DateTime, TimeDelta, Utc};
use dynoxide::{
    DynoxideError,
    actions::transact_write_items::{
        TransactWriteItem, TransactWriteItemsRequest, TransactWriteItemsResponse, execute,
    },
    storage::Storage,
};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::finished;

/// How long AWS remembers a token after its first request was completed.
const REMEMBERED: TimeDelta = TimeDelta::minutes(10);

/// The tokens that were used, and the one in flight.
///
/// dynoxide opens and commits the transaction itself, so a token can join it only from within: the first stream record
/// that the transaction writes takes the token along. A crash can then not leave the write without its token.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS transaction_tokens (
        token TEXT PRIMARY KEY,
        request TEXT NOT NULL,
        used_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS transaction_tokens_by_age ON transaction_tokens (used_at);
    CREATE TEMP TABLE token_in_flight (token TEXT NOT NULL, request TEXT NOT NULL, used_at INTEGER NOT NULL);
    CREATE TEMP TRIGGER keep_token AFTER INSERT ON main._stream_records
    WHEN EXISTS (SELECT 1 FROM temp.token_in_flight)
    BEGIN
        INSERT OR IGNORE INTO transaction_tokens SELECT token, request, used_at FROM token_in_flight;
    END;";

/// Applies a transaction, unless its token says that it was applied already.
pub(super) fn write_once(
    storage: &Storage,
    request: TransactWriteItemsRequest,
    now: DateTime<Utc>,
) -> Result<TransactWriteItemsResponse, DynoxideError> {
    let Some(token) = request.client_request_token.clone() else {
        return finished(execute(storage, request));
    };
    let conn = storage.conn();
    let asked = fingerprint(&request.transact_items)?;
    forget_before(conn, now - REMEMBERED)?;
    match used_for(conn, &token)? {
        Some(used_for) if used_for == asked => Ok(TransactWriteItemsResponse::default()),
        Some(_) => Err(DynoxideError::IdempotentParameterMismatchException(
            "the ClientRequestToken was used for another request within the last ten minutes".to_owned(),
        )),
        None => {
            put_in_flight(conn, &token, &asked, now)?;
            let written = finished(execute(storage, request));
            // What changed no item of a table with a stream wrote no record: nothing depends on it, but its token counts too.
            let kept = written.is_ok().then(|| keep(conn)).transpose();
            conn.prepare_cached("DELETE FROM token_in_flight")?.execute([])?;
            kept?;
            written
        }
    }
}

fn forget_before(conn: &Connection, at: DateTime<Utc>) -> rusqlite::Result<usize> {
    conn.prepare_cached("DELETE FROM transaction_tokens WHERE used_at < ?1")?.execute([at.timestamp_millis()])
}

fn used_for(conn: &Connection, token: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT request FROM transaction_tokens WHERE token = ?1")?
        .query_row([token], |row| row.get(0))
        .optional()
}

fn put_in_flight(conn: &Connection, token: &str, asked: &str, now: DateTime<Utc>) -> rusqlite::Result<usize> {
    // One that a panic left behind must not be kept with this write.
    conn.prepare_cached("DELETE FROM token_in_flight")?.execute([])?;
    conn.prepare_cached("INSERT INTO token_in_flight VALUES (?1, ?2, ?3)")?.execute(params![
        token,
        asked,
        now.timestamp_millis()
    ])
}

fn keep(conn: &Connection) -> rusqlite::Result<usize> {
    conn.prepare_cached("INSERT OR IGNORE INTO transaction_tokens SELECT token, request, used_at FROM token_in_flight")?
        .execute([])
}

/// The same for the same actions, in whichever order the fields of their maps were written.
fn fingerprint(actions: &[TransactWriteItem]) -> Result<String, DynoxideError> {
    let failed = |error: serde_json::Error| DynoxideError::InternalServerError(error.to_string());
    let mut actions = serde_json::to_value(actions).map_err(failed)?;
    actions.sort_all_objects();
    let bytes = serde_json::to_vec(&actions).map_err(failed)?;
    Ok(Uuid::new_v5(&Uuid::NAMESPACE_OID, &bytes).to_string())
}
