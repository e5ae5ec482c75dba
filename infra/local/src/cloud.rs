//! One cloud: its services behind one door, and the delivery of what they hold to the functions.

mod contents;
mod deliveries;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use cadence_boot::clock::Reckoning;
use cadence_core::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, Response, StatusCode};
use rusqlite::OptionalExtension;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    account::Account,
    clock::{LocalClock, Pace},
    connector::Connector,
    database::{Database, DatabaseError, Image},
    deployment::Deployed,
    dynamo,
    faults::Faults,
    processes::{Process, Processes},
    services::{self, Scope, outbox, voice_agent},
};

pub use contents::{Message, Timer, Written};
pub use deliveries::Delivery;
use deliveries::Quiet;

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
    /// What goes wrong on purpose. It must not ask the cloud, which may be in the middle of something.
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
    deployed: Mutex<Option<Arc<Deployed>>>,
    changed: Notify,
    quiet: Mutex<Option<Quiet>>,
    /// How many invocations were numbered by this process.
    invocations: AtomicU64,
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

impl Cloud {
    /// Opens a cloud, empty or as its folder holds it. Its clock never tells an instant before one it told earlier.
    pub fn open(options: Options) -> Result<Self, CloudError> {
        let clock = LocalClock::new(options.start, options.pace);
        let database = match &options.data {
            Some(folder) => Database::open(&folder.join("cloud.sqlite"), clock.clone())?,
            None => Database::memory(clock.clone())?,
        };
        Self::over(database, clock, options)
    }

    /// Opens a cloud in memory that begins with all that another one held.
    pub fn open_image(image: &Image, options: Options) -> Result<Self, CloudError> {
        let clock = LocalClock::new(options.start, options.pace);
        Self::over(Database::of_image(image, clock.clone())?, clock, options)
    }

    /// A copy of all that it holds now.
    pub fn image(&self) -> Result<Image, CloudError> {
        Ok(self.0.database.image()?)
    }

    fn over(database: Database, clock: LocalClock, options: Options) -> Result<Self, CloudError> {
        let is_kept = options.data.is_some();
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
            // What ends with the process need not remember what it told.
            told_until: AtomicI64::new(if is_kept { told_until.unwrap_or(i64::MIN) } else { i64::MAX }),
            database,
            faults: options.faults,
            deployed: Mutex::default(),
            changed: Notify::new(),
            quiet: Mutex::default(),
            invocations: AtomicU64::new(0),
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

    /// How its clock follows from the system's, for other processes; `None` where it only jumps.
    pub fn reckoning(&self) -> Option<Reckoning> {
        self.0.clock.reckoning()
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
        let Some(deployed) = self.deployed() else {
            return Response::new(Bytes::from_static(b"nothing is deployed yet"));
        };
        let request_id = self.next_id(request.uri().path());
        let response = deployed.gateway.answer(request, &request_id, self.now()).await;
        self.0.changed.notify_one();
        response
    }

    /// Waits until a request may have made something ready.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// What was sent after that place in the outbox.
    pub fn outbox(&self, after: i64) -> Result<Vec<outbox::Sent>, CloudError> {
        Ok(self.0.database.with(|conn| outbox::list(conn, after))?)
    }

    /// The functions' processes, where they have their own.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let deployed = self.deployed();
        let processes = deployed.as_ref().and_then(|deployed| deployed.processes.as_ref());
        processes.map(Processes::running).unwrap_or_default()
    }

    /// Tells how AI calls to a number end from now on.
    pub fn script_calls(&self, number: &str, ending: &voice_agent::Ending) -> Result<(), CloudError> {
        Ok(self.0.database.with(|conn| voice_agent::script(conn, number, ending))?)
    }

    /// An HTTP client for SDK clients that asks this cloud without a socket.
    pub(crate) fn connector(&self) -> Connector {
        Connector::new(self.clone(), self.0.faults.clone())
    }

    /// An id of its own for one invocation; the same in each run of a simulation.
    fn next_id(&self, what: &str) -> String {
        let number = self.0.invocations.fetch_add(1, Ordering::Relaxed);
        let words = format!("{what} {number} {}", self.now().timestamp_micros());
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, words.as_bytes()).to_string()
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
        self.0.deployed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| Arc::new(deployed));
        Ok(())
    }

    /// Lets go of what is deployed. Its functions' clients hold the cloud, so one that isn't closed lives as long as its process.
    pub fn close(&self) {
        let deployed = self.0.deployed.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(deployed);
    }

    fn deployed(&self) -> Option<Arc<Deployed>> {
        self.0.deployed.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
            conn.prepare_cached(sql)?.execute([until])
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
