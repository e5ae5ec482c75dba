//! Plan: what a due step comes to, decided from one reading of everything it rests on.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    ClaimId, Do, LeadId, Outcome, StepKey, TaskId,
    attempt::{Attempt, StepOutcome},
    calendar::Calendar,
    change::{Change, LeadChange, Settlement},
    course::{self, Leg},
    delivery::{AiCall, Delivery, Email, Sms},
    enrollment::{Act, Effect, End, Enrollment, Next, Park, StepDue},
    gate::{self, Never, Verdict},
    intake,
    lead::{Facts, Lead, TOUCH_COUNTS_FOR, TouchKind},
    records::{Cadence, Message, Settings, Status, Step, User},
    settle,
    task::{Task, TaskKind},
    template::{self, Rendered, TemplateError, Variables},
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
    /// Every published user: the owner, and who may become it.
    pub users: Vec<User>,
    /// The message of the step that is due, as last published.
    pub message: Option<Message>,
    /// The settings as last published.
    pub settings: Settings,
    /// The attempt of the claim that the enrollment carries, if it was recorded.
    pub attempt: Option<Attempt>,
    /// What came of the enrollment's steps so far.
    pub outcomes: Vec<StepOutcome>,
    /// The enrollment's open tasks.
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
    let mut change = Change::of(enrollment);
    match context.status {
        Status::Live | Status::Off => {}
        Status::Paused => {
            change.park(Park::CadencePaused, now, "the cadence is paused");
            return Plan::Change(Box::new(change));
        }
        Status::Archived => {
            change.end(End::Archived, now, "the cadence was archived", &context.open_tasks);
            return Plan::Change(Box::new(change));
        }
    }
    let Some(step) = context.cadence.step(&next.step) else {
        change.end(End::Completed, now, "the step that was due is not in the cadence", &context.open_tasks);
        return Plan::Change(Box::new(change));
    };
    match next.act {
        Act::Run => plan_run(context, next, step, now),
        Act::ExpireHold => {
            change.note(Entry { outcome: Some(Outcome::Expired), ..next.entry(EntryKind::Outcome, enrollment, now) });
            let leg = Leg { step, round: next.round, due_at: next.step_due_at, held_until: Some(next.due_at) };
            context.move_on(&mut change, leg, Some(Outcome::Expired), now);
            Plan::Change(Box::new(change))
        }
    }
}

fn plan_run(context: &StepContext, next: &Next, step: &Step, now: DateTime<Utc>) -> Plan {
    let (lead, calendar) = (&context.lead, context.calendar());
    let stale = context.enrollment.progress.stale;
    match gate::gate(step.action, lead, context.owner(), stale, &calendar, &context.settings, now) {
        Verdict::NotBefore { at, why } => {
            let mut change = Change::of(&context.enrollment);
            let entry = next.entry(EntryKind::Deferred, &context.enrollment, now).text(why.as_str());
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
    let action = match sending.asks_user {
        true => Ok(Action::Task(context.notice(&context.step_task(key, step, owner, now), owner))),
        false => context.action(key, step, owner),
    };
    match action {
        Ok(action) => Plan::Send(Box::new(StepPlan {
            enrollment: context.enrollment.clone(),
            next: next.clone(),
            revision: context.lead.revision,
            touch: sending.touch,
            drops_touches: context.lead.touches_before(now - TOUCH_COUNTS_FOR),
            send_by: sending.send_by,
            action,
        })),
        Err(error) => Plan::Change(Box::new(settle::fail_step(context, next, &error.to_string(), now))),
    }
}

fn skip(context: &StepContext, next: &Next, step: &Step, why: Never, now: DateTime<Utc>) -> Change {
    let mut change = Change::of(&context.enrollment);
    let entry = next.entry(EntryKind::Skipped, &context.enrollment, now).text(why.as_str());
    change.note(Entry { outcome: Some(Outcome::Skipped), ..entry });
    let leg = Leg { step, round: next.round, due_at: next.step_due_at, held_until: None };
    context.move_on(&mut change, leg, Some(Outcome::Skipped), now);
    change
}

/// The lead gets an owner who may act for it, or rests until there is one.
fn find_owner(context: &StepContext, next: &Next, now: DateTime<Utc>) -> Change {
    let lead = &context.lead;
    let mut change = Change::of(&context.enrollment);
    match intake::pick_owner(&context.users, &lead.id, lead.state.as_deref(), &intake::OwnerHints::default()) {
        Some(user) => {
            change.lead = Some(LeadChange::Owner { revision: lead.revision, user: user.id.clone() });
            change.note(Entry { to: Some(user.id.to_string()), ..Entry::new(EntryKind::Assigned, &lead.id, now) });
            change.go(next.clone());
        }
        None => change.park(Park::NoLicensedOwner, now, "no active user is licensed in the lead's state"),
    }
    change
}

impl StepContext {
    /// The lead's owner, if published.
    pub fn owner(&self) -> Option<&User> {
        let owner = self.lead.owner.as_ref()?;
        self.users.iter().find(|user| user.id == *owner)
    }

    /// The calendar between the cadence and the lead.
    pub fn calendar(&self) -> Calendar<'_> {
        Calendar::new(&self.lead, &self.cadence, &self.settings)
    }

    /// Moves the enrollment on from a step that ended.
    pub(crate) fn move_on(&self, change: &mut Change, leg: Leg<'_>, outcome: Option<Outcome>, now: DateTime<Utc>) {
        let calendar = self.calendar();
        match course::onward(&self.enrollment, &self.cadence, &calendar, leg, outcome) {
            course::Onward::Go(next) => change.go(next),
            course::Onward::Pause => change.park(Park::Outcome, now, "an outcome asked for a pause"),
            course::Onward::Complete => change.end(End::Completed, now, "the last step is done", &self.open_tasks),
            course::Onward::End(outcome) => self.end_by(change, outcome, now),
            course::Onward::Switch(to) => self.switch(change, to, now),
        }
    }

    /// A task about this lead.
    pub(crate) fn task(
        &self,
        key: StepKey,
        kind: TaskKind,
        user: &User,
        text: String,
        now: DateTime<Utc>,
        due: DateTime<Utc>,
    ) -> Task {
        let reach = match kind {
            TaskKind::Email => self.lead.email.clone(),
            TaskKind::Dial | TaskKind::Sms | TaskKind::FollowUp | TaskKind::Review => {
                self.lead.phone.clone().or_else(|| self.lead.email.clone())
            }
        };
        Task {
            id: TaskId { lead: self.lead.id.clone(), key },
            kind,
            user: user.id.clone(),
            lead_name: self.facts.full_name(),
            reach,
            text,
            opened_at: now,
            task_due_at: due,
            closed: None,
        }
    }

    /// The task that a step makes: because it is a user's, or in place of what a machine may not do.
    pub(crate) fn step_task(&self, key: StepKey, step: &Step, owner: &User, now: DateTime<Utc>) -> Task {
        let script = match self.rendered() {
            Ok(Rendered::Text(text)) => text,
            Ok(Rendered::Email { subject, text, .. }) => format!("{subject}\n\n{text}"),
            Err(_) => String::new(),
        };
        let text = match gate::asks_user(step.action, &self.lead, self.enrollment.progress.stale) {
            Some(why) => format!("Yours to do, because {}.\n\n{script}", why.as_str()),
            None => script,
        };
        let due = step.due.as_ref().map_or(now + TASK_DUE, |due| self.calendar().after(now, due));
        self.task(key, TaskKind::of(step.action), owner, text, now, due)
    }

    fn action(&self, key: StepKey, step: &Step, owner: &User) -> Result<Action, TemplateError> {
        let phone = self.lead.phone.clone().unwrap_or_default();
        Ok(match step.action {
            Do::Dial | Do::CustomSms | Do::CustomEmail | Do::AiSms | Do::AiEmail => {
                return Err(TemplateError::Missing);
            }
            Do::CannedSms => Action::Sms(Sms {
                key,
                from: owner.sms_number.clone().unwrap_or_default(),
                to: phone,
                text: self.rendered()?.text().to_owned(),
            }),
            Do::CannedEmail => self.canned_email(key, owner, self.rendered()?),
            Do::AiDial => Action::AiCall(AiCall {
                key,
                lead: self.lead.id.clone(),
                to: phone,
                customer_name: self.facts.first_name.clone(),
                agent: step.agent.clone().unwrap_or_default(),
                transfer_to: owner.phone.clone(),
                variables: self.call_variables(owner),
            }),
        })
    }

    fn canned_email(&self, key: StepKey, owner: &User, rendered: Rendered) -> Action {
        let (subject, text, html) = match rendered {
            Rendered::Email { subject, text, html } => (subject, text, html),
            Rendered::Text(text) => (self.settings.company.clone(), text.clone(), template::html_of(&text)),
        };
        Action::Email(Email {
            key,
            lead: self.lead.id.clone(),
            from: mailbox(&owner.full_name(), &owner.email),
            to: self.lead.email.clone().unwrap_or_default(),
            subject,
            text,
            html,
            unsubscribe_url: self.unsubscribe_url.clone(),
        })
    }

    fn call_variables(&self, owner: &User) -> std::collections::BTreeMap<String, String> {
        [
            ("lead_first_name", self.facts.first_name.clone()),
            ("loan_officer", owner.full_name()),
            ("company", self.settings.company.clone()),
            ("purpose", self.facts.purpose.clone().unwrap_or_default()),
            ("city", self.facts.city.clone().unwrap_or_default()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// What tells the user of a task that can't wait: a call.
    fn notice(&self, task: &Task, owner: &User) -> Option<Email> {
        if task.kind != TaskKind::Dial {
            return None;
        }
        let subject = format!("Call {} now", task.lead_name);
        let text = format!("{subject}: {}\n\n{}", task.reach.as_deref().unwrap_or("no number or address"), task.text);
        Some(Email {
            key: task.id.key.clone(),
            lead: self.lead.id.clone(),
            from: mailbox(&self.settings.company, &self.settings.notices_from),
            to: owner.email.clone(),
            html: template::html_of(&text),
            subject,
            text,
            unsubscribe_url: None,
        })
    }

    fn rendered(&self) -> Result<Rendered, TemplateError> {
        self.render(self.message.as_ref().ok_or(TemplateError::Missing)?)
    }

    fn render(&self, message: &Message) -> Result<Rendered, TemplateError> {
        template::render(
            message,
            &Variables::new(&self.lead, &self.facts, self.owner(), &self.settings, self.unsubscribe_url.as_deref()),
        )
    }
}

impl Lead {
    fn touches_before(&self, instant: DateTime<Utc>) -> Vec<ClaimId> {
        self.touches.iter().filter(|(_, touch)| touch.at < instant).map(|(claim, _)| claim.clone()).collect()
    }
}

impl StepPlan {
    /// The lead.
    pub fn lead(&self) -> &LeadId {
        &self.enrollment.lead
    }
}

fn mailbox(name: &str, address: &str) -> String {
    let name: String = name.chars().filter(|c| !matches!(c, '"' | '\\' | '<' | '>' | '\r' | '\n')).collect();
    format!("\"{name}\" <{address}>")
}
