//! What becomes of the records that a function does not take.

use cadence_local::{
    database::DatabaseError,
    streams::{Delivered, StreamMapping, deliver},
};
use chrono::TimeDelta;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    reader::{Answer, Reader, account, all, gave_up, mapping, once, put_all},
    world::{World, start},
};

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
    let well = [json!(null), json!({}), json!({"batchItemFailures": null}), json!({"batchItemFailures": []})];
    let cases = malformed.map(|answer| (answer, false)).into_iter().chain(well.map(|answer| (answer, true)));
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
    let mapping = StreamMapping { report_batch_item_failures: false, ..mapping(reader.function("schedule")) };
    assert_eq!(all(&world, &mapping).await, [Delivered::Taken(2)]);
}

#[tokio::test]
async fn a_batch_that_keeps_failing_is_retried_ever_later_and_then_given_up_with_a_message() {
    let world = World::new().await;
    put_all(&world, &["1", "2", "3", "4", "5"]).await;
    let reader = Reader::new([Answer::Error, Answer::Error, Answer::Error]);
    let mapping = mapping(reader.function("schedule"));
    let failed = |seconds| Delivered::Failed { taken: 0, retry_at: start() + TimeDelta::seconds(seconds) };
    let lost = Delivered::GaveUp { taken: 0, lost: 4 };
    assert_eq!(all(&world, &mapping).await, [failed(1), failed(3), lost, Delivered::Taken(1)]);
    assert_eq!(reader.batches().last().unwrap(), &["5"]);

    let events = reader.events.lock().unwrap().clone();
    let number = |record: usize| events[0]["Records"][record]["dynamodb"]["SequenceNumber"].clone();
    let message = gave_up(&world.db).remove(0);
    assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(message["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(message["requestContext"]["functionArn"], "arn:aws:lambda:us-east-1:000000000000:function:schedule");
    assert_eq!(message["responseContext"]["functionError"], "Unhandled");
    assert_eq!(message["timestamp"], "2027-01-05T15:00:03.000Z");
    let info = &message["DDBStreamBatchInfo"];
    assert_eq!((&info["startSequenceNumber"], &info["endSequenceNumber"]), (&number(0), &number(3)));
    assert_eq!((&info["batchSize"], &info["streamArn"]), (&json!(4), &events[0]["Records"][0]["eventSourceARN"]));
    assert_eq!(info["approximateArrivalOfFirstRecord"], "2027-01-05T15:00:00Z");
}

#[tokio::test]
async fn the_wait_between_retries_ends_growing_at_a_minute() {
    let world = World::new().await;
    put_all(&world, &["1"]).await;
    let reader = Reader::new([Answer::Poisoned("1")]);
    let mapping = StreamMapping { max_retries: 8, ..mapping(reader.function("schedule")) };
    let waits = all(&world, &mapping).await.into_iter().scan(start(), |last, delivered| match delivered {
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
    let mapping = StreamMapping { bisect: true, max_retries: 1, ..mapping(reader.function("schedule")) };
    all(&world, &mapping).await;
    let expected: [&[&str]; 7] = [&["1", "2", "3", "4"], &["1", "2"], &["3", "4"], &["3"], &["3"], &["4"], &["5"]];
    assert_eq!(reader.batches(), expected);
    let lost = gave_up(&world.db);
    assert_eq!((lost.len(), &lost[0]["DDBStreamBatchInfo"]["batchSize"]), (1, &json!(1)));
}

#[tokio::test]
async fn splitting_works_together_with_reported_failures() {
    let world = World::new().await;
    put_all(&world, &["1", "2", "3", "4"]).await;
    let reader = Reader::new([Answer::FailsAt("2"), Answer::FailsAt("2"), Answer::FailsAt("2")]);
    let mapping = StreamMapping { bisect: true, max_retries: 1, ..mapping(reader.function("schedule")) };
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
    assert_eq!(delivered, [Delivered::Failed { taken: 0, retry_at }, Delivered::Taken(1)]);
}

#[tokio::test]
async fn a_message_that_cannot_be_written_moves_nothing() {
    let world = World::new().await;
    put_all(&world, &["1"]).await;
    let reader = Reader::new([Answer::Error]);
    let mapping = StreamMapping { max_retries: 0, ..mapping(reader.function("schedule")) };
    let full = |_: &Connection, _: &str, _: &str| Err(rusqlite::Error::ExecuteReturnedResults);
    let failed = deliver(&world.db, &account(), &mapping, start(), &full).await;
    assert!(matches!(failed, Err(DatabaseError::Sqlite(_))), "{failed:?}");
    assert_eq!(all(&world, &mapping).await, [Delivered::Taken(1)]);
}
