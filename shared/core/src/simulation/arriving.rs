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
    timeline::Entry,
};

/// A lead that nobody knows yet, as its webhook was read.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    /// Where it comes from.
    pub source: &'a Source,
    /// What the webhook says.
    pub inbound: &'a Inbound,
    /// The cadence that takes it, whomever that is for; `None` leaves it to the cadences.
    pub into: Option<&'a CadenceId>,
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
        let Arriving { source, inbound, into, at } = arriving;
        let only = into.map(|id| self.only(id, ForLeads::default()));
        let catalogue = only.as_ref().unwrap_or(&self.catalogue);
        let (entries, context) = self.taken(source, inbound, catalogue, at);
        match context {
            Some(context) => Ok(Begun { at, context, entries }),
            None => Err(NotTaken { entries }),
        }
    }

    /// Whether a cadence is for such a lead.
    pub fn is_for(&self, cadence: &Cadence, source: &Source, inbound: &Inbound, at: DateTime<Utc>) -> bool {
        let catalogue = self.only(&cadence.id, cadence.for_leads.clone());
        self.taken(source, inbound, &catalogue, at).1.is_some()
    }

    fn taken(
        &self,
        source: &Source,
        inbound: &Inbound,
        catalogue: &Catalogue,
        at: DateTime<Utc>,
    ) -> (Vec<Entry>, Option<StepContext>) {
        let key = intake::idempotency_key(&source.id, inbound, None, &[]);
        // Nobody has these addresses, and where nothing is stored a hash need not be one.
        let unknown = |address: &Option<String>| address.clone().map(|address| (address, Address::default()));
        let addresses = Addresses { phone: unknown(&inbound.phone), email: unknown(&inbound.email) };
        let arrival = arrive(Read { source, inbound, key: &key }, None, &addresses, catalogue, at);
        let begun = arrival.enrollment.zip(arrival.lead.zip(arrival.facts));
        let context = begun.and_then(|(enrollment, (lead, facts))| self.context(enrollment, lead, facts));
        (arrival.entries, context)
    }

    /// The catalogue in which only that cadence takes leads, and these.
    fn only(&self, id: &CadenceId, for_leads: ForLeads) -> Catalogue {
        let mut cadences = self.catalogue.cadences.clone();
        cadences.retain(|(cadence, _)| cadence.id == *id);
        for (cadence, _) in &mut cadences {
            cadence.for_leads = for_leads.clone();
            cadence.status = Status::Live;
        }
        Catalogue { cadences, ..self.catalogue.clone() }
    }
}
