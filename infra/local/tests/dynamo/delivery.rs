//! What a function that reads a stream is handed, in which order, and what becomes of what it does not take.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use cadence_local::{
    account::Account,
    database::{Database, DatabaseError},
    filter::Pattern,
    function::{Function, FunctionError},
    streams::{Delivered, StreamMapping, deliver, has_pending, next_retry_at},
};
use chrono::TimeDelta;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    api::post,
    world::{World, clock, key, start},
};

/// A function that answers from a list, then well, and remembers what it was handed.
#[derive(Clone, Default)]
struct Reader {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    events: Arc<Mutex<Vec<Value>>>,
}

#[derive(Clone)]
enum Answer {
    Json(Value),
    /// Fails the record whose sk that is, in the list of failures.
    FailsAt(&'static str),
    /// Fails whenever a record with that sk is in the batch; stays on the list.
    Poisoned(&'static str),
    Error,
    Hangs,
}

impl Reader {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
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

    fn function(&self, name: &str) -> Function {
        let reader = self.clone();
        Function::new(name, Duration::from_secs(60), move |event, _| {
            let answer = reader.answer(&event);
            Box::pin(async move {
                match answer {
                    Answer::Json(answer) => Ok(answer),
                    Answer::FailsAt(sk) => {
                        let records = event["Records"].as_array().unwrap();
                        let failed = records
                            .iter()
                            .find(|record| record["dynamodb"]["Keys"]["sk"]["S"] == sk)
                            .unwrap();
                        Ok(json!({"batchItemFailures": [{"itemIdentifier": failed["dynamodb"]["SequenceNumber"]}]}))
                    }
                    Answer::Error | Answer::Poisoned(_) => Err(FunctionError {
                        error_type: "Retryable".to_owned(),
                        message: "throttled".to_owned(),
                    }),
                    Answer::Hangs => std::future::pending().await,
                }
            })
        })
    }

    /// The sks of each invocation's records.
    fn batches(&self) -> Vec<Vec<String>> {
        self.events.lock().unwrap().iter().map(sks).collect()
    }
}

fn sks(event: &Value) -> Vec<String> {
    let sk = |record: &Value| record["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap().to_owned();
    event["Records"].as_array().unwrap().iter().map(sk).collect()
}

fn mapping(function: Function) -> StreamMapping {
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

fn account() -> Account {
    Account::at("http://127.0.0.1:7878")
}

/// Delivers once; what is given up is written to a table of the same database.
async fn once(world: &World, mapping: &StreamMapping) -> Result<Delivered, DatabaseError> {
    let on_failure = |conn: &Connection, queue: &str, body: &str| {
        conn.execute_batch("CREATE TABLE IF NOT EXISTS gave_up (queue TEXT, body TEXT)")?;
        conn.execute("INSERT INTO gave_up VALUES (?1, ?2)", [queue, body])
            .map(drop)
    };
    deliver(&world.db, &account(), mapping, world.clock.now(), &on_failure).await
}

/// Delivers all, jumping to each retry.
async fn all(world: &World, mapping: &StreamMapping) -> Vec<Delivered> {
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

fn gave_up(db: &Database) -> Vec<Value> {
    db.with(|conn| {
        let Ok(mut select) = conn.prepare("SELECT body FROM gave_up WHERE queue = 'failed'") else {
            return Vec::new();
        };
        let bodies = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        bodies
            .map(|body| serde_json::from_str(&body.unwrap()).unwrap())
            .collect()
    })
}

async fn put_all(world: &World, sks: &[&str]) {
    for (n, sk) in sks.iter().enumerate() {
        world.put("leads", "LEAD#1", sk, n as i64).await;
    }
}

#[tokio::test]
async fn a_record_has_the_shape_that_lambda_gives_it_and_the_numbers_that_the_streams_api_tells() {
    let world = World::new().await;
    world.put("leads", "LEAD#1", "LEAD", 1).await;
    world.put("leads", "LEAD#1", "LEAD", 2).await;
    let delete = world
        .client
        .delete_item()
        .table_name("leads")
        .set_key(Some(key("LEAD#1", "LEAD")));
    delete.send().await.unwrap();
    let reader = Reader::default();
    assert_eq!(
        all(&world, &mapping(reader.function("schedule"))).await,
        [Delivered::Taken(3)]
    );

    let event = reader.events.lock().unwrap()[0].clone();
    let records = event["Records"].as_array().unwrap();
    let names: Vec<_> = records
        .iter()
        .map(|record| record["eventName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    let image = |n: &str| json!({"pk": {"S": "LEAD#1"}, "sk": {"S": "LEAD"}, "n": {"N": n}});
    let mut modify = records[1].clone();
    for (path, digits) in [("/eventID", 32), ("/dynamodb/SequenceNumber", 21)] {
        let id = modify.pointer_mut(path).unwrap();
        assert_eq!(id.as_str().unwrap().len(), digits);
        *id = Value::Null;
    }
    assert!(modify["dynamodb"]["SizeBytes"].as_u64().unwrap() > 0);
    modify["dynamodb"]["SizeBytes"] = Value::Null;
    let arn = modify["eventSourceARN"].as_str().unwrap().to_owned();
    assert!(
        arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/leads/stream/"),
        "{arn}"
    );
    assert_eq!(
        modify,
        json!({
            "eventID": null, "eventName": "MODIFY", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1", "eventSourceARN": arn,
            "dynamodb": {
                "ApproximateCreationDateTime": start().timestamp(), "SequenceNumber": null, "SizeBytes": null,
                "Keys": {"pk": {"S": "LEAD#1"}, "sk": {"S": "LEAD"}},
                "NewImage": image("2"), "OldImage": image("1"), "StreamViewType": "NEW_AND_OLD_IMAGES",
            }
        })
    );
    assert_eq!(records[0]["dynamodb"].get("OldImage"), None);
    assert_eq!(records[2]["dynamodb"].get("NewImage"), None);

    let target = |operation: &str| format!("DynamoDBStreams_20120810.{operation}");
    let iterator = json!({"StreamArn": arn, "ShardId": "shardId-00000001-leads", "ShardIteratorType": "TRIM_HORIZON"});
    let (_, iterator) = post(&world.db, &target("GetShardIterator"), &iterator.to_string());
    let (_, told) = post(&world.db, &target("GetRecords"), &iterator.to_string());
    assert_eq!(told["Records"].as_array().unwrap().len(), 3);
    for (record, told) in records.iter().zip(told["Records"].as_array().unwrap()) {
        assert_eq!(record["dynamodb"]["SequenceNumber"], told["dynamodb"]["SequenceNumber"]);
        assert_eq!(record["dynamodb"]["SizeBytes"], told["dynamodb"]["SizeBytes"]);
    }
}

#[tokio::test]
async fn records_come_in_order_in_batches_and_unwanted_ones_are_passed_over() {
    let world = World::new().await;
    put_all(
        &world,
        &[
            "ENROLLMENT#1",
            "LEAD",
            "ENROLLMENT#2",
            "TASK#1",
            "LEAD",
            "LEAD",
            "LEAD",
            "LEAD",
            "ENROLLMENT#3",
        ],
    )
    .await;
    let reader = Reader::default();
    let filter = json!({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "ENROLLMENT#"}]}}}});
    let mapping = StreamMapping {
        filters: vec![Pattern::parse(&filter).unwrap()],
        ..mapping(reader.function("schedule"))
    };
    let delivered = all(&world, &mapping).await;
    assert_eq!(
        delivered,
        [Delivered::Taken(2), Delivered::Skipped(4), Delivered::Taken(1)]
    );
    assert_eq!(
        reader.batches(),
        [vec!["ENROLLMENT#1", "ENROLLMENT#2"], vec!["ENROLLMENT#3"]]
    );
    assert!(!has_pending(&world.db, &mapping).unwrap());
    world.put("leads", "LEAD#1", "LEAD", 9).await;
    assert!(
        has_pending(&world.db, &mapping).unwrap(),
        "one that nobody wants is still to be passed over"
    );
}

#[tokio::test]
async fn a_partial_failure_takes_what_came_before_it_and_retries_the_rest_alone() {
    let world = World::new().await;
    put_all(&world, &["1", "2", "3"]).await;
    let reader = Reader::new([Answer::FailsAt("2")]);
    let mapping = mapping(reader.function("schedule"));
    let retry_at = start() + TimeDelta::seconds(1);
    assert_eq!(
        once(&world, &mapping).await.unwrap(),
        Delivered::Failed { taken: 1, retry_at }
    );
    put_all(&world, &["4"]).await;
    assert_eq!(once(&world, &mapping).await.unwrap(), Delivered::NotBefore(retry_at));
    assert_eq!(all(&world, &mapping).await, [Delivered::Taken(2), Delivered::Taken(1)]);
    assert_eq!(reader.batches(), [vec!["1", "2", "3"], vec!["2", "3"], vec!["4"]]);
    assert_eq!(world.db.with(next_retry_at).unwrap(), None);
}

#[tokio::test]
async fn an_answer_that_lambda_would_not_understand_fails_the_whole_batch() {
    let malformed = [
        json!("ok"),
        json!({"batchItemFailures": "2"}),
        json!({"batchItemFailures": [{}]}),
        json!({"batchItemFailures": [{"itemIdentifier": ""}]}),
        json!({"batchItemFailures": [{"itemIdentifier": null}]}),
        json!({"batchItemFailures": [{"itemIdentifier": "100000000000000000001"}]}),
    ];
    let well = [
        json!(null),
        json!({}),
        json!({"batchItemFailures": null}),
        json!({"batchItemFailures": []}),
    ];
    let cases = malformed
        .map(|answer| (answer, false))
        .into_iter()
        .chain(well.map(|answer| (answer, true)));
    for (answer, taken) in cases {
        let world = World::new().await;
        put_all(&world, &["1", "2"]).await;
        let reader = Reader::new([Answer::Json(answer.clone())]);
        let delivered = once(&world, &mapping(reader.function("schedule"))).await.unwrap();
        let retry_at = start() + TimeDelta::seconds(1);
        let failed = Delivered::Failed { taken: 0, retry_at };
        assert_eq!(delivered, if taken { Delivered::Taken(2) } else { failed }, "{answer}");
    }
}

#[tokio::test]
async fn a_function_that_does_not_report_failures_takes_all_that_it_does_not_fail_at() {
    let world = World::new().await;
    put_all(&world, &["1", "2"]).await;
    let reader = Reader::new([Answer::FailsAt("1")]);
    let mapping = StreamMapping {
        report_batch_item_failures: false,
        ..mapping(reader.function("schedule"))
    };
    assert_eq!(all(&world, &mapping).await, [Delivered::Taken(2)]);
}

#[tokio::test]
async fn a_batch_that_keeps_failing_is_retried_ever_later_and_then_given_up_with_a_message() {
    let world = World::new().await;
    put_all(&world, &["1", "2", "3", "4", "5"]).await;
    let reader = Reader::new([Answer::Error, Answer::Error, Answer::Error]);
    let mapping = mapping(reader.function("schedule"));
    let failed = |seconds| Delivered::Failed {
        taken: 0,
        retry_at: start() + TimeDelta::seconds(seconds),
    };
    let lost = Delivered::GaveUp { taken: 0, lost: 4 };
    assert_eq!(
        all(&world, &mapping).await,
        [failed(1), failed(3), lost, Delivered::Taken(1)]
    );
    assert_eq!(reader.batches().last().unwrap(), &["5"]);

    let events = reader.events.lock().unwrap().clone();
    let number = |record: usize| events[0]["Records"][record]["dynamodb"]["SequenceNumber"].clone();
    let message = gave_up(&world.db).remove(0);
    assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(message["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(
        message["requestContext"]["functionArn"],
        "arn:aws:lambda:us-east-1:000000000000:function:schedule"
    );
    assert_eq!(message["responseContext"]["functionError"], "Unhandled");
    assert_eq!(message["timestamp"], "2027-01-05T15:00:03.000Z");
    let info = &message["DDBStreamBatchInfo"];
    assert_eq!(
        (&info["startSequenceNumber"], &info["endSequenceNumber"]),
        (&number(0), &number(3))
    );
    assert_eq!(
        (&info["batchSize"], &info["streamArn"]),
        (&json!(4), &events[0]["Records"][0]["eventSourceARN"])
    );
    assert_eq!(info["approximateArrivalOfFirstRecord"], "2027-01-05T15:00:00Z");
}

#[tokio::test]
async fn the_wait_between_retries_ends_growing_at_a_minute() {
    let world = World::new().await;
    put_all(&world, &["1"]).await;
    let reader = Reader::new([Answer::Poisoned("1")]);
    let mapping = StreamMapping {
        max_retries: 8,
        ..mapping(reader.function("schedule"))
    };
    let waits = all(&world, &mapping)
        .await
        .into_iter()
        .scan(start(), |last, delivered| match delivered {
            Delivered::Failed { retry_at, .. } => Some((retry_at - std::mem::replace(last, retry_at)).num_seconds()),
            _ => None,
        });
    assert_eq!(waits.collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[tokio::test]
async fn splitting_a_batch_finds_the_one_record_that_fails_and_loses_no_other() {
    let world = World::new().await;
    put_all(&world, &["1", "2", "3", "4", "5"]).await;
    let reader = Reader::new([Answer::Poisoned("3")]);
    let mapping = StreamMapping {
        bisect: true,
        max_retries: 1,
        ..mapping(reader.function("schedule"))
    };
    all(&world, &mapping).await;
    let expected: [&[&str]; 7] = [
        &["1", "2", "3", "4"],
        &["1", "2"],
        &["3", "4"],
        &["3"],
        &["3"],
        &["4"],
        &["5"],
    ];
    assert_eq!(reader.batches(), expected);
    let lost = gave_up(&world.db);
    assert_eq!(
        (lost.len(), &lost[0]["DDBStreamBatchInfo"]["batchSize"]),
        (1, &json!(1))
    );
}

#[tokio::test]
async fn splitting_works_together_with_reported_failures() {
    let world = World::new().await;
    put_all(&world, &["1", "2", "3", "4"]).await;
    let reader = Reader::new([Answer::FailsAt("2"), Answer::FailsAt("2"), Answer::FailsAt("2")]);
    let mapping = StreamMapping {
        bisect: true,
        max_retries: 1,
        ..mapping(reader.function("schedule"))
    };
    all(&world, &mapping).await;
    let expected: [&[&str]; 5] = [&["1", "2", "3", "4"], &["2", "3", "4"], &["2"], &["2"], &["3", "4"]];
    assert_eq!(reader.batches(), expected);
    assert_eq!(gave_up(&world.db), Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_function_that_hangs_is_cut_off_and_its_batch_tried_again() {
    let world = World::new().await;
    put_all(&world, &["1"]).await;
    let reader = Reader::new([Answer::Hangs]);
    let delivered = all(&world, &mapping(reader.function("schedule"))).await;
    let retry_at = start() + TimeDelta::seconds(1);
    assert_eq!(
        delivered,
        [Delivered::Failed { taken: 0, retry_at }, Delivered::Taken(1)]
    );
}

#[tokio::test]
async fn two_functions_read_one_stream_each_at_its_own_pace() {
    let world = World::new().await;
    put_all(&world, &["1", "2"]).await;
    let (slow, fast) = (Reader::new([Answer::Error]), Reader::default());
    let (slow_mapping, fast_mapping) = (mapping(slow.function("slow")), mapping(fast.function("fast")));
    once(&world, &slow_mapping).await.unwrap();
    assert_eq!(all(&world, &fast_mapping).await, [Delivered::Taken(2)]);
    assert!(has_pending(&world.db, &slow_mapping).unwrap());
    assert_eq!(all(&world, &slow_mapping).await, [Delivered::Taken(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_position_retries_and_splits_and_a_cut_off_batch_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud.sqlite");
    let reader = Reader::new([Answer::Json(json!(null)), Answer::Error, Answer::Hangs]);
    let mapping = StreamMapping {
        bisect: true,
        ..mapping(reader.function("schedule"))
    };
    {
        let world = World::over(Database::open(&path, clock()).unwrap(), clock());
        world.create_tables().await;
        put_all(&world, &["1", "2", "3", "4", "5", "6"]).await;
        assert_eq!(once(&world, &mapping).await.unwrap(), Delivered::Taken(4));
        assert!(!once(&world, &mapping).await.unwrap().is_idle());
    }
    {
        let world = World::over(Database::open(&path, clock()).unwrap(), clock());
        assert!(matches!(once(&world, &mapping).await.unwrap(), Delivered::NotBefore(_)));
        world.clock.advance_to(start() + TimeDelta::seconds(1));
        // The process ends while the function runs.
        let cut_off = tokio::time::timeout(Duration::from_millis(1), once(&world, &mapping)).await;
        assert!(cut_off.is_err());
    }
    let world = World::over(Database::open(&path, clock()).unwrap(), clock());
    world.clock.advance_to(start() + TimeDelta::seconds(1));
    all(&world, &mapping).await;
    let expected: [&[&str]; 5] = [&["1", "2", "3", "4"], &["5", "6"], &["5"], &["5"], &["6"]];
    assert_eq!(reader.batches(), expected);
    // Numbers go on from where they were.
    world.put("leads", "LEAD#1", "7", 7).await;
    assert_eq!(all(&world, &mapping).await, [Delivered::Taken(1)]);
}

#[tokio::test]
async fn a_message_that_cannot_be_written_moves_nothing() {
    let world = World::new().await;
    put_all(&world, &["1"]).await;
    let reader = Reader::new([Answer::Error]);
    let mapping = StreamMapping {
        max_retries: 0,
        ..mapping(reader.function("schedule"))
    };
    let full = |_: &Connection, _: &str, _: &str| Err(rusqlite::Error::ExecuteReturnedResults);
    let failed = deliver(&world.db, &account(), &mapping, start(), &full).await;
    assert!(matches!(failed, Err(DatabaseError::Sqlite(_))), "{failed:?}");
    assert_eq!(all(&world, &mapping).await, [Delivered::Taken(1)]);
}

#[tokio::test]
async fn a_delivery_that_another_one_overtook_changes_nothing() {
    let world = World::new().await;
    put_all(&world, &["1"]).await;
    let other = mapping(Reader::default().function("schedule"));
    let db = world.db.clone();
    let now = world.clock.now();
    let slow = Function::new("schedule", Duration::from_secs(60), move |_, _| {
        let (db, other) = (db.clone(), other.clone());
        Box::pin(async move {
            let ignore = |_: &Connection, _: &str, _: &str| Ok(());
            assert_eq!(
                deliver(&db, &account(), &other, now, &ignore).await.unwrap(),
                Delivered::Taken(1)
            );
            Ok(json!({"batchItemFailures": [{"itemIdentifier": ""}]}))
        })
    });
    assert_eq!(once(&world, &mapping(slow)).await.unwrap(), Delivered::Overtaken);
    assert_eq!(world.db.with(next_retry_at).unwrap(), None);
}

#[tokio::test]
async fn a_table_without_a_stream_cannot_be_read() {
    let world = World::new().await;
    let nowhere = StreamMapping {
        table: "nowhere".to_owned(),
        ..mapping(Reader::default().function("schedule"))
    };
    let error = once(&world, &nowhere).await.unwrap_err();
    assert_eq!(error.to_string(), "table nowhere has no stream");
}
