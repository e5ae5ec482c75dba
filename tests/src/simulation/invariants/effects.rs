//! What must hold of everything that a vendor received, and of every task.

use cadence_core::{
    Do, EnrollmentId, LeadId, StepKey,
    enrollment::Effect,
    law,
    lead::OptOut,
    records::settings::Caps,
    task::{Task, TaskKind},
};
use cadence_local::Sent;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::simulation::{
    civil,
    invariants::progress::may_follow,
    ledger::Told,
    people::{Person, told_of},
    seen::{Seen, SeenClaim, SeenLead},
    violation::{Held, Invariant, Violation},
};

/// Per step key at most one effect that somebody can see, and each under a claim of its own. Gives the lead and the claim's place.
pub(crate) fn one_effect(seen: &mut Seen, sent: &Sent) -> Result<(LeadId, usize), Violation> {
    let broken = |what: String| Violation::of(Invariant::OneEffect, what);
    let effect = match sent.kind.as_str() {
        "sms" => Effect::Sms,
        "email" => Effect::Email,
        _ => Effect::AiCall,
    };
    let (lead, key) = match addressed(sent) {
        Some((lead, key)) => (Some(lead), Some(key)),
        // A text says nothing of its step; whoever sent it did so under a claim.
        None => (seen.lead_claimed_by(sent.sent_by.as_deref()), None),
    };
    let of_lead = lead.and_then(|id| Some((id.clone(), seen.leads.get_mut(&id)?)));
    let Some((id, lead)) = of_lead else {
        return Err(Violation::of(
            Invariant::Person,
            format!("{} went to {}, for no lead that was claimed", sent.kind, sent.to),
        ));
    };
    let covers = |claim: &SeenClaim| {
        let is_key = key.as_ref().is_none_or(|key| claim.key() == *key);
        let is_its = claim.is_of(sent.sent_by.as_deref());
        claim.claim.effect == effect
            && is_key
            && is_its
            && (claim.claim.claimed_at..=claim.claim.lease_until).contains(&sent.at)
    };
    let covering = lead.claims.iter().enumerate().rev().filter(|(_, claim)| covers(claim));
    let free = covering.clone().find(|(_, claim)| claim.sent.is_none()).map(|(place, _)| place);
    let Some(place) = free else {
        let why = if covering.count() > 0 { "a second time under one claim" } else { "without a claim" };
        return Err(broken(format!("{} to {} at {} was sent {why}", sent.kind, sent.to, sent.at)));
    };
    let key = lead.claims.get(place).map(SeenClaim::key);
    let again = lead.claims.iter().filter(|claim| Some(claim.key()) == key).find_map(|claim| claim.sent.as_ref());
    if let (Some(first), Some(key)) = (again, &key) {
        return Err(broken(format!("{} of {key} was sent at {} and again at {}", sent.kind, first.at, sent.at)));
    }
    if let Some(claim) = lead.claims.get_mut(place) {
        claim.sent = Some(sent.clone());
    }
    Ok((id, place))
}

/// Whose step an email or a call is, as its tags or its metadata say.
pub(crate) fn addressed(sent: &Sent) -> Option<(LeadId, StepKey)> {
    if let Some(metadata) = sent.carried.get("metadata") {
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        return Some((LeadId::new(text("lead")?), StepKey::parse(text("step_key")?)?));
    }
    let tags = sent.carried.get("tags").and_then(Value::as_array)?;
    let tag = |name: &str| {
        let found = tags.iter().find(|tag| tag.get("Name").and_then(Value::as_str) == Some(name))?;
        found.get("Value").and_then(Value::as_str)
    };
    let key = StepKey {
        enrollment: EnrollmentId::new(tag("enrollment")?),
        step: tag("step")?.into(),
        round: tag("round")?.parse().ok()?,
    };
    Some((LeadId::new(tag("lead")?), key))
}

/// Every effect lies inside the hours of every zone that the lead may be in, and of the one where they are.
pub(crate) fn hours(
    seen: &Seen,
    told: &Told,
    people: &[Person],
    id: &LeadId,
    claim: &SeenClaim,
    at: DateTime<Utc>,
) -> Held {
    let (Some(of_lead), Some(lead)) = (seen.leads.get(id), &claim.lead) else { return Ok(()) };
    let Some(enrollment) = of_lead.enrollments.get(&claim.enrollment) else { return Ok(()) };
    let mut forbidden = None;
    for cadence in may_follow(seen, &enrollment.now.cadence, claim.version) {
        let Some(step) = cadence.step(&claim.claim.step) else { continue };
        match civil::forbids(step.action, lead, cadence, &seen.holidays, at) {
            None => return lives_there(told, people, of_lead, step.action, claim, at),
            Some(why) => forbidden = Some(why),
        }
    }
    match forbidden {
        Some(why) => {
            Err(Violation::of(Invariant::Hours, format!("{} ({:?}) at {at}: {why}", claim.key(), claim.claim.effect)))
        }
        None => Ok(()),
    }
}

/// The same where the person really lives, if the lead is nobody else's too.
fn lives_there(
    told: &Told,
    people: &[Person],
    lead: &SeenLead,
    action: Do,
    claim: &SeenClaim,
    at: DateTime<Utc>,
) -> Held {
    if action.channel() == cadence_core::Channel::Email {
        return Ok(());
    }
    let persons = persons_of(told, people, lead);
    let [person] = persons.as_slice() else { return Ok(()) };
    let home = people.iter().find(|known| known.number == *person).map(|person| person.home);
    match home.and_then(|home| civil::federal_forbids(home.zone, at)) {
        Some(why) => Err(Violation::of(Invariant::Hours, format!("{} at {at}: {why}", claim.key()))),
        None => Ok(()),
    }
}

/// Everybody whom a lead may be, by their numbers.
fn persons_of(told: &Told, people: &[Person], seen: &SeenLead) -> Vec<usize> {
    let Some(lead) = &seen.lead else { return Vec::new() };
    let is_theirs =
        |person: &&Person| lead.phone.as_ref() == Some(&person.phone()) || lead.email.as_ref() == Some(&person.email());
    let mut all: Vec<usize> = Vec::new();
    for person in people.iter().filter(is_theirs) {
        all.extend(told.household(person.number));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// A message goes to the person of its enrollment, and says only what is that person's.
pub(crate) fn person(told: &Told, people: &[Person], lead: &SeenLead, claim: &SeenClaim, sent: &Sent) -> Held {
    let broken = |what: String| Err(Violation::of(Invariant::Person, what));
    let address = claim.lead.as_ref().and_then(|lead| match sent.kind.as_str() {
        "email" => lead.email.clone(),
        _ => lead.phone.clone(),
    });
    if address.as_ref() != Some(&sent.to) {
        return broken(format!("{} of {} went to {}, who is somebody else", sent.kind, claim.key(), sent.to));
    }
    let said = format!("{} {} {} {}", sent.subject.as_deref().unwrap_or_default(), sent.text, sent.carried, sent.to);
    let may = persons_of(told, people, lead);
    if may.first().is_some_and(|one| may.iter().any(|other| !told.household(*one).contains(other))) {
        return broken(format!("{} is of persons {may:?}, whom nobody named together", claim.key()));
    }
    match told_of(&said).into_iter().find(|number| !may.contains(number)) {
        Some(other) => {
            broken(format!("{} of {} to {} says something of person {other}", sent.kind, claim.key(), sent.to))
        }
        None => Ok(()),
    }
}

/// What a user is asked to do, and what they are told of it, is about the person of its enrollment.
pub(crate) fn asked(told: &Told, people: &[Person], lead: &SeenLead, what: &str, reach: Option<&str>) -> Held {
    let may = persons_of(told, people, lead);
    let other = told_of(what).into_iter().find(|number| !may.contains(number));
    let is_theirs = |reach: &str| {
        let lead = lead.lead.as_ref();
        lead.is_some_and(|lead| [lead.phone.as_deref(), lead.email.as_deref()].contains(&Some(reach)))
    };
    match (other, reach.filter(|reach| !is_theirs(reach))) {
        (None, None) => Ok(()),
        (other, reach) => {
            let found = format!("a user is told of person {other:?}, or to reach {reach:?}: {what}");
            Err(Violation::of(Invariant::Person, found))
        }
    }
}

/// Nobody is asked to do what the lead closed.
pub(crate) fn is_open_to(lead: &SeenLead, task: &Task) -> Held {
    let closed_by = match task.kind {
        TaskKind::Dial | TaskKind::Sms => OptOut::Phone,
        TaskKind::Email => OptOut::Email,
        TaskKind::FollowUp | TaskKind::Review | TaskKind::Resume => return Ok(()),
    };
    match lead.closed.get(&closed_by).filter(|_| task.closed.is_none()) {
        Some(_) => {
            let found = format!("task {} is open, and the lead closed {closed_by:?}", task.id);
            Err(Violation::of(Invariant::OptOut, found))
        }
        None => Ok(()),
    }
}

/// For how long a function may go by the caps that it read, before it claims.
const READ_BEFORE: TimeDelta = TimeDelta::seconds(90);

/// Caps are never exceeded, whatever cadences the lead is in: neither those in force when the last touch was claimed, nor those that its
/// function may have read just before. `in_force` are they, each with the instant from which on it was.
pub(crate) fn caps(lead: &SeenLead, in_force: &[(DateTime<Utc>, Caps)]) -> Held {
    let state = lead.lead.as_ref().and_then(|lead| lead.state.as_deref()).and_then(law::contacts_per_day);
    let state = state.unwrap_or(u32::MAX);
    let day = TimeDelta::hours(24);
    type Limit = fn(&Caps) -> u32;
    let contacts = [Touch::Dial, Touch::AiCall, Touch::Sms];
    let limits: [(&[Touch], Limit, u32, TimeDelta); 5] = [
        (&contacts, |caps| caps.contacts_per_day, state, day),
        (&contacts, |caps| caps.contacts_per_week, u32::MAX, TimeDelta::days(7)),
        (&[Touch::AiCall], |caps| caps.ai_calls_per_day, u32::MAX, day),
        (&[Touch::Sms], |caps| caps.sms_per_day, u32::MAX, day),
        (&[Touch::Email], |caps| caps.emails_per_day, u32::MAX, day),
    ];
    let touches: Vec<(Touch, DateTime<Utc>)> = lead.claims.iter().filter_map(|claim| touch(lead, claim)).collect();
    for (kinds, limit, laws, span) in limits {
        let mut at: Vec<_> = touches.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, at)| *at).collect();
        at.sort_unstable();
        let limit_at = |at: DateTime<Utc>| {
            let until = in_force.iter().skip(1).map(|(since, _)| *since).chain([DateTime::<Utc>::MAX_UTC]);
            let then =
                in_force.iter().zip(until).filter(|((since, _), until)| *since <= at && at - READ_BEFORE < *until);
            then.map(|((_, caps), _)| limit(caps)).max().unwrap_or(u32::MAX).min(laws)
        };
        for (index, last) in at.iter().enumerate() {
            let limit = limit_at(*last) as usize;
            let first = index.checked_sub(limit).and_then(|first| at.get(first));
            if let Some(first) = first.filter(|first| *last - **first < span) {
                let lead = lead.lead.as_ref().map(|lead| &lead.id);
                let found = format!("{lead:?}: more than {limit} of {kinds:?} from {first} to {last}");
                return Err(Violation::of(Invariant::Caps, found));
            }
        }
    }
    Ok(())
}

/// What counts against a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touch {
    Dial,
    AiCall,
    Sms,
    Email,
}

/// What a claim came to that counts, and when it was taken.
fn touch(lead: &SeenLead, claim: &SeenClaim) -> Option<(Touch, DateTime<Utc>)> {
    let kind = match claim.claim.effect {
        Effect::Task => {
            // Of the tries of one task only the one that made it counts.
            let is_made = !lead.was_told_unsent(&claim.claim.id);
            let task = lead.tasks.get(&claim.key()).filter(|task| is_made && task.kind == TaskKind::Dial);
            task.map(|_| Touch::Dial)?
        }
        Effect::AiCall => claim.sent.as_ref().map(|_| Touch::AiCall)?,
        Effect::Sms => claim.sent.as_ref().map(|_| Touch::Sms)?,
        Effect::Email => claim.sent.as_ref().map(|_| Touch::Email)?,
    };
    Some((kind, claim.claim.claimed_at))
}

/// A task is asked for exactly once, and what a user said of it is not taken back.
pub(crate) fn one_task(before: Option<&Task>, after: &Task) -> Held {
    let Some(before) = before else { return Ok(()) };
    let asked = |task: &Task| (task.user.clone(), task.kind, task.opened_at, task.text.clone());
    // A task that closed by itself says nothing of what its user did, so that user may still say it, once.
    let was_told = before.closed.as_ref().is_some_and(|closed| closed.by.is_some());
    let is_reopened = before.closed.is_some() && (was_told || after.closed.is_none()) && before.closed != after.closed;
    if asked(before) != asked(after) || is_reopened {
        let found = format!("task {} was asked for at {} and again at {}", after.id, before.opened_at, after.opened_at);
        return Err(Violation::of(Invariant::OneEffect, found));
    }
    Ok(())
}
