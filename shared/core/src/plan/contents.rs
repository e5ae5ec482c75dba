//! What a step delivers: the message, the call or the task.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Action, StepContext, TASK_DUE};
use crate::{
    Do, StepKey, TaskId,
    assign::{Asked, because},
    delivery::{AiCall, Email, Sms},
    gate,
    records::{Step, User},
    task::{Task, TaskKind},
    template::{self, Rendered, TemplateError, Variables},
};

impl StepContext {
    /// A task for the owner, or for who stands in, to be done within that time.
    pub(crate) fn owners_task(
        &self,
        key: StepKey,
        kind: TaskKind,
        text: &str,
        now: DateTime<Utc>,
        within: TimeDelta,
    ) -> Option<Task> {
        let asked = self.asked_owner(now)?;
        Some(self.task(key, kind, asked.user, because(&asked.why, text), now, now + within))
    }

    /// A task about this lead.
    fn task(
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
            TaskKind::Dial | TaskKind::Sms | TaskKind::FollowUp | TaskKind::Review | TaskKind::Resume => {
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

    /// The task that a step makes for who is asked, in words to be said by them: because it is a user's, or in place of what a machine
    /// may not do. It is due so long after they are next at work.
    pub(crate) fn step_task(&self, key: StepKey, step: &Step, asked: &Asked<'_>, now: DateTime<Utc>) -> Task {
        let user = asked.user;
        let script = match self.rendered(user) {
            Ok(Rendered::Text(text)) => text,
            Ok(Rendered::Email { subject, text, .. }) => format!("{subject}\n\n{text}"),
            Err(_) => String::new(),
        };
        let mut why = asked.why.clone();
        let not_by_machine = gate::asks_user(step.action, self.lead.consent, self.enrollment.progress.stale);
        why.extend(not_by_machine.map(|why| why.as_str().to_owned()));
        let from = user.at_work_from(now);
        let due = step.due.as_ref().map_or(from + TASK_DUE, |due| self.calendar().after(from, due));
        self.task(key, TaskKind::of(step.action), user, because(&why, &script), now, due)
    }

    pub(super) fn action(
        &self,
        key: StepKey,
        step: &Step,
        owner: &User,
        now: DateTime<Utc>,
    ) -> Result<Action, TemplateError> {
        let phone = self.lead.phone.clone().unwrap_or_default();
        Ok(match step.action {
            Do::Dial | Do::CustomSms | Do::CustomEmail | Do::AiSms | Do::AiEmail => {
                return Err(TemplateError::Missing);
            }
            Do::CannedSms => Action::Sms(Sms {
                key,
                from: owner.sms_number.clone().unwrap_or_default(),
                to: phone,
                text: match self.rendered(owner)? {
                    Rendered::Text(text) => text,
                    Rendered::Email { .. } => return Err(self.of_another_kind("an email", "a text")),
                },
            }),
            Do::CannedEmail => self.canned_email(key, owner)?,
            Do::AiDial => Action::AiCall(AiCall {
                key,
                lead: self.lead.id.clone(),
                to: phone,
                customer_name: self.facts.first_name.clone(),
                agent: step.agent.clone().unwrap_or_default(),
                // The call is made in the owner's name, but a lead who answers must reach somebody who is there.
                transfer_to: self.asked_owner(now).map_or(owner, |asked| asked.user).phone.clone(),
                variables: self.call_variables(owner),
            }),
        })
    }

    fn canned_email(&self, key: StepKey, owner: &User) -> Result<Action, TemplateError> {
        let (subject, text, html) = match self.rendered(owner)? {
            Rendered::Email { subject, text, html } => (subject, text, html),
            Rendered::Text(_) => return Err(self.of_another_kind("a text", "an email")),
        };
        Ok(Action::Email(Email {
            key,
            lead: self.lead.id.clone(),
            from: mailbox(&owner.full_name(), &owner.email),
            to: self.lead.email.clone().unwrap_or_default(),
            subject,
            text,
            html,
            unsubscribe_url: self.unsubscribe_url.clone(),
        }))
    }

    /// A message that was made one of another kind since the step's version was published: its words were written, and checked, for
    /// another channel, whose law is another.
    fn of_another_kind(&self, is: &'static str, sends: &'static str) -> TemplateError {
        let message = self.message.as_ref().map(|message| message.id.to_string()).unwrap_or_default();
        TemplateError::AnotherKind { message, is, sends }
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
    pub(super) fn notice(&self, task: &Task, user: &User) -> Option<Email> {
        if task.kind != TaskKind::Dial {
            return None;
        }
        let subject = format!("Call {} now", task.lead_name);
        let text = format!("{subject}: {}\n\n{}", task.reach.as_deref().unwrap_or("no number or address"), task.text);
        Some(Email {
            key: task.id.key.clone(),
            lead: self.lead.id.clone(),
            from: mailbox(&self.settings.company, &self.settings.notices_from),
            to: user.email.clone(),
            html: template::html_of(&text),
            subject,
            text,
            unsubscribe_url: None,
        })
    }

    /// The step's message as that user says it.
    fn rendered(&self, speaker: &User) -> Result<Rendered, TemplateError> {
        let message = self.message.as_ref().ok_or(TemplateError::Missing)?;
        let url = self.unsubscribe_url.as_deref();
        template::render(message, &Variables::new(&self.lead, &self.facts, Some(speaker), &self.settings, url))
    }
}

fn mailbox(name: &str, address: &str) -> String {
    let name: String = name.chars().filter(|c| !matches!(c, '"' | '\\' | '<' | '>' | '\r' | '\n')).collect();
    format!("\"{name}\" <{address}>")
}
