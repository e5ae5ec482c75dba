//! What must hold of a world whenever it is looked at, and once it has come to rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use cadence_core::{
    EnrollmentId, LeadId,
    arrival::Taken,
    enrollment::{Enrollment, Park, State, StepDue},
    lead::Lead,
    records::{Cadence, Record, Status, parse_record},
    task::TaskKind,
};
use cadence_local::{Message, Timer};
use cadence_store::Edited;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::simulation::{
    ledger::{Confirmed, Told, Webhook},
    people::Person,
    plan::Post,
    seen::{Seen, SeenEnrollment, SeenLead},
    violation::{Held, Invariant, Violation},
};

/// What is on its way: whose messages and timers of which generation, and what was given up loudly.
#[derive(Default)]
pub(crate) struct OnItsWay {
    due: BTreeSet<(EnrollmentId, u64)>,
    /// The timers of the same enrollment and generation as another one.
    twice: Vec<String>,
    given_up: Vec<RangeInclusive<i64>>,
    /// How far `schedule` has read the leads table's stream.
    read_until: i64,
}

/// What dynoxide adds to a record's number when it tells it.
const NUMBERS_FROM: i128 = 100_000_000_000_000_000_000;
/// How long overdue is lost.
const LOST_AFTER: TimeDelta = TimeDelta::minutes(10);
/// How long after its lease `reconcile` has a claim at the latest, where nothing goes wrong.
const SETTLED_WITHIN: TimeDelta = TimeDelta::minutes(75);

impl OnItsWay {
    pub(crate) fn of(messages: &[Message], timers: &[Timer], read_until: i64) -> Self {
        let mut on_its_way = Self { read_until, ..Self::default() };
        for body in messages.iter().map(|message| &message.body).chain(timers.iter().map(|timer| &timer.input)) {
            if let Ok(due) = serde_json::from_str::<StepDue>(body) {
                on_its_way.due.insert((due.enrollment, due.generation));
            } else {
                on_its_way.given_up.extend(given_up(body));
            }
        }
        let mut inputs = BTreeSet::new();
        let twice = timers.iter().filter(|timer| !inputs.insert(&timer.input));
        on_its_way.twice = twice.map(|timer| timer.name.clone()).collect();
        on_its_way
    }

    /// Whether a write of the config or the leads table was given up.
    pub(crate) fn gave_up(&self, written: i64) -> bool {
        self.given_up.iter().any(|range| range.contains(&written))
    }

    fn moves(&self, enrollment: &SeenEnrollment) -> bool {
        let due = (enrollment.now.id.clone(), enrollment.now.progress.generation);
        enrollment.written > self.read_until || self.due.contains(&due) || self.gave_up(enrollment.written)
    }
}

/// The records that a stream's function was not told of, as its failure queue says.
fn given_up(body: &str) -> Option<RangeInclusive<i64>> {
    let told: Value = serde_json::from_str(body).ok()?;
    let batch = told.get("DDBStreamBatchInfo")?;
    let number = |name: &str| {
        let number: i128 = batch.get(name)?.as_str()?.parse().ok()?;
        i64::try_from(number - NUMBERS_FROM).ok()
    };
    Some(number("startSequenceNumber")?..=number("endSequenceNumber")?)
}

/// Every active enrollment has at least one of: an unread change, a timer or message of its generation, a claim, a parked mark.
pub(crate) fn nothing_lost(seen: &Seen, on_its_way: &OnItsWay) -> Held {
    if let Some(timer) = on_its_way.twice.first() {
        return Err(Violation::of(Invariant::OneEffect, format!("{timer} is the second timer of what it is for")));
    }
    let mut waiting = seen.enrollments().map(|(_, enrollment)| enrollment);
    let waits = |enrollment: &SeenEnrollment| enrollment.now.is_active() && enrollment.now.claim.is_none();
    match waiting.find(|enrollment| waits(enrollment) && !on_its_way.moves(enrollment)) {
        Some(SeenEnrollment { now, .. }) => {
            let found = format!("nothing will move {} on: {:?}", now.id, now.progress.next);
            Err(Violation::of(Invariant::NothingLost, found))
        }
        None => Ok(()),
    }
}

/// No claim stands for long after its lease: `reconcile` settles it. While things go wrong each of its runs may be cut off, so that is looked
/// for only since they ceased to.
pub(crate) fn claims_settled(seen: &Seen, calm_since: DateTime<Utc>, now: DateTime<Utc>) -> Held {
    let mut claims =
        seen.enrollments().filter_map(|(_, enrollment)| Some((enrollment, enrollment.now.claim.as_ref()?)));
    match claims.find(|(_, claim)| claim.lease_until.max(calm_since) + SETTLED_WITHIN < now) {
        Some((enrollment, claim)) => {
            let (id, step, ran_out) = (&enrollment.now.id, &claim.step, claim.lease_until);
            let found = format!("the claim of {id} on {step} ran out at {ran_out} and nobody settles it");
            Err(Violation::of(Invariant::NothingLost, found))
        }
        None => Ok(()),
    }
}

/// `reconcile` finds it: it stands in the index of what is due for what it waits for.
pub(crate) fn indexed(seen: &Seen, lead: &LeadId, id: &EnrollmentId) -> Held {
    let Some(enrollment) = seen.leads.get(lead).and_then(|lead| lead.enrollments.get(id)) else { return Ok(()) };
    let Enrollment { id, claim, progress, .. } = &enrollment.now;
    let waits_for = claim.as_ref().map(|claim| claim.lease_until).or(progress.next.as_ref().map(|next| next.due_at));
    let expected = waits_for.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let found = enrollment.due_index.as_ref().map(|(_, at)| at.clone());
    let is_resting = claim.is_none() && !enrollment.now.is_active();
    let is_parked = enrollment.due_index.as_ref().is_some_and(|(shard, _)| shard.starts_with("parked#"));
    if found != expected || (found.is_some() && is_parked != is_resting) {
        let found = format!("{id} waits for {expected:?} and stands in the index as {:?}", enrollment.due_index);
        return Err(Violation::of(Invariant::NothingLost, found));
    }
    Ok(())
}

/// Nothing rests any longer than what it waits for takes to be there: its cadence's record, somebody who may act for its lead, or the user who
/// was asked to let it go on. Holds at rest only, since `reconcile` comes by now and then.
pub(crate) fn nothing_forgotten(seen: &Seen) -> Held {
    for (id, enrollment) in seen.enrollments() {
        let (now, Some(lead)) = (&enrollment.now, seen.leads.get(id)) else { continue };
        let State::Parked { why } = &now.progress.state else { continue };
        let status = seen.published("CADENCE", now.cadence.as_str()).and_then(|record| record.get("status"));
        let is_status = |wanted: &str| status.is_some_and(|status| status == wanted);
        let is_forgotten = match why {
            _ if is_status("archived") => true,
            Park::CadencePaused | Park::Resumed => is_status("live") || is_status("off"),
            Park::NoLicensedOwner => lead.lead.as_ref().is_some_and(|lead| may_be_led(seen, lead)),
            // One who has no owner is nobody's to ask.
            Park::Outcome => !lead.has_open(&now.id, TaskKind::Resume) && has_owner(seen, lead),
        };
        if is_forgotten {
            let found = format!("{} rests for {why:?}, though its cadence is {status:?}: {:?}", now.id, now.progress);
            return Err(Violation::of(Invariant::NothingLost, found));
        }
    }
    Ok(())
}

/// Whether an active user is licensed in the lead's state.
fn may_be_led(seen: &Seen, lead: &Lead) -> bool {
    let Some(state) = &lead.state else { return false };
    let users = seen.config.iter().filter(|((pk, _), _)| pk == "PUBLISHED#USER");
    let mut records = users.filter_map(|(_, user)| user.get("record"));
    records.any(|user| {
        let licences = user.get("licences").and_then(Value::as_array).into_iter().flatten();
        user.get("active") == Some(&json!(true)) && licences.into_iter().any(|licence| licence == state.as_str())
    })
}

fn has_owner(seen: &Seen, lead: &SeenLead) -> bool {
    let owner = lead.lead.as_ref().and_then(|lead| lead.owner.as_ref());
    owner.is_some_and(|owner| seen.published("USER", owner.as_str()).is_some())
}

/// Nothing that is active is overdue for that long: `reconcile` has put it back by then.
pub(crate) fn nothing_overdue(seen: &Seen, now: DateTime<Utc>, for_long: TimeDelta) -> Held {
    let overdue = seen.enrollments().find(|(_, enrollment)| {
        let next = enrollment.now.progress.next.as_ref();
        // What a delay has left behind is due in the past, and that just now.
        enrollment.now.is_active() && next.is_some_and(|next| next.due_at.max(enrollment.since) + for_long < now)
    });
    match overdue {
        Some((_, enrollment)) => {
            let found = format!("{} is overdue at {now}: {:?}", enrollment.now.id, enrollment.now.progress.next);
            Err(Violation::of(Invariant::NothingLost, found))
        }
        None => Ok(()),
    }
}

/// `reconcile` puts back only what is lost: over ten minutes overdue. What moved on, ended or was claimed since it was read is put back in vain,
/// and harms nobody.
pub(crate) fn requeued(seen: &Seen, due: &StepDue, now: DateTime<Utc>) -> Held {
    let Some(lead) = seen.leads.get(&due.lead) else { return Ok(()) };
    let Some(SeenEnrollment { now: enrollment, .. }) = lead.enrollments.get(&due.enrollment) else { return Ok(()) };
    let next = enrollment.progress.next.as_ref().filter(|_| enrollment.progress.generation == due.generation);
    match next.filter(|next| enrollment.is_active() && now - next.due_at < LOST_AFTER) {
        Some(next) => {
            let found = format!("{} was put back at {now} and is due at {}", enrollment.id, next.due_at);
            Err(Violation::of(Invariant::Settled, found))
        }
        None => Ok(()),
    }
}

/// An accepted webhook was a lead whom it names, and one that can't be used was kept, before it was answered; and it was answered as it deserves.
pub(crate) fn webhook(seen: &Seen, told: &Told, people: &[Person], webhook: &Webhook) -> Held {
    let post = &webhook.post;
    let broken = |what: &str| {
        let found = format!("a webhook was answered with {} and {what}: {}", webhook.status, post.body);
        Err(Violation::of(Invariant::Webhooks, found))
    };
    // A source that ops delete or break is nobody's to post to.
    let may_be_gone = || seen.edited.contains_key(&format!("SOURCE#{}", post.source));
    match (webhook.status, &webhook.lead) {
        (500..=599, _) => Ok(()),
        (401, _) if !post.has_secret || may_be_gone() => Ok(()),
        _ if !post.has_secret => broken("its secret was wrong"),
        (422, _) if post.is_good => broken("says how to reach somebody"),
        (422, _) if !seen.quarantined.contains(&post.body) => broken("not kept"),
        (422, _) => Ok(()),
        _ if !post.is_good => broken("says of nobody how to reach them"),
        (200..=299, Some(lead)) => match seen.leads.get(lead) {
            Some(stored) if stored.since > webhook.at => broken("written after that"),
            Some(SeenLead { lead: Some(lead), .. }) if !is_named(told, people, lead, post) => {
                broken("its lead is somebody else")
            }
            Some(SeenLead { lead: Some(_), .. }) => Ok(()),
            _ => broken("its lead is not there"),
        },
        (200..=299, None) => broken("no lead was named"),
        _ => broken("nobody expected that"),
    }
}

/// Where nothing goes wrong any more, every webhook is answered with more than that it can't be taken now.
pub(crate) fn answered(told: &Told) -> Held {
    match told.unanswered().next() {
        Some(webhook) => {
            let found = format!("a webhook is answered with {} for good: {}", webhook.status, webhook.post.body);
            Err(Violation::of(Invariant::Alive, found))
        }
        None => Ok(()),
    }
}

/// What a webhook is said to have come to, it came to; and a cadence that is for everybody takes everybody.
pub(crate) fn taken(seen: &Seen) -> Held {
    let broken = |what: String| Err(Violation::of(Invariant::Webhooks, what));
    let is_for_all = |cadence: &Cadence| {
        cadence.status == Status::Live
            && serde_json::to_value(&cadence.for_leads).is_ok_and(|wanted| wanted == json!({}))
    };
    let mut always: BTreeMap<&str, bool> = BTreeMap::new();
    for ((id, _), cadence) in &seen.versions {
        *always.entry(id).or_insert(true) &= is_for_all(cadence);
    }
    for (key, webhook) in &seen.webhooks {
        let Some(lead) = seen.leads.get(&webhook.lead) else {
            return broken(format!("the lead of {key} is not there"));
        };
        let is_there = webhook.enrollment.as_ref().is_some_and(|id| lead.enrollments.contains_key(id));
        match webhook.status {
            Taken::Enrolled | Taken::Running | Taken::Switched if !is_there => {
                return broken(format!("{key} is {:?}, and no such enrollment is there", webhook.status));
            }
            Taken::NoCadence if always.values().any(|is_always| *is_always) => {
                return broken(format!("no cadence took {key}, though one is for everybody"));
            }
            _ => {}
        }
    }
    let told: BTreeSet<&LeadId> = seen.webhooks.values().map(|webhook| &webhook.lead).collect();
    match seen.leads.keys().find(|id| !told.contains(id)) {
        Some(id) => broken(format!("no webhook told of the lead {id}")),
        None => Ok(()),
    }
}

/// Whether a lead is one of whom a webhook names, or of theirs.
fn is_named(told: &Told, people: &[Person], lead: &Lead, post: &Post) -> bool {
    let mut named = post.names.iter().flat_map(|name| told.household(*name));
    named.any(|number| {
        let mut persons = people.iter().filter(|person| person.number == number);
        persons
            .any(|person| lead.phone.as_ref() == Some(&person.phone()) || lead.email.as_ref() == Some(&person.email()))
    })
}

/// Nobody is two leads: of those with a number or an address in common, only one is contacted under it.
pub(crate) fn one_lead(seen: &Seen) -> Held {
    let mut known = BTreeMap::new();
    for (id, lead) in seen.leads.iter().filter_map(|(id, seen)| Some((id, seen.lead.as_ref()?))) {
        for hash in [&lead.phone_hash, &lead.email_hash].into_iter().flatten() {
            if let Some(other) = known.insert(hash, id) {
                let found = format!("{other} and {id} have the number or address {hash} in common");
                return Err(Violation::of(Invariant::Webhooks, found));
            }
        }
    }
    Ok(())
}

/// An opt-out that was confirmed was written before that.
pub(crate) fn confirmed(seen: &Seen, opt_out: &Confirmed) -> Held {
    let Some(lead) = seen.leads.get(&opt_out.lead) else { return Ok(()) };
    match lead.closed.get(&opt_out.closes) {
        Some(at) if *at <= opt_out.at => Ok(()),
        _ => {
            let found = format!("{:?} of {} was confirmed and is not closed", opt_out.closes, opt_out.lead);
            Err(Violation::of(Invariant::OptOut, found))
        }
    }
}

/// A record that is said to be published is what was published; one that was broken is refused.
pub(crate) fn records(seen: &Seen, told: &Told, gave_up: impl Fn(i64) -> bool) -> Held {
    let broken = |what: String| Err(Violation::of(Invariant::Records, what));
    for ((pk, sk), record) in seen.config.iter().filter(|((_, sk), _)| sk == "CURRENT") {
        if seen.edited.get(pk).is_some_and(|written| gave_up(*written)) {
            continue;
        }
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let Some(check) = text("check") else { return broken(format!("{pk} was edited and nobody checked it")) };
        let is_ok = check.starts_with("ok");
        if told.broken.get(pk) == Some(&true) && is_ok {
            return broken(format!("{pk} can't be published and its check says {check}"));
        }
        let version = record.get("published_version").and_then(Value::as_u64).unwrap_or(0);
        let kept = seen.config.get(&(pk.clone(), format!("VERSION#{version:04}"))).and_then(|kept| kept.get("record"));
        let read = parse_record(pk, &Edited::content_of(record.clone())).ok().and_then(|read| read.to_stored().ok());
        if is_ok && (read.is_none() || kept != read.as_ref()) {
            return broken(format!("{pk} {sk} says \"{check}\" of what is not version {version}"));
        }
        let is_at_work =
            read.is_none() || pk.split_once('#').and_then(|(kind, id)| seen.published(kind, id)) == read.as_ref();
        if check.starts_with("NOT DELETED") && !is_at_work {
            return broken(format!("{pk} was deleted and is back as what is neither at work nor refused"));
        }
    }
    gone(seen, gave_up)
}

/// What is at work can be seen: a deleted record of it is back.
fn gone(seen: &Seen, gave_up: impl Fn(i64) -> bool) -> Held {
    let is_there = |pk: &str| seen.config.contains_key(&(pk.to_owned(), "CURRENT".to_owned()));
    let used = messages_at_work(seen);
    for ((kind, id), published) in &seen.config {
        let Some(pk) = kind.strip_prefix("PUBLISHED#").map(|kind| format!("{kind}#{id}")) else { continue };
        let says = |field: &str, value: Value| published.pointer(&format!("/record/{field}")) == Some(&value);
        let is_unused = kind == "PUBLISHED#MESSAGE" && !used.contains(id.as_str());
        let is_retired = says("status", "archived".into()) || says("active", false.into()) || is_unused;
        if !is_retired && !is_there(&pk) && !seen.edited.get(&pk).is_some_and(|written| gave_up(*written)) {
            return Err(Violation::of(Invariant::Records, format!("{pk} is at work and its record is gone")));
        }
    }
    Ok(())
}

/// The messages of the steps of all cadences that are at work.
fn messages_at_work(seen: &Seen) -> BTreeSet<String> {
    let cadences = seen.config.iter().filter(|((kind, _), _)| kind == "PUBLISHED#CADENCE");
    let cadences =
        cadences.filter_map(|(_, published)| match Record::from_stored("CADENCE", published.get("record")?) {
            Some(Record::Cadence(cadence)) if cadence.status != Status::Archived => Some(cadence),
            Some(_) | None => None,
        });
    cadences
        .flat_map(|cadence| cadence.steps)
        .flat_map(|step| step.messages().map(ToString::to_string).collect::<Vec<_>>())
        .collect()
}
