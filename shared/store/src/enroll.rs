//! Enroll: a webhook becomes a lead and an enrollment, once.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use cadence_core::{
    LeadId,
    arrival::{Address, Arrival, Known, Webhook},
    lead::{Facts, Lead},
    task::Task,
};
use chrono::{DateTime, Utc};

use crate::{
    Committed, Store, StoreError,
    commit::MOST_CLOSED,
    error::sorted,
    item::text,
    item::{self, attribute, key, read, s},
    keys,
    update::{Edit, number, put, put_new},
};

impl Store {
    /// What that webhook came to, if it was taken before.
    pub async fn load_webhook(&self, key_text: &str, now: DateTime<Utc>) -> Result<Option<Webhook>, StoreError> {
        let found = self.get(&self.leads, key(keys::webhook_pk(key_text), "WEBHOOK")).await?;
        let webhook: Option<Webhook> = found.map(read).transpose()?;
        Ok(webhook.filter(|webhook| webhook.expires_at.is_none_or(|until| until > now.timestamp())))
    }

    /// What is stored of an address.
    pub async fn load_address(&self, hash: &str) -> Result<Option<Address>, StoreError> {
        self.get(&self.leads, key(keys::address_pk(hash), "ADDRESS")).await?.map(read).transpose()
    }

    /// A lead with its enrollments and open tasks.
    pub async fn load_lead(&self, id: &LeadId) -> Result<Option<Known>, StoreError> {
        let items = self.lead_items(id).await?;
        let (Some(lead), Some(facts)) = (items.maybe(keys::LEAD)?, items.maybe(keys::FACTS)?) else {
            return Ok(None);
        };
        let mut open_tasks: Vec<Task> = items.all("TASK#")?;
        open_tasks.retain(|task| task.closed.is_none());
        Ok(Some(Known { lead, facts, enrollments: items.all("ENROLLMENT#")?, open_tasks }))
    }

    /// Every lead and its name, by a scan: for people on a laptop and tests, not for functions.
    pub async fn load_leads(&self) -> Result<Vec<(Lead, String)>, StoreError> {
        let scan = self.client.scan().table_name(&self.leads).filter_expression("sk IN (:lead, :facts)");
        let scan = scan
            .expression_attribute_values(":lead", s(keys::LEAD))
            .expression_attribute_values(":facts", s(keys::FACTS));
        let mut pages = scan.into_paginator().items().send();
        let (mut leads, mut names) = (Vec::new(), HashMap::new());
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| sorted("Scan", error))?;
            let (pk, sk) = (text(&item, keys::PK), text(&item, keys::SK));
            match sk.as_str() {
                keys::LEAD => leads.push(read::<Lead>(item)?),
                _ => {
                    names.insert(pk, read::<Facts>(item)?.full_name());
                }
            }
        }
        let named = |lead: Lead| {
            let name = names.get(&keys::lead_pk(&lead.id)).cloned().unwrap_or_default();
            (lead, name)
        };
        Ok(leads.into_iter().map(named).collect())
    }

    /// The leads with that phone number or email address, by a scan: for people, who have not the key of the addresses' hashes.
    pub async fn load_leads_reached_at(&self, address: &str) -> Result<Vec<LeadId>, StoreError> {
        let scan = self.client.scan().table_name(&self.leads);
        let scan = scan.filter_expression("sk = :lead AND (phone = :address OR email = :address)");
        let scan = scan
            .expression_attribute_values(":lead", s(keys::LEAD))
            .expression_attribute_values(":address", s(address));
        let mut pages = scan.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.push(read::<Lead>(item.map_err(|error| sorted("Scan", error))?)?.id);
        }
        Ok(found)
    }

    /// Writes one webhook's lead, enrollment and timeline, all or nothing.
    pub async fn enroll(&self, arrival: &Arrival) -> Result<Committed, StoreError> {
        if let Some(ends) = &arrival.ends
            && self.close_surplus(ends).await? == Committed::Stale
        {
            return Ok(Committed::Stale);
        }
        for tasks in arrival.close.get(MOST_CLOSED..).unwrap_or_default().chunks(MOST_CLOSED) {
            let items = tasks.iter().map(|(id, closed)| self.closed_task(id, closed)).collect::<Result<_, _>>()?;
            if self.write(items).await? == Committed::Stale {
                return Ok(Committed::Stale);
            }
        }
        let mut items = vec![self.webhook_item(arrival)?];
        items.extend(self.lead_item(arrival)?);
        if let Some(facts) = &arrival.facts {
            items.push(put(&self.leads, item::facts(&arrival.webhook.lead, facts)?)?);
        }
        for hash in &arrival.gains {
            let mut address = Edit::anywhere(key(keys::address_pk(hash), "ADDRESS"));
            address.expect_none(&["lead"]).set(&["lead"], s(arrival.webhook.lead.as_str()));
            if arrival.closes.as_ref() == Some(hash) {
                address.set_once(&["suppressed_at"], attribute(&arrival.webhook.at)?);
            }
            items.push(address.item(&self.leads)?);
        }
        if let Some(hash) = arrival.closes.as_ref().filter(|hash| !arrival.gains.contains(hash)) {
            let mut address = Edit::of(key(keys::address_pk(hash), "ADDRESS"));
            address.set_once(&["suppressed_at"], attribute(&arrival.webhook.at)?);
            items.push(address.item(&self.leads)?);
        }
        for (id, closed) in arrival.close.iter().take(MOST_CLOSED) {
            items.push(self.closed_task(id, closed)?);
        }
        if let Some(ends) = &arrival.ends {
            items.extend(self.change_items(ends, false)?);
        }
        if let Some(enrollment) = &arrival.enrollment {
            items.push(put_new(&self.leads, item::enrollment(enrollment)?)?);
        }
        if let Some(task) = &arrival.task {
            items.push(put_new(&self.leads, item::task(task)?)?);
        }
        // The revision tells apart two webhooks of one lead within a millisecond: each takes it one on.
        let revision = arrival.read_revision.unwrap_or(0);
        for (index, entry) in arrival.entries.iter().enumerate() {
            items.push(put(&self.leads, item::entry(entry, revision, index)?)?);
        }
        Ok(match self.transact(items).await? {
            Ok(()) => Committed::Yes,
            Err(_) => Committed::Stale,
        })
    }

    fn webhook_item(&self, arrival: &Arrival) -> Result<TransactWriteItem, StoreError> {
        let mut edit = Edit::anywhere(key(keys::webhook_pk(&arrival.webhook_key), "WEBHOOK"));
        edit.expect_none_or_past(&["at"], &[keys::EXPIRES_AT], arrival.webhook.at.timestamp());
        for (name, value) in item::attributes(&arrival.webhook)? {
            edit.set(&[&name], value);
        }
        edit.item(&self.leads)
    }

    fn lead_item(&self, arrival: &Arrival) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(lead) = &arrival.lead else {
            let id = &arrival.webhook.lead;
            return arrival.read_revision.map(|revision| self.bumped(id, revision)).transpose();
        };
        match arrival.read_revision {
            None => Ok(Some(put_new(&self.leads, item::lead(lead)?)?)),
            Some(revision) => {
                let mut edit = Edit::of(key(keys::lead_pk(&lead.id), keys::LEAD));
                edit.expect(&["revision"], number(revision)?);
                // Touches come and go with claims, which the revision guards; they are never written back from a reading.
                for (name, value) in item::attributes(lead)?.into_iter().filter(|(name, _)| name != "touches") {
                    edit.set(&[&name], value);
                }
                Ok(Some(edit.item(&self.leads)?))
            }
        }
    }

    /// A new enrollment bumps the revision even where nothing else about the lead changes.
    fn bumped(&self, id: &LeadId, revision: u64) -> Result<TransactWriteItem, StoreError> {
        let mut edit = Edit::of(key(keys::lead_pk(id), keys::LEAD));
        edit.expect(&["revision"], number(revision)?);
        edit.increment(&["revision"]);
        edit.item(&self.leads)
    }
}
