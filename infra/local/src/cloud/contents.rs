//! What the cloud holds, for those who check what goes on in it.

use chrono::{DateTime, Utc};
use dynoxide::streams::shard_id;
use rusqlite::Row;
use serde_dynamo::{AttributeValue, Item};
use serde_json::Value;

use super::{Cloud, CloudError};
use crate::{
    database::DatabaseError,
    services::instant,
    streams::{self, StreamMapping},
};

/// One write of an item, as its table's stream tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// Its place in the stream.
    pub number: i64,
    /// The item's partition key.
    pub pk: String,
    /// The item's sort key.
    pub sk: String,
    /// The item as it was written; `None` if it was deleted.
    pub item: Option<Item>,
}

/// A message on a queue, seen or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The queue.
    pub queue: String,
    /// What it says.
    pub body: String,
    /// When it is to be seen, at the earliest.
    pub visible_at: DateTime<Utc>,
}

/// A timer that is to fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Its name.
    pub name: String,
    /// When it fires.
    pub due_at: DateTime<Utc>,
    /// What its message says.
    pub input: String,
}

impl Cloud {
    /// What was written to a table after that place in its stream, in order.
    pub fn written(&self, table: &str, after: i64) -> Result<Vec<Written>, CloudError> {
        let records = self
            .0
            .database
            .storage(|storage| storage.get_stream_records(table, &shard_id(table), after, usize::MAX >> 1));
        let records = records.map_err(DatabaseError::from)?;
        let broken = || DatabaseError::NoStream { table: table.to_owned() };
        let written = records.iter().map(|record| {
            let keys: Item = serde_json::from_str(&record.keys_json).map_err(|_| broken())?;
            let item = record.new_image.as_deref().map(serde_json::from_str).transpose().map_err(|_| broken())?;
            let number = record.sequence_number.parse().map_err(|_| broken())?;
            Ok(Written { number, pk: text(&keys, "pk"), sk: text(&keys, "sk"), item })
        });
        Ok(written.collect::<Result<_, DatabaseError>>()?)
    }

    /// The place of the last write of a table in its stream.
    pub fn last_written(&self, table: &str) -> Result<i64, CloudError> {
        let sql =
            "SELECT coalesce(max(CAST(sequence_number AS INTEGER)), 0) FROM _stream_records WHERE table_name = ?1";
        Ok(self.0.database.with(|conn| conn.prepare_cached(sql)?.query_row([table], |row| row.get(0)))?)
    }

    /// How far each function has read a table's stream: all up to that place. The one that is furthest behind counts.
    pub fn read_until(&self, table: &str) -> Result<i64, CloudError> {
        let deployed = self.deployed();
        let readers = deployed.iter().flat_map(|deployed| &deployed.streams);
        let mappings: Vec<&StreamMapping> =
            readers.map(|reader| &reader.mapping).filter(|mapping| mapping.table == table).collect();
        let places = self.0.database.with(|conn| {
            let places = mappings.iter().map(|mapping| streams::read_until(conn, mapping));
            places.collect::<rusqlite::Result<Vec<_>>>()
        });
        Ok(places?.into_iter().min().unwrap_or(i64::MAX))
    }

    /// Every message of every queue, in the order in which they were sent.
    pub fn messages(&self) -> Result<Vec<Message>, CloudError> {
        let sql = "SELECT queue, body, visible_at FROM messages ORDER BY seq";
        self.listed(sql, |row| {
            let visible_at: i64 = row.get(2)?;
            Ok(Message { queue: row.get(0)?, body: row.get(1)?, visible_at: instant(visible_at).unwrap_or_default() })
        })
    }

    /// Every timer that is to fire, the next one first.
    pub fn timers(&self) -> Result<Vec<Timer>, CloudError> {
        self.listed("SELECT name, due_at, request FROM schedules ORDER BY due_at, name", |row| {
            let (due_at, request): (i64, String) = (row.get(1)?, row.get(2)?);
            let request: Value = serde_json::from_str(&request).unwrap_or_default();
            let input = request.pointer("/Target/Input").and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(Timer { name: row.get(0)?, due_at: instant(due_at).unwrap_or_default(), input })
        })
    }

    /// How many reports the voice agent will have to make by then.
    pub fn reports_due(&self, by: DateTime<Utc>) -> Result<i64, CloudError> {
        let sql = "SELECT count(*) FROM calls WHERE reported = 0 AND ends_at <= ?1";
        Ok(self
            .0
            .database
            .with(|conn| conn.prepare_cached(sql)?.query_row([by.timestamp_millis()], |row| row.get(0)))?)
    }

    fn listed<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, CloudError> {
        Ok(self
            .0
            .database
            .with(|conn| conn.prepare_cached(sql)?.query_map([], read)?.collect::<rusqlite::Result<_>>())?)
    }
}

fn text(keys: &Item, name: &str) -> String {
    match keys.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        Some(_) | None => String::new(),
    }
}
