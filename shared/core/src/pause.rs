//! Pause: an outcome lays an enrollment to rest, and its owner lets it go on.

use chrono::{DateTime, Utc};

use crate::{
    Outcome, StepId, StepKey,
    calendar::ceil_to_second,
    change::Change,
    enrollment::{Act, Enrollment, Next, Park, State},
    onward::TAKE_UP_WITHIN,
    plan::StepContext,
    task::{Closed, Task, TaskKind},
    timeline::{Entry, EntryKind},
};

/// What a task says that lets a cadence go on.
pub(crate) const GOES_ON: &str =
    "Once you complete this task the cadence goes on, unless what you say of it ends, moves or pauses it";

impl Enrollment {
    /// Whether an outcome laid it to rest, so that it waits for a person.
    pub fn waits_for_person(&self) -> bool {
        self.progress.state == State::Parked { why: Park::Outcome }
    }
}

impl StepContext {
    /// Lays the enrollment to rest because of what came of a step, and asks its owner to let it go on; who was asked and has not
    /// answered yet is not asked twice.
    pub(crate) fn pause(&self, change: &mut Change, key: &StepKey, outcome: Outcome, now: DateTime<Utc>) {
        let is_asked = self.asked_to_resume().any(|task| task.id.key != *key);
        change.park(Park::Outcome, "an outcome asked for a pause");
        if is_asked {
            return;
        }
        // The generation tells this pause from the ones before and after, and is the same if this is decided again.
        let step = StepId::new(format!("lead~paused-{}", change.next_generation().generation));
        let (name, cadence, said) = (self.facts.full_name(), &self.enrollment.cadence, outcome.in_words());
        let why = match self.cadence.step(&key.step) {
            Some(step) => format!("{} came to {said}", step.id),
            None => format!("a user said {said}"),
        };
        let text = format!("{name}: the cadence {cadence} rests, because {why}. {GOES_ON}.");
        let key = self.enrollment.key(&step, 1);
        let task = self.owners_task(key, TaskKind::Resume, &text, now, TAKE_UP_WITHIN);
        if let Some(entry) = change.entries.last_mut() {
            entry.to = task.as_ref().map(|task| task.user.to_string());
            let asked = match &task {
                Some(task) => format!("{} is asked to let it go on", task.user),
                None => "nobody can be asked to let it go on".to_owned(),
            };
            entry.text = Some(format!("an outcome asked for a pause, {why}; {asked}"));
        }
        change.open.extend(task);
    }

    /// Lets an enrollment go on that an outcome laid to rest, because a user says so, unless what they said led it elsewhere.
    pub(crate) fn resume(&self, change: &mut Change, said: Outcome, now: DateTime<Utc>) {
        let enrollment = &self.enrollment;
        let Some(next) = enrollment.progress.next.as_ref().filter(|_| enrollment.waits_for_person()) else { return };
        if change.progress.is_some() {
            return;
        }
        if said.closes().is_some() && !self.cadence.anytime.contains_key(&said) {
            // It was at rest, and the lead wants no more of it.
            return self.end_by(change, said, None);
        }
        let is_closing = |task: &&Task| change.close.iter().all(|(id, _)| *id != task.id);
        let rest: Vec<_> = self.asked_to_resume().filter(is_closing).map(|task| task.id.clone()).collect();
        let closed = Closed::skipped(now);
        change.close.extend(rest.into_iter().map(|id| (id, closed.clone())));
        if enrollment.claim.is_some() {
            // What is being delivered right now must not be what it goes on with.
            return change.park(Park::Resumed, "a user lets it go on once what is being delivered is settled");
        }
        let due_at = self.opens_at(next, now);
        let entry = next.entry(EntryKind::Released, enrollment, now).text("a user lets it go on");
        change.note(Entry { until: Some(due_at), ..entry });
        change.go(Next { due_at, ..next.clone() });
    }

    /// What users were asked to complete so that the enrollment goes on.
    pub fn asked_to_resume(&self) -> impl Iterator<Item = &Task> {
        self.its_open_tasks().filter(|task| task.kind == TaskKind::Resume)
    }

    /// The first opening from now on for what was due.
    fn opens_at(&self, next: &Next, now: DateTime<Utc>) -> DateTime<Utc> {
        let ready_at = next.due_at.max(ceil_to_second(now));
        let step = self.cadence.step(&next.step).filter(|_| next.act == Act::Run);
        step.map_or(ready_at, |step| self.calendar().opening(step.action, ready_at).from)
    }
}

#[cfg(test)]
mod tests;
