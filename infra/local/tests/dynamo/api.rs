//! The real DynamoDB client against the embedded one.

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
    types::{
        AttributeValue, ConditionCheck, Get, KeysAndAttributes, Put, PutRequest, ReturnValue,
        ReturnValuesOnConditionCheckFailure, TimeToLiveSpecification, TransactGetItem, TransactWriteItem, Update,
        WriteRequest,
    },
};
use bytes::Bytes;
use cadence_local::{database::Database, dynamo};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::world::{Item, World, clock, item, key, number, start, text};

fn put(pk: &str, sk: &str, n: i64) -> TransactWriteItem {
    let put = Put::builder().table_name("leads").set_item(Some(item(pk, sk, n)));
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

fn add_one(pk: &str, sk: &str) -> TransactWriteItem {
    let update = Update::builder()
        .table_name("leads")
        .set_key(Some(key(pk, sk)))
        .update_expression("ADD n :one")
        .expression_attribute_values(":one", number(1));
    TransactWriteItem::builder().update(update.build().unwrap()).build()
}

fn require_n(pk: &str, sk: &str, n: i64) -> TransactWriteItem {
    let check = ConditionCheck::builder()
        .table_name("leads")
        .set_key(Some(key(pk, sk)))
        .condition_expression("n = :n")
        .expression_attribute_values(":n", number(n))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder()
        .condition_check(check.build().unwrap())
        .build()
}

async fn write(
    client: &Client,
    token: &str,
    items: Vec<TransactWriteItem>,
) -> Result<TransactWriteItemsOutput, TransactWriteItemsError> {
    let write = client.transact_write_items().set_transact_items(Some(items));
    let answer = write.client_request_token(token).send().await;
    answer.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error)
}

#[tokio::test]
async fn a_condition_that_does_not_hold_refuses_the_write_and_returns_the_item_that_was_found() {
    let world = World::new().await;
    world.put("leads", "LEAD#1", "LEAD", 1).await;
    let refused = world
        .client
        .put_item()
        .table_name("leads")
        .set_item(Some(item("LEAD#1", "LEAD", 2)))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(refused.is_conditional_check_failed_exception(), "{refused:?}");
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(refused) = refused else {
        panic!("not that one");
    };
    assert_eq!(refused.item.unwrap()["n"], number(1));
    assert_eq!(world.n_of("LEAD#1", "LEAD").await.unwrap(), "1");
}

#[tokio::test]
async fn an_update_changes_the_item_on_its_condition_and_returns_it() {
    let world = World::new().await;
    world.put("leads", "LEAD#1", "LEAD", 1).await;
    let update = |expected: i64| {
        world
            .client
            .update_item()
            .table_name("leads")
            .set_key(Some(key("LEAD#1", "LEAD")))
            .update_expression("SET #n = #n + :one REMOVE gone")
            .condition_expression("#n = :expected AND attribute_exists(pk)")
            .expression_attribute_names("#n", "n")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expected", number(expected))
            .return_values(ReturnValue::AllNew)
            .send()
    };
    assert_eq!(update(1).await.unwrap().attributes.unwrap()["n"], number(2));
    let refused = update(1).await.unwrap_err().into_service_error();
    assert!(refused.is_conditional_check_failed_exception(), "{refused:?}");

    let delete = world
        .client
        .delete_item()
        .table_name("leads")
        .set_key(Some(key("LEAD#1", "LEAD")));
    delete.send().await.unwrap();
    assert_eq!(world.get("leads", "LEAD#1", "LEAD").await, None);
}

#[tokio::test]
async fn a_cancelled_transaction_writes_nothing_and_gives_a_reason_for_each_action() {
    let world = World::new().await;
    world.put("leads", "LEAD#1", "LEAD", 5).await;
    let actions = vec![put("LEAD#1", "TASK#1", 1), require_n("LEAD#1", "LEAD", 4)];
    let refused = write(&world.client, "a", actions.clone()).await.unwrap_err();
    let TransactWriteItemsError::TransactionCanceledException(refused) = refused else {
        panic!("{refused:?}");
    };
    let reasons = refused.cancellation_reasons();
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(reasons[1].item().unwrap()["n"], number(5));
    assert_eq!(world.get("leads", "LEAD#1", "TASK#1").await, None);

    // The same token after a refusal is a new try: only what was applied is remembered.
    world.put("leads", "LEAD#1", "LEAD", 4).await;
    write(&world.client, "a", actions).await.unwrap();
    assert!(world.get("leads", "LEAD#1", "TASK#1").await.is_some());
}

#[tokio::test]
async fn a_token_that_comes_again_applies_nothing_for_ten_minutes() {
    let world = World::new().await;
    let add = || vec![add_one("LEAD#1", "LEAD")];
    write(&world.client, "token", add()).await.unwrap();
    world.clock.advance_to(start() + TimeDelta::minutes(10));
    write(&world.client, "token", add()).await.unwrap();
    assert_eq!(world.n_of("LEAD#1", "LEAD").await.unwrap(), "1");
    let refused = write(&world.client, "token", vec![add_one("LEAD#2", "LEAD")])
        .await
        .unwrap_err();
    assert!(refused.is_idempotent_parameter_mismatch_exception(), "{refused:?}");

    world
        .clock
        .advance_to(start() + TimeDelta::minutes(10) + TimeDelta::milliseconds(1));
    write(&world.client, "token", add()).await.unwrap();
    assert_eq!(world.n_of("LEAD#1", "LEAD").await.unwrap(), "2");
}

#[tokio::test]
async fn a_token_is_kept_in_the_file_together_with_its_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud.sqlite");
    let open = || World::over(Database::open(&path, clock()).unwrap(), clock());
    {
        let world = open();
        world.create_tables().await;
        // Counts the records that are there when the token is kept: after the commit both would be.
        world.db.with(|conn| {
            conn.execute_batch(
                "CREATE TEMP TABLE seen (records);
                 CREATE TEMP TRIGGER seen AFTER INSERT ON main.transaction_tokens
                 BEGIN INSERT INTO seen SELECT count(*) FROM main._stream_records; END",
            )
            .unwrap();
        });
        write(
            &world.client,
            "token",
            vec![add_one("LEAD#1", "LEAD"), add_one("LEAD#2", "LEAD")],
        )
        .await
        .unwrap();
        let records: i64 = world.db.with(|conn| {
            conn.query_row("SELECT records FROM seen", [], |row| row.get(0))
                .unwrap()
        });
        assert_eq!(records, 1, "the token joins at the first of the two records");
    }
    let world = open();
    write(
        &world.client,
        "token",
        vec![add_one("LEAD#1", "LEAD"), add_one("LEAD#2", "LEAD")],
    )
    .await
    .unwrap();
    assert_eq!(world.n_of("LEAD#1", "LEAD").await.unwrap(), "1");
}

#[tokio::test]
async fn a_sparse_index_is_queried_in_order_and_in_pages() {
    let world = World::new().await;
    for n in 0..5 {
        let mut due = item(&format!("LEAD#{n}"), "ENROLLMENT#1", n);
        due.extend([
            ("due_shard".to_owned(), text("DUE#0")),
            ("due_at".to_owned(), text(&format!("2027-01-05T15:0{}:00Z", 4 - n))),
        ]);
        world
            .client
            .put_item()
            .table_name("leads")
            .set_item(Some(due))
            .send()
            .await
            .unwrap();
    }
    world.put("leads", "LEAD#9", "LEAD", 9).await;
    let mut found = Vec::new();
    let mut from: Option<Item> = None;
    loop {
        let page = world
            .client
            .query()
            .table_name("leads")
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at < :at")
            .expression_attribute_values(":shard", text("DUE#0"))
            .expression_attribute_values(":at", text("2027-01-05T15:04:00Z"))
            .limit(3)
            .set_exclusive_start_key(from)
            .send()
            .await
            .unwrap();
        found.extend(page.items().iter().map(|item| item["n"].as_n().unwrap().clone()));
        from = page.last_evaluated_key;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(found, ["4", "3", "2", "1"]);
    assert_eq!(world.client.scan().table_name("leads").send().await.unwrap().count(), 6);
}

#[tokio::test]
async fn batches_are_written_and_read() {
    let world = World::new().await;
    let puts = (0..3).map(|n| {
        let put = PutRequest::builder()
            .set_item(Some(item("LEAD#1", &format!("TASK#{n}"), n)))
            .build()
            .unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    let written = world
        .client
        .batch_write_item()
        .request_items("leads", puts.collect())
        .send()
        .await
        .unwrap();
    assert!(written.unprocessed_items().unwrap().is_empty());
    let keys = KeysAndAttributes::builder()
        .consistent_read(true)
        .keys(key("LEAD#1", "TASK#0"))
        .keys(key("LEAD#1", "TASK#2"))
        .keys(key("LEAD#1", "TASK#7"));
    let read = world
        .client
        .batch_get_item()
        .request_items("leads", keys.build().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(read.responses().unwrap()["leads"].len(), 2);

    let get = |sk: &str| {
        let get = Get::builder().table_name("leads").set_key(Some(key("LEAD#1", sk)));
        TransactGetItem::builder().get(get.build().unwrap()).build()
    };
    let gets = vec![get("TASK#0"), get("TASK#7")];
    let read = world
        .client
        .transact_get_items()
        .set_transact_items(Some(gets))
        .send()
        .await
        .unwrap();
    assert!(read.responses()[0].item().is_some() && read.responses()[1].item().is_none());
}

#[tokio::test]
async fn tables_are_listed_described_with_the_accounts_arns_and_deleted() {
    let world = World::new().await;
    let client = &world.client;
    assert_eq!(
        client.list_tables().send().await.unwrap().table_names(),
        ["config", "leads"]
    );
    let leads = client
        .describe_table()
        .table_name("leads")
        .send()
        .await
        .unwrap()
        .table
        .unwrap();
    assert_eq!(
        leads.table_arn().unwrap(),
        "arn:aws:dynamodb:us-east-1:000000000000:table/leads"
    );
    assert!(
        leads
            .latest_stream_arn()
            .unwrap()
            .starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/leads/stream/")
    );
    let ttl = TimeToLiveSpecification::builder()
        .attribute_name("expires_at")
        .enabled(true)
        .build()
        .unwrap();
    client
        .update_time_to_live()
        .table_name("leads")
        .time_to_live_specification(ttl)
        .send()
        .await
        .unwrap();
    let ttl = client.describe_time_to_live().table_name("leads").send().await.unwrap();
    assert_eq!(
        ttl.time_to_live_description().unwrap().attribute_name(),
        Some("expires_at")
    );
    client.delete_table().table_name("config").send().await.unwrap();
    let gone = client
        .describe_table()
        .table_name("config")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(gone.is_resource_not_found_exception(), "{gone:?}");
}

pub(crate) fn post(db: &Database, target: &str, body: &str) -> (u16, Value) {
    let request = http::Request::post("/").header("x-amz-target", target);
    let response = dynamo::handle(db, start(), &request.body(Bytes::from(body.to_owned())).unwrap());
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
    assert!(!response.headers()["x-amzn-requestid"].is_empty());
    (
        response.status().as_u16(),
        serde_json::from_slice(response.body()).unwrap(),
    )
}

#[tokio::test]
async fn what_is_malformed_unknown_or_invalid_is_refused_as_aws_refuses_it() {
    let world = World::new().await;
    let item = |value: Value| json!({"TableName": "leads", "Item": {"pk": value, "sk": {"S": "x"}}}).to_string();
    let cases = [
        (
            "DynamoDB_20120810.PutItem",
            "{".to_owned(),
            "com.amazon.coral.service#SerializationException",
        ),
        (
            "DynamoDB_20120810.PutItem",
            String::new(),
            "com.amazon.coral.service#SerializationException",
        ),
        (
            "DynamoDB_20120810.PutItem",
            "[]".to_owned(),
            "com.amazon.coral.service#SerializationException",
        ),
        (
            "DynamoDB_20120810.PutItem",
            r#"{"TableName": 7}"#.to_owned(),
            "com.amazon.coral.service#SerializationException",
        ),
        (
            "DynamoDB_20120810.PutItem",
            "{}".to_owned(),
            "com.amazon.coral.validate#ValidationException",
        ),
        (
            "DynamoDB_20120810.PutItem",
            item(json!({})),
            "com.amazon.coral.validate#ValidationException",
        ),
        (
            "DynamoDB_20120810.PutItem",
            item(json!({"S": "a", "N": "1"})),
            "com.amazon.coral.validate#ValidationException",
        ),
        (
            "DynamoDB_20120810.PutItem",
            item(json!({"N": "1"})),
            "com.amazon.coral.validate#ValidationException",
        ),
        (
            "DynamoDB_20120810.PutItem",
            item(json!({"S": ""})),
            "com.amazon.coral.validate#ValidationException",
        ),
        (
            "DynamoDB_20120810.GetItem",
            r#"{"TableName": "leads", "Key": {}}"#.to_owned(),
            "com.amazon.coral.validate#ValidationException",
        ),
        (
            "DynamoDB_20120810.DescribeTable",
            "{}".to_owned(),
            "com.amazon.coral.validate#ValidationException",
        ),
        (
            "DynamoDB_20120810.DescribeTable",
            r#"{"TableName": "nope"}"#.to_owned(),
            "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
        ),
        (
            "DynamoDB_20120810.RestoreTableFromBackup",
            "{}".to_owned(),
            "com.amazon.coral.service#UnknownOperationException",
        ),
        (
            "DynamoDB_20120810.GetRecords",
            "{}".to_owned(),
            "com.amazon.coral.service#UnknownOperationException",
        ),
        (
            "GetItem",
            "{}".to_owned(),
            "com.amazon.coral.service#UnknownOperationException",
        ),
    ];
    for (target, body, expected) in cases {
        let (status, answer) = post(&world.db, target, &body);
        assert_eq!(
            (status, answer["__type"].as_str().unwrap()),
            (400, expected),
            "{target} {body}: {answer}"
        );
        assert!(!answer.to_string().contains("VALIDATION"), "{answer}");
        assert!(!answer.to_string().contains("at line"), "{answer}");
    }
}

#[tokio::test]
async fn the_streams_api_reads_what_was_written() {
    let world = World::new().await;
    let started = json!({"S": "arn:aws:dynamodb:dynoxide:"});
    let mut kept = item("LEAD#1", "LEAD", 1);
    kept.insert(
        "text".to_owned(),
        AttributeValue::S(started["S"].as_str().unwrap().to_owned()),
    );
    world
        .client
        .put_item()
        .table_name("leads")
        .set_item(Some(kept))
        .send()
        .await
        .unwrap();
    let ask = |operation: &str, body: Value| {
        let (status, answer) = post(
            &world.db,
            &format!("DynamoDBStreams_20120810.{operation}"),
            &body.to_string(),
        );
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let streams = ask("ListStreams", json!({"Limit": 1}));
    let rest = ask(
        "ListStreams",
        json!({"ExclusiveStartStreamArn": streams["LastEvaluatedStreamArn"]}),
    );
    assert_eq!(streams["Streams"][0]["TableName"], "config");
    assert_eq!(rest["Streams"].as_array().unwrap().len(), 1);
    let arn = rest["Streams"][0]["StreamArn"].as_str().unwrap();
    assert!(
        arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/leads/stream/"),
        "{arn}"
    );
    let shard = ask("DescribeStream", json!({"StreamArn": arn}))["StreamDescription"]["Shards"][0]["ShardId"].clone();
    let iterator = ask(
        "GetShardIterator",
        json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}),
    );
    let records = ask("GetRecords", json!({"ShardIterator": iterator["ShardIterator"]}));
    let record = &records["Records"][0];
    assert_eq!(
        (&record["eventName"], &record["awsRegion"]),
        (&json!("INSERT"), &json!("us-east-1"))
    );
    assert_eq!(
        record["dynamodb"]["NewImage"]["text"], started,
        "an item's own text is left alone"
    );
}

#[tokio::test]
async fn an_error_that_the_client_cannot_name_still_has_its_code() {
    let world = World::new().await;
    let update = world
        .client
        .update_item()
        .table_name("leads")
        .set_key(Some(key("a", "b")));
    let refused = update
        .update_expression("SET")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(refused.code(), Some("ValidationException"));
    assert!(!refused.message().unwrap().contains("VALIDATION:"));
}
