//! Commit: what a decision changes, in one transaction, if what it was decided on still holds.

use aws_sdk_dynamodb::types::TransactWriteItem;
use cadence_core::{
    TaskId,
    change::{Change, LeadChange},
    lead::OptOut,
    task::Closed,
    timeline::Entry,
};

use crate::{
    Store, StoreError,
    claim::{set_due_index, set_running_index},
    item::{self, attribute, key, s},
    keys,
    update::{Edit, number, put, put_new, put_over},
};

/// Whether a decision was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It was.
    Yes,
    /// What it was decided on no longer holds: load and decide again.
    Stale,
}

/// How many tasks one transaction closes: DynamoDB takes 100 items, and an end writes some of its own.
pub(crate) const MOST_CLOSED: usize = 80;

impl Store {
    /// Writes a change.
    pub async fn commit(&self, change: &Change) -> Result<Committed, StoreError> {
        if self.close_surplus(change).await? == Committed::Stale {
            return Ok(Committed::Stale);
        }
        let mut items = self.change_items(change, false)?;
        if let Some(lead) = self.lead_edit(change, None)? {
            items.push(lead.item(&self.leads)?);
        }
        self.write(items).await
    }

    pub(crate) async fn write(&self, items: Vec<TransactWriteItem>) -> Result<Committed, StoreError> {
        if items.is_empty() {
            return Ok(Committed::Yes);
        }
        Ok(match self.transact(items).await? {
            Ok(()) => Committed::Yes,
            Err(_) => Committed::Stale,
        })
    }

    /// Closes the tasks that don't fit into the change's own transaction, while the enrollment is as it was read: a cadence that goes round for
    /// months leaves a task a round if nobody works on them. Whoever finds this cut off finds fewer of them open, and decides the same.
    pub(crate) async fn close_surplus(&self, change: &Change) -> Result<Committed, StoreError> {
        let surplus = change.close.get(MOST_CLOSED..).unwrap_or_default();
        for tasks in surplus.chunks(MOST_CLOSED) {
            let mut items = vec![self.enrollment_as_read(change)?.item(&self.leads)?];
            for (id, closed) in tasks {
                items.push(self.closed_task(id, closed)?);
            }
            if self.write(items).await? == Committed::Stale {
                return Ok(Committed::Stale);
            }
        }
        Ok(Committed::Yes)
    }

    pub(crate) fn change_items(&self, change: &Change, settles: bool) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut items = vec![self.enrollment_edit(change, settles)?.item(&self.leads)?];
        if let Some(outcome) = &change.outcome {
            let previous = outcome.previous.map(|previous| s(previous.as_str()));
            items.push(put_over(&self.leads, item::outcome(&outcome.now)?, "outcome", previous)?);
        }
        if let Some(LeadChange::OptOut { address_hash: Some(hash), at, .. }) = &change.lead {
            let mut address = Edit::of(key(keys::address_pk(hash), "ADDRESS"));
            address.set_once(&["suppressed_at"], attribute(at)?);
            items.push(address.item(&self.leads)?);
        }
        for task in &change.open {
            items.push(put(&self.leads, item::task(task)?)?);
        }
        for (id, closed) in change.close.iter().take(MOST_CLOSED) {
            items.push(self.closed_task(id, closed)?);
        }
        if let Some(enrollment) = &change.enroll {
            items.push(put_new(&self.leads, item::enrollment(enrollment)?)?);
        }
        for (index, entry) in change.entries.iter().enumerate() {
            items.push(self.entry_item(change, entry, index + 1)?);
        }
        Ok(items)
    }

    /// An edit of the enrollment that holds while it is as it was read.
    fn enrollment_as_read(&self, change: &Change) -> Result<Edit, StoreError> {
        let read = &change.enrollment;
        let mut edit = Edit::of(key(keys::lead_pk(&read.lead), keys::enrollment_sk(&read.id)));
        edit.expect(&["progress", "generation"], number(read.progress.generation)?);
        match &read.claim {
            Some(claim) => edit.expect(&["claim", "id"], s(claim.id.as_str())),
            None => edit.expect_none(&["claim"]),
        };
        Ok(edit)
    }

    fn enrollment_edit(&self, change: &Change, settles: bool) -> Result<Edit, StoreError> {
        let read = &change.enrollment;
        let mut edit = self.enrollment_as_read(change)?;
        let mut written = read.clone();
        if let Some(progress) = &change.progress {
            edit.set(&["progress"], attribute(progress)?);
            written.progress = progress.clone();
        }
        if settles {
            edit.remove(&["claim"]);
            written.claim = None;
        }
        if change.progress.is_some() || settles {
            set_due_index(&mut edit, &written);
        }
        if change.progress.is_some() {
            // Also where nothing of it changes, because the reading may be on a newer version than what is stored. An index is
            // written only if what it holds changes.
            set_running_index(&mut edit, &written);
        }
        Ok(edit)
    }

    /// What changes about the lead, in one edit: a transaction may name an item once.
    pub(crate) fn lead_edit(&self, change: &Change, returned_touch: Option<&str>) -> Result<Option<Edit>, StoreError> {
        if !change.bumps_revision() && returned_touch.is_none() {
            return Ok(None);
        }
        let mut edit = Edit::of(key(keys::lead_pk(&change.enrollment.lead), keys::LEAD));
        if let Some(revision) = change.read_revision() {
            edit.expect(&["revision"], number(revision)?);
        }
        for channel in change.needs_open() {
            edit.expect_none(&["opt_outs", opt_out_key(channel)]);
        }
        match &change.lead {
            Some(LeadChange::Owner { user, .. }) => {
                edit.set(&["owner"], s(user.as_str()));
            }
            Some(LeadChange::OptOut { closes, at, .. }) => {
                edit.set_once(&["opt_outs", opt_out_key(*closes)], attribute(at)?);
            }
            None => {}
        }
        if change.bumps_revision() {
            edit.increment(&["revision"]);
        }
        if let Some(touch) = returned_touch {
            edit.remove(&["touches", touch]);
        }
        Ok(Some(edit))
    }

    pub(crate) fn closed_task(&self, id: &TaskId, closed: &Closed) -> Result<TransactWriteItem, StoreError> {
        let mut edit = Edit::of(key(keys::lead_pk(&id.lead), keys::task_sk(id)));
        // What a user said of a task stands; of one that closed without a word they may still tell.
        edit.expect_none(&["closed", "by"]).set(&["closed"], attribute(closed)?).remove(&[keys::OPEN_FOR]);
        edit.item(&self.leads)
    }

    pub(crate) fn entry_item(
        &self,
        change: &Change,
        entry: &Entry,
        index: usize,
    ) -> Result<TransactWriteItem, StoreError> {
        put(&self.leads, item::entry(entry, change.enrollment.progress.generation, index)?)
    }
}

/// The map key of an opt-out on its lead.
pub(crate) fn opt_out_key(closes: OptOut) -> &'static str {
    match closes {
        OptOut::Phone => "phone",
        OptOut::Email => "email",
    }
}
