//! One-shot timers, and their firing.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, params};
use serde_json::Value;

use super::{Scope, queues};
use crate::faults::{Mishap, Parcel};

/// A timer that is due: whose message goes where.
struct Due {
    group: String,
    name: String,
    request: Value,
}

/// Fires every timer that is due: its message is on its queue, or in its dead-letter queue, in the transaction that deletes it.
pub(crate) fn fire(scope: &Scope<'_>, mishap: &dyn Fn(Parcel<'_>) -> Option<Mishap>) -> rusqlite::Result<usize> {
    let due = due(scope.conn, scope.now)?;
    if due.is_empty() {
        return Ok(0);
    }
    let transaction = scope.conn.unchecked_transaction()?;
    for timer in &due {
        let mishap = mishap(Parcel::Timer { name: &timer.name });
        if let Some(Mishap::Late(by)) = mishap {
            let sql = "UPDATE schedules SET due_at = ?3 WHERE group_name = ?1 AND name = ?2";
            let due_at = (scope.now + by).timestamp_millis();
            transaction.prepare_cached(sql)?.execute(params![timer.group, timer.name, due_at])?;
            continue;
        }
        timer.send(&transaction, scope.now, mishap)?;
        let sql = "DELETE FROM schedules WHERE group_name = ?1 AND name = ?2";
        transaction.prepare_cached(sql)?.execute(params![timer.group, timer.name])?;
    }
    transaction.commit()?;
    Ok(due.len())
}

impl Due {
    fn send(&self, conn: &Connection, now: DateTime<Utc>, mishap: Option<Mishap>) -> rusqlite::Result<()> {
        let target = |path: &str| self.request.pointer(path).and_then(Value::as_str);
        let own = target("/Target/Arn").filter(|_| mishap != Some(Mishap::Expired));
        let queues = [own, target("/Target/DeadLetterConfig/Arn")];
        let mut reached = None;
        for name in queues.into_iter().flatten().filter_map(|arn| arn.rsplit(':').next()) {
            if reached.is_none() && queues::load(conn, name)?.is_some() {
                reached = Some(name);
            }
        }
        let Some(queue) = reached else {
            tracing::error!(timer = self.name, "lost a timer: neither its queue nor its dead-letter queue exists");
            return Ok(());
        };
        let input = target("/Target/Input").unwrap_or("{}");
        queues::send(conn, queue, input, now, TimeDelta::zero())?;
        if let Some(Mishap::Twice(after)) = mishap {
            queues::send(conn, queue, input, now, after)?;
        }
        Ok(())
    }
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
