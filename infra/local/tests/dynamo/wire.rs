//! What the client never sends or shows: refusals as they are on the wire, and the streams' own operations.

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, types::AttributeValue};
use bytes::Bytes;
use cadence_local::{database::Database, dynamo};
use serde_json::{Value, json};

use crate::world::{World, item, key, start};

pub(crate) fn post(db: &Database, target: &str, body: &str) -> (u16, Value) {
    let request = http::Request::post("/").header("x-amz-target", target);
    let response = dynamo::handle(db, start(), &request.body(Bytes::from(body.to_owned())).unwrap());
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
    assert!(!response.headers()["x-amzn-requestid"].is_empty());
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

#[tokio::test]
async fn what_is_malformed_unknown_or_invalid_is_refused_as_aws_refuses_it() {
    let world = World::new().await;
    let item = |value: &str| format!(r#"{{"TableName": "leads", "Item": {{"pk": {value}, "sk": {{"S": "x"}}}}}}"#);
    let (unknown, malformed) = ("coral.service#UnknownOperationException", "coral.service#SerializationException");
    let (invalid, absent) = ("validate#ValidationException", "v20120810#ResourceNotFoundException");
    let cases = [
        ("PutItem", "{".to_owned(), malformed),
        ("PutItem", String::new(), malformed),
        ("PutItem", "[]".to_owned(), malformed),
        ("PutItem", r#"{"TableName": 7}"#.to_owned(), malformed),
        ("PutItem", "{}".to_owned(), invalid),
        ("PutItem", item("{}"), invalid),
        ("PutItem", item(r#"{"S": "a", "N": "1"}"#), invalid),
        ("PutItem", item(r#"{"N": "1"}"#), invalid),
        ("PutItem", item(r#"{"S": ""}"#), invalid),
        ("GetItem", r#"{"TableName": "leads", "Key": {}}"#.to_owned(), invalid),
        ("DescribeTable", "{}".to_owned(), invalid),
        ("DescribeTable", r#"{"TableName": "nope"}"#.to_owned(), absent),
        ("RestoreTableFromBackup", "{}".to_owned(), unknown),
        ("GetRecords", "{}".to_owned(), unknown),
    ];
    for (operation, body, expected) in cases {
        let (status, answer) = post(&world.db, &format!("DynamoDB_20120810.{operation}"), &body);
        let kind = answer["__type"].as_str().unwrap();
        assert_eq!(status, 400, "{operation} {body}: {answer}");
        assert!(kind.starts_with("com.amazon") && kind.ends_with(expected), "{operation} {body}: {answer}");
        assert!(!answer.to_string().contains("VALIDATION"), "{answer}");
        assert!(!answer.to_string().contains("at line"), "{answer}");
    }
    let (status, answer) = post(&world.db, "GetItem", "{}");
    assert_eq!((status, &answer["message"]), (400, &json!("the local cloud does not serve 'GetItem'")));
}

#[tokio::test]
async fn the_streams_api_reads_what_was_written() {
    let world = World::new().await;
    let started = json!({"S": "arn:aws:dynamodb:dynoxide:"});
    let mut kept = item("LEAD#1", "LEAD", 1);
    kept.insert("text".to_owned(), AttributeValue::S(started["S"].as_str().unwrap().to_owned()));
    world.client.put_item().table_name("leads").set_item(Some(kept)).send().await.unwrap();
    let ask = |operation: &str, body: Value| {
        let (status, answer) = post(&world.db, &format!("DynamoDBStreams_20120810.{operation}"), &body.to_string());
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let streams = ask("ListStreams", json!({"Limit": 1}));
    let rest = ask("ListStreams", json!({"ExclusiveStartStreamArn": streams["LastEvaluatedStreamArn"]}));
    assert_eq!(streams["Streams"][0]["TableName"], "config");
    assert_eq!(rest["Streams"].as_array().unwrap().len(), 1);
    let arn = rest["Streams"][0]["StreamArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/leads/stream/"), "{arn}");
    let shard = ask("DescribeStream", json!({"StreamArn": arn}))["StreamDescription"]["Shards"][0]["ShardId"].clone();
    let iterator =
        ask("GetShardIterator", json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}));
    let records = ask("GetRecords", json!({"ShardIterator": iterator["ShardIterator"]}));
    let record = &records["Records"][0];
    assert_eq!((&record["eventName"], &record["awsRegion"]), (&json!("INSERT"), &json!("us-east-1")));
    assert_eq!(record["dynamodb"]["NewImage"]["text"], started, "an item's own text is left alone");
}

#[tokio::test]
async fn an_error_that_the_client_cannot_name_still_has_its_code() {
    let world = World::new().await;
    let update = world.client.update_item().table_name("leads").set_key(Some(key("a", "b")));
    let refused = update.update_expression("SET").send().await.unwrap_err().into_service_error();
    assert_eq!(refused.code(), Some("ValidationException"));
    assert!(!refused.message().unwrap().contains("VALIDATION:"));
}

#[tokio::test]
async fn no_refusal_of_a_value_shows_the_embedded_databases_own_words() {
    let world = World::new().await;
    let values = [
        r#"{}"#,
        r#"{"S": "a", "N": "1"}"#,
        r#"{"S": 7}"#,
        r#"{"N": "x"}"#,
        r#"{"NULL": false}"#,
        r#"{"SS": []}"#,
        r#"{"SS": ["a", "a"]}"#,
        r#"{"B": "!"}"#,
        r#"{"X": "1"}"#,
        "null",
        "7",
        r#"{"N": "1e999"}"#,
        r#"{"L": [{}]}"#,
    ];
    let requests = [
        ("PutItem", r#"{"TableName": "leads", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "v": VALUE}}"#),
        ("PutItem", r#"{"TableName": "leads", "Item": {"pk": VALUE, "sk": {"S": "b"}}}"#),
        (
            "UpdateItem",
            r#"{"TableName": "leads", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "UpdateExpression": "SET a = :v",
                "ConditionExpression": "a = :v", "ExpressionAttributeValues": {":v": VALUE}}"#,
        ),
        ("GetItem", r#"{"TableName": "leads", "Key": {"pk": VALUE, "sk": {"S": "b"}}}"#),
        (
            "Query",
            r#"{"TableName": "leads", "KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": {":v": VALUE}}"#,
        ),
        (
            "TransactWriteItems",
            r#"{"TransactItems": [{"Update": {"TableName": "leads", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}},
                "UpdateExpression": "SET a = :v", "ConditionExpression": "a = :v",
                "ExpressionAttributeValues": {":v": VALUE}}}]}"#,
        ),
    ];
    for (operation, body) in requests {
        for value in values {
            let body = body.replace("VALUE", value);
            let (status, answer) = post(&world.db, &format!("DynamoDB_20120810.{operation}"), &body);
            let told = answer.to_string();
            assert_eq!(status, 400, "{body}: {told}");
            let own = ["VALIDATION", "SERIALIZATION", "_REQUEST:", "at line", "empty AttributeValue"];
            assert!(!own.iter().any(|own| told.contains(own)), "{body}: {told}");
        }
    }
}
