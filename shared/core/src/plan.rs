//! Plan: what a due step comes to, decided from one reading of everything it rests on.

mod contents;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    ClaimId, LeadId, Outcome, UserId,
    assign::{Asked, Turn, Turns},
    attempt::{Attempt, StepOutcome},
    calendar::Calendar,
    change::{Change, LeadChange, Settlement},
    course::{self, Leg},
    delivery::{AiCall, Delivery, Email, Sms},
    enrollment::{Act, Claim, Effect, End, Enrollment, LEASE, Next, Park, StepDue},
    gate::{self, Never, Verdict},
    intake,
    lead::{Facts, Lead, TOUCH_COUNTS_FOR, TouchKind},
    records::{Cadence, Message, Settings, Status, Step, User},
    settle,
    task::{Closed, Task},
    timeline::{Entry, EntryKind},
};

/// Everything that a decision about one enrollment rests on, read at once.
#[derive(Clone, Debug)]
pub struct StepContext {
    /// The enrollment.
    pub enrollment: Enrollment,
    /// Its lead.
    pub lead: Lead,
    /// What is known of the lead.
    pub facts: Facts,
    /// The version that the enrollment pins.
    pub cadence: Cadence,
    /// The cadence's status as last published, which acts on all versions.
    pub status: Status,
    /// The cadences that this one's outcomes lead to, as last published.
    pub targets: Vec<(Cadence, u32)>,
    /// Every published user, or the owner alone where nobody else can be asked.
    pub users: Vec<User>,
    /// The turns of the group, if any, that takes turns at the step in hand.
    pub turns: Turns,
    /// The message of the step that is due, as last published.
    pub message: Option<Message>,
    /// The settings as last published.
    pub settings: Settings,
    /// The attempt of the claim that the enrollment carries, if it was recorded.
    pub attempt: Option<Attempt>,
    /// What came of the enrollment's steps so far.
    pub outcomes: Vec<StepOutcome>,
    /// The lead's open tasks, of all its enrollments.
    pub open_tasks: Vec<Task>,
    /// Where the lead may unsubscribe; set by `email`, which holds the key that signs it.
    pub unsubscribe_url: Option<String>,
}

/// What a due step comes to.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Claim it, deliver it, settle it.
    Send(Box<StepPlan>),
    /// Nothing is delivered; this is written.
    Change(Box<Change>),
    /// A claim whose lease ran out is settled first.
    Settle(Box<Settlement>),
    /// It is no longer, or not yet, what is due.
    Skip(Stale),
    /// Somebody is delivering right now; settling will bring up what is due then.
    Busy,
}

/// Why a message does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The enrollment moved on.
    Generation,
    /// The enrollment rests or is over.
    NotActive,
    /// It came early; the timer that is right for it is still to fire.
    NotYet,
}

impl Stale {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generation => "the enrollment moved on",
            Self::NotActive => "the enrollment is not active",
            Self::NotYet => "it is not due yet",
        }
    }
}

/// A step that may be delivered, and all that the claim checks and writes.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// The enrollment as planned on.
    pub enrollment: Enrollment,
    /// What was due.
    pub next: Next,
    /// The lead's revision that the gate decided on.
    pub revision: u64,
    /// What it counts as, for caps.
    pub touch: Option<TouchKind>,
    /// Touches too old to count, dropped with the claim.
    pub drops_touches: Vec<ClaimId>,
    /// Past this instant nothing is sent.
    pub send_by: DateTime<Utc>,
    /// What is delivered.
    pub action: Action,
    /// Who is asked, where it is a task.
    pub user: Option<UserId>,
    /// The turn that this is for that user.
    pub turn: Option<Turn>,
}

/// What is delivered.
#[derive(Clone, Debug)]
pub enum Action {
    /// A text.
    Sms(Sms),
    /// An email.
    Email(Email),
    /// An AI call.
    AiCall(AiCall),
    /// A task, written when the claim settles; a call's user gets this notice from the company at once.
    Task(Option<Email>),
}

impl Action {
    /// What the claim says it is for.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Sms(_) => Effect::Sms,
            Self::Email(_) => Effect::Email,
            Self::AiCall(_) => Effect::AiCall,
            Self::Task(_) => Effect::Task,
        }
    }
}

/// What one message came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepReport {
    /// It was delivered, or was tried, and settled.
    Settled(Delivery),
    /// Nothing was delivered, and why is written.
    Changed,
    /// It is no longer, or not yet, what is due.
    Skipped(Stale),
    /// Somebody else is delivering it.
    Busy,
    /// What it was decided on changed meanwhile: load and plan again.
    Replan,
}

/// How early a message may come and still count as on time: queues and clocks differ by seconds.
const EARLY: TimeDelta = TimeDelta::seconds(5);
/// How long a user has for a task whose step doesn't say.
const TASK_DUE: TimeDelta = TimeDelta::hours(24);

/// What the due step comes to at `now`.
pub fn plan_step(context: &StepContext, due: &StepDue, now: DateTime<Utc>) -> Plan {
    let enrollment = &context.enrollment;
    if let Some(claim) = &enrollment.claim {
        return match claim.lease_until > now {
            true => Plan::Busy,
            false => Plan::Settle(Box::new(settle::settle_expired(context, claim, now))),
        };
    }
    if enrollment.progress.generation != due.generation {
        return Plan::Skip(Stale::Generation);
    }
    let (true, Some(next)) = (enrollment.is_active(), &enrollment.progress.next) else {
        return Plan::Skip(Stale::NotActive);
    };
    if next.due_at > now + EARLY {
        return Plan::Skip(Stale::NotYet);
    }
    let mut change = Change::of(enrollment, now);
    match context.status {
        Status::Live | Status::Off => {}
        Status::Paused => {
            change.park(Park::CadencePaused, "the cadence is paused");
            return Plan::Change(Box::new(change));
        }
        Status::Archived => {
            let text = format!("the cadence was archived{}", context.not_run(None));
            change.end(End::Archived, &text, &context.open_tasks);
            return Plan::Change(Box::new(change));
        }
    }
    let Some(step) = context.cadence.step(&next.step) else {
        change.end(End::Completed, "the step that was due is not in the cadence", &context.open_tasks);
        return Plan::Change(Box::new(change));
    };
    match next.act {
        Act::Run => plan_run(context, next, step, now),
        Act::ExpireHold => Plan::Change(Box::new(expire(context, next, step, now))),
    }
}

/// Nobody waits any longer for what comes of the step: somebody else is asked to do it, or the enrollment goes on.
fn expire(context: &StepContext, next: &Next, step: &Step, now: DateTime<Utc>) -> Change {
    let enrollment = &context.enrollment;
    let mut change = Change::of(enrollment, now);
    let entry = Entry { outcome: Some(Outcome::Expired), ..next.entry(EntryKind::Outcome, enrollment, now) };
    let key = enrollment.key(&next.step, next.round);
    let again = context.open_tasks.iter().find(|task| task.id.key == key).and_then(|task| {
        course::ask_another(enrollment, &context.calendar(), step, &task.user, now).map(|again| (task, again))
    });
    match again {
        Some((task, again)) => {
            let text = format!("{} did not do it in time, so somebody else is asked", task.user);
            change.note(entry.text(text));
            change.close.push((task.id.clone(), Closed { outcome: Outcome::Expired, at: now, by: None }));
            change.go(again);
        }
        None => {
            change.note(entry);
            let leg = Leg { step, round: next.round, due_at: next.step_due_at, held_until: Some(next.due_at) };
            context.move_on(&mut change, leg, Some(Outcome::Expired), now);
        }
    }
    change
}

fn plan_run(context: &StepContext, next: &Next, step: &Step, now: DateTime<Utc>) -> Plan {
    let (lead, calendar) = (&context.lead, context.calendar());
    let stale = context.enrollment.progress.stale;
    match gate::gate(step.action, lead, context.owner(), stale, &calendar, &context.settings, now) {
        Verdict::NotBefore { at, why } => {
            let mut change = Change::of(&context.enrollment, now);
            let entry = next.entry(EntryKind::Deferred, &context.enrollment, now).text(why.to_string());
            change.note(Entry { until: Some(at), ..entry });
            change.go(Next { due_at: at, step_due_at: at, ..next.clone() });
            Plan::Change(Box::new(change))
        }
        Verdict::Never(why) => Plan::Change(Box::new(skip(context, next, step, why, now))),
        Verdict::NoLicensedOwner => Plan::Change(Box::new(find_owner(context, next, now))),
        Verdict::AskUser(why) => {
            let touch = gate::touch_kind(step.action, Some(why));
            send(context, next, step, Sending { send_by: now + TASK_DUE, touch, asks_user: true }, now)
        }
        Verdict::Pass { send_by } => {
            let touch = gate::touch_kind(step.action, None);
            send(context, next, step, Sending { send_by, touch, asks_user: step.action.is_users() }, now)
        }
    }
}

/// What the gate's verdict says of the sending.
struct Sending {
    send_by: DateTime<Utc>,
    touch: Option<TouchKind>,
    asks_user: bool,
}

/// A plan to deliver the step, or the failure that its message can't be rendered.
fn send(context: &StepContext, next: &Next, step: &Step, sending: Sending, now: DateTime<Utc>) -> Plan {
    let Some(owner) = context.owner() else {
        return Plan::Change(Box::new(find_owner(context, next, now)));
    };
    let key = context.enrollment.key(&next.step, next.round);
    let asked = context.asked(step, now).filter(|_| sending.asks_user);
    let action = match &asked {
        Some(asked) => Ok(Action::Task(context.notice(&context.step_task(key, step, asked, now), asked.user))),
        None => context.action(key, step, owner, now),
    };
    let (user, turn) = asked.map_or((None, None), |Asked { user, turn, .. }| (Some(user.id.clone()), turn));
    match action {
        Ok(action) => Plan::Send(Box::new(StepPlan {
            enrollment: context.enrollment.clone(),
            next: next.clone(),
            revision: context.lead.revision,
            touch: sending.touch,
            drops_touches: context.lead.touches_before(now - TOUCH_COUNTS_FOR),
            send_by: sending.send_by,
            action,
            user,
            turn,
        })),
        Err(error) => Plan::Change(Box::new(settle::fail_step(context, next, &error.to_string(), now))),
    }
}

fn skip(context: &StepContext, next: &Next, step: &Step, why: Never, now: DateTime<Utc>) -> Change {
    let mut change = Change::of(&context.enrollment, now);
    let entry = next.entry(EntryKind::Skipped, &context.enrollment, now).text(why.as_str());
    change.note(Entry { outcome: Some(Outcome::Skipped), ..entry });
    let leg = Leg { step, round: next.round, due_at: next.step_due_at, held_until: None };
    context.move_on(&mut change, leg, Some(Outcome::Skipped), now);
    change
}

/// The lead gets an owner who may act for it, or rests until there is one.
fn find_owner(context: &StepContext, next: &Next, now: DateTime<Utc>) -> Change {
    let lead = &context.lead;
    let mut change = Change::of(&context.enrollment, now);
    match intake::pick_owner(&context.users, &lead.id, lead.state.as_deref(), &intake::OwnerHints::default()) {
        Some(user) => {
            change.lead = Some(LeadChange::Owner { revision: lead.revision, user: user.id.clone() });
            change.note(Entry { to: Some(user.id.to_string()), ..Entry::new(EntryKind::Assigned, &lead.id, now) });
            change.go(next.clone());
        }
        None => {
            let why = match lead.state {
                Some(_) => "no active user is licensed in the lead's state",
                None => "the lead's state is not known, and no vendor sent it to one of us",
            };
            change.park(Park::NoLicensedOwner, why);
        }
    }
    change
}

impl StepContext {
    /// The lead's owner, if published.
    pub fn owner(&self) -> Option<&User> {
        let owner = self.lead.owner.as_ref()?;
        self.users.iter().find(|user| user.id == *owner)
    }

    /// The enrollment's own open tasks.
    pub fn its_open_tasks(&self) -> impl Iterator<Item = &Task> {
        self.open_tasks.iter().filter(|task| task.id.key.enrollment == self.enrollment.id)
    }

    /// The calendar between the cadence and the lead.
    pub fn calendar(&self) -> Calendar<'_> {
        Calendar::new(&self.lead, &self.cadence, &self.settings)
    }
}

impl Lead {
    fn touches_before(&self, instant: DateTime<Utc>) -> Vec<ClaimId> {
        self.touches.iter().filter(|(_, touch)| touch.at < instant).map(|(claim, _)| claim.clone()).collect()
    }
}

impl StepPlan {
    /// The claim that the plan asks for, taken at `now`.
    pub fn claim(&self, id: ClaimId, now: DateTime<Utc>) -> Claim {
        Claim {
            id,
            step: self.next.step.clone(),
            round: self.next.round,
            try_number: self.next.try_number,
            claimed_at: now,
            lease_until: now + LEASE,
            step_due_at: self.next.step_due_at,
            version: self.enrollment.progress.version,
            generation: self.enrollment.progress.generation,
            effect: self.action.effect(),
            user: self.user.clone(),
        }
    }

    /// The lead.
    pub fn lead(&self) -> &LeadId {
        &self.enrollment.lead
    }
}

#[cfg(test)]
mod tests;
