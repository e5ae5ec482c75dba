//! How a simulated lead begins: by the webhook's own door.

use chrono::{DateTime, Utc};

use super::Published;
use crate::{
    CadenceId,
    arrival::{Address, Addresses, Catalogue, Read, arrive},
    intake,
    plan::StepContext,
    records::{Cadence, ForLeads, Source, Status},
    sources::Inbound,
    timeline::{Entry, EntryKind},
};

/// A lead that nobody knows yet, as its webhook was read.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    /// Where it comes from.
    pub source: &'a Source,
    /// What the webhook says.
    pub inbound: &'a Inbound,
    /// The cadences that may take it: all that are published, or [`Published::only`] one.
    pub takers: &'a Catalogue,
    /// When it comes.
    pub at: DateTime<Utc>,
}

/// A lead that a cadence took.
#[derive(Clone, Debug)]
pub struct Begun {
    /// When it came.
    pub at: DateTime<Utc>,
    /// What the first decision rests on.
    pub context: StepContext,
    /// What the timeline says so far.
    pub entries: Vec<Entry>,
}

/// A lead that no cadence takes.
#[derive(Clone, Debug)]
pub struct NotTaken {
    /// What the timeline says of it.
    pub entries: Vec<Entry>,
}

impl Published {
    /// Takes the lead in as `ingest` does.
    pub fn arrive(&self, arriving: Arriving<'_>) -> Result<Begun, NotTaken> {
        let (entries, context) = self.taken(arriving);
        match context {
            Some(context) => Ok(Begun { at: arriving.at, context, entries }),
            None => Err(NotTaken { entries }),
        }
    }

    /// The catalogue in which only that cadence takes leads, whatever its status and whomever it is for.
    pub fn only(&self, id: &CadenceId) -> Catalogue {
        self.only_for(id, &ForLeads::default())
    }

    /// Whether a cadence is for such a lead.
    pub fn is_for(&self, cadence: &Cadence, arriving: Arriving<'_>) -> bool {
        // Whom it leaves to others it would take all the same.
        let takers = self.only_for(&cadence.id, &ForLeads { hold_out: 0, ..cadence.for_leads.clone() });
        self.taken(Arriving { takers: &takers, ..arriving }).1.is_some()
    }

    /// That a cadence leaves such a lead to others, if it is one of those that it holds out.
    pub fn held_out(&self, cadence: &Cadence, arriving: Arriving<'_>) -> Option<String> {
        let takers =
            self.only_for(&cadence.id, &ForLeads { hold_out: cadence.for_leads.hold_out, ..ForLeads::default() });
        let (entries, _) = self.taken(Arriving { takers: &takers, ..arriving });
        entries.into_iter().find(|entry| entry.kind == EntryKind::HeldOut)?.text
    }

    fn taken(&self, arriving: Arriving<'_>) -> (Vec<Entry>, Option<StepContext>) {
        let Arriving { source, inbound, takers, at } = arriving;
        let key = intake::idempotency_key(&source.id, inbound, None, &[]);
        // Nobody has these addresses, and where nothing is stored a hash need not be one.
        let unknown = |address: &Option<String>| address.clone().map(|address| (address, Address::default()));
        let addresses = Addresses { phone: unknown(&inbound.phone), email: unknown(&inbound.email) };
        let arrival = arrive(Read { source, inbound, key: &key }, None, &addresses, takers, at);
        let begun = arrival.enrollment.zip(arrival.lead.zip(arrival.facts));
        let context = begun.and_then(|(enrollment, (lead, facts))| self.context(enrollment, lead, facts));
        (arrival.entries, context)
    }

    fn only_for(&self, id: &CadenceId, for_leads: &ForLeads) -> Catalogue {
        let named = self.catalogue.cadences.iter().filter(|(cadence, _)| cadence.id == *id);
        let taking = |(cadence, version): &(Cadence, u32)| {
            let for_leads = for_leads.clone();
            (Cadence { for_leads, status: Status::Live, ..cadence.clone() }, *version)
        };
        let Catalogue { users, settings, .. } = &self.catalogue;
        Catalogue { cadences: named.map(taking).collect(), users: users.clone(), settings: settings.clone() }
    }
}
