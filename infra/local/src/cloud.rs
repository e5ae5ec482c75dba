//! One cloud: its services behind one door, and the delivery of what they hold to the functions.

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use cadence_core::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, Response, StatusCode};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    account::Account,
    clock::{LocalClock, Pace},
    connector::{Connector, Faults},
    database::{Database, DatabaseError},
    deployment::Deployed,
    dynamo, queue_mapping,
    services::{self, Scope, outbox, queues, voice_agent},
    streams,
};

/// How a cloud is opened.
pub struct Options {
    /// Where it is reached over HTTP, for the URLs that it tells: `http://127.0.0.1:7878`.
    pub endpoint: String,
    /// What its clock tells first, unless its file knows a later instant.
    pub start: DateTime<Utc>,
    /// How its clock moves.
    pub pace: Pace,
    /// The folder that keeps its state; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// What befalls the functions' requests.
    pub faults: Option<Faults>,
}

/// A local cloud. Clones are the same cloud.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

struct Inner {
    account: Account,
    clock: LocalClock,
    pace: Pace,
    /// No instant after this one, in milliseconds, has been told yet; it is stored before it is told.
    told_until: AtomicI64,
    database: Database,
    faults: Option<Faults>,
    deployed: OnceLock<Deployed>,
    changed: Notify,
}

/// Why the cloud can't go on.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Its database can't be opened, or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Its database failed.
    #[error("the local cloud's database failed")]
    Sqlite(#[from] rusqlite::Error),
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), told_until INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS rules (name TEXT PRIMARY KEY, due_at INTEGER NOT NULL);
";
/// How far ahead of real time the stored end of told time lies: so often it is written while the clock runs.
const TOLD_AHEAD: TimeDelta = TimeDelta::seconds(1);
/// How long after a report that was not taken the voice agent sends it again.
const REPORT_AGAIN: TimeDelta = TimeDelta::seconds(10);

impl Cloud {
    /// Opens a cloud, empty or as its folder holds it. Its clock never tells an instant before one it told earlier.
    pub fn open(options: Options) -> Result<Self, CloudError> {
        let clock = LocalClock::new(options.start, options.pace);
        let database = match &options.data {
            Some(folder) => Database::open(&folder.join("cloud.sqlite"), clock.clone())?,
            None => Database::memory(clock.clone())?,
        };
        let told_until: Option<i64> = database.with(|conn| {
            conn.execute_batch(SCHEMA)?;
            conn.execute_batch(services::SCHEMA)?;
            conn.query_row("SELECT told_until FROM clock", [], |row| row.get(0)).optional()
        })?;
        if let Some(told) = told_until.and_then(services::instant) {
            clock.advance_to(told);
        }
        Ok(Self(Arc::new(Inner {
            account: Account::at(options.endpoint),
            clock,
            pace: options.pace,
            told_until: AtomicI64::new(told_until.unwrap_or(i64::MIN)),
            database,
            faults: options.faults,
            deployed: OnceLock::new(),
            changed: Notify::new(),
        })))
    }

    /// The instant.
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.0.clock.now();
        if now.timestamp_millis() > self.0.told_until.load(Ordering::Acquire)
            && let Err(error) = self.store_told(now)
        {
            tracing::error!(%error, "could not store the clock");
        }
        now
    }

    /// The cloud's clock, as functions take it.
    pub fn clock(&self) -> Clock {
        let cloud = self.clone();
        Clock::new(move || cloud.now())
    }

    /// Whose cloud it is.
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// Jumps to a later instant.
    pub fn advance_to(&self, at: DateTime<Utc>) {
        self.0.clock.advance_to(at);
    }

    /// How long it takes in real time until the clock tells `at`; `None` where it only gets there by a jump.
    pub fn real_time_until(&self, at: DateTime<Utc>) -> Option<std::time::Duration> {
        self.0.clock.real_time_until(at)
    }

    /// Answers a request to one of the AWS services, or to the voice agent.
    pub fn handle(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let now = self.now();
        let response = match service(request) {
            Some("dynamodb") => dynamo::handle(&self.0.database, now, request),
            Some(service) => self.with(|scope| other_service(service, scope, request)),
            None => unsigned(),
        };
        self.0.changed.notify_one();
        response
    }

    /// Answers a request to the API, as its routes say.
    pub async fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let Some(deployed) = self.0.deployed.get() else {
            return Response::new(Bytes::from_static(b"nothing is deployed yet"));
        };
        let request_id = uuid::Uuid::now_v7().to_string();
        let response = deployed.gateway.answer(request, &request_id, self.now()).await;
        self.0.changed.notify_one();
        response
    }

    /// Delivers all that is ready at this instant, and all that comes of it at this instant.
    pub async fn run_ready(&self) -> Result<(), CloudError> {
        while self.deliver_once().await? {}
        Ok(())
    }

    /// The next instant at which something is ready.
    pub fn next_due_at(&self) -> Result<Option<DateTime<Utc>>, CloudError> {
        let now = self.now();
        let queues: Vec<&str> = self.0.deployed.get().map(|deployed| deployed.queue_names()).unwrap_or_default();
        let found = self.0.database.with(|conn| {
            let rule = "SELECT min(due_at) FROM rules WHERE due_at > ?1";
            let rule: Option<i64> = conn.query_row(rule, [now.timestamp_millis()], |row| row.get(0))?;
            let due = services::next_due_at(conn, now, &queues)?;
            let retry = streams::next_retry_at(conn)?.filter(|at| *at > now);
            Ok::<_, CloudError>([rule.and_then(services::instant), due, retry])
        })?;
        Ok(found.into_iter().flatten().min())
    }

    /// Waits until a request may have made something ready.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// What was sent after that place in the outbox.
    pub fn outbox(&self, after: i64) -> Result<Vec<outbox::Sent>, CloudError> {
        Ok(self.0.database.with(|conn| outbox::list(conn, after))?)
    }

    /// Tells how AI calls to a number end from now on.
    pub fn script_calls(&self, number: &str, ending: &voice_agent::Ending) -> Result<(), CloudError> {
        Ok(self.0.database.with(|conn| voice_agent::script(conn, number, ending))?)
    }

    /// An HTTP client for SDK clients that asks this cloud without a socket.
    pub(crate) fn connector(&self) -> Connector {
        let cloud = self.clone();
        Connector::new(Arc::new(move |request| cloud.handle(&request)), self.0.faults.clone())
    }

    pub(crate) fn with<R>(&self, work: impl FnOnce(&Scope<'_>) -> R) -> R {
        let now = self.now();
        self.0.database.with(|conn| work(&Scope { conn, account: &self.0.account, now }))
    }

    /// Takes what is deployed, once.
    pub(crate) fn deploy(&self, deployed: Deployed) -> Result<(), CloudError> {
        let now = self.now();
        self.0.database.with(|conn| {
            let sql = "INSERT OR IGNORE INTO rules (name, due_at) VALUES (?1, ?2)";
            deployed.rules.iter().try_for_each(|rule| {
                conn.execute(sql, rusqlite::params![rule.function.name, (now + rule.every).timestamp_millis()])
                    .map(drop)
            })
        })?;
        let _ = self.0.deployed.set(deployed);
        Ok(())
    }

    /// Delivers a little of everything that is ready; false where nothing was.
    async fn deliver_once(&self) -> Result<bool, CloudError> {
        let Some(deployed) = self.0.deployed.get() else { return Ok(false) };
        let mut delivered = self.with(services::timers::fire)? > 0;
        for mapping in &deployed.streams {
            let (db, account) = (&self.0.database, &self.0.account);
            let now = self.now();
            let on_failure = |conn: &Connection, queue: &str, body: &str| {
                queues::send(conn, queue, body, now, TimeDelta::zero()).map(drop)
            };
            delivered |= !streams::deliver(db, account, mapping, now, &on_failure).await?.is_idle();
        }
        for mapping in &deployed.queues {
            delivered |= queue_mapping::deliver(&self.0.database, &self.0.account, mapping, self.now()).await?;
        }
        delivered |= self.report_calls(deployed).await?;
        delivered |= self.run_rules(deployed).await?;
        Ok(delivered)
    }

    async fn report_calls(&self, deployed: &Deployed) -> Result<bool, CloudError> {
        let now = self.now();
        let reports = self.0.database.with(|conn| voice_agent::due_reports(conn, now))?;
        for report in &reports {
            let request = Request::post("/events/voice-agent")
                .header("content-type", "application/json")
                .header("x-vapi-secret", &deployed.voice_agent_secret)
                .body(Bytes::from(report.body.to_string()))
                .unwrap_or_default();
            let taken = self.answer(&request).await.status() == StatusCode::OK;
            self.0.database.with(|conn| match taken {
                true => voice_agent::mark_reported(conn, report.call),
                false => voice_agent::put_off(conn, report.call, now + REPORT_AGAIN),
            })?;
        }
        Ok(!reports.is_empty())
    }

    async fn run_rules(&self, deployed: &Deployed) -> Result<bool, CloudError> {
        let now = self.now();
        let mut ran = false;
        for rule in &deployed.rules {
            let sql = "UPDATE rules SET due_at = ?2 WHERE name = ?1 AND due_at <= ?3";
            let next = (now + rule.every).timestamp_millis();
            let is_due =
                self.0.database.with(|conn| {
                    conn.execute(sql, rusqlite::params![rule.function.name, next, now.timestamp_millis()])
                })? > 0;
            if is_due {
                ran = true;
                let id = uuid::Uuid::now_v7().to_string();
                let event =
                    json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event", "time": now, "detail": {} });
                if let Err(error) = rule.function.invoke(event, id, now).await {
                    tracing::warn!(function = rule.function.name, %error, "a function that runs by the clock failed");
                }
            }
        }
        Ok(ran)
    }

    /// Stores an instant that has not been told yet, before it is told, with some time ahead while the clock runs.
    fn store_told(&self, now: DateTime<Utc>) -> rusqlite::Result<()> {
        let ahead = match self.0.pace {
            Pace::Jumps => TimeDelta::zero(),
            Pace::Times(speed) => TimeDelta::milliseconds((TOLD_AHEAD.num_milliseconds() as f64 * speed) as i64),
        };
        let until = (now + ahead).timestamp_millis();
        self.0.database.with(|conn| {
            let sql = "INSERT INTO clock (one, told_until) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET told_until = max(told_until, ?1)";
            conn.execute(sql, [until])
        })?;
        self.0.told_until.fetch_max(until, Ordering::AcqRel);
        Ok(())
    }
}

/// Which service a request is for: as its signature's scope says, `Credential=<key>/<date>/<region>/<service>/aws4_request`.
pub(crate) fn service(request: &Request<Bytes>) -> Option<&str> {
    if request.uri().path().starts_with("/voice-agent/") {
        return Some("voice-agent");
    }
    let header = request.headers().get("authorization")?.to_str().ok()?;
    let scope = header.strip_prefix("AWS4-HMAC-SHA256 ")?.split("Credential=").nth(1)?;
    scope.split(',').next()?.split('/').nth(3)
}

fn other_service(service: &str, scope: &Scope<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    match service {
        "sqs" => services::sqs::handle(scope, request),
        "scheduler" => services::scheduler::handle(scope, request),
        "ses" => services::ses::handle(scope, request),
        "sns" => services::sns::handle(scope, request),
        "secretsmanager" => services::secrets::handle(scope, request),
        "voice-agent" => voice_agent::handle(scope, request),
        other => services::wire::json_answer(Err(services::wire::Refusal::unknown_operation(other)), "com.amazonaws"),
    }
}

fn unsigned() -> Response<Bytes> {
    let body: Value = json!({ "__type": "MissingAuthenticationToken", "message": "the request is not signed" });
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").field("account", &self.0.account).finish_non_exhaustive()
    }
}
