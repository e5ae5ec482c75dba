//! Delivers the records of a table's stream to a function, as Lambda's event source mappings do.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

mod batch;
mod event;
mod position;

use chrono::{DateTime, TimeDelta, Utc};
use dynoxide::{storage::Storage, streams::shard_id};
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

pub(crate) use self::batch::Batch;
pub(crate) use self::position::SCHEMA;
pub use self::position::next_retry_at;
use self::{batch::Verdict, event::Stream, position::Position};
use crate::{
    account::Account,
    database::{Database, DatabaseError},
    filter::Pattern,
    function::Function,
};

/// How many delivered records a stream keeps at least. All may never go: dynoxide numbers the next record after the last one.
const KEPT_RECORDS: u32 = 10_000;
/// How often old records are looked for, in invocations: to look costs as much as a small batch.
const TRIMMED_EVERY: i64 = 256;
/// The first wait before a batch is retried; it doubles with each.
const FIRST_BACKOFF: TimeDelta = TimeDelta::seconds(1);
/// The longest wait before a batch is retried.
const LONGEST_BACKOFF: TimeDelta = TimeDelta::seconds(60);

/// A stream that a function reads.
#[derive(Clone, Debug)]
pub struct StreamMapping {
    /// The table.
    pub table: String,
    /// Who gets its records.
    pub function: Function,
    /// How many records one invocation gets at most.
    pub batch_size: usize,
    /// A record is delivered if one of these matches, or if there is none.
    pub filters: Vec<Pattern>,
    /// Whether a batch that fails is split in halves before its retries count.
    pub bisect: bool,
    /// How often a batch that failed is tried again.
    pub max_retries: u32,
    /// Whether the function says which records failed.
    pub report_batch_item_failures: bool,
    /// The queue that is told of records that were given up.
    pub on_failure_queue: Option<String>,
}

/// How one delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// No record waits.
    Nothing,
    /// The next batch has failed, and is retried then.
    NotBefore(DateTime<Utc>),
    /// So many records were passed over: no filter wants them.
    Skipped(usize),
    /// The function took so many records.
    Taken(usize),
    /// The function took `taken` records, and failed at the next one, which is retried then.
    Failed {
        /// Before the failure.
        taken: usize,
        /// When the rest is retried.
        retry_at: DateTime<Utc>,
    },
    /// The function took `taken` records, and the others are given up after their last retry.
    GaveUp {
        /// Before the failure.
        taken: usize,
        /// Never taken.
        lost: usize,
    },
    /// Another delivery to the same function went on meanwhile, so this one's end counts for nothing.
    Overtaken,
}

impl Delivered {
    /// Whether there is nothing to deliver at this instant.
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Nothing | Self::NotBefore(_))
    }
}

/// Delivers the next batch, with one invocation at most.
///
/// `on_failure` is given a queue and a message's body, within the transaction that moves the position: it must not open one.
/// It says whether it wrote the message; if not, nothing moves.
pub async fn deliver<F>(
    db: &Database,
    account: &Account,
    mapping: &StreamMapping,
    now: DateTime<Utc>,
    on_failure: &F,
) -> Result<Delivered, DatabaseError>
where
    F: Fn(&Connection, &str, &str) -> rusqlite::Result<()>,
{
    match take(db, account, mapping, now)? {
        Next::Batch(batch) => batch.hand_over(db, account, mapping, now, None, on_failure).await,
        Next::Delivered(delivered) => Ok(delivered),
    }
}

/// How far a function has read: all up to that record.
pub(crate) fn read_until(conn: &Connection, mapping: &StreamMapping) -> rusqlite::Result<i64> {
    Ok(Position::load(conn, mapping)?.after)
}

/// What comes next of a stream.
pub(crate) enum Next {
    /// A batch, to be handed over.
    Batch(Batch),
    /// Nothing to hand over.
    Delivered(Delivered),
}

/// Takes the next batch.
pub(crate) fn take(
    db: &Database,
    account: &Account,
    mapping: &StreamMapping,
    now: DateTime<Utc>,
) -> Result<Next, DatabaseError> {
    db.storage(|storage| next_batch(storage, account, mapping, now))
}

impl Batch {
    /// Invokes the function, and moves the stream's position as it answers; with `again`, it comes once more then.
    pub(crate) async fn hand_over<F>(
        self,
        db: &Database,
        account: &Account,
        mapping: &StreamMapping,
        now: DateTime<Utc>,
        again: Option<DateTime<Utc>>,
        on_failure: &F,
    ) -> Result<Delivered, DatabaseError>
    where
        F: Fn(&Connection, &str, &str) -> rusqlite::Result<()>,
    {
        let event = json!({ "Records": self.events() });
        let answer = mapping.function.invoke(event, self.request_id(mapping), now).await;
        let verdict = match (self.judge(mapping, answer), again) {
            (Verdict::Taken, Some(at)) => Verdict::PutOff(at),
            (verdict, _) => verdict,
        };
        self.end(db, account, mapping, now, &verdict, on_failure)
    }

    /// Leaves it for later.
    pub(crate) fn put_off(
        self,
        db: &Database,
        account: &Account,
        mapping: &StreamMapping,
        until: DateTime<Utc>,
    ) -> Result<Delivered, DatabaseError> {
        self.end(db, account, mapping, until, &Verdict::PutOff(until), &|_, _, _| Ok(()))
    }

    /// Gives it up, as after its last retry.
    pub(crate) fn give_up<F>(
        self,
        db: &Database,
        account: &Account,
        mapping: &StreamMapping,
        now: DateTime<Utc>,
        on_failure: &F,
    ) -> Result<Delivered, DatabaseError>
    where
        F: Fn(&Connection, &str, &str) -> rusqlite::Result<()>,
    {
        self.end(db, account, mapping, now, &Verdict::GivenUp, on_failure)
    }

    fn end<F>(
        self,
        db: &Database,
        account: &Account,
        mapping: &StreamMapping,
        now: DateTime<Utc>,
        verdict: &Verdict,
        on_failure: &F,
    ) -> Result<Delivered, DatabaseError>
    where
        F: Fn(&Connection, &str, &str) -> rusqlite::Result<()>,
    {
        let delivered = db.with(|conn| settle(conn, account, mapping, &self, verdict, now, on_failure))?;
        self.log(mapping, verdict, &delivered);
        Ok(delivered)
    }
}

/// Whether a record waits for the function, be it one that is retried later or that no filter wants.
pub fn has_pending(db: &Database, mapping: &StreamMapping) -> Result<bool, DatabaseError> {
    db.storage(|storage| {
        let position = Position::load(storage.conn(), mapping)?;
        Ok(!records(storage, &mapping.table, position.after, 1)?.is_empty())
    })
}

fn next_batch(
    storage: &Storage,
    account: &Account,
    mapping: &StreamMapping,
    now: DateTime<Utc>,
) -> Result<Next, DatabaseError> {
    let conn = storage.conn();
    let mut position = Position::load(conn, mapping)?;
    if let Some(at) = position.not_before.filter(|at| *at > now) {
        return Ok(Next::Delivered(Delivered::NotBefore(at)));
    }
    let stream = Stream::load(storage, account, &mapping.table)?;
    let read = records(storage, &mapping.table, position.after, mapping.batch_size)?;
    let Some(batch) = Batch::of(&stream, mapping, &position, &read)? else {
        return Ok(Next::Delivered(Delivered::Nothing));
    };
    // The number of this invocation is stored before it starts, so that no two have the same.
    position.invocations += 1;
    if batch.is_empty() {
        position.pass(batch.end);
        position.store(conn, mapping)?;
        return Ok(Next::Delivered(Delivered::Skipped(batch.read)));
    }
    position.store(conn, mapping)?;
    Ok(Next::Batch(batch.at(position)))
}

fn records(
    storage: &Storage,
    table: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<dynoxide::storage::StreamRecord>, DatabaseError> {
    Ok(storage.get_stream_records(table, &shard_id(table), after, limit)?)
}

fn settle<F>(
    conn: &Connection,
    account: &Account,
    mapping: &StreamMapping,
    batch: &Batch,
    verdict: &Verdict,
    now: DateTime<Utc>,
    on_failure: &F,
) -> Result<Delivered, DatabaseError>
where
    F: Fn(&Connection, &str, &str) -> rusqlite::Result<()>,
{
    let transaction = conn.unchecked_transaction()?;
    let stored = Position::load(&transaction, mapping)?;
    if stored.invocations != batch.position.invocations {
        return Ok(Delivered::Overtaken);
    }
    let (position, delivered) = batch.settled(mapping, verdict, now);
    position.store(&transaction, mapping)?;
    if let (Delivered::GaveUp { taken, .. }, Some(queue)) = (&delivered, &mapping.on_failure_queue) {
        let body = batch.failure(account, mapping, verdict, *taken, now);
        on_failure(&transaction, queue, &body.to_string())?;
    }
    if position.invocations % TRIMMED_EVERY == 0 {
        position::trim(&transaction, &mapping.table, KEPT_RECORDS)?;
    }
    transaction.commit()?;
    Ok(delivered)
}

fn backoff(failures: u32) -> TimeDelta {
    let doubled = 2_i32.checked_pow(failures.saturating_sub(1)).unwrap_or(i32::MAX);
    FIRST_BACKOFF.checked_mul(doubled).map_or(LONGEST_BACKOFF, |wait| wait.min(LONGEST_BACKOFF))
}

/// The same for the same words, so that a simulation repeats itself.
fn id_of(words: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, words.as_bytes())
}
