//! What must hold of what people can read: timelines and outcomes.

use std::collections::BTreeMap;

use cadence_core::{
    EnrollmentId, LeadId, Outcome, StepId, StepKey,
    arrival::Taken,
    attempt::{Attempt, StepOutcome},
    delivery::Delivery,
    enrollment::{Claim, Effect, End, Enrollment, State},
    task::Task,
    timeline::{Entry, EntryKind},
};
use chrono::{DateTime, Utc};

use super::led;
use crate::simulation::{
    ledger::Told,
    seen::{Seen, SeenClaim, SeenLead},
    violation::{Held, Invariant, Violation},
};

/// What a lead does that a person has to take up where no cadence does.
const TAKEN_UP: [Outcome; 3] = [Outcome::Replied, Outcome::AppointmentSet, Outcome::CalledBack];

/// What changed about one enrollment since it was looked at last.
pub(crate) struct Changed {
    pub(crate) lead: LeadId,
    pub(crate) enrollment: EnrollmentId,
    /// How often what is due changed.
    pub(crate) moves: usize,
    /// How often the timeline gained an entry of it, besides those that tell of another version.
    pub(crate) entries: usize,
    /// The versions that it went from and to.
    pub(crate) versions: Vec<(u32, u32)>,
    /// The versions that the timeline says it went from and to.
    pub(crate) versions_told: Vec<(Option<String>, Option<String>)>,
    /// The steps that it left without having run them.
    pub(crate) passed: Vec<StepKey>,
    /// Whether the timeline tells of an outcome that may have led it elsewhere.
    pub(crate) was_led: bool,
    /// All that it was in, from before anything changed.
    pub(crate) states: Vec<Enrollment>,
    /// What became known of its steps.
    pub(crate) outcomes: Vec<StepOutcome>,
    /// The claims that were settled, and the generation that they were settled at.
    pub(crate) settled: Vec<(Claim, u64)>,
}

/// Every move of an enrollment is told, and every claim that is settled left the record of its try.
pub(crate) fn told(seen: &Seen, changed: &Changed) -> Held {
    let broken = |what: String| Err(Violation::of(Invariant::Told, what));
    let id = &changed.enrollment;
    if changed.entries < changed.moves {
        return broken(format!("{id} moved {} times and its timeline says {} things", changed.moves, changed.entries));
    }
    let version = |number: u32| Some(format!("version {number}"));
    let versions: Vec<_> = changed.versions.iter().map(|(from, to)| (version(*from), version(*to))).collect();
    if versions != changed.versions_told {
        return broken(format!("{id} went through {versions:?} and its timeline says {:?}", changed.versions_told));
    }
    let Some(lead) = seen.leads.get(&changed.lead) else { return Ok(()) };
    if let Some(missing) = not_taken_up(seen, lead, changed).filter(|_| has_owner(lead)) {
        return broken(format!("nobody is asked to take up {missing}"));
    }
    for (claim, generation) in &changed.settled {
        let key = StepKey { enrollment: id.clone(), step: claim.step.clone(), round: claim.round };
        let Some(attempt) = lead.attempts.get(&(key.clone(), claim.try_number)) else {
            return broken(format!("the claim of {key} was settled without a record of its try"));
        };
        let has_moved_on = *generation != claim.generation;
        // One who has no owner has nobody to look at it.
        let is_for_review = || !has_owner(lead) || lead.tasks.contains_key(&review_of(&key));
        let is_left = |states: &[Enrollment]| !changed.was_led && left(states, &key);
        let says = |kinds: &[EntryKind]| says(lead, &key, kinds);
        let is_told = match (&attempt.delivery, claim.effect) {
            (Delivery::Accepted { .. }, Effect::Sms | Effect::Email) => says(&[EntryKind::Sent]),
            (Delivery::Accepted { .. }, Effect::AiCall) => says(&[EntryKind::CallPlaced]),
            (Delivery::Accepted { .. }, Effect::Task) => {
                has_moved_on
                    || (says(&[EntryKind::TaskOpened]) && lead.tasks.contains_key(&key))
                    || says(&[EntryKind::Failed])
            }
            (Delivery::Rejected { .. }, Effect::Task) => says(&[EntryKind::Skipped]),
            (Delivery::Rejected { .. }, _) => says(&[EntryKind::Failed]) && (has_moved_on || is_for_review()),
            // What is said to be tried again is not left.
            (Delivery::Later { .. }, _) if is_left(&changed.states) => says(&[EntryKind::Failed, EntryKind::Skipped]),
            (Delivery::Later { .. }, _) => says(&[EntryKind::Retried, EntryKind::Failed]),
            (Delivery::Unknown { .. }, _) => says(&[EntryKind::Unsure]) && is_for_review(),
        };
        if !is_told {
            return broken(format!("the timeline does not say how {key} ended: {:?}", attempt.delivery));
        }
    }
    Ok(())
}

/// The follow-up that is missing for what came of an enrollment: because an outcome that people have to take up ended it or came after its
/// end, or because the cadence that it was to move to takes no leads.
fn not_taken_up(seen: &Seen, lead: &SeenLead, changed: &Changed) -> Option<String> {
    let is = &lead.enrollments.get(&changed.enrollment)?.now;
    let State::Ended { why } = &is.progress.state else { return None };
    let mut followed = lead.tasks.keys().filter(|key| key.enrollment == is.id).map(|key| key.step.as_str());
    let Some(last) = changed.states.iter().rev().find(|state| !state.has_ended()) else {
        let cadence = seen.versions.get(&(is.cadence.to_string(), is.progress.version))?;
        let mut wanted = changed.outcomes.iter().filter(|told| TAKEN_UP.contains(&told.outcome));
        return wanted.find_map(|told| {
            let step = format!("{}~{}", cadence.step(&told.key.step)?.id, told.outcome.as_str());
            let key = StepKey { step: StepId::new(step), ..told.key.clone() };
            (!lead.tasks.contains_key(&key)).then(|| format!("{key}, after the end"))
        });
    };
    let End::Outcome(outcome) = why else { return None };
    if TAKEN_UP.contains(outcome) {
        let suffix = format!("~{}", outcome.as_str());
        return (!followed.any(|step| step.ends_with(&suffix))).then(|| format!("{}, which {outcome:?} ended", is.id));
    }
    let step = format!("lead~{}", led::meant_cadence(seen, last, &changed.outcomes, *outcome)?);
    (!followed.any(|followed| followed == step)).then(|| format!("{step} of {}", is.id))
}

/// Every lead who asked again when no cadence took it is somebody's to take up, as often as it asked; unless it has no owner, and its
/// timeline says that nobody could be asked.
pub(crate) fn asked_again(seen: &Seen) -> Held {
    let mut asked: BTreeMap<(&LeadId, DateTime<Utc>), usize> = BTreeMap::new();
    for webhook in seen.webhooks.values().filter(|webhook| webhook.status == Taken::Asked) {
        *asked.entry((&webhook.lead, webhook.at)).or_default() += 1;
    }
    for ((id, at), times) in asked {
        let Some(lead) = seen.leads.get(id).filter(|lead| has_owner(lead)) else { continue };
        let is_asked =
            |task: &&Task| task.opened_at == at && task.id.key.step.as_str().starts_with("lead~asked-again-");
        let says_nobody = |entry: &&Entry| entry.at == at && entry.kind == EntryKind::Skipped;
        let told = lead.tasks.values().filter(is_asked).count() + lead.timeline.values().filter(says_nobody).count();
        if told < times {
            let found = format!("{id} asked again {times} times at {at}, and {told} times somebody is to take it up");
            return Err(Violation::of(Invariant::Told, found));
        }
    }
    Ok(())
}

/// The task in which a person is asked to look at what nobody knows of a step.
fn review_of(key: &StepKey) -> StepKey {
    StepKey { step: StepId::new(format!("{}~review", key.step)), ..key.clone() }
}

fn has_owner(lead: &SeenLead) -> bool {
    lead.lead.as_ref().is_some_and(|lead| lead.owner.is_some())
}

/// Whether an enrollment went on from that round of that step, by itself.
fn left(states: &[Enrollment], key: &StepKey) -> bool {
    let Some(last) = states.last().filter(|last| last.is_active()) else { return false };
    last.progress.next.as_ref().is_some_and(|next| (&next.step, next.round) != (&key.step, key.round))
}

/// Nobody is left in doubt of what nothing went wrong with.
pub(crate) fn nothing_unsure(seen: &Seen, since: DateTime<Utc>) -> Held {
    for lead in seen.leads.values() {
        let claims = lead.claims.iter().filter(|claim| claim.claim.claimed_at > since);
        let is_unsure = |claim: &&SeenClaim| {
            lead.attempts
                .values()
                .any(|attempt| attempt.claim == claim.claim.id && matches!(attempt.delivery, Delivery::Unknown { .. }))
        };
        if let Some(claim) = claims.into_iter().find(is_unsure) {
            let found = format!("{} is unsure since {}, when nothing went wrong", claim.key(), claim.claim.claimed_at);
            return Err(Violation::of(Invariant::Told, found));
        }
    }
    Ok(())
}

pub(super) fn says(lead: &SeenLead, key: &StepKey, kinds: &[EntryKind]) -> bool {
    lead.timeline.values().any(|entry| is_of(entry, key) && kinds.contains(&entry.kind))
}

fn is_of(entry: &Entry, key: &StepKey) -> bool {
    (entry.enrollment.as_ref(), entry.step.as_ref(), entry.round)
        == (Some(&key.enrollment), Some(&key.step), Some(key.round))
}

/// What the timeline said it goes on saying.
pub(crate) fn nothing_unsaid(before: Option<&Entry>, after: &Entry) -> Held {
    match before.filter(|before| *before != after) {
        Some(before) => {
            let found =
                format!("{:?} at {} was written over by {:?} at {}", before.kind, before.at, after.kind, after.at);
            Err(Violation::of(Invariant::Told, found))
        }
        None => Ok(()),
    }
}

/// Every text, email and call that a vendor received is told: as what it was, or as what nobody can know. And what is told as accepted, a
/// vendor received.
pub(crate) fn effects_told(seen: &Seen) -> Held {
    for lead in seen.leads.values() {
        let sent = lead.claims.iter().filter(|claim| claim.sent.is_some());
        for key in sent.map(|claim| claim.key()) {
            if !says(lead, &key, &[EntryKind::Sent, EntryKind::CallPlaced, EntryKind::Unsure]) {
                return Err(Violation::of(Invariant::Told, format!("{key} was sent and the timeline does not say so")));
            }
        }
        received(lead)?;
    }
    Ok(())
}

fn received(lead: &SeenLead) -> Held {
    let accepted = |effect: Effect| {
        let is_accepted = |attempt: &&Attempt| matches!(attempt.delivery, Delivery::Accepted { .. });
        lead.attempts.values().filter(is_accepted).filter(move |attempt| attempt.effect == effect)
    };
    let sent = || lead.claims.iter().filter(|claim| claim.sent.is_some());
    let mut unsent = [Effect::Sms, Effect::Email, Effect::AiCall].into_iter().flat_map(accepted);
    if let Some(attempt) = unsent.find(|attempt| sent().all(|claim| claim.claim.id != attempt.claim)) {
        let found = format!("{} was accepted, and no vendor received it", attempt.key);
        return Err(Violation::of(Invariant::Told, found));
    }
    match sent().find(|claim| lead.was_told_unsent(&claim.claim.id)) {
        Some(claim) => {
            let found = format!("{} is told as not sent, and a vendor received it", claim.key());
            Err(Violation::of(Invariant::Told, found))
        }
        None => Ok(()),
    }
}

/// What an ended enrollment was to do, it did or says why not: nothing of it is left open.
pub(crate) fn ended(lead: &SeenLead, enrollment: &Enrollment) -> Held {
    let broken = |what: String| Err(Violation::of(Invariant::Finished, what));
    let its_end = |entry: &&Entry| entry.enrollment.as_ref() == Some(&enrollment.id) && entry.kind == EntryKind::Ended;
    let Some(end) = lead.timeline.values().find(its_end) else {
        return broken(format!("{} is over and its timeline does not say so", enrollment.id));
    };
    // What its last step asks for is asked for as it ends, and stays to be done.
    let open = lead.tasks.values().find(|task| {
        let is_a_steps = !task.id.key.step.as_str().contains('~') && task.id.key.enrollment == enrollment.id;
        task.closed.is_none() && is_a_steps && task.opened_at != end.at
    });
    match open {
        Some(task) => broken(format!("{} is over and task {} is open", enrollment.id, task.id)),
        None => Ok(()),
    }
}

/// Of two reports on a step the stronger stands, whichever comes last.
pub(crate) fn outcomes(before: Option<&StepOutcome>, after: &StepOutcome) -> Held {
    let Some(before) = before else { return Ok(()) };
    if before.outcome.merge(after.outcome) != after.outcome {
        let found = format!("{}: {:?} became {:?}", after.key, before.outcome, after.outcome);
        return Err(Violation::of(Invariant::Outcomes, found));
    }
    Ok(())
}

/// Every report that was taken is in what stands of its step, and nothing stands that nobody reported.
pub(crate) fn reports(seen: &Seen, told: &Told) -> Held {
    for report in told.reports.iter().filter(|report| report.is_taken) {
        let Some(lead) = seen.leads.get(&report.lead) else { continue };
        if !lead.enrollments.contains_key(&report.key.enrollment) {
            continue;
        }
        let stands = lead.outcomes.get(&report.key).map(|known| known.outcome);
        if stands.is_none_or(|stands| stands.merge(report.outcome) != stands) {
            let found = format!("{}: {:?} was taken, and {stands:?} stands", report.key, report.outcome);
            return Err(Violation::of(Invariant::Outcomes, found));
        }
    }
    for completion in &told.completions {
        let task = seen.leads.get(&completion.task.lead).and_then(|lead| lead.tasks.get(&completion.task.key));
        let closed = task.and_then(|task| task.closed.as_ref());
        let is_as_told = |outcome: Outcome| {
            closed.is_some_and(|closed| closed.outcome == outcome && closed.by.as_ref() == Some(&completion.user))
        };
        if !is_as_told(completion.outcome) {
            let found = format!("task {}: {:?} was taken, and it is {closed:?}", completion.task, completion.outcome);
            return Err(Violation::of(Invariant::Outcomes, found));
        }
    }
    Ok(())
}
