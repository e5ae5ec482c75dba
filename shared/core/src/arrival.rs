//! Arrival: what a webhook makes of the leads that are known.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    EnrollmentId, LeadId, Outcome, StepId, StepKey, TaskId,
    assign::{self, Asked},
    change::Change,
    enroll,
    enrollment::{End, Enrollment},
    intake::{self, Asking, IdempotencyKey},
    lead::{Facts, Lead, OptOut},
    onward::{self, TAKE_UP_WITHIN},
    pause::GOES_ON,
    records::{Cadence, Settings, Source, User},
    sources::Inbound,
    task::{Closed, Task, TaskKind},
    timeline::{Entry, EntryKind},
};

/// What a webhook came to; told again if it comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// The lead it made or updated.
    pub lead: LeadId,
    /// The enrollment it began, or found running.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrollment: Option<EnrollmentId>,
    /// What became of it.
    pub status: Taken,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Until when it is known, in epoch seconds; `None` for good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<i64>,
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// A cadence took the lead.
    Enrolled,
    /// The lead was known and its cadence goes on.
    Running,
    /// The lead was known and moved from its cadence to one that takes over from it.
    Switched,
    /// The lead was through a cadence lately, or an outcome paused it: its owner was asked to take it up.
    Asked,
    /// Somebody has spoken with the lead already, as the source says: no cadence takes it.
    Concluded,
    /// No live cadence is for it.
    NoCadence,
}

/// A lead that is known already.
#[derive(Clone, Debug)]
pub struct Known {
    /// The lead.
    pub lead: Lead,
    /// What is known of it.
    pub facts: Facts,
    /// Its enrollments, running and over.
    pub enrollments: Vec<Enrollment>,
    /// What users are asked to do about it.
    pub open_tasks: Vec<Task>,
}

impl Known {
    /// The enrollment that is not over.
    fn running(&self) -> Option<&Enrollment> {
        self.enrollments.iter().find(|enrollment| !enrollment.has_ended())
    }

    /// The enrollment that runs, else the one that began last.
    fn latest(&self) -> Option<&Enrollment> {
        self.running().or_else(|| self.enrollments.iter().max_by_key(|enrollment| enrollment.enrolled_at))
    }
}

/// What is stored of an address: whose it is, and whether it is closed for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The lead who has it; `None` once the lead is erased.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lead: Option<LeadId>,
    /// When it was closed for good; outlives the lead.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suppressed_at: Option<DateTime<Utc>>,
}

/// The addresses that a webhook names: the hash and what is stored under it.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// The phone's.
    pub phone: Option<(String, Address)>,
    /// The email's.
    pub email: Option<(String, Address)>,
}

/// What new leads are matched with.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Every published cadence, with its newest version.
    pub cadences: Vec<(Cadence, u32)>,
    /// Every published user.
    pub users: Vec<User>,
    /// The settings.
    pub settings: Settings,
}

/// One webhook's transaction.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The webhook's idempotency key.
    pub webhook_key: String,
    /// What it comes to.
    pub webhook: Webhook,
    /// The lead to write; `None` leaves it.
    pub lead: Option<Lead>,
    /// The revision that this was decided on; `None` for a new lead.
    pub read_revision: Option<u64>,
    /// What is known of the lead now; `None` leaves it.
    pub facts: Option<Facts>,
    /// Hashes of addresses that the lead gains.
    pub gains: Vec<String>,
    /// The hash of the phone number that closes for good, because the source says that the lead wants no calls.
    pub closes: Option<String>,
    /// The tasks that nobody may do any more, because the lead closed their channel.
    pub close: Vec<(TaskId, Closed)>,
    /// The end of the enrollment that ran, written only if that still stands where it was read.
    pub ends: Option<Change>,
    /// The enrollment that begins.
    pub enrollment: Option<Enrollment>,
    /// A task for the owner.
    pub task: Option<Task>,
    /// What the timeline says of it.
    pub entries: Vec<Entry>,
}

/// How long a body that carries no id of its own is told from a new one.
const BODY_KNOWN_FOR: TimeDelta = TimeDelta::hours(24);

/// What a webhook was read as.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// The source it came from.
    pub source: &'a Source,
    /// What it says.
    pub inbound: &'a Inbound,
    /// What tells it from others.
    pub key: &'a IdempotencyKey,
}

/// Whose address a webhook names: the phone's lead wins over the email's.
pub fn whose(addresses: &Addresses) -> Option<&LeadId> {
    let of =
        |found: &'_ Option<(String, Address)>| found.as_ref().and_then(|(_, address)| address.lead.clone()).is_some();
    let first = if of(&addresses.phone) { &addresses.phone } else { &addresses.email };
    first.as_ref().and_then(|(_, address)| address.lead.as_ref())
}

/// What a webhook makes of the lead it is about, known or new.
pub fn arrive(
    read: Read<'_>,
    known: Option<&Known>,
    addresses: &Addresses,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) -> Arrival {
    let mut arrival = taken(read, known, addresses, catalogue, now);
    close_tasks(&mut arrival, known, now);
    arrival
}

fn taken(
    read: Read<'_>,
    known: Option<&Known>,
    addresses: &Addresses,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) -> Arrival {
    let mut arrival = match known {
        Some(known) => update(read, known, addresses, &catalogue.users, now),
        None => begin(read, addresses, catalogue, now),
    };
    let Some(outcome) = read.inbound.outcome.filter(|outcome| concludes(*outcome)) else {
        enroll_in_best(&mut arrival, read, known, catalogue, now);
        return arrival;
    };
    let (source, said) = (&read.source.id, outcome.in_words());
    let (status, why) = match known.and_then(Known::running) {
        Some(_) => (Taken::Running, format!("{source} says {said}, while a cadence runs")),
        None => (Taken::Concluded, format!("{source} says {said}, so no cadence begins")),
    };
    arrival.webhook.status = status;
    arrival.webhook.enrollment = known.and_then(Known::latest).map(|latest| latest.id.clone());
    ask_owner(&mut arrival, known, &catalogue.users, &why, now);
    arrival
}

/// Whether somebody has spoken with the lead, so that a cadence would begin again what is done.
fn concludes(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Transferred | Outcome::AppointmentSet | Outcome::Declined | Outcome::Connected)
}

fn begin(read: Read<'_>, addresses: &Addresses, catalogue: &Catalogue, now: DateTime<Utc>) -> Arrival {
    let id = LeadId::from_uuid(fresh(read, "lead", now));
    let inbound = read.inbound;
    let owner = intake::pick_owner(&catalogue.users, &id, inbound.state.as_deref(), &inbound.owner_hints);
    let (mut lead, facts) = intake::new_lead(id, inbound, read.source, owner, now);
    take_addresses(&mut lead, addresses, now);
    let mut arrival = arrival(read, &lead.id, now);
    arrival.gains = gained(addresses, &lead);
    arrival.entries.push(lead_in(read, &lead.id, now));
    heed_opt_out(&mut arrival, &mut lead, read, now);
    arrival.facts = Some(facts);
    arrival.lead = Some(lead);
    arrival
}

fn update(read: Read<'_>, known: &Known, addresses: &Addresses, users: &[User], now: DateTime<Utc>) -> Arrival {
    let id = &known.lead.id;
    let mut arrival = arrival(read, id, now);
    arrival.read_revision = Some(known.lead.revision);
    arrival.entries.push(lead_in(read, id, now));
    let merged = intake::merge_lead(&known.lead, &known.facts, read.inbound, read.source, now);
    let (mut lead, facts) = merged.unwrap_or_else(|| (known.lead.clone(), known.facts.clone()));
    take_addresses(&mut lead, addresses, now);
    heed_opt_out(&mut arrival, &mut lead, read, now);
    if lead.owner.is_none()
        && let Some(owner) = intake::pick_owner(users, id, lead.state.as_deref(), &read.inbound.owner_hints)
    {
        lead.owner = Some(owner.id.clone());
        let entry = Entry::new(EntryKind::Assigned, id, now);
        arrival.entries.push(Entry { to: Some(owner.id.to_string()), ..entry });
    }
    if lead != known.lead || facts != known.facts {
        lead.revision = known.lead.revision + 1;
        arrival.gains = gained(addresses, &lead);
        arrival.lead = Some(lead);
        arrival.facts = Some(facts);
    }
    let others = addresses.email.iter().filter_map(|(_, address)| address.lead.as_ref()).filter(|other| *other != id);
    for other in others {
        let text = format!(
            "the email address stays with the lead {other}, whose it was first; the phone number told this lead"
        );
        arrival.entries.push(Entry::new(EntryKind::LeadIn, id, now).text(text));
        let text = format!("a webhook for the lead {id} named this lead's email address, which stays here");
        arrival.entries.push(Entry::new(EntryKind::LeadIn, other, now).text(text));
    }
    arrival
}

/// Closes the phone of a lead who told the source not to be called.
fn heed_opt_out(arrival: &mut Arrival, lead: &mut Lead, read: Read<'_>, now: DateTime<Utc>) {
    if read.inbound.outcome == Some(Outcome::OptedOut) && !lead.opt_outs.contains_key(&OptOut::Phone) {
        lead.opt_outs.insert(OptOut::Phone, now);
        arrival.closes.clone_from(&lead.phone_hash);
        let text = format!("{} says that the lead wants no calls", read.source.id);
        arrival.entries.push(Entry::new(EntryKind::OptedOut, &lead.id, now).text(text));
    }
}

/// Closes what users were asked to do on a channel that the lead has closed, unless it ends with the enrollment that runs.
fn close_tasks(arrival: &mut Arrival, known: Option<&Known>, now: DateTime<Utc>) {
    let Some(known) = known else { return };
    let lead = arrival.lead.as_ref().unwrap_or(&known.lead);
    let ending = arrival.ends.iter().flat_map(|change| &change.close);
    let ending: Vec<&TaskId> = ending.map(|(id, _)| id).collect();
    let is_closed = |task: &&Task| task.kind.closed_by().is_some_and(|closes| lead.opt_outs.contains_key(&closes));
    let closed = known.open_tasks.iter().filter(is_closed).filter(|task| !ending.contains(&&task.id));
    arrival.close = closed.map(|task| (task.id.clone(), Closed::skipped(now))).collect();
}

/// Gives the lead the addresses that nobody else has, and with them what they have closed for good.
fn take_addresses(lead: &mut Lead, addresses: &Addresses, now: DateTime<Utc>) {
    let is_free = |address: &Address| address.lead.as_ref().is_none_or(|owner| *owner == lead.id);
    let phone = addresses.phone.as_ref().filter(|(_, address)| is_free(address));
    let email = addresses.email.as_ref().filter(|(_, address)| is_free(address));
    if lead.phone.is_some() && lead.phone_hash.is_none() {
        lead.phone_hash = phone.map(|(hash, _)| hash.clone());
    }
    if lead.email.is_some() && lead.email_hash.is_none() {
        lead.email_hash = email.map(|(hash, _)| hash.clone());
    }
    for (closes, found) in [(OptOut::Phone, phone), (OptOut::Email, email)] {
        if let Some((_, Address { suppressed_at: Some(at), .. })) = found {
            lead.opt_outs.entry(closes).or_insert((*at).min(now));
        }
    }
    if lead.phone_hash.is_none() {
        lead.phone = None;
    }
    if lead.email_hash.is_none() {
        lead.email = None;
    }
}

fn gained(addresses: &Addresses, lead: &Lead) -> Vec<String> {
    let mine = [lead.phone_hash.as_ref(), lead.email_hash.as_ref()];
    let named = addresses.phone.iter().chain(&addresses.email);
    named
        .filter(|(hash, address)| address.lead.is_none() && mine.contains(&Some(hash)))
        .map(|(hash, _)| hash.clone())
        .collect()
}

/// The best cadence takes the lead, out of the one that it runs in if it takes over from that. Where none may, the running one goes
/// on, or a person takes up a lead who was through one.
fn enroll_in_best(
    arrival: &mut Arrival,
    read: Read<'_>,
    known: Option<&Known>,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) {
    let lead = arrival.lead.as_ref().or(known.map(|known| &known.lead));
    let facts = arrival.facts.as_ref().or(known.map(|known| &known.facts));
    let (Some(lead), Some(facts)) = (lead, facts) else {
        return;
    };
    let enrollments = known.map_or(&[][..], |known| &known.enrollments);
    let choice = intake::choose(catalogue, Asking { lead, facts, source: &read.source.id, enrollments }, now);
    arrival.entries.extend(choice.held_out.iter().map(|cadence| held_out(cadence, &lead.id, now)));

    if let Some((cadence, version)) = choice.taken_by {
        let id = EnrollmentId::from_uuid(fresh(read, "enrollment", now));
        let stale = read.inbound.created_at.is_some_and(|created_at| intake::is_stale(created_at, now));
        let begun = enroll::begin(id, lead, (cadence, version), &catalogue.settings, stale, now);
        let mut ends = known.and_then(|known| switch(known, read, cadence, catalogue, now));
        arrival.entries.extend(ends.iter_mut().flat_map(|change| change.entries.drain(..)));
        arrival.entries.push(enroll::entry(&begun, cadence, now));
        arrival.webhook.status = if ends.is_some() { Taken::Switched } else { Taken::Enrolled };
        arrival.webhook.enrollment = Some(begun.id.clone());
        (arrival.ends, arrival.enrollment) = (ends, Some(begun));
        return;
    }
    arrival.webhook.enrollment = known.and_then(Known::latest).map(|latest| latest.id.clone());
    if let Some(running) = known.and_then(Known::running) {
        arrival.webhook.status = Taken::Running;
        if running.waits_for_person() {
            arrival.webhook.status = Taken::Asked;
            let why = format!("the lead asked again through {}, while its cadence rests", read.source.id);
            ask_owner(arrival, known, &catalogue.users, &why, now);
        }
    } else if known.and_then(Known::latest).is_some() {
        arrival.webhook.status = Taken::Asked;
        let why = format!("the lead asked again through {}, after a cadence that is over", read.source.id);
        ask_owner(arrival, known, &catalogue.users, &why, now);
    } else {
        arrival.webhook.status = Taken::NoCadence;
        let other = if choice.held_out.is_empty() { "" } else { "other " };
        let text = format!("no {other}live cadence is for this lead");
        arrival.entries.push(Entry::new(EntryKind::Skipped, &lead.id, now).text(text));
    }
}

fn held_out(cadence: &Cadence, lead: &LeadId, now: DateTime<Utc>) -> Entry {
    let (id, percent) = (&cadence.id, cadence.for_leads.hold_out);
    let text = format!("held out of {id}, which leaves {percent}% of its leads to others");
    Entry { cadence: Some(id.clone()), ..Entry::new(EntryKind::HeldOut, lead, now).text(text) }
}

/// The end of the enrollment that runs, and of its tasks, because the lead moves to another cadence.
fn switch(known: &Known, read: Read<'_>, to: &Cadence, catalogue: &Catalogue, now: DateTime<Utc>) -> Option<Change> {
    let running = known.running()?;
    let version = (&running.cadence, running.progress.version);
    let pinned = catalogue.cadences.iter().find(|(cadence, newest)| (&cadence.id, *newest) == version);
    let rest = pinned.map(|(cadence, _)| onward::not_run(running, cadence, None)).unwrap_or_default();
    let text = format!("moved to the cadence {}, because the lead asked again through {}{rest}", to.id, read.source.id);
    let mut change = Change::of(running, now);
    change.end(End::Switched(to.id.clone()), &text, &known.open_tasks);
    Some(change)
}

/// A person takes up a lead whom no cadence takes: the owner, or who acts for them. The timeline says why, also where nobody can be asked.
fn ask_owner(arrival: &mut Arrival, known: Option<&Known>, users: &[User], why: &str, now: DateTime<Utc>) {
    let lead = arrival.webhook.lead.clone();
    // A task belongs to an enrollment, which a new lead doesn't have.
    let asked = known.and_then(|known| {
        let asked = assign::asked_owner(arrival.lead.as_ref().unwrap_or(&known.lead), users, now)?;
        Some((known, known.latest()?, asked))
    });
    let Some((known, latest, Asked { user, why: reasons, .. })) = asked else {
        return arrival.entries.push(Entry::new(EntryKind::Skipped, &lead, now).text(why));
    };
    let entry = Entry::new(EntryKind::TaskOpened, &lead, now).text(assign::because(&reasons, why));
    arrival.entries.push(Entry { enrollment: Some(latest.id.clone()), to: Some(user.id.to_string()), ..entry });
    // Two webhooks of one lead in one second ask twice.
    let own = Uuid::new_v5(&Uuid::NAMESPACE_OID, arrival.webhook_key.as_bytes()).as_fields().0;
    let step = StepId::new(format!("lead~asked-again-{}-{own:08x}", now.timestamp()));
    let lead_name = known.facts.full_name();
    // Its cadence rests until somebody completes such a task, and may have found nobody to ask before.
    let (kind, then) = match latest.waits_for_person() {
        true => (TaskKind::Resume, format!(" {GOES_ON}.")),
        false => (TaskKind::FollowUp, String::new()),
    };
    arrival.task = Some(Task {
        id: TaskId { lead, key: StepKey { enrollment: latest.id.clone(), step, round: 1 } },
        kind,
        user: user.id.clone(),
        text: assign::because(&reasons, &format!("{lead_name}: {why}. Please take it up.{then}")),
        lead_name,
        reach: known.lead.phone.clone().or_else(|| known.lead.email.clone()),
        opened_at: now,
        task_due_at: now + TAKE_UP_WITHIN,
        closed: None,
    });
}

fn arrival(read: Read<'_>, lead: &LeadId, now: DateTime<Utc>) -> Arrival {
    let expires_at = read.key.is_body_hash.then(|| (now + BODY_KNOWN_FOR).timestamp());
    Arrival {
        webhook_key: read.key.text.clone(),
        webhook: Webhook { lead: lead.clone(), enrollment: None, status: Taken::NoCadence, at: now, expires_at },
        lead: None,
        read_revision: None,
        facts: None,
        gains: Vec::new(),
        closes: None,
        close: Vec::new(),
        ends: None,
        enrollment: None,
        task: None,
        entries: Vec::new(),
    }
}

fn lead_in(read: Read<'_>, lead: &LeadId, now: DateTime<Utc>) -> Entry {
    let mut text = format!("from {}", read.source.id);
    for note in &read.inbound.notes {
        text.push_str("; ");
        text.push_str(note);
    }
    Entry::new(EntryKind::LeadIn, lead, now).text(text)
}

/// An id of this webhook's own. A repeated webhook is refused by its key, not by these; the instant tells apart two that share a body.
fn fresh(read: Read<'_>, what: &str, now: DateTime<Utc>) -> Uuid {
    let text = format!("{what} {} {}", read.key.text, now.timestamp_micros());
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
}

#[cfg(test)]
mod tests;
