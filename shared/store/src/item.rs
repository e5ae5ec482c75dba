//! Items: what is stored, with the keys it is stored under.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use cadence_core::{
    LeadId, attempt::Attempt, attempt::StepOutcome, enrollment::Enrollment, lead::Facts, lead::Lead, task::Task,
    timeline::Entry,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{StoreError, keys};

/// An item as the SDK takes it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// Any serde value as an attribute.
pub(crate) fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    Ok(serde_dynamo::to_attribute_value(value)?)
}

/// A value's attributes in the order of their names, so that the same value is written by the same request.
pub(crate) fn attributes(value: &impl Serialize) -> Result<BTreeMap<String, AttributeValue>, StoreError> {
    let item: Item = serde_dynamo::to_item(value)?;
    Ok(item.into_iter().collect())
}

/// An item read back; what isn't a field of `T` (keys, index attributes) is passed over.
pub(crate) fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    let keys = [keys::PK, keys::SK].map(|name| text(&item, name));
    serde_dynamo::from_item(item).map_err(|source| {
        let [pk, sk] = keys;
        StoreError::Unreadable { pk, sk, source }
    })
}

/// A string attribute; empty where it is none.
pub(crate) fn text(item: &Item, name: &str) -> String {
    match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        Some(_) | None => String::new(),
    }
}

/// A key of either table.
pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([(keys::PK.to_owned(), s(pk)), (keys::SK.to_owned(), s(sk))])
}

fn item(value: &impl Serialize, pk: String, sk: String) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value)?;
    item.extend(key(pk, sk));
    Ok(item)
}

pub(crate) fn lead(lead: &Lead) -> Result<Item, StoreError> {
    item(lead, keys::lead_pk(&lead.id), keys::LEAD.to_owned())
}

pub(crate) fn facts(id: &LeadId, facts: &Facts) -> Result<Item, StoreError> {
    item(facts, keys::lead_pk(id), keys::FACTS.to_owned())
}

pub(crate) fn enrollment(enrollment: &Enrollment) -> Result<Item, StoreError> {
    let mut item = item(enrollment, keys::lead_pk(&enrollment.lead), keys::enrollment_sk(&enrollment.id))?;
    if let Some((shard, due_at)) = keys::due_index(enrollment) {
        item.insert(keys::DUE_SHARD.to_owned(), s(shard));
        item.insert(keys::DUE_AT.to_owned(), s(keys::instant(due_at)));
    }
    if let Some((cadence, runs_as)) = keys::running_index(enrollment) {
        item.insert(keys::RUNS_IN.to_owned(), s(cadence));
        item.insert(keys::RUNS_AS.to_owned(), s(runs_as));
    }
    Ok(item)
}

pub(crate) fn attempt(attempt: &Attempt) -> Result<Item, StoreError> {
    item(attempt, keys::lead_pk(&attempt.lead), keys::attempt_sk(&attempt.key, attempt.try_number))
}

pub(crate) fn outcome(outcome: &StepOutcome) -> Result<Item, StoreError> {
    item(outcome, keys::lead_pk(&outcome.lead), keys::outcome_sk(&outcome.key))
}

pub(crate) fn task(task: &Task) -> Result<Item, StoreError> {
    let mut item = item(task, keys::lead_pk(&task.id.lead), keys::task_sk(&task.id))?;
    item.insert(keys::TASK_DUE_AT.to_owned(), s(keys::instant(task.task_due_at)));
    if task.closed.is_none() {
        item.insert(keys::OPEN_FOR.to_owned(), s(task.user.as_str()));
    }
    Ok(item)
}

pub(crate) fn entry(entry: &Entry, generation: u64, index: usize) -> Result<Item, StoreError> {
    item(entry, keys::lead_pk(&entry.lead), keys::entry_sk(entry, generation, index))
}
