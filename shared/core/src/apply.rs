//! Apply: what an outcome makes of an enrollment. Outcomes may arrive twice, late and in any order.

use chrono::{DateTime, Utc};

use crate::{
    Outcome, StepId, StepKey, UserId,
    attempt::StepOutcome,
    calendar::ceil_to_second,
    change::{Change, LeadChange, OutcomeChange},
    course::{self, Leg},
    delivery::Report,
    enrollment::{Act, End, Next, Progress, State},
    lead::OptOut,
    onward::TAKE_UP_WITHIN,
    plan::StepContext,
    records::Target,
    task::{Closed, Task, TaskKind},
    timeline::{Entry, EntryKind},
};

/// What a report comes to.
#[derive(Clone, Debug)]
pub enum Applied {
    /// This is written.
    Change(Box<Change>),
    /// Everything it says was known.
    Known,
}

/// What completing a task comes to.
#[derive(Clone, Debug)]
pub enum Completed {
    /// This is written.
    Change(Box<Change>),
    /// It was completed so before.
    Known,
    /// It was closed otherwise before.
    Conflict(Closed),
    /// A task of its kind can't end so.
    NotAnOutcome,
}

/// What a report makes of the enrollment. One that is weaker than what is known of its step changes only what must not hang on the
/// order in which reports arrive: whether a channel is closed, and whether the cadence is over.
pub fn apply_outcome(context: &StepContext, report: &Report, now: DateTime<Utc>) -> Applied {
    let known = context.outcomes.iter().find(|known| known.key == report.key);
    let merged = known.map_or(report.outcome, |known| known.outcome.merge(report.outcome));
    let is_news = known.is_none_or(|known| known.outcome != merged);
    let mut change = Change::of(&context.enrollment, now);
    change.outcome = is_news.then(|| OutcomeChange {
        previous: known.map(|known| known.outcome),
        now: StepOutcome {
            lead: report.lead.clone(),
            key: report.key.clone(),
            outcome: merged,
            note: report.note.clone(),
            at: report.at,
        },
    });
    note_outcome(&mut change, context, report, now);
    closes(&mut change, context, report.outcome, now);
    if !context.enrollment.has_ended() {
        act(&mut change, context, report, is_news, now);
    }
    follow_up(&mut change, context, report, now);
    match is_news || change.lead.is_some() || change.progress.is_some() || !change.close.is_empty() {
        true => Applied::Change(Box::new(change)),
        false => Applied::Known,
    }
}

/// What a user's word on their task makes of the task and the enrollment.
pub fn complete_task(
    context: &StepContext,
    task: &Task,
    by: &UserId,
    outcome: Outcome,
    note: Option<String>,
    now: DateTime<Utc>,
) -> Completed {
    if let Some(closed) = task.closed.as_ref().filter(|closed| !closed.may_be_told()) {
        return match closed.outcome == outcome && closed.by.as_ref() == Some(by) {
            true => Completed::Known,
            false => Completed::Conflict(closed.clone()),
        };
    }
    if !task.kind.outcomes().contains(&outcome) {
        return Completed::NotAnOutcome;
    }
    let report = Report { lead: task.id.lead.clone(), key: task.id.key.clone(), outcome, note, at: now };
    let mut change = match apply_outcome(context, &report, now) {
        Applied::Change(change) => change,
        Applied::Known => Box::new(Change::of(&context.enrollment, now)),
    };
    let closed = Closed { outcome, at: now, by: Some(by.clone()) };
    match change.close.iter_mut().find(|(id, _)| *id == task.id) {
        Some((_, closing)) => *closing = closed,
        None => change.close.push((task.id.clone(), closed)),
    }
    if task.kind == TaskKind::Resume {
        context.resume(&mut change, outcome, now);
    }
    Completed::Change(change)
}

fn note_outcome(change: &mut Change, context: &StepContext, report: &Report, now: DateTime<Utc>) {
    let step = context.cadence.step(&report.key.step);
    let entry = Entry {
        step: Some(report.key.step.clone()),
        round: Some(report.key.round),
        channel: step.map(|step| step.action.channel()),
        outcome: Some(report.outcome),
        text: report.note.clone(),
        ..Entry::new(EntryKind::Outcome, &report.lead, now)
    };
    change.note(entry);
}

/// `opted_out` always closes the phone, `unsubscribed` and `complained` the email, and what users were asked to do there.
fn closes(change: &mut Change, context: &StepContext, outcome: Outcome, now: DateTime<Utc>) {
    let Some(closes) = outcome.closes() else { return };
    if !context.lead.opt_outs.contains_key(&closes) {
        let address_hash = match closes {
            OptOut::Phone => context.lead.phone_hash.clone(),
            OptOut::Email => context.lead.email_hash.clone(),
        };
        change.lead = Some(LeadChange::OptOut { revision: context.lead.revision, closes, address_hash, at: now });
        change.note(Entry { outcome: Some(outcome), ..Entry::new(EntryKind::OptedOut, &context.lead.id, now) });
    }
    let closed = context.open_tasks.iter().filter(|task| task.kind.closed_by() == Some(closes));
    change.close.extend(closed.map(|task| (task.id.clone(), Closed::skipped(now))));
}

/// Moves the enrollment as the outcome says. The outcome of a step that is no longer current may only end, pause, switch
/// cadence or jump forward; an enrollment that rests goes on resting.
fn act(change: &mut Change, context: &StepContext, report: &Report, is_news: bool, now: DateTime<Utc>) {
    let enrollment = &context.enrollment;
    let step = context.cadence.step(&report.key.step);
    let next = enrollment.progress.next.as_ref();
    if let (true, Some(step), Some(next)) = (is_news, step, next)
        && let Some(due_at) = current(context, next, &report.key)
    {
        let leg = Leg { step, round: next.round, due_at, held_until: Some(now) };
        context.move_on(change, leg, Some(report.outcome), now);
        return change.stay_parked();
    }
    if step.is_some_and(|step| course::redials(step, report.key.round, report.outcome)) {
        return;
    }
    let target = match step {
        Some(step) => course::target_of(&context.cadence, step, report.outcome),
        None => context.cadence.anytime.get(&report.outcome),
    };
    match target {
        Some(Target::End) => context.end_by(change, report.outcome, None),
        Some(_) if !is_news => {}
        Some(Target::Pause) => context.pause(change, &report.key, report.outcome, now),
        Some(Target::Cadence(to)) => context.switch(change, to.clone(), report.outcome, None, now),
        Some(Target::Step(to)) => jump_forward(change, context, next, to, now),
        Some(Target::Next) | None => {}
    }
}

/// The owner takes up a lead who did something when no cadence does any more: because that ended it, or because it was over.
fn follow_up(change: &mut Change, context: &StepContext, report: &Report, now: DateTime<Utc>) {
    let ends_now = matches!(&change.progress, Some(Progress { state: State::Ended { why: End::Outcome(_) }, .. }));
    // What a user says of a follow-up is no news to the owner.
    let was_over =
        context.enrollment.has_ended() && change.outcome.is_some() && context.cadence.step(&report.key.step).is_some();
    if !report.outcome.wants_person() || !(ends_now || was_over) {
        return;
    }
    let (name, did) = (context.facts.full_name(), report.outcome.in_words());
    let text = format!("{name} {did}. {}", report.note.as_deref().unwrap_or_default());
    let step = StepId::new(format!("{}~{}", report.key.step, report.outcome.as_str()));
    let key = context.enrollment.key(&step, report.key.round);
    change.open.extend(context.owners_task(key, TaskKind::FollowUp, text.trim(), now, TAKE_UP_WITHIN));
}

/// When the step was due that the enrollment waits for, if that is the one: held, or being delivered right now.
fn current(context: &StepContext, next: &Next, key: &StepKey) -> Option<DateTime<Utc>> {
    if next.step != key.step || next.round != key.round {
        return None;
    }
    let claim = context.enrollment.claim.as_ref().filter(|claim| claim.step == key.step && claim.round == key.round);
    match (next.act, claim) {
        (Act::ExpireHold, _) => Some(next.step_due_at),
        (Act::Run, Some(claim)) => Some(course::base(claim.step_due_at, claim.claimed_at)),
        (Act::Run, None) => None,
    }
}

fn jump_forward(change: &mut Change, context: &StepContext, next: Option<&Next>, to: &StepId, now: DateTime<Utc>) {
    let cadence = &context.cadence;
    let (Some(next), Some(step)) = (next, cadence.step(to)) else {
        return;
    };
    let is_forward = cadence.position(to) > cadence.position(&next.step);
    if is_forward && context.enrollment.progress.state == State::Active {
        let round = course::next_round(&context.enrollment, to);
        let calendar = context.calendar();
        let due_at = calendar.opening(step.action, calendar.after(ceil_to_second(now), &step.wait)).from;
        change.go(Next::run(to, step.action.channel(), round, due_at));
    }
}

#[cfg(test)]
mod tests;
