//! Load: everything that a decision about an enrollment rests on, read at once and consistently.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{KeysAndAttributes, builders::KeysAndAttributesBuilder};
use cadence_core::{
    EnrollmentId, LeadId,
    assign::{self, Turns},
    attempt::Attempt,
    enrollment::Enrollment,
    lead::{Facts, Lead},
    plan::StepContext,
    records::{Cadence, Message, Settings, Status, User},
    task::Task,
};

use crate::{
    Store, StoreError,
    config::{Published, published},
    error::sorted,
    item::{Item, key, read, s, text},
    keys,
};

/// What one BatchGetItem takes: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
pub(crate) const MOST_GOT: usize = 100;

/// Everything of a lead but its timeline.
pub(crate) struct LeadItems(Vec<(String, Item)>);

impl Store {
    /// Everything that a decision about that enrollment rests on.
    pub async fn load_step(&self, lead: &LeadId, enrollment: &EnrollmentId) -> Result<StepContext, StoreError> {
        let items = self.lead_items(lead).await?;
        let enrollment: Enrollment = items.one(&keys::enrollment_sk(enrollment), "enrollment")?;
        let enrollment = enrollment.as_claimed();
        let lead: Lead = items.one(keys::LEAD, "lead")?;
        let facts: Facts = items.one(keys::FACTS, "facts")?;

        let mut config = self.pinned(&enrollment, &lead).await?;
        let mut cadence: Published<Cadence> = config.one(&version_key(&enrollment))?;
        let current: Option<Published<Cadence>> =
            config.maybe(&published_key("CADENCE", enrollment.cadence.as_str()))?;
        let status = current.as_ref().map_or(Status::Archived, |current| current.record.status);
        let enrollment = match current {
            Some(current) => {
                let enrollment = enrollment.repinned(&current.record, current.version);
                if enrollment.progress.version == current.version {
                    cadence = current;
                }
                enrollment
            }
            None => enrollment,
        };
        let settings: Published<Settings> = config.one(&published_key("SETTINGS", SETTINGS))?;
        let owner: Option<Published<User>> = match &lead.owner {
            Some(owner) => config.maybe(&published_key("USER", owner.as_str()))?,
            None => None,
        };
        let owner = owner.map(|owner| owner.record);
        let (users, turns, (message, targets)) = tokio::try_join!(
            self.who_may_be_asked(owner, &lead, &cadence.record, &enrollment),
            self.turns_in_hand(&cadence.record, &enrollment),
            self.told_by(&cadence.record, &enrollment),
        )?;
        Ok(StepContext {
            attempt: items.attempt(&enrollment)?,
            outcomes: items.all(&format!("OUTCOME#{}.", enrollment.id))?,
            open_tasks: items.all::<Task>("TASK#")?.into_iter().filter(|task| task.closed.is_none()).collect(),
            status,
            cadence: cadence.record,
            settings: settings.record,
            unsubscribe_url: None,
            enrollment,
            lead,
            facts,
            targets,
            users,
            turns,
            message,
        })
    }

    /// Everything of a lead but its timeline; empty where there is no such lead.
    pub(crate) async fn lead_items(&self, lead: &LeadId) -> Result<LeadItems, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.leads)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk < :timeline")
            .expression_attribute_values(":pk", s(keys::lead_pk(lead)))
            .expression_attribute_values(":timeline", s(keys::TIMELINE));
        let mut pages = query.into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| sorted("Query", error))?;
            items.push((sort_key(&item), item));
        }
        Ok(LeadItems(items))
    }

    pub(crate) async fn get(&self, table: &str, key: Item) -> Result<Option<Item>, StoreError> {
        if !could_be(&key) {
            return Ok(None);
        }
        let get = self.client.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
        Ok(get.send().await.map_err(|error| sorted("GetItem", error))?.item)
    }

    async fn pinned(&self, enrollment: &Enrollment, lead: &Lead) -> Result<ConfigItems, StoreError> {
        let mut wanted = vec![
            version_key(enrollment),
            published_key("CADENCE", enrollment.cadence.as_str()),
            published_key("SETTINGS", SETTINGS),
        ];
        wanted.extend(lead.owner.iter().map(|owner| published_key("USER", owner.as_str())));
        self.config_items(wanted).await
    }

    /// The owner, and every other user where somebody else may be asked.
    async fn who_may_be_asked(
        &self,
        owner: Option<User>,
        lead: &Lead,
        cadence: &Cadence,
        enrollment: &Enrollment,
    ) -> Result<Vec<User>, StoreError> {
        match owner {
            Some(owner) if assign::is_owners_alone(&owner, lead, cadence, enrollment) => Ok(vec![owner]),
            Some(_) | None => self.published_users().await,
        }
    }

    async fn turns_in_hand(&self, cadence: &Cadence, enrollment: &Enrollment) -> Result<Turns, StoreError> {
        match assign::group_in_hand(cadence, enrollment) {
            Some(group) => self.turns(group).await,
            None => Ok(Turns::new()),
        }
    }

    /// The message of the step in hand, and the cadences that outcomes lead to.
    async fn told_by(
        &self,
        cadence: &Cadence,
        enrollment: &Enrollment,
    ) -> Result<(Option<Message>, Vec<(Cadence, u32)>), StoreError> {
        let step = enrollment.step_in_hand().and_then(|step| cadence.step(step));
        let message = step.and_then(|step| step.message_for(&enrollment.cadence, &enrollment.lead));
        let message_key = message.map(|message| published_key("MESSAGE", message.as_str()));
        let mut target_keys: Vec<_> = cadence.targets().map(|id| published_key("CADENCE", id.as_str())).collect();
        target_keys.sort();
        target_keys.dedup();
        let wanted: Vec<_> = message_key.iter().chain(&target_keys).cloned().collect();
        if wanted.is_empty() {
            return Ok((None, Vec::new()));
        }
        let mut found = self.config_items(wanted).await?;
        let message: Option<Published<Message>> = match &message_key {
            Some(key) => found.maybe(key)?,
            None => None,
        };
        let mut targets = Vec::new();
        for key in &target_keys {
            let target: Option<Published<Cadence>> = found.maybe(key)?;
            targets.extend(target.map(|target| (target.record, target.version)));
        }
        Ok((message.map(|message| message.record), targets))
    }

    /// Items of the config table, consistently; what does not exist is left out.
    pub(crate) async fn config_items(&self, wanted: Vec<(String, String)>) -> Result<ConfigItems, StoreError> {
        let keys: Vec<Item> = wanted.into_iter().map(|(pk, sk)| key(pk, sk)).collect();
        let items = self.batch_get(KeysAndAttributes::builder(), keys).await?;
        Ok(ConfigItems(items.into_iter().map(|item| ((text(&item, keys::PK), text(&item, keys::SK)), item)).collect()))
    }

    /// Up to [`MOST_GOT`] items of the config table, as it is asked for them.
    pub(crate) async fn batch_get(
        &self,
        asked: KeysAndAttributesBuilder,
        keys: Vec<Item>,
    ) -> Result<Vec<Item>, StoreError> {
        let asked = asked.set_keys(Some(keys)).consistent_read(true).build();
        let asked = asked.map_err(|source| StoreError::Dynamo {
            operation: "BatchGetItem",
            may_work_later: false,
            said: None,
            source: source.into(),
        })?;
        let mut asked = Some(HashMap::from([(self.config.clone(), asked)]));
        let mut items = Vec::new();
        // DynamoDB may answer a part and name the rest; each round answers at least one item, so this ends.
        while let Some(request) = asked.filter(|request| !request.is_empty()) {
            let answer = self.client.batch_get_item().set_request_items(Some(request)).send().await;
            let answer = answer.map_err(|error| sorted("BatchGetItem", error))?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            asked = answer.unprocessed_keys;
        }
        Ok(items)
    }
}

impl LeadItems {
    /// The item of that sort key, which must be there.
    pub(crate) fn one<T: serde::de::DeserializeOwned>(&self, sk: &str, what: &'static str) -> Result<T, StoreError> {
        self.maybe(sk)?.ok_or_else(|| StoreError::Missing { what, id: sk.to_owned() })
    }

    /// The item of that sort key, if it is there.
    pub(crate) fn maybe<T: serde::de::DeserializeOwned>(&self, sk: &str) -> Result<Option<T>, StoreError> {
        self.0.iter().find(|(at, _)| at == sk).map(|(_, item)| read(item.clone())).transpose()
    }

    /// The items whose sort keys begin so.
    pub(crate) fn all<T: serde::de::DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>, StoreError> {
        self.0.iter().filter(|(sk, _)| sk.starts_with(prefix)).map(|(_, item)| read(item.clone())).collect()
    }

    fn attempt(&self, enrollment: &Enrollment) -> Result<Option<Attempt>, StoreError> {
        match &enrollment.claim {
            Some(claim) => self.maybe(&keys::attempt_sk(&enrollment.key(&claim.step, claim.round), claim.try_number)),
            None => Ok(None),
        }
    }
}

pub(crate) struct ConfigItems(HashMap<(String, String), Item>);

impl ConfigItems {
    fn one<T: serde::de::DeserializeOwned>(&mut self, key: &(String, String)) -> Result<Published<T>, StoreError> {
        self.maybe(key)?
            .ok_or_else(|| StoreError::Missing { what: "published record", id: format!("{} {}", key.0, key.1) })
    }

    fn maybe<T: serde::de::DeserializeOwned>(
        &mut self,
        key: &(String, String),
    ) -> Result<Option<Published<T>>, StoreError> {
        self.0.remove(key).map(published).transpose()
    }

    /// The item of that key as it is stored, if it is there.
    pub(crate) fn take(&mut self, pk: &str, sk: &str) -> Option<Item> {
        self.0.remove(&(pk.to_owned(), sk.to_owned()))
    }
}

/// The name of the one settings record.
pub(crate) const SETTINGS: &str = "company";

fn version_key(enrollment: &Enrollment) -> (String, String) {
    (format!("CADENCE#{}", enrollment.cadence), keys::version_sk(enrollment.progress.version))
}

fn published_key(kind: &str, id: &str) -> (String, String) {
    (keys::published_pk(kind), id.to_owned())
}

/// Whether an item could have that key at all; asking for one that is longer is an error:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.
fn could_be(key: &Item) -> bool {
    let fits = |(name, most): (&str, usize)| {
        key.get(name).and_then(|part| part.as_s().ok()).is_none_or(|part| part.len() <= most)
    };
    [(keys::PK, 2048), (keys::SK, 1024)].into_iter().all(fits)
}

fn sort_key(item: &Item) -> String {
    text(item, keys::SK)
}
