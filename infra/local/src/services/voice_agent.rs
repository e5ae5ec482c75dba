//! The voice agent's side: Vapi's create-call API, calls that end as they are told to, and their end-of-call reports.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, Response};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::{
    Scope,
    outbox::{self, Sent},
    wire::{self, Outcome, Refusal},
};

/// How a call to a number ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// How long after it was placed.
    pub after: TimeDelta,
    /// In the vendor's words: `customer-did-not-answer`.
    pub ended_reason: String,
    /// What the vendor makes of the talk.
    pub analysis: Value,
}

/// What a call ends in unless a script says otherwise.
impl Default for Ending {
    fn default() -> Self {
        Self { after: TimeDelta::seconds(45), ended_reason: "customer-did-not-answer".to_owned(), analysis: json!({}) }
    }
}

/// A report that is due.
pub(crate) struct Report {
    pub(crate) call: i64,
    pub(crate) metadata: String,
    pub(crate) body: Value,
}

pub(crate) fn handle(scope: &Scope<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let has_key = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|key| !key.is_empty());
    let outcome = match (request.method().as_str(), has_key) {
        (_, false) => {
            Err(Refusal { status: 401, ..Refusal::of("Unauthorized", "send Authorization: Bearer and a key") })
        }
        ("POST", true) => wire::body(request).and_then(|body| create(scope, &body)),
        (method, true) => Err(Refusal::unknown_operation(&format!("{method} {}", request.uri().path()))),
    };
    let was_made = outcome.is_ok();
    let mut response = wire::rest_answer(outcome);
    if was_made {
        *response.status_mut() = http::StatusCode::CREATED;
    }
    response
}

fn create(scope: &Scope<'_>, body: &Value) -> Outcome {
    let bad = |message: &str| Refusal::of("BadRequest", message);
    let text = |path: &str| body.pointer(path).and_then(Value::as_str);
    let number = text("/customer/number")
        .filter(|number| number.starts_with('+'))
        .ok_or_else(|| bad("customer.number is required"))?;
    let assistant = text("/assistantId").filter(|id| !id.is_empty()).ok_or_else(|| bad("assistantId is required"))?;
    let from = text("/phoneNumberId").filter(|id| !id.is_empty()).ok_or_else(|| bad("phoneNumberId is required"))?;
    let metadata = body.get("metadata").cloned().unwrap_or_else(|| json!({}));
    let ending = scripted(scope.conn, number)?;
    let transaction = scope.conn.unchecked_transaction()?;
    let sql = "INSERT INTO calls (number, metadata, ends_at, ended_reason, analysis) VALUES (?1, ?2, ?3, ?4, ?5)";
    transaction.prepare_cached(sql)?.execute(params![
        number,
        metadata.to_string(),
        (scope.now + ending.after).timestamp_millis(),
        ending.ended_reason,
        ending.analysis.to_string()
    ])?;
    let id = call_id(transaction.last_insert_rowid());
    let sent = Sent {
        seq: 0,
        at: scope.now,
        kind: "ai_call".to_owned(),
        from: from.to_owned(),
        to: number.to_owned(),
        subject: None,
        text: format!("{assistant} calls"),
        html: None,
        carried: json!({ "metadata": metadata, "variables": body.pointer("/assistantOverrides/variableValues") }),
        sent_by: Scope::asked_by(),
    };
    outbox::put(&transaction, &sent)?;
    transaction.commit()?;
    Ok(json!({ "id": id, "status": "queued", "metadata": metadata }))
}

/// Tells how calls to a number end from now on.
pub(crate) fn script(conn: &Connection, number: &str, ending: &Ending) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT OR REPLACE INTO call_scripts (number, seconds, ended_reason, analysis) VALUES (?1, ?2, ?3, ?4)",
        params![number, ending.after.num_seconds(), ending.ended_reason, ending.analysis.to_string()],
    )?;
    Ok(())
}

fn scripted(conn: &Connection, number: &str) -> rusqlite::Result<Ending> {
    let sql = "SELECT seconds, ended_reason, analysis FROM call_scripts WHERE number = ?1";
    let found = conn.prepare_cached(sql)?.query_row([number], |row| {
        let analysis: String = row.get(2)?;
        Ok(Ending {
            after: TimeDelta::seconds(row.get(0)?),
            ended_reason: row.get(1)?,
            analysis: serde_json::from_str(&analysis).unwrap_or_default(),
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// The reports of calls that are over and not yet told of.
pub(crate) fn due_reports(conn: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Vec<Report>> {
    let sql = "SELECT seq, metadata, ended_reason, analysis FROM calls WHERE reported = 0 AND ends_at <= ?1 ORDER BY ends_at, seq";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([now.timestamp_millis()], |row| {
        let (call, metadata, reason, analysis): (i64, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let body = json!({ "message": {
            "type": "end-of-call-report", "endedReason": reason,
            "call": { "id": call_id(call), "metadata": value(&metadata) },
            "artifact": { "transcript": "", "messages": [] },
            "analysis": value(&analysis),
        }});
        Ok(Report { call, metadata, body })
    })?;
    rows.collect()
}

/// Says that a report was taken.
pub(crate) fn mark_reported(conn: &Connection, call: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE calls SET reported = 1 WHERE seq = ?1")?.execute([call])?;
    Ok(())
}

/// Puts a report that was not taken off until then, as the vendor's own retries do.
pub(crate) fn put_off(conn: &Connection, call: i64, until: DateTime<Utc>) -> rusqlite::Result<()> {
    let sql = "UPDATE calls SET ends_at = ?2 WHERE seq = ?1";
    conn.prepare_cached(sql)?.execute(params![call, until.timestamp_millis()])?;
    Ok(())
}

fn call_id(seq: i64) -> String {
    format!("call-{seq}")
}
