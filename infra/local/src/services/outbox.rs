//! Everything that was sent: nothing leaves the local cloud, it all lands here.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Its place in the outbox, from 1.
    #[serde(default)]
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// `sms`, `email` or `ai_call`.
    pub kind: String,
    /// From which number or address.
    pub from: String,
    /// To which number or address.
    pub to: String,
    /// An email's subject.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// What it says.
    pub text: String,
    /// An email's HTML part.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub html: Option<String>,
    /// Tags, headers and metadata it carried.
    pub carried: Value,
    /// The invocation that sent it, where functions run inside the local cloud's process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sent_by: Option<String>,
}

pub(crate) fn put(conn: &Connection, sent: &Sent) -> rusqlite::Result<i64> {
    let text = serde_json::to_string(sent).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let sql = "INSERT INTO sent (at, kind, sent) VALUES (?1, ?2, ?3)";
    conn.prepare_cached(sql)?.execute(params![sent.at.timestamp_millis(), sent.kind, text])?;
    Ok(conn.last_insert_rowid())
}

/// What was sent after that place in the outbox.
pub(crate) fn list(conn: &Connection, after: i64) -> rusqlite::Result<Vec<Sent>> {
    let mut statement = conn.prepare_cached("SELECT seq, sent FROM sent WHERE seq > ?1 ORDER BY seq")?;
    let rows = statement.query_map([after], |row| {
        let text: String = row.get(1)?;
        let sent: Sent = serde_json::from_str(&text)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into()))?;
        Ok(Sent { seq: row.get(0)?, ..sent })
    })?;
    rows.collect()
}
