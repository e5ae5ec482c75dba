//! Where an enrollment goes after a step.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    CadenceId, Outcome, StepId,
    calendar::{Calendar, ceil_to_second},
    enrollment::{Act, Enrollment, Next},
    records::{Cadence, Step, Target},
    time::Wait,
};

/// How late a step may be claimed before the rest of the cadence counts from the claim: after an outage nothing catches up in a burst.
pub const REBASE_AFTER: TimeDelta = TimeDelta::minutes(2);

/// How often a step may be re-entered; whatever a record says, nobody is contacted by one step more often than this.
pub const MAX_ROUNDS: u32 = 50;

/// Where an enrollment goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// To this.
    Go(Next),
    /// Nowhere until a person resumes it.
    Pause,
    /// To the end of the list.
    Complete,
    /// To an end that an outcome asked for.
    End(Outcome),
    /// To another cadence.
    Switch(CadenceId),
}

/// The round of a step that is over, and when it was due and ended.
#[derive(Clone, Copy, Debug)]
pub struct Leg<'a> {
    /// The step.
    pub step: &'a Step,
    /// The round of it.
    pub round: u32,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// When its hold ended, if it had one.
    pub held_until: Option<DateTime<Utc>>,
}

/// Where the enrollment goes after a leg that ended with that outcome; `None` where the step doesn't wait for one.
pub fn onward(
    enrollment: &Enrollment,
    cadence: &Cadence,
    calendar: &Calendar<'_>,
    leg: Leg<'_>,
    outcome: Option<Outcome>,
) -> Onward {
    if let (Some(outcome), Some(every)) = (outcome, &leg.step.every)
        && outcome.invites_redial()
        && leg.round < leg.step.attempts
    {
        return Onward::Go(run_after(calendar, leg.step, leg.round + 1, leg, every));
    }
    let target = outcome.and_then(|outcome| target_of(cadence, leg.step, outcome)).unwrap_or(&Target::Next);
    let step = match target {
        Target::Next => cadence.step_after(&leg.step.id),
        Target::Step(id) => cadence.step(id),
        Target::End => return Onward::End(outcome.unwrap_or(Outcome::Unknown)),
        Target::Pause => return Onward::Pause,
        Target::Cadence(id) => return Onward::Switch(id.clone()),
    };
    match step {
        Some(step) => match next_round(enrollment, &step.id) {
            round if round > MAX_ROUNDS => Onward::Complete,
            round => Onward::Go(run_after(calendar, step, round, leg, &step.wait)),
        },
        None => Onward::Complete,
    }
}

/// What an outcome leads to: the step's own `on` beats the cadence's `anytime`. A call that was transferred or booked was connected,
/// so where a record doesn't name the one, what it says of the other holds.
pub fn target_of<'a>(cadence: &'a Cadence, step: &'a Step, outcome: Outcome) -> Option<&'a Target> {
    let named = |outcome| step.on.get(&outcome).or_else(|| cadence.anytime.get(&outcome));
    named(outcome).or_else(|| match outcome {
        Outcome::Transferred | Outcome::AppointmentSet => named(Outcome::Connected),
        _ => None,
    })
}

/// The first step's first round.
pub fn first(cadence: &Cadence, calendar: &Calendar<'_>, enrolled_at: DateTime<Utc>) -> Option<Next> {
    let step = cadence.steps.first()?;
    let leg = Leg { step, round: 0, due_at: ceil_to_second(enrolled_at), held_until: None };
    Some(run_after(calendar, step, 1, leg, &step.wait))
}

/// Waiting for the outcome of the step that ran, for at most as long as it says; `None` where it doesn't wait.
pub fn hold(
    running: &Next,
    step: &Step,
    step_due_at: DateTime<Utc>,
    calendar: &Calendar<'_>,
    now: DateTime<Utc>,
) -> Option<Next> {
    let due_at = calendar.after(ceil_to_second(now), &step.hold()?);
    Some(Next { act: Act::ExpireHold, due_at, step_due_at, ..running.clone() })
}

/// The instant that the next step's wait counts from.
pub fn base(step_due_at: DateTime<Utc>, claimed_at: DateTime<Utc>) -> DateTime<Utc> {
    if claimed_at - step_due_at > REBASE_AFTER { ceil_to_second(claimed_at) } else { step_due_at }
}

fn next_round(enrollment: &Enrollment, step: &StepId) -> u32 {
    enrollment.progress.rounds.get(step).copied().unwrap_or(0).saturating_add(1)
}

fn run_after(calendar: &Calendar<'_>, step: &Step, round: u32, leg: Leg<'_>, wait: &Wait) -> Next {
    let after_wait = calendar.after(leg.due_at, wait);
    let not_before = leg.held_until.map_or(after_wait, |ended| after_wait.max(ended));
    let due_at = calendar.opening(step.action, not_before).from;
    Next::run(&step.id, step.action.channel(), round, due_at)
}
