//! Apply: what an outcome makes of an enrollment. Outcomes may arrive twice, late and in any order.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    CadenceId, Outcome, StepId, StepKey, UserId,
    attempt::StepOutcome,
    change::{Change, LeadChange, OutcomeChange},
    course::{self, Leg},
    delivery::Report,
    enroll,
    enrollment::{Act, End, Next, State},
    lead::OptOut,
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

/// What a report makes of the enrollment.
pub fn apply_outcome(context: &StepContext, report: &Report, now: DateTime<Utc>) -> Applied {
    let known = context.outcomes.iter().find(|known| known.key == report.key);
    let merged = known.map_or(report.outcome, |known| known.outcome.merge(report.outcome));
    if known.is_some_and(|known| known.outcome == merged) {
        return Applied::Known;
    }
    let mut change = Change::of(&context.enrollment);
    change.outcome = Some(OutcomeChange {
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
        act(&mut change, context, report, now);
    } else if context.cadence.step(&report.key.step).is_some() {
        // A booking may be told of after the call that it was made in, which ended the cadence.
        context.hand_over(&mut change, report.outcome, now);
    }
    Applied::Change(Box::new(change))
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
    if let Some(closed) = &task.closed {
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
        Applied::Known => Box::new(Change::of(&context.enrollment)),
    };
    let closed = Closed { outcome, at: now, by: Some(by.clone()) };
    match change.close.iter_mut().find(|(id, _)| *id == task.id) {
        Some((_, closing)) => *closing = closed,
        None => change.close.push((task.id.clone(), closed)),
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

/// `opted_out` always closes the phone, `unsubscribed` and `complained` the email; what users were asked to do there is off.
fn closes(change: &mut Change, context: &StepContext, outcome: Outcome, now: DateTime<Utc>) {
    let closes = match outcome {
        Outcome::OptedOut => OptOut::Phone,
        Outcome::Unsubscribed | Outcome::Complained => OptOut::Email,
        _ => return,
    };
    let is_off = |task: &&Task| match task.kind {
        TaskKind::Dial | TaskKind::Sms => closes == OptOut::Phone,
        TaskKind::Email => closes == OptOut::Email,
        TaskKind::FollowUp | TaskKind::Review => false,
    };
    let closed = Closed { outcome: Outcome::Skipped, at: now, by: None };
    change.close.extend(context.open_tasks.iter().filter(is_off).map(|task| (task.id.clone(), closed.clone())));
    if !context.lead.opt_outs.contains_key(&closes) {
        let address_hash = match closes {
            OptOut::Phone => context.lead.phone_hash.clone(),
            OptOut::Email => context.lead.email_hash.clone(),
        };
        change.lead = Some(LeadChange::OptOut { closes, address_hash, at: now });
        change.note(Entry { outcome: Some(outcome), ..Entry::new(EntryKind::OptedOut, &context.lead.id, now) });
    }
}

/// Moves the enrollment as the outcome says. The outcome of a step that is no longer current may only end, pause, switch
/// cadence or jump forward.
fn act(change: &mut Change, context: &StepContext, report: &Report, now: DateTime<Utc>) {
    let enrollment = &context.enrollment;
    let step = context.cadence.step(&report.key.step);
    let next = enrollment.progress.next.as_ref();
    if let (Some(step), Some(next)) = (step, next)
        && is_current(context, next, &report.key)
    {
        let leg = Leg { step, round: next.round, due_at: next.step_due_at, held_until: Some(now) };
        return context.move_on(change, leg, Some(report.outcome), now);
    }
    let target = match step {
        Some(step) => course::target_of(&context.cadence, step, report.outcome),
        None => context.cadence.anytime.get(&report.outcome),
    };
    match target {
        Some(Target::End) => context.end_by(change, report.outcome, now),
        Some(Target::Pause) => change.park(crate::enrollment::Park::Outcome, now, "an outcome asked for a pause"),
        Some(Target::Cadence(to)) => context.switch(change, to.clone(), now),
        Some(Target::Step(to)) => jump_forward(change, context, next, to, now),
        Some(Target::Next) | None => {}
    }
}

/// Whether the report is on the step that the enrollment waits for: held, or being delivered right now.
fn is_current(context: &StepContext, next: &Next, key: &StepKey) -> bool {
    let is_claimed =
        context.enrollment.claim.as_ref().is_some_and(|claim| claim.step == key.step && claim.round == key.round);
    next.step == key.step && next.round == key.round && (next.act == Act::ExpireHold || is_claimed)
}

fn jump_forward(change: &mut Change, context: &StepContext, next: Option<&Next>, to: &StepId, now: DateTime<Utc>) {
    let cadence = &context.cadence;
    let (Some(next), Some(step)) = (next, cadence.step(to)) else {
        return;
    };
    let is_forward = cadence.position(to) > cadence.position(&next.step);
    if is_forward && context.enrollment.progress.state == State::Active {
        let round = context.enrollment.progress.rounds.get(to).copied().unwrap_or(0) + 1;
        let calendar = context.calendar();
        let due_at =
            calendar.opening(step.action, calendar.after(crate::calendar::ceil_to_second(now), &step.wait)).from;
        change.go(Next::run(to, step.action.channel(), round, due_at));
    }
}

impl StepContext {
    /// Ends the enrollment because of an outcome. Where the lead did something, the owner is asked to take it up.
    pub(crate) fn end_by(&self, change: &mut Change, outcome: Outcome, now: DateTime<Utc>) {
        let text = format!("ended by {}", outcome.as_str());
        change.end(End::Outcome(outcome), now, &text, &self.open_tasks);
        self.hand_over(change, outcome, now);
    }

    /// Asks the owner to take up what the lead did.
    fn hand_over(&self, change: &mut Change, outcome: Outcome, now: DateTime<Utc>) {
        let wants_person = matches!(outcome, Outcome::Replied | Outcome::AppointmentSet | Outcome::CalledBack);
        if wants_person && let Some(owner) = self.owner() {
            let step = change.outcome.as_ref().map_or_else(|| StepId::new("lead"), |told| told.now.key.step.clone());
            let said = change.outcome.as_ref().and_then(|told| told.now.note.clone()).unwrap_or_default();
            let key = self.enrollment.key(&StepId::new(format!("{step}~{}", outcome.as_str())), 1);
            let text = format!("{} {}. {said}", self.facts.full_name(), outcome.as_str().replace('_', " "));
            let due = now + TimeDelta::hours(4);
            change.open.push(self.task(key, TaskKind::FollowUp, owner, text.trim().to_owned(), now, due));
        }
    }

    /// Ends the enrollment and begins one in another cadence, if that is published and live.
    pub(crate) fn switch(&self, change: &mut Change, to: CadenceId, now: DateTime<Utc>) {
        let text = format!("moved to the cadence {to}");
        change.end(End::Switched(to.clone()), now, &text, &self.open_tasks);
        if let Some((cadence, version)) = self.targets.iter().find(|(cadence, _)| cadence.id == to) {
            let id = enroll::switched_id(&self.enrollment.id, &to);
            let begun = enroll::begin(id, &self.lead, (cadence, *version), &self.settings, false, now);
            change.entries.push(enroll::entry(&begun, cadence, now));
            change.enroll = Some(begun);
        }
    }
}
