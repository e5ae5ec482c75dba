//! What must hold of an outcome: it leads where its step's `on`, or else the cadence's `anytime`, says.

use cadence_core::{
    CadenceId, Outcome, StepId,
    attempt::StepOutcome,
    enrollment::{Act, Enrollment, State},
    records::{Cadence, OnOverdue, Step, Target},
};

use super::{course::broken, progress::may_follow};
use crate::simulation::{seen::Seen, violation::Held};

/// The enrollment went where what came of its step leads. `states` are all that it was in, from before that was known.
pub(crate) fn where_it_says(seen: &Seen, states: &[Enrollment], outcome: &StepOutcome) -> Held {
    let Some(first) = states.first() else { return Ok(()) };
    let stays = [first.clone(), first.clone()];
    let moves = if states.len() > 1 { states } else { &stays[..] };
    let is_followed = moves.windows(2).any(|pair| match pair {
        [from, to] => {
            let mut cadences = may_follow(seen, &from.cadence, from.progress.version);
            from.has_ended() || cadences.any(|cadence| follows(cadence, from, to, outcome))
        }
        _ => false,
    });
    match is_followed {
        true => Ok(()),
        false => broken(format!(
            "{} is {:?}, and {} stands at {:?}",
            outcome.key,
            outcome.outcome,
            first.id,
            states.last().map(|last| (&last.progress.state, &last.progress.next))
        )),
    }
}

/// Whether an enrollment that went from the one to the other did what an outcome of that step asks of it.
fn follows(cadence: &Cadence, from: &Enrollment, to: &Enrollment, told: &StepOutcome) -> bool {
    let (is, ended) = (to.progress.next.as_ref(), to.has_ended());
    let stands_at = |step: &Step| is.is_some_and(|is| is.step == step.id) || ended;
    let step = cadence.step(&told.key.step);
    let is_redialled = step.is_some_and(|step| {
        matches!(told.outcome, Outcome::NoAnswer | Outcome::Voicemail | Outcome::Busy) && told.key.round < step.attempts
    });
    let is_late = is.is_some_and(|is| {
        is.overdue_for.is_some() && is.step == told.key.step && is.round > told.key.round && is.act == Act::Run
    });
    if is_late {
        // Whoever did not do it in time says what came of it, just as somebody else is asked.
        return true;
    }
    let is_current = step.is_some() && is_current(from, told);
    if is_redialled {
        return !is_current || ended || is.is_some_and(|is| is.step == told.key.step && is.round == told.key.round + 1);
    }
    let target = target(cadence, step, told.outcome);
    match target {
        Some(Target::End | Target::Cadence(_)) => ended,
        Some(Target::Pause) => matches!(to.progress.state, State::Parked { .. }) || ended,
        Some(Target::Step(id)) if is_current => cadence.step(id).map_or(ended, stands_at),
        Some(Target::Step(id)) => {
            let place = |id: &StepId| cadence.steps.iter().position(|step| step.id == *id);
            let due = from.progress.next.as_ref().and_then(|next| place(&next.step));
            !from.is_active() || place(id) <= due || cadence.step(id).is_none_or(stands_at)
        }
        Some(Target::Next) | None if is_current => {
            cadence.step_after(&told.key.step).map_or(ended || !to.is_active(), stands_at)
        }
        Some(Target::Next) | None => true,
    }
}

/// Whether the enrollment waits for what comes of that round of that step: holds for it, or is being delivered.
fn is_current(enrollment: &Enrollment, told: &StepOutcome) -> bool {
    let Some(next) = enrollment.progress.next.as_ref() else { return false };
    let is_of = |step, round| (step, round) == (&told.key.step, told.key.round);
    let is_claimed = enrollment.claim.as_ref().is_some_and(|claim| is_of(&claim.step, claim.round));
    is_of(&next.step, next.round) && (next.act == Act::ExpireHold || is_claimed)
}

/// The cadence that an outcome was to lead an enrollment to which it ended instead, where that is sure. `last` is what it was in before,
/// `told` what became known of its steps.
pub(super) fn meant_cadence<'a>(
    seen: &'a Seen,
    last: &'a Enrollment,
    told: &[StepOutcome],
    outcome: Outcome,
) -> Option<&'a CadenceId> {
    let told = told.iter().find(|told| told.outcome == outcome).map(|told| &told.key.step);
    // What nobody reports comes of the step that it stands at; a report may be no news.
    let stands_at = last.claim.as_ref().map(|claim| &claim.step).or(last.progress.next.as_ref().map(|next| &next.step));
    let is_nobodys = matches!(outcome, Outcome::Expired | Outcome::Failed);
    let step = told.or(stands_at.filter(|_| is_nobodys))?;
    let mut meant = may_follow(seen, &last.cadence, last.progress.version).map(|cadence| {
        match target(cadence, cadence.step(step), outcome) {
            Some(Target::Cadence(to)) => Some(to),
            _ => None,
        }
    });
    let first = meant.next()??;
    meant.all(|to| to == Some(first)).then_some(first)
}

/// Where a record says that an outcome leads. One that was transferred or booked was connected, where nothing is said of it itself.
fn target<'a>(cadence: &'a Cadence, step: Option<&'a Step>, outcome: Outcome) -> Option<&'a Target> {
    let said = |outcome: Outcome| {
        let overdue = step.and_then(|step| match &step.on_overdue {
            Some(OnOverdue::Go(target)) if outcome == Outcome::Expired => Some(target),
            _ => None,
        });
        overdue.or_else(|| step.and_then(|step| step.on.get(&outcome))).or_else(|| cadence.anytime.get(&outcome))
    };
    let was_connected = step.is_some() && matches!(outcome, Outcome::Transferred | Outcome::AppointmentSet);
    said(outcome).or_else(|| said(Outcome::Connected).filter(|_| was_connected))
}
