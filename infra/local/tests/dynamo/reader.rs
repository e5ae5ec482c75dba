//! A function that reads the leads table's stream, and how a test delivers to it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use cadence_local::{
    account::Account,
    database::{Database, DatabaseError},
    function::{Function, FunctionError},
    streams::{Delivered, StreamMapping, deliver, next_retry_at},
};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::world::World;

/// A function that answers from a list, then well, and remembers what it was handed.
#[derive(Clone, Default)]
pub(crate) struct Reader {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    pub(crate) events: Arc<Mutex<Vec<Value>>>,
}

#[derive(Clone)]
pub(crate) enum Answer {
    Json(Value),
    /// Fails the record whose sk that is, in the list of failures.
    FailsAt(&'static str),
    /// Fails whenever a record with that sk is in the batch; stays on the list.
    Poisoned(&'static str),
    Error,
    Hangs,
}

impl Reader {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let reader = Self::default();
        reader.answers.lock().unwrap().extend(answers);
        reader
    }

    fn answer(&self, event: &Value) -> Answer {
        self.events.lock().unwrap().push(event.clone());
        let mut answers = self.answers.lock().unwrap();
        match answers.front().cloned() {
            Some(Answer::Poisoned(sk)) if sks(event).contains(&sk.to_owned()) => Answer::Error,
            Some(Answer::Poisoned(_)) | None => Answer::Json(json!({"batchItemFailures": []})),
            Some(_) => answers.pop_front().unwrap(),
        }
    }

    pub(crate) fn function(&self, name: &str) -> Function {
        let reader = self.clone();
        Function::new(name, Duration::from_secs(60), move |event, _| {
            let answer = reader.answer(&event);
            Box::pin(async move {
                match answer {
                    Answer::Json(answer) => Ok(answer),
                    Answer::FailsAt(sk) => {
                        let records = event["Records"].as_array().unwrap();
                        let failed = records.iter().find(|record| record["dynamodb"]["Keys"]["sk"]["S"] == sk).unwrap();
                        Ok(json!({"batchItemFailures": [{"itemIdentifier": failed["dynamodb"]["SequenceNumber"]}]}))
                    }
                    Answer::Error | Answer::Poisoned(_) => {
                        Err(FunctionError { error_type: "Retryable".to_owned(), message: "throttled".to_owned() })
                    }
                    Answer::Hangs => std::future::pending().await,
                }
            })
        })
    }

    /// The sks of each invocation's records.
    pub(crate) fn batches(&self) -> Vec<Vec<String>> {
        self.events.lock().unwrap().iter().map(sks).collect()
    }
}

pub(crate) fn sks(event: &Value) -> Vec<String> {
    let sk = |record: &Value| record["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap().to_owned();
    event["Records"].as_array().unwrap().iter().map(sk).collect()
}

pub(crate) fn mapping(function: Function) -> StreamMapping {
    StreamMapping {
        table: "leads".to_owned(),
        function,
        batch_size: 4,
        filters: Vec::new(),
        bisect: false,
        max_retries: 2,
        report_batch_item_failures: true,
        on_failure_queue: Some("failed".to_owned()),
    }
}

pub(crate) fn account() -> Account {
    Account::at("http://127.0.0.1:7878")
}

/// Delivers once; what is given up is written to a table of the same database.
pub(crate) async fn once(world: &World, mapping: &StreamMapping) -> Result<Delivered, DatabaseError> {
    let on_failure = |conn: &Connection, queue: &str, body: &str| {
        conn.execute_batch("CREATE TABLE IF NOT EXISTS gave_up (queue TEXT, body TEXT)")?;
        conn.execute("INSERT INTO gave_up VALUES (?1, ?2)", [queue, body]).map(drop)
    };
    let account = account();
    let delivery = deliver(&world.db, &account, mapping, world.clock.now(), &on_failure);
    may_be_spawned(&delivery);
    delivery.await
}

/// Delivers all, jumping to each retry.
pub(crate) async fn all(world: &World, mapping: &StreamMapping) -> Vec<Delivered> {
    let mut all = Vec::new();
    loop {
        match once(world, mapping).await.unwrap() {
            Delivered::Nothing => return all,
            Delivered::NotBefore(at) => {
                assert_eq!(world.db.with(next_retry_at).unwrap(), Some(at));
                world.clock.advance_to(at);
            }
            delivered => all.push(delivered),
        }
        assert!(all.len() < 100, "it never ends: {all:?}");
    }
}

pub(crate) fn gave_up(db: &Database) -> Vec<Value> {
    db.with(|conn| {
        let Ok(mut select) = conn.prepare("SELECT body FROM gave_up WHERE queue = 'failed'") else {
            return Vec::new();
        };
        let bodies = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        bodies.map(|body| serde_json::from_str(&body.unwrap()).unwrap()).collect()
    })
}

pub(crate) async fn put_all(world: &World, sks: &[&str]) {
    for (n, sk) in sks.iter().enumerate() {
        world.put("leads", "LEAD#1", sk, n as i64).await;
    }
}

/// A server delivers on any thread.
fn may_be_spawned(_: &impl Send) {}
