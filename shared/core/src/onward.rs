//! Onward: an enrollment moves on from a step, to its end, or into another cadence.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    CadenceId, Outcome, StepId,
    calendar::ceil_to_second,
    change::Change,
    course::{self, Leg, Onward},
    enroll,
    enrollment::{Act, End, Enrollment, Next},
    plan::StepContext,
    records::{Cadence, Status},
    task::TaskKind,
};

impl StepContext {
    /// Moves the enrollment on from a step that ended.
    pub(crate) fn move_on(&self, change: &mut Change, leg: Leg<'_>, outcome: Option<Outcome>, now: DateTime<Utc>) {
        let over = Some(&leg.step.id);
        match course::onward(&self.enrollment, &self.cadence, &self.calendar(), leg, outcome) {
            Onward::Go(next) => change.go(next),
            Onward::Pause => {
                change.go(self.after_pause(leg, now));
                let key = self.enrollment.key(&leg.step.id, leg.round);
                self.pause(change, &key, outcome.unwrap_or(Outcome::Unknown), now);
            }
            Onward::Complete => change.end(End::Completed, "the last step is done", &self.open_tasks),
            Onward::End(outcome) => self.end_by(change, outcome, over),
            Onward::Switch(to) => self.switch(change, to, outcome.unwrap_or(Outcome::Unknown), over, now),
        }
    }

    /// What is due once a person resumes it: the step after, because the one that ended must not run again; after the last, its end.
    fn after_pause(&self, leg: Leg<'_>, now: DateTime<Utc>) -> Next {
        match course::onward(&self.enrollment, &self.cadence, &self.calendar(), leg, None) {
            Onward::Go(next) => next,
            Onward::Pause | Onward::Complete | Onward::End(_) | Onward::Switch(_) => Next {
                act: Act::ExpireHold,
                due_at: ceil_to_second(now),
                step_due_at: leg.due_at,
                ..Next::run(&leg.step.id, leg.step.action.channel(), leg.round, leg.due_at)
            },
        }
    }

    /// Ends the enrollment because of an outcome. `over` is the step that ended with it, if that is the one it stood at.
    pub(crate) fn end_by(&self, change: &mut Change, outcome: Outcome, over: Option<&StepId>) {
        let text = format!("ended by {}{}", outcome.as_str(), self.not_run(over));
        change.end(End::Outcome(outcome), &text, &self.open_tasks);
    }

    /// Ends the enrollment and begins one in another cadence; if that takes no leads, the owner is asked to take the lead up.
    pub(crate) fn switch(
        &self,
        change: &mut Change,
        to: CadenceId,
        outcome: Outcome,
        over: Option<&StepId>,
        now: DateTime<Utc>,
    ) {
        let rest = self.not_run(over);
        let takes_leads = |status| matches!(status, Status::Live | Status::Paused);
        if let Some((cadence, version)) =
            self.targets.iter().find(|(cadence, _)| cadence.id == to && takes_leads(cadence.status))
        {
            let text = format!("moved to the cadence {to} by {}{rest}", outcome.as_str());
            change.end(End::Switched(to.clone()), &text, &self.open_tasks);
            let id = enroll::switched_id(&self.enrollment.id, &to);
            let begun =
                enroll::begin(id, &self.lead, (cadence, *version), &self.settings, self.enrollment.progress.stale, now);
            change.entries.push(enroll::entry(&begun, cadence, now));
            change.enroll = Some(begun);
            return;
        }
        let why = format!("the cadence {to} takes no leads");
        let text = format!("ended by {}, because {why}{rest}", outcome.as_str());
        change.end(End::Outcome(outcome), &text, &self.open_tasks);
        if !outcome.wants_person() {
            let key = self.enrollment.key(&StepId::new(format!("lead~{to}")), 1);
            let (name, said) = (self.facts.full_name(), outcome.in_words());
            let text = format!("{name} should move to another cadence ({said}), but {why}. Please take it up.");
            change.open.extend(self.owners_task(key, TaskKind::FollowUp, &text, now, TAKE_UP_WITHIN));
        }
    }

    /// The steps that an end now leaves undone, to be put after why it ended.
    pub(crate) fn not_run(&self, over: Option<&StepId>) -> String {
        not_run(&self.enrollment, &self.cadence, over)
    }
}

/// The steps of its pinned version that an end now leaves an enrollment undone, to be put after why it ended.
pub(crate) fn not_run(enrollment: &Enrollment, cadence: &Cadence, over: Option<&StepId>) -> String {
    let Some(next) = &enrollment.progress.next else {
        return String::new();
    };
    let is_claimed = enrollment.claim.as_ref().is_some_and(|claim| claim.step == next.step);
    let is_begun = next.act == Act::ExpireHold || is_claimed;
    let last = over.or(is_begun.then_some(&next.step));
    let first = match last {
        Some(last) => cadence.position(last).map(|position| position + 1),
        None => cadence.position(&next.step),
    };
    let left = cadence.steps.iter().skip(first.unwrap_or(usize::MAX));
    let left: Vec<&str> = left.map(|step| step.id.as_str()).collect();
    if left.is_empty() { String::new() } else { format!("; not run: {}", left.join(", ")) }
}

/// How long an owner has to take up a lead who did something.
pub(crate) const TAKE_UP_WITHIN: TimeDelta = TimeDelta::hours(4);
