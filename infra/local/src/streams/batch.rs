//! One batch: what its function gets, what its answer means, and where the stream stands afterwards.

use chrono::{DateTime, SecondsFormat, Utc};
use dynoxide::storage::StreamRecord;
use serde_json::{Value, json};

use super::{
    Delivered, FIRST_BACKOFF, StreamMapping, backoff,
    event::{Stream, StreamEvent},
    id_of,
    position::Position,
};
use crate::{account::Account, database::DatabaseError, filter, function::FunctionError};

/// Records that go to the function together.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Where the stream stood when it was read.
    pub(super) position: Position,
    /// How many records it covers, with those that no filter wants.
    pub(super) read: usize,
    /// The last record it covers.
    pub(super) end: i64,
    stream: Stream,
    wanted: Vec<StreamEvent>,
}

/// What a function's answer means for its batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    /// All from that record on is to be tried again.
    FailedFrom {
        index: usize,
        error: Option<FunctionError>,
    },
    /// All of it comes again then, whatever the function made of it.
    PutOff(DateTime<Utc>),
    /// It is given up before its retries are.
    GivenUp,
}

impl Batch {
    /// The next batch among the records that were read; `None` if there were none.
    pub(super) fn of(
        stream: &Stream,
        mapping: &StreamMapping,
        position: &Position,
        read: &[StreamRecord],
    ) -> Result<Option<Self>, DatabaseError> {
        if read.is_empty() {
            return Ok(None);
        }
        let events = read.iter().map(|record| stream.event(record));
        let mut events = events.collect::<Result<Vec<_>, _>>()?;
        if let Some(end) = position.ends.first() {
            events.retain(|event| event.sequence <= *end);
        }
        let last = events.last().map(|event| event.sequence);
        Ok(Some(Self {
            position: position.clone(),
            read: events.len(),
            end: last.or(position.ends.first().copied()).unwrap_or(position.after),
            stream: stream.clone(),
            wanted: {
                events.retain(|event| filter::wanted(&mapping.filters, &event.json));
                events
            },
        }))
    }

    /// The batch with the number of its invocation.
    pub(super) fn at(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Its first record's number, as clients see it.
    pub(crate) fn first(&self) -> &str {
        self.wanted.first().map_or("", |event| event.number.as_str())
    }

    /// How often it has failed.
    pub(crate) fn failures(&self) -> u32 {
        self.position.failures
    }

    pub(super) fn events(&self) -> Vec<&Value> {
        self.wanted.iter().map(|event| &event.json).collect()
    }

    pub(super) fn request_id(&self, mapping: &StreamMapping) -> String {
        let words = format!("{}/{}/{}", mapping.function.name, mapping.table, self.position.invocations);
        id_of(&words).to_string()
    }

    /// Reads the function's answer.
    pub(super) fn judge(&self, mapping: &StreamMapping, answer: Result<Value, FunctionError>) -> Verdict {
        match answer {
            Err(error) => Verdict::FailedFrom { index: 0, error: Some(error) },
            Ok(answer) if mapping.report_batch_item_failures => match self.first_failure(&answer) {
                None => Verdict::Taken,
                Some(index) => Verdict::FailedFrom { index, error: None },
            },
            Ok(_) => Verdict::Taken,
        }
    }

    /// Where the answer says that the batch failed. An answer that does not say it as Lambda wants it fails the whole batch.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
    fn first_failure(&self, answer: &Value) -> Option<usize> {
        let failures = match answer {
            Value::Null => return None,
            Value::Object(answer) => answer.get("batchItemFailures").unwrap_or(&Value::Null),
            _ => return Some(0),
        };
        let failures = match failures {
            Value::Null => return None,
            Value::Array(failures) => failures,
            _ => return Some(0),
        };
        let places = failures.iter().map(|failure| {
            let number = failure.get("itemIdentifier").and_then(Value::as_str)?;
            self.wanted.iter().position(|event| event.number == number)
        });
        places.map(|place| place.unwrap_or(0)).min()
    }

    /// Where the stream stands after that verdict.
    pub(super) fn settled(
        &self,
        mapping: &StreamMapping,
        verdict: &Verdict,
        now: DateTime<Utc>,
    ) -> (Position, Delivered) {
        let mut position = self.position.clone();
        let index = match *verdict {
            Verdict::FailedFrom { index, .. } => index,
            Verdict::Taken => {
                position.pass(self.end);
                return (position, Delivered::Taken(self.wanted.len()));
            }
            Verdict::GivenUp => {
                position.pass(self.end);
                return (position, Delivered::GaveUp { taken: 0, lost: self.wanted.len() });
            }
            Verdict::PutOff(at) => {
                position.not_before = Some(at);
                return (position, Delivered::NotBefore(at));
            }
        };
        let rest = self.wanted.get(index..).unwrap_or_default();
        if let (Some(first), true) = (rest.first(), index > 0) {
            position.after = first.sequence - 1;
            position.failures = 0;
        }
        position.failures += 1;
        let exhausted = position.failures > mapping.max_retries;
        position.ends.retain(|later| *later > self.end);
        position.ends.insert(0, self.end);

        let retry_at = if let Some(middle) = self.middle(mapping, rest, index == 0 || exhausted) {
            // To split a batch uses up none of its retries.
            position.ends.insert(0, middle);
            position.failures = 0;
            now + FIRST_BACKOFF
        } else if exhausted {
            position.pass(self.end);
            let lost = rest.len();
            return (position, Delivered::GaveUp { taken: index, lost });
        } else {
            now + backoff(position.failures)
        };
        position.not_before = Some(retry_at);
        (position, Delivered::Failed { taken: index, retry_at })
    }

    /// The last record of the first half, if the rest is to be split.
    fn middle(&self, mapping: &StreamMapping, rest: &[StreamEvent], stuck: bool) -> Option<i64> {
        let half = rest.len() / 2;
        let last = rest.get(half.checked_sub(1)?)?;
        (mapping.bisect && stuck).then_some(last.sequence)
    }

    /// What the on-failure queue is told of the records from `taken` on.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
    pub(super) fn failure(
        &self,
        account: &Account,
        mapping: &StreamMapping,
        verdict: &Verdict,
        taken: usize,
        now: DateTime<Utc>,
    ) -> Value {
        let lost = self.wanted.get(taken..).unwrap_or_default();
        let number = |event: Option<&StreamEvent>| event.map(|event| event.number.clone());
        let written_at = |event: Option<&StreamEvent>| {
            let at = event.and_then(|event| DateTime::from_timestamp(event.written_at, 0));
            at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
        };
        let mut response = json!({"statusCode": 200, "executedVersion": "$LATEST"});
        if let (Verdict::FailedFrom { error: Some(_), .. }, Some(response)) = (verdict, response.as_object_mut()) {
            response.insert("functionError".to_owned(), json!("Unhandled"));
        }
        let earlier = if taken == 0 { self.position.failures } else { 0 };
        json!({
            "requestContext": {
                "requestId": self.request_id(mapping),
                "functionArn": account.arn("lambda", &format!("function:{}", mapping.function.name)),
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": earlier + 1,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": now.to_rfc3339_opts(SecondsFormat::Millis, true),
            "DDBStreamBatchInfo": {
                "shardId": self.stream.shard,
                "startSequenceNumber": number(lost.first()),
                "endSequenceNumber": number(lost.last()),
                "approximateArrivalOfFirstRecord": written_at(lost.first()),
                "approximateArrivalOfLastRecord": written_at(lost.last()),
                "batchSize": lost.len(),
                "streamArn": self.stream.arn,
            },
        })
    }

    /// Says how it went.
    pub(super) fn log(&self, mapping: &StreamMapping, verdict: &Verdict, delivered: &Delivered) {
        let function = mapping.function.name.as_str();
        let table = mapping.table.as_str();
        let error = match verdict {
            Verdict::FailedFrom { error: Some(error), .. } => error.to_string(),
            _ => String::new(),
        };
        match delivered {
            Delivered::Failed { taken, retry_at } => {
                tracing::warn!(function, table, taken, %retry_at, error, "failed to deliver stream records");
            }
            Delivered::GaveUp { taken, lost } => {
                let queue = mapping.on_failure_queue.as_deref();
                tracing::error!(function, table, taken, lost, queue, error, "gave up stream records");
            }
            _ => tracing::debug!(function, table, ?delivered, "delivered stream records"),
        }
    }
}
