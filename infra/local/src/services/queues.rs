//! Queues: messages that are seen by one reader at a time and come again until they are deleted.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, params};

/// A queue's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) visibility: TimeDelta,
    /// After so many receives a message moves on to that queue.
    pub(crate) redrive: Option<(u32, String)>,
}

/// A message in a reader's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) seq: i64,
    pub(crate) body: String,
    pub(crate) sent_at: i64,
    pub(crate) first_received_at: i64,
    pub(crate) receives: u32,
}

impl Received {
    /// What names the message to people.
    pub(crate) fn id(&self) -> String {
        message_id(self.seq)
    }

    /// What this reader deletes it by; a later reader's is another.
    pub(crate) fn receipt(&self) -> String {
        format!("{}-{}", self.seq, self.receives)
    }
}

/// The same for the same message, so that a simulation repeats itself.
pub(crate) fn message_id(seq: i64) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("message {seq}").as_bytes()).to_string()
}

pub(crate) fn create(conn: &Connection, queue: &Queue) -> rusqlite::Result<()> {
    let (max, dlq) = queue.redrive.as_ref().map(|(max, dlq)| (*max, dlq.as_str())).unzip();
    conn.execute(
        "INSERT INTO queues (name, visibility, max_receives, dlq) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET visibility = ?2, max_receives = ?3, dlq = ?4",
        params![queue.name, queue.visibility.num_seconds(), max, dlq],
    )?;
    Ok(())
}

pub(crate) fn load(conn: &Connection, name: &str) -> rusqlite::Result<Option<Queue>> {
    let sql = "SELECT name, visibility, max_receives, dlq FROM queues WHERE name = ?1";
    conn.prepare_cached(sql)?
        .query_row([name], |row| {
            let redrive: (Option<u32>, Option<String>) = (row.get(2)?, row.get(3)?);
            Ok(Queue {
                name: row.get(0)?,
                visibility: TimeDelta::seconds(row.get(1)?),
                redrive: redrive.0.zip(redrive.1),
            })
        })
        .optional()
}

pub(crate) fn names(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare("SELECT name FROM queues ORDER BY name")?.query_map([], |row| row.get(0))?.collect()
}

/// How many messages are to be seen, are in somebody's hands, and wait for a delay to end.
pub(crate) fn counts(conn: &Connection, queue: &str, now: DateTime<Utc>) -> rusqlite::Result<(u32, u32, u32)> {
    let sql =
        "SELECT count(*) FILTER (WHERE visible_at <= ?2), count(*) FILTER (WHERE visible_at > ?2 AND receives > 0),
               count(*) FILTER (WHERE visible_at > ?2 AND receives = 0) FROM messages WHERE queue = ?1";
    conn.query_row(sql, params![queue, now.timestamp_millis()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Puts a message on a queue and tells its id.
pub(crate) fn send(
    conn: &Connection,
    queue: &str,
    body: &str,
    now: DateTime<Utc>,
    delay: TimeDelta,
) -> rusqlite::Result<String> {
    conn.prepare_cached("INSERT INTO messages (queue, body, sent_at, visible_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![queue, body, now.timestamp_millis(), (now + delay).timestamp_millis()])?;
    Ok(message_id(conn.last_insert_rowid()))
}

/// Takes up to `count` messages; nobody else sees them until the visibility runs out. What was received too often moves on.
pub(crate) fn receive(
    conn: &Connection,
    queue: &Queue,
    count: usize,
    visibility: TimeDelta,
    now: DateTime<Utc>,
) -> rusqlite::Result<Vec<Received>> {
    let transaction = conn.unchecked_transaction()?;
    // While there is no dead-letter queue nothing moves, as on AWS: a message on a queue that is not there is lost.
    if let Some((max, dlq)) = &queue.redrive
        && load(&transaction, dlq)?.is_some()
    {
        let sql = "UPDATE messages SET queue = ?3, receives = 0, first_received_at = NULL
                   WHERE queue = ?1 AND visible_at <= ?2 AND receives >= ?4";
        transaction.prepare_cached(sql)?.execute(params![queue.name, now.timestamp_millis(), dlq, max])?;
    }
    let mut received = {
        let sql = "UPDATE messages SET receives = receives + 1, visible_at = ?3, first_received_at = coalesce(first_received_at, ?2)
                   WHERE seq IN (SELECT seq FROM messages WHERE queue = ?1 AND visible_at <= ?2 ORDER BY seq LIMIT ?4)
                   RETURNING seq, body, sent_at, first_received_at, receives";
        let hidden_until = (now + visibility).timestamp_millis();
        let limit = i64::try_from(count).unwrap_or(i64::MAX);
        let mut statement = transaction.prepare_cached(sql)?;
        let rows = statement.query_map(params![queue.name, now.timestamp_millis(), hidden_until, limit], |row| {
            Ok(Received {
                seq: row.get(0)?,
                body: row.get(1)?,
                sent_at: row.get(2)?,
                first_received_at: row.get(3)?,
                receives: row.get(4)?,
            })
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()?
    };
    transaction.commit()?;
    // SQLite returns changed rows in no promised order.
    received.sort_by_key(|message| message.seq);
    Ok(received)
}

/// Deletes what a receipt names; a receipt of an earlier reader deletes nothing.
pub(crate) fn delete(conn: &Connection, queue: &str, receipt: &str) -> rusqlite::Result<bool> {
    let Some((seq, receives)) = numbers(receipt) else { return Ok(false) };
    let sql = "DELETE FROM messages WHERE queue = ?1 AND seq = ?2 AND receives = ?3";
    Ok(conn.prepare_cached(sql)?.execute(params![queue, seq, receives])? > 0)
}

/// Changes until when what a receipt names is hidden; false where nobody has it any more.
pub(crate) fn hide(
    conn: &Connection,
    queue: &str,
    receipt: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> rusqlite::Result<bool> {
    let Some((seq, receives)) = numbers(receipt) else { return Ok(false) };
    let sql = "UPDATE messages SET visible_at = ?4 WHERE queue = ?1 AND seq = ?2 AND receives = ?3 AND visible_at > ?5";
    let (until, now) = (until.timestamp_millis(), now.timestamp_millis());
    Ok(conn.prepare_cached(sql)?.execute(params![queue, seq, receives, until, now])? > 0)
}

/// Gives a message that a receipt names up, as after its last receive: it moves on to the dead-letter queue.
pub(crate) fn give_up(conn: &Connection, queue: &Queue, receipt: &str) -> rusqlite::Result<()> {
    let (Some((seq, receives)), Some((_, dlq))) = (numbers(receipt), &queue.redrive) else { return Ok(()) };
    let sql = "UPDATE messages SET queue = ?4, receives = 0, first_received_at = NULL, visible_at = sent_at
               WHERE queue = ?1 AND seq = ?2 AND receives = ?3";
    conn.prepare_cached(sql)?.execute(params![queue.name, seq, receives, dlq]).map(drop)
}

/// Lets a message that a receipt names be seen only later, as if nobody had received it yet.
pub(crate) fn put_off(conn: &Connection, queue: &str, receipt: &str, until: DateTime<Utc>) -> rusqlite::Result<()> {
    let Some((seq, receives)) = numbers(receipt) else { return Ok(()) };
    let sql =
        "UPDATE messages SET visible_at = ?4, receives = receives - 1 WHERE queue = ?1 AND seq = ?2 AND receives = ?3";
    conn.prepare_cached(sql)?.execute(params![queue, seq, receives, until.timestamp_millis()]).map(drop)
}

pub(crate) fn purge(conn: &Connection, queue: &str) -> rusqlite::Result<usize> {
    conn.execute("DELETE FROM messages WHERE queue = ?1", [queue])
}

fn numbers(receipt: &str) -> Option<(i64, u32)> {
    let (seq, receives) = receipt.split_once('-')?;
    Some((seq.parse().ok()?, receives.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn queue() -> (Connection, Queue) {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(crate::services::SCHEMA).unwrap();
        let queue =
            Queue { name: "sms".into(), visibility: TimeDelta::seconds(360), redrive: Some((2, "sms-dlq".into())) };
        create(&conn, &queue).unwrap();
        create(&conn, &Queue { name: "sms-dlq".into(), redrive: None, ..queue.clone() }).unwrap();
        (conn, queue)
    }

    fn bodies(conn: &Connection, queue: &Queue, now: DateTime<Utc>) -> Vec<String> {
        receive(conn, queue, 10, queue.visibility, now).unwrap().into_iter().map(|message| message.body).collect()
    }

    #[test]
    fn a_message_is_seen_after_its_delay_by_one_reader_until_its_visibility_runs_out_and_then_moves_on() {
        let (conn, queue) = queue();
        send(&conn, "sms", "a", NOW, TimeDelta::seconds(30)).unwrap();
        assert_eq!(bodies(&conn, &queue, NOW), Vec::<String>::new(), "delayed");
        let first = NOW + TimeDelta::seconds(30);
        assert_eq!(bodies(&conn, &queue, first), ["a"]);
        assert_eq!(bodies(&conn, &queue, first + TimeDelta::seconds(359)), Vec::<String>::new(), "in a reader's hands");
        assert_eq!(bodies(&conn, &queue, first + TimeDelta::seconds(360)), ["a"]);
        let third = first + TimeDelta::seconds(720);
        assert_eq!(bodies(&conn, &queue, third), Vec::<String>::new(), "received twice");
        let dlq = load(&conn, "sms-dlq").unwrap().unwrap();
        assert_eq!(bodies(&conn, &dlq, third), ["a"]);
    }

    #[test]
    fn a_message_stays_while_its_dead_letter_queue_does_not_exist() {
        let (conn, queue) = queue();
        conn.execute("DELETE FROM queues WHERE name = 'sms-dlq'", []).unwrap();
        send(&conn, "sms", "a", NOW, TimeDelta::zero()).unwrap();
        for reader in 0..4 {
            assert_eq!(bodies(&conn, &queue, NOW + TimeDelta::seconds(360 * reader)), ["a"]);
        }
    }

    #[test]
    fn only_a_message_in_a_readers_hands_is_hidden_for_longer() {
        let (conn, queue) = queue();
        send(&conn, "sms", "a", NOW, TimeDelta::zero()).unwrap();
        let receipt = receive(&conn, &queue, 1, queue.visibility, NOW).unwrap()[0].receipt();
        let (second, later) = (NOW + TimeDelta::seconds(1), NOW + TimeDelta::seconds(400));
        assert!(hide(&conn, "sms", &receipt, second, later).unwrap());
        assert_eq!(bodies(&conn, &queue, NOW + TimeDelta::seconds(399)), Vec::<String>::new());
        assert!(!hide(&conn, "sms", &receipt, later, later + TimeDelta::seconds(1)).unwrap(), "seen again by then");
        assert_eq!(bodies(&conn, &queue, later), ["a"]);
    }

    #[test]
    fn only_the_last_readers_receipt_deletes() {
        let (conn, queue) = queue();
        send(&conn, "sms", "a", NOW, TimeDelta::zero()).unwrap();
        let old = receive(&conn, &queue, 1, TimeDelta::seconds(1), NOW).unwrap()[0].receipt();
        let new = receive(&conn, &queue, 1, TimeDelta::seconds(1), NOW + TimeDelta::seconds(1)).unwrap()[0].receipt();
        assert!(!delete(&conn, "sms", &old).unwrap());
        assert!(!delete(&conn, "sms", "nonsense").unwrap());
        assert!(delete(&conn, "sms", &new).unwrap());
        assert_eq!(counts(&conn, "sms", NOW).unwrap(), (0, 0, 0));
    }
}
