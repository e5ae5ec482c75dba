//! The cloud that is killed, and the hands to use and to kill it.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use cadence_local::{
    deployment::{CONFIG, LEADS},
    processes::Process,
};
use cadence_store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

use super::{Plan, SPEED, pause};
use crate::Tested;

/// The steps that leads are taken through: each kind that exists, as often as a day's caps allow, a few minutes apart.
pub(super) const STEPS: [(&str, &str, &str); 5] = [
    ("first-call", "dial", "0m"),
    ("intro-text", "canned_sms", "0m"),
    ("own-text", "custom_sms", "1m"),
    ("robot-call", "ai_dial", "2m"),
    ("intro-email", "canned_email", "3m"),
];
const CADENCE: &str = "CADENCE#zillow-purchase";
/// Nothing that is waited for takes longer, even on a machine that does much else.
const LONGEST: Duration = Duration::from_secs(60);
/// An answer that takes longer is none.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// A local cloud that runs the functions as processes, over one folder, in one life after another.
pub(super) struct Site {
    binaries: PathBuf,
    data: PathBuf,
    client: Client<HttpConnector, Full<Bytes>>,
    log: Arc<Log>,
    life: Mutex<Life>,
}

/// From one start to the kill.
struct Life {
    address: String,
    process: Option<Child>,
    tokens: BTreeMap<String, String>,
    told_at: DateTime<Utc>,
    since: Instant,
    day_began: DateTime<Utc>,
}

/// What all lives logged: to a file, and what of it is counted.
struct Log {
    file: Mutex<File>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    passes: Vec<Pass>,
    invocations_killed: u32,
}

/// What one pass of `reconcile` did, as it logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Pass {
    /// Steps put back on their queues.
    pub requeued: u32,
    /// Claims that ran out, settled.
    pub settled: u32,
    /// Parked enrollments that go on.
    pub released: u32,
    /// Enrollments that could not be looked at.
    pub failed: u32,
}

/// An answer over HTTP.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Site {
    /// Starts the first life.
    pub(super) async fn start(plan: &Plan, at: DateTime<Utc>) -> Tested<Self> {
        std::fs::create_dir_all(&plan.data)?;
        let file = OpenOptions::new().create(true).append(true).open(plan.data.join("log"))?;
        let log = Arc::new(Log { file: Mutex::new(file), seen: Mutex::default() });
        let (binaries, data) = (plan.binaries.clone(), plan.data.clone());
        let life = Life::begin(&binaries, &data, &log, at).await?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { binaries, data, client, log, life: Mutex::new(life) })
    }

    /// Kills the cloud, as a machine does that loses its power. Its functions' processes find nobody any more.
    pub(super) async fn kill_cloud(&self) -> Tested {
        let process = self.life().process.take();
        if let Some(mut process) = process {
            process.kill().await?;
        }
        Ok(())
    }

    /// Starts it again after it was down for so long.
    pub(super) async fn start_again(&self, down: TimeDelta) -> Tested {
        let at = self.now()? + down;
        let mut life = Life::begin(&self.binaries, &self.data, &self.log, at).await?;
        if down < super::NIGHT {
            life.day_began = self.life().day_began;
        }
        *self.life() = life;
        Ok(())
    }

    /// Kills a function's process, one that is at an invocation if there is one, and gives the function's name.
    pub(super) async fn kill_function(&self, random: &mut fastrand::Rng) -> Tested<Option<String>> {
        #[derive(Deserialize)]
        struct Page {
            functions: Vec<Process>,
        }
        let page = self.ask("GET", "/_local/functions?json", None, "").await?.body;
        let page: Page = serde_json::from_value(page)?;
        let (busy, idle): (Vec<_>, Vec<_>) =
            page.functions.into_iter().partition(|process| process.request_id.is_some());
        let Some(victim) = random.choice(if busy.is_empty() { idle } else { busy }) else { return Ok(None) };
        let pid = Pid::from_raw(i32::try_from(victim.pid)?).ok_or("a process has no number")?;
        // It may have ended by itself meanwhile.
        Ok(kill_process(pid, Signal::KILL).is_ok().then_some(victim.function))
    }

    /// What its clock tells, about.
    pub(super) fn now(&self) -> Tested<DateTime<Utc>> {
        let life = self.life();
        Ok(life.told_at + TimeDelta::from_std(life.since.elapsed().mul_f64(SPEED))?)
    }

    /// How long the day has been.
    pub(super) fn worked(&self) -> TimeDelta {
        let day_began = self.life().day_began;
        self.now().map(|now| now - day_began).unwrap_or_default()
    }

    /// What each pass of `reconcile` did so far.
    pub(super) fn passes(&self) -> Vec<Pass> {
        self.log.seen().passes.clone()
    }

    /// How many invocations ended because their process was killed.
    pub(super) fn invocations_killed(&self) -> u32 {
        self.log.seen().invocations_killed
    }

    /// The users and their tokens.
    pub(super) fn tokens(&self) -> Vec<(String, String)> {
        self.life().tokens.clone().into_iter().collect()
    }

    /// The tables.
    pub(super) async fn store(&self) -> Store {
        Store::new(&self.aws().await, LEADS, CONFIG)
    }

    /// Asks the cloud; an error where it doesn't answer.
    pub(super) async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Tested<Answer> {
        let address = self.life().address.clone();
        let mut request = http::Request::builder().method(method).uri(format!("{address}{path}"));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request =
            request.header("content-type", "application/json").body(Full::new(Bytes::from(body.to_owned())))?;
        let answered = async {
            let response = self.client.request(request).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
        };
        tokio::time::timeout(ANSWERED_WITHIN, answered).await?
    }

    /// Gives the Zillow cadence steps that are minutes apart, as ops would, and waits until they are published.
    pub(super) async fn shorten_waits(&self) -> Tested {
        let tables = aws_sdk_dynamodb::Client::new(&self.aws().await);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let load = || tables.get_item().table_name(CONFIG).key("pk", text(CADENCE)).key("sk", text("CURRENT"));
        let found = load().send().await?.item.ok_or("the cadence is not there")?;
        let mut record: Value = serde_dynamo::from_item(found)?;
        let steps = STEPS.map(|(id, action, wait)| crate::step(action, id, wait));
        let steps = steps.map(|mut step| {
            if step.get("do").is_some_and(|action| action == "canned_email")
                && let Some(fields) = step.as_object_mut()
            {
                fields.insert("message".to_owned(), json!("email/intro"));
            }
            step
        });
        let fields = record.as_object_mut().ok_or("the cadence is no record")?;
        fields.insert("steps".to_owned(), json!(steps));
        fields.remove("check");
        let item = serde_dynamo::to_item(&record)?;
        tables.put_item().table_name(CONFIG).set_item(Some(item)).send().await?;
        let give_up = Instant::now() + LONGEST;
        loop {
            pause(Duration::from_millis(100)).await;
            let record: Value = serde_dynamo::from_item(load().send().await?.item.unwrap_or_default())?;
            match record.get("check").and_then(Value::as_str) {
                Some(check) if check.starts_with("ok") => return Ok(()),
                Some(_) => return Err(format!("the steps were not published: {record}").into()),
                None if Instant::now() > give_up => return Err("the steps were never looked at".into()),
                None => {}
            }
        }
    }

    async fn aws(&self) -> SdkConfig {
        let address = self.life().address.clone();
        let credentials = Credentials::new("local", "local", None, None, "local");
        let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(address);
        config.region(Region::new("us-east-1")).credentials_provider(credentials).load().await
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Life {
    async fn begin(binaries: &PathBuf, data: &PathBuf, log: &Arc<Log>, at: DateTime<Utc>) -> Tested<Self> {
        let mut command = Command::new(binaries.join("cadence"));
        command
            .args(["local", "--port", "0", "--speed", &SPEED.to_string(), "--at", &at.to_rfc3339(), "--data"])
            .arg(data);
        command.arg("--processes").arg(binaries).kill_on_drop(true);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        tokio::spawn(log.clone().keep(process.stderr.take()));
        let out = process.stdout.take().ok_or("it has no output")?;
        let welcome = tokio::time::timeout(LONGEST, welcome(out)).await??;
        let (address, told_at, tokens) =
            welcome.ok_or_else(|| format!("it did not start; see {}/log", data.display()))?;
        let since = Instant::now();
        Ok(Self { address, process: Some(process), tokens, told_at, since, day_began: told_at })
    }
}

/// Reads where it runs, what its clock tells, and the users' tokens.
async fn welcome(out: impl AsyncRead + Unpin) -> Tested<Option<(String, DateTime<Utc>, BTreeMap<String, String>)>> {
    let mut lines = BufReader::new(out).lines();
    let mut found = None;
    let mut tokens = BTreeMap::new();
    while let Some(line) = lines.next_line().await? {
        // Cadence runs at http://127.0.0.1:40123, its clock at 2026-12-01T18:00:00Z.
        let told = line.strip_prefix("Cadence runs at ").and_then(|rest| rest.strip_suffix('.'));
        if let Some((address, clock)) = told.and_then(|told| told.split_once(", its clock at ")) {
            found = Some((address.to_owned(), clock.parse()?));
        } else if let Some((user, token)) = line.split_once(": ey") {
            tokens.insert(user.trim().to_owned(), format!("ey{token}"));
        } else if line.is_empty() && !tokens.is_empty() {
            break;
        }
    }
    Ok(found.map(|(address, told_at)| (address, told_at, tokens)))
}

impl Log {
    async fn keep(self: Arc<Self>, from: Option<impl AsyncRead + Unpin>) {
        let Some(from) = from else { return };
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Ok(mut file) = self.file.lock() {
                // A log that can't be kept changes nothing of what is tested.
                let _ = writeln!(file, "{line}");
            }
            let mut seen = self.seen();
            seen.invocations_killed += u32::from(line.contains("Runtime.ExitError") && line.contains("signal: 9"));
            let told: Option<Value> = serde_json::from_str(&line).ok();
            let pass = told.filter(|told| told.get("message").is_some_and(|message| message == "reconciled"));
            seen.passes.extend(pass.and_then(|pass| serde_json::from_value::<Pass>(pass).ok()));
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
