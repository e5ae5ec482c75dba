//! A database with the two tables' shapes, and the real DynamoDB client over it.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
    },
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use cadence_local::{
    clock::{LocalClock, Pace},
    database::Database,
    dynamo,
};
use chrono::{DateTime, Utc};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A database, its clock, and a client of it.
pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) clock: LocalClock,
    pub(crate) client: Client,
}

/// The client's transport: the cloud in the same process.
#[derive(Clone)]
struct InProcess {
    db: Database,
    clock: LocalClock,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = request.try_into_http1x().unwrap();
        let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap()));
        let response = dynamo::handle(&self.db, self.clock.now(), &request);
        HttpConnectorFuture::ready(Ok(response.map(SdkBody::from).try_into().unwrap()))
    }
}

impl World {
    /// A new one in memory, with both tables.
    pub(crate) async fn new() -> Self {
        let clock = clock();
        let world = Self::over(Database::memory(clock.clone()).unwrap(), clock);
        world.create_tables().await;
        world
    }

    pub(crate) fn over(db: Database, clock: LocalClock) -> Self {
        let transport = InProcess { db: db.clone(), clock: clock.clone() };
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::from_keys("test", "test", None))
            .retry_config(RetryConfig::disabled())
            .http_client(transport)
            .build();
        Self { db, clock, client: Client::from_conf(config) }
    }

    pub(crate) async fn create_tables(&self) {
        let attributes = ["pk", "sk", "due_shard", "due_at", "open_for", "task_due_at"];
        let indexes = vec![index("due", "due_shard", "due_at"), index("open-tasks", "open_for", "task_due_at")];
        self.create_table("leads", &attributes, Some(indexes)).await;
        self.create_table("config", &["pk", "sk"], None).await;
    }

    async fn create_table(&self, name: &str, attributes: &[&str], indexes: Option<Vec<GlobalSecondaryIndex>>) {
        let stream =
            StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
        let attributes = attributes.iter().map(|name| {
            let attribute = AttributeDefinition::builder().attribute_name(*name);
            attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
        });
        self.client
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes.collect()))
            .set_key_schema(Some(key_schema("pk", "sk")))
            .set_global_secondary_indexes(indexes)
            .stream_specification(stream.build().unwrap())
            .send()
            .await
            .unwrap();
    }

    /// Puts an item whose pk and sk are given, with the attribute `n`.
    pub(crate) async fn put(&self, table: &str, pk: &str, sk: &str, n: i64) {
        let put = self.client.put_item().table_name(table);
        put.set_item(Some(item(pk, sk, n))).send().await.unwrap();
    }

    pub(crate) async fn get(&self, table: &str, pk: &str, sk: &str) -> Option<Item> {
        let get = self.client.get_item().table_name(table).consistent_read(true);
        get.set_key(Some(key(pk, sk))).send().await.unwrap().item
    }

    pub(crate) async fn n_of(&self, pk: &str, sk: &str) -> Option<String> {
        let item = self.get("leads", pk, sk).await?;
        Some(item["n"].as_n().unwrap().clone())
    }
}

/// A Tuesday.
pub(crate) fn start() -> DateTime<Utc> {
    "2027-01-05T15:00:00Z".parse().unwrap()
}

pub(crate) fn clock() -> LocalClock {
    LocalClock::new(start(), Pace::Jumps)
}

pub(crate) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) fn number(n: i64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}

pub(crate) fn key(pk: &str, sk: &str) -> Item {
    Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

pub(crate) fn item(pk: &str, sk: &str, n: i64) -> Item {
    let mut item = key(pk, sk);
    item.insert("n".to_owned(), number(n));
    item
}

fn key_schema(hash: &str, range: &str) -> Vec<KeySchemaElement> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    vec![element(hash, KeyType::Hash), element(range, KeyType::Range)]
}

fn index(name: &str, hash: &str, range: &str) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(hash, range)))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap()
}
