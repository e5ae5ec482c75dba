//! One-shot timers, and their firing.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, params};
use serde_json::Value;

use super::{Scope, queues};

/// A timer that is due: whose message goes where.
struct Due {
    group: String,
    name: String,
    request: Value,
}

/// Fires every timer that is due: its message is on its queue, or in its dead-letter queue, in the transaction that deletes it.
pub(crate) fn fire(scope: &Scope<'_>) -> rusqlite::Result<usize> {
    let due = due(scope.conn, scope.now)?;
    if due.is_empty() {
        return Ok(0);
    }
    let transaction = scope.conn.unchecked_transaction()?;
    for timer in &due {
        let target = |path: &str| timer.request.pointer(path).and_then(Value::as_str);
        let (arn, dlq) = (target("/Target/Arn"), target("/Target/DeadLetterConfig/Arn"));
        let input = target("/Target/Input").unwrap_or("{}");
        let queue = [arn, dlq].into_iter().flatten().filter_map(|arn| arn.rsplit(':').next());
        let mut reached = None;
        for name in queue {
            if reached.is_none() && queues::load(&transaction, name)?.is_some() {
                reached = Some(name);
            }
        }
        match reached {
            Some(name) => {
                queues::send(&transaction, name, input, scope.now, TimeDelta::zero())?;
            }
            None => {
                tracing::error!(timer = timer.name, "lost a timer: neither its queue nor its dead-letter queue exists")
            }
        }
        let sql = "DELETE FROM schedules WHERE group_name = ?1 AND name = ?2";
        transaction.execute(sql, params![timer.group, timer.name])?;
    }
    transaction.commit()?;
    Ok(due.len())
}

fn due(conn: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Vec<Due>> {
    let sql = "SELECT group_name, name, request FROM schedules WHERE due_at <= ?1 ORDER BY due_at, name";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([now.timestamp_millis()], |row| {
        let request: String = row.get(2)?;
        Ok(Due { group: row.get(0)?, name: row.get(1)?, request: serde_json::from_str(&request).unwrap_or_default() })
    })?;
    rows.collect()
}
