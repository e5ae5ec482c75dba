//! What must hold between one state of an enrollment and the next.

use cadence_core::{
    CadenceId, Channel, EnrollmentId, LeadId,
    enrollment::{Claim, Effect, End, Enrollment, State},
    lead::OptOut,
    records::{ApplyTo, Cadence, Reenroll},
    task::{Task, TaskKind},
    timeline::{Entry, EntryKind},
};

use super::due::{CLOCKS_DIFFER, at_least};
use crate::simulation::{
    seen::{Seen, SeenClaim, SeenLead},
    violation::{Held, Invariant, Violation},
};

/// Generation, round and try only grow, and the generation with every change of what is due.
pub(crate) fn growth(seen: &Seen, lead: &LeadId, before: Option<&Enrollment>, after: &Enrollment) -> Held {
    let broken = |what: String| Err(Violation::of(Invariant::Growth, what));
    if let Some(before) = before {
        let (was, is) = (&before.progress, &after.progress);
        if was != is && is.generation <= was.generation {
            return broken(format!("{} changed without a new generation: {was:?} became {is:?}", after.id));
        }
        for (step, round) in &was.rounds {
            if is.rounds.get(step) < Some(round) {
                return broken(format!("{}: the rounds of {step} shrank from {round}", after.id));
            }
        }
    }
    if let Some(claim) = new_claim(before, after) {
        let claims = seen.leads.get(lead).into_iter().flat_map(|lead| &lead.claims);
        let same = claims.filter(|taken| taken.enrollment == after.id && taken.claim.id != claim.id);
        let mut same = same.filter(|taken| (&taken.claim.step, taken.claim.round) == (&claim.step, claim.round));
        if let Some(taken) = same.find(|taken| taken.claim.try_number >= claim.try_number) {
            let (step, round) = (&claim.step, claim.round);
            return broken(format!(
                "{}.{step}.{round} was claimed as try {} after try {}",
                after.id, claim.try_number, taken.claim.try_number
            ));
        }
    }
    Ok(())
}

/// A finished enrollment emits nothing: it stays as it is, and nothing of it is claimed.
pub(crate) fn finished(before: Option<&Enrollment>, after: &Enrollment) -> Held {
    let Some(before) = before.filter(|before| before.has_ended()) else { return Ok(()) };
    if before.progress != after.progress {
        let found = format!("{} was over and went on: {:?}", after.id, after.progress);
        return Err(Violation::of(Invariant::Finished, found));
    }
    match new_claim(Some(before), after) {
        Some(claim) => {
            Err(Violation::of(Invariant::Finished, format!("{} was over and {} was claimed", after.id, claim.step)))
        }
        None => Ok(()),
    }
}

/// A user is asked what the version says that the step was claimed on, whatever was published since.
pub(crate) fn as_claimed(seen: &Seen, lead: &SeenLead, claim: &SeenClaim, task: &Task) -> Held {
    let cadence = lead.enrollments.get(&claim.enrollment).map(|enrollment| enrollment.now.cadence.to_string());
    let cadence = cadence.and_then(|cadence| seen.versions.get(&(cadence, claim.claim.version)));
    let Some(step) = cadence.and_then(|cadence| cadence.step(&claim.claim.step)) else { return Ok(()) };
    let is_as_said = match step.action.channel() {
        Channel::Call => task.kind == TaskKind::Dial,
        Channel::Sms => task.kind == TaskKind::Sms,
        Channel::Email => task.kind == TaskKind::Email,
    };
    match is_as_said {
        true => Ok(()),
        false => {
            let found = format!("{} asks for {:?}, and was claimed as {:?}", task.id, task.kind, step.action);
            Err(Violation::of(Invariant::Records, found))
        }
    }
}

/// A lead is in one cadence at a time, and again in one only when that lets it.
pub(crate) fn one_at_a_time(seen: &Seen, lead: &LeadId, enrollment: &EnrollmentId) -> Held {
    let broken = |what: String| Err(Violation::of(Invariant::OneEffect, what));
    let Some(lead) = seen.leads.get(lead) else { return Ok(()) };
    let all = || lead.enrollments.values().map(|enrollment| &enrollment.now);
    let running: Vec<_> = all().filter(|enrollment| !enrollment.has_ended()).map(|enrollment| &enrollment.id).collect();
    if running.len() > 1 {
        return broken(format!("{running:?} run at once for one lead"));
    }
    let Some(begun) = lead.enrollments.get(enrollment).map(|enrollment| &enrollment.now) else { return Ok(()) };
    let others = || all().filter(|other| other.id != begun.id && other.enrolled_at < begun.enrolled_at);
    let is_moved = |other: &Enrollment| matches!(&other.progress.state, State::Ended { why: End::Switched(to) } if *to == begun.cadence);
    let Some(cadence) = seen.versions.get(&(begun.cadence.to_string(), begun.progress.version)) else { return Ok(()) };
    // By what the version that it began with says, not one that it follows since.
    let is_it =
        |entry: &&Entry| entry.enrollment.as_ref() == Some(&begun.id) && entry.kind == EntryKind::VersionChanged;
    if lead.timeline.values().any(|entry| is_it(&entry)) {
        return Ok(());
    }
    // Of two that begin within a moment, the second may say that it began first: clocks differ, and so do instants of deciding.
    if all().any(is_moved) {
        return Ok(());
    }
    if cadence.reenroll == Reenroll::Never && others().any(|other| other.cadence == begun.cadence) {
        return broken(format!("{} was in {} before, which takes nobody twice", begun.id, begun.cadence));
    }
    let since = others().map(|other| other.enrolled_at).max();
    match since.filter(|since| *since + at_least(&cadence.reenroll.wait()) > begun.enrolled_at + CLOCKS_DIFFER) {
        Some(since) => broken(format!("{} began at {}, too soon after {since}", begun.id, begun.enrolled_at)),
        None => Ok(()),
    }
}

/// Nothing is claimed after an opt-out has committed, be it the lead's or that of its address.
pub(crate) fn opt_out(seen: &Seen, lead: &LeadId, before: Option<&Enrollment>, after: &Enrollment) -> Held {
    let Some(claim) = new_claim(before, after) else { return Ok(()) };
    let Some((lead, closed)) = seen.leads.get(lead).and_then(|seen| Some((seen.lead.as_ref()?, &seen.closed))) else {
        return Ok(());
    };
    let is_closed = |closed_by: &OptOut| {
        let hash = match closed_by {
            OptOut::Phone => &lead.phone_hash,
            OptOut::Email => &lead.email_hash,
        };
        let address = hash.as_ref().and_then(|hash| seen.addresses.get(hash));
        closed.contains_key(closed_by)
            || lead.opt_outs.contains_key(closed_by)
            || address.is_some_and(|address| address.suppressed_at.is_some())
    };
    let closed_by = closed_by(seen, after, claim);
    if !closed_by.is_empty() && closed_by.iter().all(is_closed) {
        let found = format!("{} claimed {} ({:?}) after {closed_by:?} was closed", after.id, claim.step, claim.effect);
        return Err(Violation::of(Invariant::OptOut, found));
    }
    Ok(())
}

/// What would forbid what is claimed: by its channel, also where a user is asked.
fn closed_by(seen: &Seen, enrollment: &Enrollment, claim: &Claim) -> Vec<OptOut> {
    match claim.effect {
        Effect::Sms | Effect::AiCall => vec![OptOut::Phone],
        Effect::Email => vec![OptOut::Email],
        Effect::Task => {
            let cadences = may_follow(seen, &enrollment.cadence, enrollment.progress.version);
            let by = cadences.filter_map(|cadence| cadence.step(&claim.step)).map(|step| match step.action.channel() {
                Channel::Email => OptOut::Email,
                Channel::Call | Channel::Sms => OptOut::Phone,
            });
            by.collect()
        }
    }
}

/// The version that an enrollment is on, and those since whose record is for everyone: it may follow one of these before its number is
/// written.
pub(crate) fn may_follow<'a>(seen: &'a Seen, id: &'a CadenceId, version: u32) -> impl Iterator<Item = &'a Cadence> {
    let is_its = move |number: u32, cadence: &Cadence| number == version || cadence.apply_to == ApplyTo::Everyone;
    versions_since(seen, id, version)
        .filter(move |(number, cadence)| is_its(*number, cadence))
        .map(|(_, cadence)| cadence)
}

/// That version and those that came after it, with their numbers.
pub(super) fn versions_since<'a>(
    seen: &'a Seen,
    id: &'a CadenceId,
    version: u32,
) -> impl Iterator<Item = (u32, &'a Cadence)> {
    let since = seen.versions.range((id.to_string(), version)..).take_while(|((of, _), _)| of == id.as_str());
    since.map(|((_, number), cadence)| (*number, cadence))
}

/// A running lead keeps its version, unless a newer one is for everyone.
pub(crate) fn keeps_its_version(seen: &Seen, before: Option<&Enrollment>, after: &Enrollment) -> Held {
    let (is, was) = (after.progress.version, before.map_or(after.progress.version, |before| before.progress.version));
    let version = seen.versions.get(&(after.cadence.to_string(), is));
    match version {
        Some(version) if is == was || version.apply_to == ApplyTo::Everyone => Ok(()),
        Some(_) => {
            let found = format!("{} went from version {was} to {is}, which is for new leads", after.id);
            Err(Violation::of(Invariant::Records, found))
        }
        None => Err(Violation::of(Invariant::Records, format!("{} is on version {is}, which is not there", after.id))),
    }
}

/// The claim that was taken between the two.
pub(crate) fn new_claim<'a>(before: Option<&Enrollment>, after: &'a Enrollment) -> Option<&'a Claim> {
    let held = before.and_then(|before| before.claim.as_ref()).map(|claim| &claim.id);
    after.claim.as_ref().filter(|claim| Some(&claim.id) != held)
}

/// The claim that was settled between the two.
pub(crate) fn settled_claim<'a>(before: Option<&'a Enrollment>, after: &Enrollment) -> Option<&'a Claim> {
    let holds = after.claim.as_ref().map(|claim| &claim.id);
    before.and_then(|before| before.claim.as_ref()).filter(|claim| holds != Some(&claim.id))
}
