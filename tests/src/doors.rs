//! What comes in through the other doors: ops edit records, the voice agent reports. And all that can be seen of it.

use aws_sdk_dynamodb::types::AttributeValue;
use cadence_core::{
    EnrollmentId, LeadId, Outcome, StepId,
    enrollment::Enrollment,
    lead::Lead,
    timeline::{Entry, EntryKind},
};
use cadence_local::{
    Ending,
    deployment::{CONFIG, LEADS, VOICE_AGENT_SECRET},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{Answer, Tested, World};

impl World {
    /// Writes a record as ops do, and gives it as they find it once it was checked.
    pub async fn put_record(&self, record: &Value) -> Tested<Value> {
        self.save(record).await?;
        self.settle().await?;
        self.record(record.get("pk").and_then(Value::as_str).unwrap_or_default()).await
    }

    /// Changes a record as ops do, over whatever stands on it, and gives it as they find it once it was checked.
    pub async fn edit(&self, pk: &str, change: impl FnOnce(&mut Value)) -> Tested<Value> {
        let mut record = self.record(pk).await?;
        change(&mut record);
        self.put_record(&record).await
    }

    /// The record as it stands.
    pub async fn record(&self, pk: &str) -> Tested<Value> {
        self.config_item(pk, "CURRENT").await?.ok_or_else(|| format!("there is no record {pk}").into())
    }

    /// An item of the config table.
    pub async fn config_item(&self, pk: &str, sk: &str) -> Tested<Option<Value>> {
        let get = self.dynamo().get_item().table_name(CONFIG).consistent_read(true);
        let found = get.key("pk", text(pk)).key("sk", text(sk)).send().await?.item;
        Ok(found.map(serde_dynamo::from_item).transpose()?)
    }

    /// Every item of both tables, each as one line of JSON, in the order of their keys.
    pub async fn items(&self) -> Tested<Vec<String>> {
        let mut items = self.lead_items("").await?;
        items.extend(self.scanned(CONFIG).await?);
        Ok(items.iter().map(ToString::to_string).collect())
    }

    /// The leads table's items whose partition begins so.
    pub async fn lead_items(&self, pk: &str) -> Tested<Vec<Value>> {
        let begins = |item: &Value| item.get("pk").and_then(Value::as_str).is_some_and(|found| found.starts_with(pk));
        Ok(self.scanned(LEADS).await?.into_iter().filter(begins).collect())
    }

    async fn scanned(&self, table: &str) -> Tested<Vec<Value>> {
        let mut pages = self.dynamo().scan().table_name(table).into_paginator().items().send();
        let mut items: Vec<Value> = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(serde_dynamo::from_item(item?)?);
        }
        let key = |item: &Value| ["pk", "sk"].map(|name| item.get(name).map(ToString::to_string));
        items.sort_by_key(key);
        Ok(items)
    }

    /// Writes a record as ops do; nothing has been delivered of it yet.
    pub async fn save(&self, record: &Value) -> Tested {
        let put = self.dynamo().put_item().table_name(CONFIG).set_item(Some(serde_dynamo::to_item(record)?));
        put.send().await?;
        Ok(())
    }

    /// Deletes a record as ops do; nothing has been delivered of it yet.
    pub async fn delete(&self, pk: &str) -> Tested {
        self.delete_item(pk, "CURRENT").await
    }

    /// Deletes an item of the config table.
    pub async fn delete_item(&self, pk: &str, sk: &str) -> Tested {
        let delete = self.dynamo().delete_item().table_name(CONFIG);
        delete.key("pk", text(pk)).key("sk", text(sk)).send().await?;
        Ok(())
    }

    /// A client of the tables.
    pub fn dynamo(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.aws())
    }

    /// Jumps to an instant, over everything that falls due before it, and delivers what is due then.
    pub async fn jump_to(&self, at: DateTime<Utc>) -> Tested {
        self.cloud.advance_to(at);
        self.settle().await
    }

    /// The lead as it stands.
    pub async fn lead(&self, id: &LeadId) -> Tested<Lead> {
        Ok(self.store.load_lead(id).await?.ok_or("there is no such lead")?.lead)
    }

    /// The lead's enrollments, the first one first.
    pub async fn enrollments(&self, id: &LeadId) -> Tested<Vec<Enrollment>> {
        let mut found = self.store.load_lead(id).await?.ok_or("there is no such lead")?.enrollments;
        found.sort_by_key(|enrollment| enrollment.enrolled_at);
        Ok(found)
    }

    /// How many leads there are.
    pub async fn count_leads(&self) -> Tested<usize> {
        Ok(self.store.load_leads().await?.len())
    }

    /// When each thing of that kind happened at that step.
    pub async fn when(&self, lead: &LeadId, kind: EntryKind, step: &str) -> Tested<Vec<DateTime<Utc>>> {
        let step = Some(StepId::new(step));
        let is_it = |entry: &Entry| (entry.kind == kind && entry.step == step).then_some(entry.at);
        Ok(self.timeline(lead).await?.iter().filter_map(is_it).collect())
    }

    /// Lets calls to a number go on for so long that no report comes; a test reports itself.
    pub fn let_calls_go_on(&self, number: &str) -> Tested {
        Ok(self.cloud.script_calls(number, &Ending { after: TimeDelta::days(1000), ..Ending::default() })?)
    }

    /// Lets calls to a number end so: in the vendor's words, and in what the agent made of the talk.
    pub fn let_calls_end(&self, number: &str, ended_reason: &str, outcome: Option<Outcome>) -> Tested {
        let analysis = json!({ "structuredData": { "outcome": outcome } });
        let ending = Ending { ended_reason: ended_reason.to_owned(), analysis, ..Ending::default() };
        Ok(self.cloud.script_calls(number, &ending)?)
    }

    /// Posts the voice agent's end-of-call report.
    pub async fn report(&self, body: &Value) -> Tested<Answer> {
        let headers = [("x-vapi-secret", VOICE_AGENT_SECRET)];
        self.ask("POST", "/events/voice-agent", &headers, body.to_string().as_bytes()).await
    }
}

/// The voice agent's end-of-call report on the first round of a step: how it ended in the vendor's words, and in what the agent
/// made of the talk.
pub fn end_of_call(run: &(LeadId, EnrollmentId), step: &str, ended_reason: &str, outcome: Option<Outcome>) -> Value {
    let (lead, enrollment) = run;
    json!({ "message": {
        "type": "end-of-call-report", "endedReason": ended_reason,
        "call": { "id": "call-1", "metadata": { "lead": lead, "step_key": format!("{enrollment}.{step}.1") } },
        "analysis": { "structuredData": { "outcome": outcome } },
    }})
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
