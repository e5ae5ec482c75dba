//! The calls, and the script by which calls to a number end.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use crate::services::{earliest, instant, stored};

pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS voice_scripts (
    number TEXT PRIMARY KEY,
    after_ms INTEGER NOT NULL,
    ended_reason TEXT NOT NULL,
    structured_data TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS voice_calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    call_order TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    ended_reason TEXT NOT NULL,
    structured_data TEXT NOT NULL,
    reported INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS voice_calls_to_report ON voice_calls (ends_at) WHERE reported = 0;";

/// How calls to a number end.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// How long after it was ordered.
    pub after: TimeDelta,
    /// Why, in the vendor's words: `customer-did-not-answer`, `customer-ended-call`, `assistant-forwarded-call`, ...
    pub ended_reason: String,
    /// What the vendor's analysis extracts from the call: an object.
    pub structured_data: Value,
}

impl Ending {
    /// An ending of which the analysis extracts nothing.
    pub fn new(after: TimeDelta, ended_reason: impl Into<String>) -> Self {
        Self {
            after,
            ended_reason: ended_reason.into(),
            structured_data: json!({}),
        }
    }
}

impl Default for Ending {
    /// Nobody picks up.
    fn default() -> Self {
        Self::new(TimeDelta::seconds(45), "customer-did-not-answer")
    }
}

/// A call that was taken.
pub(super) struct Call {
    pub(super) id: String,
    /// The request it was ordered with.
    pub(super) order: Value,
    pub(super) created_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) ended_reason: String,
    pub(super) structured_data: Value,
}

/// Says how calls to a number end that are ordered from now on.
pub fn script(conn: &Connection, number: &str, ending: &Ending) -> rusqlite::Result<()> {
    let after_ms = ending.after.num_milliseconds();
    conn.execute(
        "INSERT OR REPLACE INTO voice_scripts (number, after_ms, ended_reason, structured_data) VALUES (?1, ?2, ?3, ?4)",
        params![number, after_ms, ending.ended_reason, ending.structured_data],
    )?;
    Ok(())
}

/// How a call to that number ends.
pub(super) fn ending_of(conn: &Connection, number: &str) -> rusqlite::Result<Ending> {
    let mut statement = conn.prepare_cached("SELECT * FROM voice_scripts WHERE number = ?1")?;
    let scripted = statement.query_row(params![number], |row| {
        Ok(Ending {
            after: TimeDelta::milliseconds(row.get("after_ms")?),
            ended_reason: row.get("ended_reason")?,
            structured_data: row.get("structured_data")?,
        })
    });
    Ok(scripted.optional()?.unwrap_or_default())
}

pub(super) fn insert(conn: &Connection, call: &Call) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO voice_calls (id, call_order, created_at, ends_at, ended_reason, structured_data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            call.id,
            call.order,
            stored(call.created_at),
            stored(call.ends_at),
            call.ended_reason,
            call.structured_data
        ],
    )?;
    Ok(())
}

pub(super) fn find(conn: &Connection, id: &str) -> rusqlite::Result<Option<Call>> {
    let mut statement = conn.prepare_cached("SELECT * FROM voice_calls WHERE id = ?1")?;
    statement.query_row(params![id], call_of).optional()
}

/// All calls, the newest first.
pub(super) fn list(conn: &Connection) -> rusqlite::Result<Vec<Call>> {
    let mut statement = conn.prepare_cached("SELECT * FROM voice_calls ORDER BY created_at DESC, seq DESC")?;
    statement.query_map([], call_of)?.collect()
}

/// The calls that have ended by now and were not reported.
pub(super) fn ended(conn: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Vec<Call>> {
    let mut statement =
        conn.prepare_cached("SELECT * FROM voice_calls WHERE reported = 0 AND ends_at <= ?1 ORDER BY ends_at, seq")?;
    statement.query_map(params![stored(now)], call_of)?.collect()
}

/// Keeps that a call's end was reported.
pub fn mark_reported(conn: &Connection, id: &str) -> rusqlite::Result<()> {
    conn.execute("UPDATE voice_calls SET reported = 1 WHERE id = ?1", params![id])?;
    Ok(())
}

/// The earliest instant after `now` at which a call ends.
pub(crate) fn next_end_at(conn: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let query = "SELECT min(ends_at) FROM voice_calls WHERE reported = 0 AND ends_at > ?1 AND ?2 IS NOT NULL";
    earliest(conn, query, now, "")
}

fn call_of(row: &Row<'_>) -> rusqlite::Result<Call> {
    Ok(Call {
        id: row.get("id")?,
        order: row.get("call_order")?,
        created_at: instant(row.get("created_at")?),
        ends_at: instant(row.get("ends_at")?),
        ended_reason: row.get("ended_reason")?,
        structured_data: row.get("structured_data")?,
    })
}
