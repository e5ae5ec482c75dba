//! Settle: what a try's answer makes of the enrollment.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    MessageId, Outcome,
    attempt::Attempt,
    calendar::ceil_to_second,
    change::{Change, Settlement},
    course::{self, Leg},
    delivery::Delivery,
    enrollment::{Act, Claim, Effect, Next, State},
    gate::{self, AskUser, Never},
    plan::{Action, StepContext},
    records::Step,
    task::{Task, TaskKind},
    timeline::{Entry, EntryKind},
};

/// How often a step that certainly was not sent is tried at most.
pub const MAX_TRIES: u32 = 6;

/// What the vendor's answer to a claimed try comes to.
pub fn settle_step(
    context: &StepContext,
    claim: &Claim,
    action: &Action,
    delivery: Delivery,
    now: DateTime<Utc>,
) -> Settlement {
    Tried { context, claim, action: Some(action), now }.settle(delivery)
}

/// What a claim whose lease ran out comes to: its attempt if that was recorded, else nobody knows, and nothing is sent again.
///
/// A task is written only when its claim settles, so it certainly isn't there yet: it is made now.
pub fn settle_expired(context: &StepContext, claim: &Claim, now: DateTime<Utc>) -> Settlement {
    let delivery = match (&context.attempt, claim.effect) {
        (Some(attempt), _) => attempt.delivery.clone(),
        (None, Effect::Task) => Delivery::Accepted { vendor_id: "task".to_owned() },
        (None, Effect::Sms | Effect::Email | Effect::AiCall) => {
            Delivery::Unknown { reason: "the function that claimed it left no record of how it ended".to_owned() }
        }
    };
    Tried { context, claim, action: None, now }.settle(delivery)
}

/// A step that could not even be planned: it ends as failed and its owner is told.
pub(crate) fn fail_step(context: &StepContext, next: &Next, reason: &str, now: DateTime<Utc>) -> Change {
    let mut change = Change::of(&context.enrollment, now);
    let entry = next.entry(EntryKind::Failed, &context.enrollment, now).text(reason);
    change.note(Entry { outcome: Some(Outcome::Failed), ..entry });
    if let Some(step) = context.cadence.step(&next.step) {
        let leg = Leg { step, round: next.round, due_at: next.step_due_at, held_until: None };
        context.move_on(&mut change, leg, Some(Outcome::Failed), now);
        change.open.extend(review(context, next, DID_NOT, reason, now));
    }
    change
}

/// One try, and what is known of it.
struct Tried<'a> {
    context: &'a StepContext,
    claim: &'a Claim,
    action: Option<&'a Action>,
    now: DateTime<Utc>,
}

impl Tried<'_> {
    fn settle(&self, delivery: Delivery) -> Settlement {
        let enrollment = &self.context.enrollment;
        let step = self.context.cadence.step(&self.claim.step);
        let delivery = step.and_then(|step| self.not_asked(step)).unwrap_or(delivery);
        let leads_on = step.filter(|_| self.is_still_next()).map(|step| match &delivery {
            Delivery::Accepted { .. } => self.accepted(step),
            Delivery::Rejected { .. } if self.claim.effect == Effect::Task => self.ended(step, Outcome::Skipped),
            Delivery::Rejected { .. } => self.ended(step, Outcome::Failed),
            Delivery::Later { .. } => self.later(step),
            Delivery::Unknown { .. } => self.ended(step, Outcome::Unknown),
        });
        let mut change = leads_on.unwrap_or_else(|| Change::of(enrollment, self.now));
        if let Some(reason) = self.to_look_at(&delivery) {
            let what = if matches!(delivery, Delivery::Unknown { .. }) { MAY_NOT } else { DID_NOT };
            change.open.extend(review(self.context, &self.running(), what, reason, self.now));
        }
        change.stay_parked();
        if let Some(entry) = self.entry(&delivery) {
            change.note_first(entry);
        }
        Settlement {
            returns_touch: matches!(delivery, Delivery::Rejected { .. } | Delivery::Later { .. }),
            attempt: Attempt {
                lead: enrollment.lead.clone(),
                key: enrollment.key(&self.claim.step, self.claim.round),
                try_number: self.claim.try_number,
                effect: self.claim.effect,
                message: self.message(),
                claim: self.claim.id.clone(),
                at: self.now,
                delivery,
            },
            change,
        }
    }

    /// Why a person has to look at what became of the step: nobody knows, or the cadence goes on without what certainly did not go out.
    fn to_look_at<'a>(&self, delivery: &'a Delivery) -> Option<&'a str> {
        let (reason, has_failed) = match delivery {
            Delivery::Accepted { .. } => return None,
            Delivery::Unknown { reason } => return Some(reason),
            Delivery::Rejected { reason } => (reason, self.claim.effect != Effect::Task),
            Delivery::Later { reason } => (reason, self.is_last_try()),
        };
        (has_failed && self.is_still_next()).then_some(reason)
    }

    fn is_last_try(&self) -> bool {
        self.claim.try_number >= MAX_TRIES
    }

    /// Why a user is not asked after all: a task is written only as its claim settles, and stays. The lead may have closed its channel since,
    /// or the hours are over because whoever claimed it died.
    fn not_asked(&self, step: &Step) -> Option<Delivery> {
        if self.claim.effect != Effect::Task {
            return None;
        }
        if self.context.lead.opted_out(step.action.channel()) {
            return Some(Delivery::Rejected { reason: Never::OptedOut.as_str().to_owned() });
        }
        let opens = self.context.calendar().opening(step.action, self.now);
        let is_open = opens.from <= ceil_to_second(self.now);
        let ran_out = self.claim.lease_until <= self.now;
        let reason = "the function that claimed it left it until the hours were over";
        (ran_out && !is_open).then(|| Delivery::Later { reason: reason.to_owned() })
    }

    /// Whether the enrollment stands where it was claimed. One that came to rest meanwhile does too: what was delivered must not be
    /// what it goes on with.
    fn is_still_next(&self) -> bool {
        let (claim, progress) = (self.claim, &self.context.enrollment.progress);
        let is_this = |next: &Next| {
            next.act == Act::Run
                && (&next.step, next.round, next.try_number) == (&claim.step, claim.round, claim.try_number)
        };
        let rests_at_this =
            matches!(progress.state, State::Parked { .. }) && progress.next.as_ref().is_some_and(is_this);
        claim.generation == progress.generation || rests_at_this
    }

    fn accepted(&self, step: &Step) -> Change {
        let context = self.context;
        let mut change = Change::of(&context.enrollment, self.now);
        let running = self.running();
        let mut overdue_at = None;
        if self.claim.effect == Effect::Task {
            let Some(asked) = context.asked_by(self.claim, step, self.now) else {
                let reason = "nobody is there to be asked";
                return fail_step(context, &running, reason, self.now);
            };
            let key = context.enrollment.key(&step.id, running.round);
            let task = context.step_task(key, step, &asked, self.now);
            let entry = running.entry(EntryKind::TaskOpened, &context.enrollment, self.now).text(task.text.clone());
            let (to, until) = (Some(task.user.to_string()), Some(task.task_due_at));
            change.note(Entry { to, until, message: self.message(), ..entry });
            overdue_at = step.on_overdue.is_some().then_some(task.task_due_at);
            change.open.push(task);
            if gate::asks_user(step.action, context.lead.consent, context.enrollment.progress.stale)
                == Some(AskUser::StaleLead)
            {
                change.next_generation().stale = false;
            }
        }
        let due_at = course::base(self.claim.step_due_at, self.claim.claimed_at);
        match course::hold(&running, step, due_at, &context.calendar(), self.now) {
            Some(hold) => change.go(Next { due_at: overdue_at.map_or(hold.due_at, ceil_to_second), ..hold }),
            None => {
                let leg = Leg { step, round: running.round, due_at, held_until: None };
                context.move_on(&mut change, leg, None, self.now);
            }
        }
        change
    }

    fn later(&self, step: &Step) -> Change {
        if self.is_last_try() {
            return self.ended(step, Outcome::Failed);
        }
        let mut change = Change::of(&self.context.enrollment, self.now);
        let again = self.now + backoff(self.claim.try_number);
        let due_at = self.context.calendar().opening(step.action, again).from;
        change.go(Next { try_number: self.claim.try_number + 1, due_at, ..self.running() });
        change
    }

    fn ended(&self, step: &Step, outcome: Outcome) -> Change {
        let mut change = Change::of(&self.context.enrollment, self.now);
        let due_at = course::base(self.claim.step_due_at, self.claim.claimed_at);
        let leg = Leg { step, round: self.claim.round, due_at, held_until: None };
        self.context.move_on(&mut change, leg, Some(outcome), self.now);
        change
    }

    /// The message that was sent, or is to be said; an AI call has none of ours.
    fn message(&self) -> Option<MessageId> {
        let message = self.context.message.as_ref().filter(|_| self.claim.effect != Effect::AiCall);
        message.map(|message| message.id.clone())
    }

    /// What was due when the claim was taken.
    fn running(&self) -> Next {
        let claim = self.claim;
        let channel = match claim.effect {
            Effect::Sms => crate::Channel::Sms,
            Effect::Email => crate::Channel::Email,
            Effect::AiCall => crate::Channel::Call,
            Effect::Task => self.context.cadence.step(&claim.step).map_or(crate::Channel::Call, |s| s.action.channel()),
        };
        Next {
            act: Act::Run,
            step: claim.step.clone(),
            round: claim.round,
            try_number: claim.try_number,
            due_at: claim.step_due_at,
            step_due_at: claim.step_due_at,
            channel,
            overdue_for: self.context.enrollment.overdue_for().cloned(),
        }
    }

    fn entry(&self, delivery: &Delivery) -> Option<Entry> {
        let (kind, why) = match delivery {
            Delivery::Accepted { .. } => match self.claim.effect {
                Effect::Sms | Effect::Email => (EntryKind::Sent, None),
                Effect::AiCall => (EntryKind::CallPlaced, None),
                Effect::Task => return None,
            },
            Delivery::Rejected { reason } if self.claim.effect == Effect::Task => (EntryKind::Skipped, Some(reason)),
            Delivery::Rejected { reason } => (EntryKind::Failed, Some(reason)),
            Delivery::Later { reason } if self.is_last_try() => (EntryKind::Failed, Some(reason)),
            Delivery::Later { reason } => (EntryKind::Retried, Some(reason)),
            Delivery::Unknown { reason } => (EntryKind::Unsure, Some(reason)),
        };
        let enrollment = &self.context.enrollment;
        let entry = Entry {
            enrollment: Some(enrollment.id.clone()),
            cadence: Some(enrollment.cadence.clone()),
            message: self.message(),
            ..self.running().entry(kind, enrollment, self.now)
        };
        let (from, to, text) = match self.action {
            Some(Action::Sms(sms)) => (Some(&sms.from), Some(&sms.to), Some(sms.text.clone())),
            Some(Action::Email(email)) => {
                (Some(&email.from), Some(&email.to), Some(format!("{}\n\n{}", email.subject, email.text)))
            }
            Some(Action::AiCall(call)) => (None, Some(&call.to), None),
            Some(Action::Task(_)) | None => (None, None, None),
        };
        Some(Entry { from: from.cloned(), to: to.cloned(), text: why.cloned().or(text), ..entry })
    }
}

const DID_NOT: &str = "did not reach";
const MAY_NOT: &str = "may not have reached";

/// A task to look at what went wrong, for the owner if there is one.
fn review(context: &StepContext, next: &Next, what: &str, reason: &str, now: DateTime<Utc>) -> Option<Task> {
    let key = context.enrollment.key(&crate::StepId::new(format!("{}~review", next.step)), next.round);
    let text = format!("{} {what} {}: {reason}. Please see to it.", next.step, context.facts.full_name());
    context.owners_task(key, TaskKind::Review, &text, now, TimeDelta::hours(24))
}

/// How long to wait after a try that certainly was not sent: 1, 5, 15, 60 minutes, then 4 hours.
pub(crate) fn backoff(try_number: u32) -> TimeDelta {
    TimeDelta::minutes(match try_number {
        0 | 1 => 1,
        2 => 5,
        3 => 15,
        4 => 60,
        _ => 240,
    })
}

#[cfg(test)]
mod tests;
