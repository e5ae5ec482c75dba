//! What must hold of the course of an enrollment: it passes no step over, begins none early, and ends only where its cadence or an outcome ends it.

use cadence_core::{
    LeadId, Outcome, StepKey,
    course::MAX_ROUNDS,
    enrollment::{Act, Claim, End, Enrollment, Next, State},
    records::{Cadence, OnOverdue, Status, Target},
    timeline::EntryKind,
};

use super::{
    due::CLOCKS_DIFFER,
    progress::{may_follow, versions_since},
    words::says,
};
use crate::simulation::{
    seen::Seen,
    violation::{Held, Invariant, Violation},
};

pub(super) fn broken(what: String) -> Held {
    Err(Violation::of(Invariant::Course, what))
}

/// What is due next follows what was due, or an outcome leads there.
pub(crate) fn goes(seen: &Seen, before: Option<&Enrollment>, after: &Enrollment) -> Held {
    if after.is_active() && after.progress.next.is_none() {
        return broken(format!("{} is active and has nothing due", after.id));
    }
    let Some(is) = &after.progress.next else { return Ok(()) };
    let cadences = || may_follow(seen, &after.cadence, after.progress.version);
    let Some(was) = due(before) else { return Ok(()) };
    if was.step == is.step {
        let is_again = is.round > was.round && !cadences().any(|cadence| may_repeat(cadence, was));
        return match is_again {
            true => broken(format!("{} begins round {} of {}, which nothing leads to", after.id, is.round, is.step)),
            false => Ok(()),
        };
    }
    let leads_there = cadences().any(|cadence| {
        let follows = cadence.step_after(&was.step).is_some_and(|step| step.id == is.step);
        follows || targets(cadence).any(|(_, target)| matches!(target, Target::Step(id) if *id == is.step))
    });
    match leads_there {
        true => Ok(()),
        false => {
            broken(format!("{} went from {} to {}, which neither follows nor is led to", after.id, was.step, is.step))
        }
    }
}

/// Whether a step may be followed by itself: dialled again, led back to, or asked of somebody else.
fn may_repeat(cadence: &Cadence, was: &Next) -> bool {
    let is_back = |target: &Target| matches!(target, Target::Step(id) if *id == was.step);
    let redials = cadence
        .step(&was.step)
        .is_some_and(|step| was.round < step.attempts || matches!(step.on_overdue, Some(OnOverdue::Assign(_))));
    redials || targets(cadence).any(|(_, target)| is_back(target))
}

/// What is claimed was due.
pub(crate) fn in_time(before: Option<&Enrollment>, claim: &Claim) -> Held {
    match due(before).filter(|was| claim.claimed_at + CLOCKS_DIFFER < was.due_at) {
        Some(was) => {
            broken(format!("{} was claimed at {}, before it was due at {}", was.step, claim.claimed_at, was.due_at))
        }
        None => Ok(()),
    }
}

/// An enrollment ends after its last step, or as an outcome, its cadence's status or another cadence would have it.
pub(crate) fn ends(seen: &Seen, before: Option<&Enrollment>, after: &Enrollment) -> Held {
    let (Some(before), State::Ended { why }) = (before.filter(|before| !before.has_ended()), &after.progress.state)
    else {
        return Ok(());
    };
    let mut cadences = may_follow(seen, &after.cadence, before.progress.version);
    let leads_to = |cadence: &Cadence, outcome: &Outcome, is_meant: &dyn Fn(&Target) -> bool| {
        let was_connected = matches!(outcome, Outcome::Transferred | Outcome::AppointmentSet);
        let is_named = |named: Outcome| named == *outcome || (was_connected && named == Outcome::Connected);
        targets(cadence).any(|(named, target)| is_named(named) && is_meant(target))
    };
    let may_end = match why {
        // One whose step was removed has nothing left to do, nor has one that came round too often.
        End::Completed => {
            before.progress.rounds.values().any(|rounds| *rounds >= MAX_ROUNDS)
                || cadences.any(|cadence| due(Some(before)).is_none_or(|was| cadence.step_after(&was.step).is_none()))
        }
        // A cadence that it should move to may take no leads.
        End::Outcome(outcome) => {
            // Whoever is asked to let it go on may say that the lead wants no more.
            let is_let_go = *outcome == Outcome::OptedOut && before.waits_for_person();
            is_let_go
                || cadences.any(|cadence| {
                    leads_to(cadence, outcome, &|target| matches!(target, Target::End | Target::Cadence(_)))
                })
        }
        End::Switched(to) => {
            let takes_over = |(of, _): &(String, u32), cadence: &Cadence| {
                of == to.as_str() && cadence.takes_over.contains(&after.cadence)
            };
            cadences
                .any(|cadence| targets(cadence).any(|(_, target)| matches!(target, Target::Cadence(id) if id == to)))
                || seen.versions.iter().any(|(key, cadence)| takes_over(key, cadence))
        }
        End::Archived => versions_since(seen, &after.cadence, before.progress.version)
            .any(|(_, cadence)| cadence.status == Status::Archived),
    };
    match may_end {
        true => Ok(()),
        false => broken(format!("{} ended as {why:?} at {:?}", after.id, due(Some(before)))),
    }
}

/// A step that an enrollment left without having run it, though nothing ended it there.
pub(crate) fn passed(before: Option<&Enrollment>, after: &Enrollment) -> Option<StepKey> {
    let before = before?;
    let was = due(Some(before)).filter(|was| was.act == Act::Run)?;
    let is_of = |claim: &Claim| claim.step == was.step && claim.round == was.round;
    let stays = due(Some(after)).is_some_and(|is| is.step == was.step && is.round == was.round);
    let is_cut_off = matches!(&after.progress.state, State::Ended { why } if *why != End::Completed);
    let has_run = before.claim.as_ref().is_some_and(is_of);
    let key = || StepKey { enrollment: after.id.clone(), step: was.step.clone(), round: was.round };
    (!stays && !is_cut_off && !has_run).then(key)
}

/// A step that was passed over is told of: that it was skipped, or which outcome led past it; one that is gone from the cadence needs no words.
pub(crate) fn told(seen: &Seen, lead: &LeadId, key: &StepKey, was_led: bool) -> Held {
    let Some(known) = seen.leads.get(lead) else { return Ok(()) };
    let Some(enrollment) = known.enrollments.get(&key.enrollment) else { return Ok(()) };
    let mut cadences = may_follow(seen, &enrollment.now.cadence, enrollment.now.progress.version);
    let is_gone = cadences.any(|cadence| cadence.step(&key.step).is_none());
    match was_led || is_gone || says(known, key, &[EntryKind::Skipped, EntryKind::Failed, EntryKind::TaskOpened]) {
        true => Ok(()),
        false => broken(format!("{key} was passed over and nothing says why")),
    }
}

fn due(enrollment: Option<&Enrollment>) -> Option<&Next> {
    enrollment.and_then(|enrollment| enrollment.progress.next.as_ref())
}

/// What outcomes lead to, wherever a record says so.
fn targets(cadence: &Cadence) -> impl Iterator<Item = (Outcome, &Target)> {
    let of_steps = cadence.steps.iter().flat_map(|step| {
        let overdue = match &step.on_overdue {
            Some(OnOverdue::Go(target)) => Some((Outcome::Expired, target)),
            Some(OnOverdue::Assign(_)) | None => None,
        };
        step.on.iter().map(|(outcome, target)| (*outcome, target)).chain(overdue)
    });
    of_steps.chain(cadence.anytime.iter().map(|(outcome, target)| (*outcome, target)))
}
