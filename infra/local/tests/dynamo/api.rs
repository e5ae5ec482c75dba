//! Items, indexes, batches and tables through the real client.

use aws_sdk_dynamodb::types::{
    Get, KeysAndAttributes, PutRequest, ReturnValue, ReturnValuesOnConditionCheckFailure, TimeToLiveSpecification,
    TransactGetItem, WriteRequest,
};

use crate::world::{Item, World, item, key, number, text};

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

    let delete = world.client.delete_item().table_name("leads").set_key(Some(key("LEAD#1", "LEAD")));
    delete.send().await.unwrap();
    assert_eq!(world.get("leads", "LEAD#1", "LEAD").await, None);
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
        world.client.put_item().table_name("leads").set_item(Some(due)).send().await.unwrap();
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
        let put = PutRequest::builder().set_item(Some(item("LEAD#1", &format!("TASK#{n}"), n))).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    let written = world.client.batch_write_item().request_items("leads", puts.collect()).send().await.unwrap();
    assert!(written.unprocessed_items().unwrap().is_empty());
    let keys = KeysAndAttributes::builder()
        .consistent_read(true)
        .keys(key("LEAD#1", "TASK#0"))
        .keys(key("LEAD#1", "TASK#2"))
        .keys(key("LEAD#1", "TASK#7"));
    let read = world.client.batch_get_item().request_items("leads", keys.build().unwrap()).send().await.unwrap();
    assert_eq!(read.responses().unwrap()["leads"].len(), 2);

    let get = |sk: &str| {
        let get = Get::builder().table_name("leads").set_key(Some(key("LEAD#1", sk)));
        TransactGetItem::builder().get(get.build().unwrap()).build()
    };
    let gets = vec![get("TASK#0"), get("TASK#7")];
    let read = world.client.transact_get_items().set_transact_items(Some(gets)).send().await.unwrap();
    assert!(read.responses()[0].item().is_some() && read.responses()[1].item().is_none());
}

#[tokio::test]
async fn tables_are_listed_described_with_the_accounts_arns_and_deleted() {
    let world = World::new().await;
    let client = &world.client;
    assert_eq!(client.list_tables().send().await.unwrap().table_names(), ["config", "leads"]);
    let leads = client.describe_table().table_name("leads").send().await.unwrap().table.unwrap();
    assert_eq!(leads.table_arn().unwrap(), "arn:aws:dynamodb:us-east-1:000000000000:table/leads");
    assert!(
        leads.latest_stream_arn().unwrap().starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/leads/stream/")
    );
    let ttl = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(true).build().unwrap();
    client.update_time_to_live().table_name("leads").time_to_live_specification(ttl).send().await.unwrap();
    let ttl = client.describe_time_to_live().table_name("leads").send().await.unwrap();
    assert_eq!(ttl.time_to_live_description().unwrap().attribute_name(), Some("expires_at"));
    client.delete_table().table_name("config").send().await.unwrap();
    let gone = client.describe_table().table_name("config").send().await.unwrap_err().into_service_error();
    assert!(gone.is_resource_not_found_exception(), "{gone:?}");
}
