//! What is ready, and its delivery to the functions.

use std::{pin::Pin, sync::PoisonError};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, StatusCode};
use rusqlite::{Connection, params};
use serde_json::json;

use super::{Cloud, CloudError};
use crate::{
    deployment::{Deployed, Rule, StreamReader},
    faults::{Mishap, Parcel},
    queue_mapping::{self, QueueMapping},
    services::{self, queues, voice_agent},
    streams::{self, Next},
};

/// One delivery on its way. If it is dropped, what was delivered comes again, as if the function's process had ended.
pub type Delivery = Pin<Box<dyn Future<Output = Result<(), CloudError>> + Send>>;

/// That nothing was ready: so it stays until something is written, somebody is done with a stream, or that instant comes.
#[derive(Clone, Copy)]
pub(super) struct Quiet {
    writes: u64,
    /// How many streams had a batch in somebody's hands.
    busy: usize,
    until: Option<DateTime<Utc>>,
}

/// How long after a report that was not taken the voice agent sends it again.
const REPORT_AGAIN: TimeDelta = TimeDelta::seconds(10);

impl Cloud {
    /// Delivers all that is ready at this instant, one after the other, and all that comes of it at this instant.
    pub async fn run_ready(&self) -> Result<(), CloudError> {
        loop {
            let ready = self.take_ready()?;
            if ready.is_empty() {
                return Ok(());
            }
            for delivery in ready {
                delivery.await?;
            }
        }
    }

    /// Takes some of what is ready at this instant; empty where nothing is. The deliveries may run side by side, as on AWS.
    pub fn take_ready(&self) -> Result<Vec<Delivery>, CloudError> {
        let Some(deployed) = self.deployed() else { return Ok(Vec::new()) };
        let (now, writes, busy) = (self.now(), self.writes(), deployed.busy_streams());
        if self.quiet().is_some_and(|quiet| quiet.lasts(now, writes, busy)) {
            return Ok(Vec::new());
        }
        let ready = self.take_what_is_ready(&deployed)?;
        let is_quiet = ready.is_empty() && self.writes() == writes;
        let until = if is_quiet { self.next_due_after(now)? } else { None };
        *self.0.quiet.lock().unwrap_or_else(PoisonError::into_inner) =
            is_quiet.then_some(Quiet { writes, busy, until });
        Ok(ready)
    }

    fn take_what_is_ready(&self, deployed: &Deployed) -> Result<Vec<Delivery>, CloudError> {
        self.with(|scope| services::timers::fire(scope, &|parcel| self.mishap(parcel)))?;
        let mut ready = Vec::new();
        for reader in &deployed.streams {
            ready.extend(self.take_records(reader)?);
        }
        for mapping in &deployed.queues {
            ready.extend(self.take_messages(mapping)?);
        }
        ready.extend(self.take_reports(deployed)?);
        for rule in &deployed.rules {
            ready.extend(self.take_tick(rule)?);
        }
        Ok(ready)
    }

    /// The next instant at which something is ready.
    pub fn next_due_at(&self) -> Result<Option<DateTime<Utc>>, CloudError> {
        let now = self.now();
        let busy = self.deployed().map_or(0, |deployed| deployed.busy_streams());
        match self.quiet().filter(|quiet| quiet.lasts(now, self.writes(), busy)) {
            Some(quiet) => Ok(quiet.until),
            None => self.next_due_after(now),
        }
    }

    /// How many rows were written since it was opened: while that stays the same, so does all that it holds.
    pub fn writes(&self) -> u64 {
        self.0.database.with(Connection::total_changes)
    }

    fn quiet(&self) -> Option<Quiet> {
        *self.0.quiet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_due_after(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, CloudError> {
        let deployed = self.deployed();
        let queues: Vec<&str> = deployed.as_ref().map(|deployed| deployed.queue_names()).unwrap_or_default();
        let found = self.0.database.with(|conn| {
            let rule = "SELECT min(due_at) FROM rules WHERE due_at > ?1";
            let rule: Option<i64> = conn.prepare_cached(rule)?.query_row([now.timestamp_millis()], |row| row.get(0))?;
            let due = services::next_due_at(conn, now, &queues)?;
            let retry = streams::next_retry_at(conn)?.filter(|at| *at > now);
            Ok::<_, CloudError>([rule.and_then(services::instant), due, retry])
        })?;
        Ok(found.into_iter().flatten().min())
    }

    /// The next batch of a stream that nobody has in hand. A stream's batches go one after the other.
    fn take_records(&self, reader: &StreamReader) -> Result<Option<Delivery>, CloudError> {
        let Ok(alone) = reader.alone.clone().try_lock_owned() else { return Ok(None) };
        let mapping = &reader.mapping;
        loop {
            let (db, account, now) = (&self.0.database, &self.0.account, self.now());
            let batch = match streams::take(db, account, mapping, now)? {
                Next::Batch(batch) => batch,
                Next::Delivered(delivered) if delivered.is_idle() => return Ok(None),
                Next::Delivered(_) => continue,
            };
            let on_failure = move |conn: &Connection, queue: &str, body: &str| {
                queues::send(conn, queue, body, now, TimeDelta::zero()).map(drop)
            };
            let parcel =
                Parcel::Records { function: &mapping.function.name, first: batch.first(), failures: batch.failures() };
            let again = match self.mishap(parcel) {
                Some(Mishap::Late(by)) => {
                    batch.put_off(db, account, mapping, now + by)?;
                    return Ok(None);
                }
                Some(Mishap::Expired) => {
                    batch.give_up(db, account, mapping, now, &on_failure)?;
                    continue;
                }
                Some(Mishap::Twice(after)) => Some(now + after),
                None => None,
            };
            let (cloud, mapping) = (self.clone(), mapping.clone());
            return Ok(Some(Box::pin(async move {
                let (db, account) = (&cloud.0.database, &cloud.0.account);
                batch.hand_over(db, account, &mapping, now, again, &on_failure).await?;
                drop(alone);
                Ok(())
            })));
        }
    }

    fn take_messages(&self, mapping: &QueueMapping) -> Result<Option<Delivery>, CloudError> {
        let now = self.now();
        while let Some(mut batch) = queue_mapping::take(&self.0.database, mapping, now)? {
            let parcel = |message: &queues::Received| {
                let receives = message.receives - 1;
                self.mishap(Parcel::Message { queue: &mapping.queue, body: &message.body, receives })
            };
            let mishaps: Vec<_> = batch.0.iter().map(parcel).collect();
            let mut mishaps = mishaps.into_iter();
            batch.0 = self.0.database.with(|conn| {
                let mut kept = Vec::new();
                for message in batch.0 {
                    if befall(conn, mapping, &message, mishaps.next().flatten(), now)? {
                        kept.push(message);
                    }
                }
                Ok::<_, rusqlite::Error>(kept)
            })?;
            if !batch.0.is_empty() {
                let (cloud, mapping) = (self.clone(), mapping.clone());
                return Ok(Some(Box::pin(async move {
                    Ok(batch.hand_over(&cloud.0.database, &cloud.0.account, &mapping, now).await?)
                })));
            }
        }
        Ok(None)
    }

    fn take_reports(&self, deployed: &Deployed) -> Result<Vec<Delivery>, CloudError> {
        let now = self.now();
        let mut ready: Vec<Delivery> = Vec::new();
        for report in self.0.database.with(|conn| voice_agent::due_reports(conn, now))? {
            let mishap = self.mishap(Parcel::Report { metadata: &report.metadata });
            self.0.database.with(|conn| match mishap {
                Some(Mishap::Late(by)) => voice_agent::put_off(conn, report.call, now + by),
                Some(Mishap::Expired) => voice_agent::mark_reported(conn, report.call),
                // Whoever doesn't say that it was taken gets it again.
                Some(Mishap::Twice(_)) | None => voice_agent::put_off(conn, report.call, now + REPORT_AGAIN),
            })?;
            if matches!(mishap, Some(Mishap::Late(_) | Mishap::Expired)) {
                continue;
            }
            let request = Request::post("/events/voice-agent")
                .header("content-type", "application/json")
                .header("x-vapi-secret", &deployed.voice_agent_secret)
                .body(Bytes::from(report.body.to_string()))
                .unwrap_or_default();
            let cloud = self.clone();
            ready.push(Box::pin(async move {
                let taken = cloud.answer(&request).await.status() == StatusCode::OK;
                Ok(cloud.0.database.with(|conn| match (taken, mishap) {
                    (true, Some(Mishap::Twice(after))) => voice_agent::put_off(conn, report.call, now + after),
                    (true, _) => voice_agent::mark_reported(conn, report.call),
                    (false, _) => Ok(()),
                })?)
            }));
        }
        Ok(ready)
    }

    /// The next run of a function that runs by the clock, if it is due.
    fn take_tick(&self, rule: &Rule) -> Result<Option<Delivery>, CloudError> {
        let (now, name) = (self.now(), rule.function.name.as_str());
        let due = "SELECT 1 FROM rules WHERE name = ?1 AND due_at <= ?2";
        let is_due =
            self.0.database.with(|conn| conn.prepare_cached(due)?.exists(params![name, now.timestamp_millis()]))?;
        if !is_due {
            return Ok(None);
        }
        let mishap = self.mishap(Parcel::Tick { function: name });
        let next = match mishap {
            Some(Mishap::Late(by) | Mishap::Twice(by)) => now + by,
            Some(Mishap::Expired) | None => now + rule.every,
        };
        let put = "UPDATE rules SET due_at = ?2 WHERE name = ?1";
        self.0.database.with(|conn| conn.prepare_cached(put)?.execute(params![name, next.timestamp_millis()]))?;
        if matches!(mishap, Some(Mishap::Late(_) | Mishap::Expired)) {
            return Ok(None);
        }
        let (function, id) = (rule.function.clone(), self.next_id(name));
        Ok(Some(Box::pin(async move {
            let event =
                json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event", "time": now, "detail": {} });
            if let Err(error) = function.invoke(event, id, now).await {
                tracing::warn!(function = function.name, %error, "a function that runs by the clock failed");
            }
            Ok(())
        })))
    }

    fn mishap(&self, parcel: Parcel<'_>) -> Option<Mishap> {
        self.0.faults.as_ref().and_then(|faults| (faults.of_deliveries)(&parcel))
    }
}

impl Quiet {
    fn lasts(&self, now: DateTime<Utc>, writes: u64, busy: usize) -> bool {
        (self.writes, self.busy) == (writes, busy) && self.until.is_none_or(|until| now < until)
    }
}

/// Lets a mishap befall a message that was received; false where its function doesn't get it now.
fn befall(
    conn: &Connection,
    mapping: &QueueMapping,
    message: &queues::Received,
    mishap: Option<Mishap>,
    now: DateTime<Utc>,
) -> rusqlite::Result<bool> {
    match mishap {
        None => Ok(true),
        Some(Mishap::Twice(after)) => {
            queues::send(conn, &mapping.queue, &message.body, now, after)?;
            Ok(true)
        }
        Some(Mishap::Late(by)) => {
            queues::put_off(conn, &mapping.queue, &message.receipt(), now + by)?;
            Ok(false)
        }
        Some(Mishap::Expired) => {
            if let Some(queue) = queues::load(conn, &mapping.queue)? {
                queues::give_up(conn, &queue, &message.receipt())?;
            }
            Ok(false)
        }
    }
}
