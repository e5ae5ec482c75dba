//! A lead closes a channel for good.

use cadence_core::{
    LeadId,
    lead::{Lead, OptOut},
    timeline::{Entry, EntryKind},
};
use chrono::{DateTime, Utc};

use crate::{
    Committed, Store, StoreError,
    commit::opt_out_key,
    item::{self, attribute, key, read},
    keys,
    update::{Edit, put},
};

impl Store {
    /// Closes a channel: on the lead, so that no claim is taken after it, and on the address, which it outlives.
    /// Stale if there is no such lead.
    pub async fn opt_out(&self, lead: &LeadId, closes: OptOut, at: DateTime<Utc>) -> Result<Committed, StoreError> {
        let Some(found) = self.get(&self.leads, key(keys::lead_pk(lead), keys::LEAD)).await? else {
            return Ok(Committed::Stale);
        };
        let stored: Lead = read(found)?;
        if stored.opt_outs.contains_key(&closes) {
            return Ok(Committed::Yes);
        }
        let mut edit = Edit::of(key(keys::lead_pk(lead), keys::LEAD));
        edit.set_once(&["opt_outs", opt_out_key(closes)], attribute(&at)?).increment(&["revision"]);
        let mut items = vec![edit.item(&self.leads)?];
        let hash = match closes {
            OptOut::Phone => stored.phone_hash,
            OptOut::Email => stored.email_hash,
        };
        if let Some(hash) = hash {
            let mut address = Edit::of(key(keys::address_pk(&hash), "ADDRESS"));
            address.set_once(&["suppressed_at"], attribute(&at)?);
            items.push(address.item(&self.leads)?);
        }
        let entry = Entry::new(EntryKind::OptedOut, lead, at).text(opt_out_key(closes));
        items.push(put(&self.leads, item::entry(&entry, stored.revision, 0)?)?);
        self.write(items).await
    }
}
