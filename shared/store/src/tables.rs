//! The two tables as a local cloud makes them. On AWS the template does; a test compares the two.

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::create_table::CreateTableInput,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, StreamSpecification, StreamViewType,
    },
};

use crate::keys;

/// The leads table.
pub fn leads_table(name: &str) -> Result<CreateTableInput, BuildError> {
    let indexed = [
        keys::PK,
        keys::SK,
        keys::DUE_SHARD,
        keys::DUE_AT,
        keys::OPEN_FOR,
        keys::TASK_DUE_AT,
        keys::RUNS_IN,
        keys::RUNS_AS,
    ];
    table(
        name,
        &indexed,
        vec![
            index(keys::DUE_INDEX, keys::DUE_SHARD, keys::DUE_AT, ProjectionType::All)?,
            index(keys::OPEN_TASKS_INDEX, keys::OPEN_FOR, keys::TASK_DUE_AT, ProjectionType::All)?,
            index(keys::RUNNING_INDEX, keys::RUNS_IN, keys::RUNS_AS, ProjectionType::KeysOnly)?,
        ],
    )
}

/// The config table.
pub fn config_table(name: &str) -> Result<CreateTableInput, BuildError> {
    table(name, &[keys::PK, keys::SK], Vec::new())
}

fn table(name: &str, attributes: &[&str], indexes: Vec<GlobalSecondaryIndex>) -> Result<CreateTableInput, BuildError> {
    let attributes = attributes.iter().map(|name| {
        AttributeDefinition::builder().attribute_name(*name).attribute_type(ScalarAttributeType::S).build()
    });
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    CreateTableInput::builder()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.collect::<Result<_, _>>()?))
        .set_key_schema(Some(key_schema(keys::PK, keys::SK)?))
        .set_global_secondary_indexes(Some(indexes).filter(|indexes| !indexes.is_empty()))
        .stream_specification(stream.build()?)
        .build()
}

fn index(name: &str, hash: &str, range: &str, projects: ProjectionType) -> Result<GlobalSecondaryIndex, BuildError> {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(hash, range)?))
        .projection(Projection::builder().projection_type(projects).build())
        .build()
}

fn key_schema(hash: &str, range: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect()
}
