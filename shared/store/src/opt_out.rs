//! A lead closes a channel for good.

use aws_sdk_dynamodb::types::TransactWriteItem;
use cadence_core::{
    LeadId,
    lead::{Lead, OptOut},
    task::{Closed, Task},
    timeline::{Entry, EntryKind},
};
use chrono::{DateTime, Utc};

use crate::{
    Committed, Store, StoreError,
    commit::{MOST_CLOSED, opt_out_key},
    item::{self, attribute, key},
    keys,
    update::{Edit, number, put},
};

/// How often an opt-out that lost a race is written again, or goes on with the tasks that one transaction could not close.
const ROUNDS: u32 = 8;

impl Store {
    /// Closes a channel: on the lead, so that no claim is taken after it, on the address, which outlives the lead, and for what
    /// users were asked to do there. False if there is no such lead.
    pub async fn opt_out(&self, lead: &LeadId, closes: OptOut, at: DateTime<Utc>) -> Result<bool, StoreError> {
        for _ in 0..ROUNDS {
            let items = self.lead_items(lead).await?;
            let Some(stored) = items.maybe::<Lead>(keys::LEAD)? else { return Ok(false) };
            let mut tasks: Vec<Task> = items.all("TASK#")?;
            tasks.retain(|task| task.closed.is_none() && task.kind.closed_by() == Some(closes));
            let is_all = tasks.len() <= MOST_CLOSED;
            tasks.truncate(MOST_CLOSED);
            if stored.opt_outs.contains_key(&closes) && tasks.is_empty() {
                return Ok(true);
            }
            let written = self.write(self.opt_out_items(stored, closes, &tasks, at)?).await?;
            if written == Committed::Yes && is_all {
                return Ok(true);
            }
        }
        Err(StoreError::Races)
    }

    fn opt_out_items(
        &self,
        lead: Lead,
        closes: OptOut,
        tasks: &[Task],
        at: DateTime<Utc>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut edit = Edit::of(key(keys::lead_pk(&lead.id), keys::LEAD));
        // A task that was opened since would stay open.
        edit.expect(&["revision"], number(lead.revision)?)
            .set_once(&["opt_outs", opt_out_key(closes)], attribute(&at)?)
            .increment(&["revision"]);
        let mut written = vec![edit.item(&self.leads)?];
        let hash = match closes {
            OptOut::Phone => lead.phone_hash,
            OptOut::Email => lead.email_hash,
        };
        if let Some(hash) = hash {
            let mut address = Edit::of(key(keys::address_pk(&hash), "ADDRESS"));
            address.set_once(&["suppressed_at"], attribute(&at)?);
            written.push(address.item(&self.leads)?);
        }
        for task in tasks {
            let closed = Closed::skipped(at);
            written.push(self.closed_task(&task.id, &closed)?);
        }
        if !lead.opt_outs.contains_key(&closes) {
            let entry = Entry::new(EntryKind::OptedOut, &lead.id, at).text(opt_out_key(closes));
            written.push(put(&self.leads, item::entry(&entry, lead.revision, 0)?)?);
        }
        Ok(written)
    }
}
