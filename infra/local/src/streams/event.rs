//! A stream's records as Lambda hands them to a function.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-sample-dynamodb>

use dynoxide::{
    DynoxideError,
    storage::{Storage, StreamRecord},
    streams::shard_id,
};
use serde_json::{Map, Value, json};

use super::id_of;
use crate::{account::Account, database::DatabaseError};

/// What dynoxide adds to a number that it stores when it tells it, for as many digits as AWS's have. A test compares.
const NUMBERS_FROM: i128 = 100_000_000_000_000_000_000;

/// A table's stream.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) arn: String,
    pub(super) shard: String,
    table: String,
    region: String,
    view_type: String,
}

/// One record, as its function gets it.
#[derive(Clone, Debug)]
pub(super) struct StreamEvent {
    /// Its number as dynoxide stores it.
    pub(super) sequence: i64,
    /// Its number as clients see it.
    pub(super) number: String,
    /// When it was written, in seconds since 1970.
    pub(super) written_at: i64,
    /// All of it.
    pub(super) json: Value,
}

impl Stream {
    /// Loads what the table says of its stream.
    pub(super) fn load(storage: &Storage, account: &Account, table: &str) -> Result<Self, DatabaseError> {
        let found = storage.get_table_metadata(table)?.filter(|table| table.stream_enabled);
        let found = found.ok_or_else(|| DatabaseError::NoStream { table: table.to_owned() })?;
        let label = found.stream_label.unwrap_or_default();
        Ok(Self {
            arn: account.arn("dynamodb", &format!("table/{table}/stream/{label}")),
            shard: shard_id(table),
            table: table.to_owned(),
            region: account.region.clone(),
            view_type: found.stream_view_type.unwrap_or_else(|| "NEW_AND_OLD_IMAGES".to_owned()),
        })
    }

    /// Shapes one record.
    pub(super) fn event(&self, record: &StreamRecord) -> Result<StreamEvent, DatabaseError> {
        let sequence: i64 = record.sequence_number.parse().map_err(|_| broken(record))?;
        let number = (NUMBERS_FROM + i128::from(sequence)).to_string();
        let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|_| broken(record));
        let images = [("NewImage", &record.new_image), ("OldImage", &record.old_image)];
        let mut change = Map::from_iter([
            ("ApproximateCreationDateTime".to_owned(), json!(record.created_at)),
            ("Keys".to_owned(), read(&record.keys_json)?),
            ("SequenceNumber".to_owned(), json!(number)),
            ("SizeBytes".to_owned(), json!(size(record))),
            ("StreamViewType".to_owned(), json!(self.view_type)),
        ]);
        for (name, image) in images {
            if let Some(image) = image {
                change.insert(name.to_owned(), read(image)?);
            }
        }
        let mut json = json!({
            // dynoxide's own id is random: a simulation could not repeat itself.
            "eventID": id_of(&format!("{}/{number}", self.table)).simple().to_string(),
            "eventName": record.event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.region,
            "dynamodb": change,
            "eventSourceARN": self.arn,
        });
        if let (Some(identity), Some(event)) = (&record.user_identity, json.as_object_mut()) {
            // DynamoDB itself, which deletes what has expired.
            event.insert("userIdentity".to_owned(), read(identity)?);
        }
        Ok(StreamEvent { sequence, number, written_at: record.created_at, json })
    }
}

fn size(record: &StreamRecord) -> usize {
    let images = [&record.new_image, &record.old_image];
    let images: usize = images.into_iter().flatten().map(String::len).sum();
    record.keys_json.len() + images
}

fn broken(record: &StreamRecord) -> DatabaseError {
    let text = format!("the stream record {} cannot be read", record.sequence_number);
    DynoxideError::InternalServerError(text).into()
}
