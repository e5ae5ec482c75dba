//! Transactions through the real client: all or nothing, and once for each token.

use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
    types::{ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};
use cadence_local::database::Database;
use chrono::TimeDelta;

use crate::world::{World, clock, item, key, number, start};

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
    TransactWriteItem::builder().condition_check(check.build().unwrap()).build()
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
    let refused = write(&world.client, "token", vec![add_one("LEAD#2", "LEAD")]).await.unwrap_err();
    assert!(refused.is_idempotent_parameter_mismatch_exception(), "{refused:?}");

    world.clock.advance_to(start() + TimeDelta::minutes(10) + TimeDelta::milliseconds(1));
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
        write(&world.client, "token", vec![add_one("LEAD#1", "LEAD"), add_one("LEAD#2", "LEAD")]).await.unwrap();
        let records: i64 =
            world.db.with(|conn| conn.query_row("SELECT records FROM seen", [], |row| row.get(0)).unwrap());
        assert_eq!(records, 1, "the token joins at the first of the two records");
    }
    let world = open();
    write(&world.client, "token", vec![add_one("LEAD#1", "LEAD"), add_one("LEAD#2", "LEAD")]).await.unwrap();
    assert_eq!(world.n_of("LEAD#1", "LEAD").await.unwrap(), "1");
}
