//! What a function that reads a stream is handed, in which order, and how far the stream is read then.

use std::time::Duration;

use cadence_local::{
    database::Database,
    filter::Pattern,
    function::Function,
    streams::{Delivered, StreamMapping, deliver, has_pending, next_retry_at},
};
use chrono::TimeDelta;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    reader::{Answer, Reader, account, all, mapping, once, put_all},
    wire::post,
    world::{World, clock, key, start},
};

#[tokio::test]
async fn a_record_has_the_shape_that_lambda_gives_it_and_the_numbers_that_the_streams_api_tells() {
    let world = World::new().await;
    world.put("leads", "LEAD#1", "LEAD", 1).await;
    world.put("leads", "LEAD#1", "LEAD", 2).await;
    let delete = world.client.delete_item().table_name("leads").set_key(Some(key("LEAD#1", "LEAD")));
    delete.send().await.unwrap();
    let reader = Reader::default();
    assert_eq!(all(&world, &mapping(reader.function("schedule"))).await, [Delivered::Taken(3)]);

    let event = reader.events.lock().unwrap()[0].clone();
    let records = event["Records"].as_array().unwrap();
    let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
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
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/leads/stream/"), "{arn}");
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
        &["ENROLLMENT#1", "LEAD", "ENROLLMENT#2", "TASK#1", "LEAD", "LEAD", "LEAD", "LEAD", "ENROLLMENT#3"],
    )
    .await;
    let reader = Reader::default();
    let filter = json!({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "ENROLLMENT#"}]}}}});
    let mapping =
        StreamMapping { filters: vec![Pattern::parse(&filter).unwrap()], ..mapping(reader.function("schedule")) };
    let delivered = all(&world, &mapping).await;
    assert_eq!(delivered, [Delivered::Taken(2), Delivered::Skipped(4), Delivered::Taken(1)]);
    assert_eq!(reader.batches(), [vec!["ENROLLMENT#1", "ENROLLMENT#2"], vec!["ENROLLMENT#3"]]);
    assert!(!has_pending(&world.db, &mapping).unwrap());
    world.put("leads", "LEAD#1", "LEAD", 9).await;
    assert!(has_pending(&world.db, &mapping).unwrap(), "one that nobody wants is still to be passed over");
}

#[tokio::test]
async fn a_partial_failure_takes_what_came_before_it_and_retries_the_rest_alone() {
    let world = World::new().await;
    put_all(&world, &["1", "2", "3"]).await;
    let reader = Reader::new([Answer::FailsAt("2")]);
    let mapping = mapping(reader.function("schedule"));
    let retry_at = start() + TimeDelta::seconds(1);
    assert_eq!(once(&world, &mapping).await.unwrap(), Delivered::Failed { taken: 1, retry_at });
    put_all(&world, &["4"]).await;
    assert_eq!(once(&world, &mapping).await.unwrap(), Delivered::NotBefore(retry_at));
    assert_eq!(all(&world, &mapping).await, [Delivered::Taken(2), Delivered::Taken(1)]);
    assert_eq!(reader.batches(), [vec!["1", "2", "3"], vec!["2", "3"], vec!["4"]]);
    assert_eq!(world.db.with(next_retry_at).unwrap(), None);
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
    let mapping = StreamMapping { bisect: true, ..mapping(reader.function("schedule")) };
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
            assert_eq!(deliver(&db, &account(), &other, now, &ignore).await.unwrap(), Delivered::Taken(1));
            Ok(json!({"batchItemFailures": [{"itemIdentifier": ""}]}))
        })
    });
    assert_eq!(once(&world, &mapping(slow)).await.unwrap(), Delivered::Overtaken);
    assert_eq!(world.db.with(next_retry_at).unwrap(), None);
}

#[tokio::test]
async fn a_table_without_a_stream_cannot_be_read() {
    let world = World::new().await;
    let nowhere = StreamMapping { table: "nowhere".to_owned(), ..mapping(Reader::default().function("schedule")) };
    let error = once(&world, &nowhere).await.unwrap_err();
    assert_eq!(error.to_string(), "table nowhere has no stream");
}
