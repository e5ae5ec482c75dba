//! A cadence: for whom, when, and its steps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Do, GroupId, LeadId, MessageId, Outcome, StepId, UserId,
    ids::CadenceId,
    records::{ForLeads, Reenroll, Says},
    time::{Wait, WeeklyHours},
};

/// One published version of a cadence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cadence {
    /// The key's last part: `zillow-purchase`.
    pub id: CadenceId,
    /// What people call it.
    pub name: String,
    /// Whether it takes leads and runs them.
    pub status: Status,
    /// Which leads it is for.
    pub for_leads: ForLeads,
    /// Of several that fit a lead, the highest wins; ties go to the first id in the alphabet.
    pub priority: i64,
    /// When it may take a lead who was through a cadence before.
    #[serde(default)]
    pub reenroll: Reenroll,
    /// The cadences whose running leads move to this one when they arrive anew; those of any other go on where they are.
    #[serde(default)]
    pub takes_over: Vec<CadenceId>,
    /// Who follows the newest version.
    pub apply_to: ApplyTo,
    /// The hours it keeps, by channel; a channel that is not named keeps the defaults.
    pub hours: ChannelHours,
    /// Whether calls and texts rest on holidays; `None` leaves it to the defaults.
    pub skip_holidays: Option<bool>,
    /// Outcomes that act whatever the step; a step's own `on` beats them.
    pub anytime: BTreeMap<Outcome, Target>,
    /// The steps, in order; never empty.
    pub steps: Vec<Step>,
}

/// Whether a cadence takes leads and runs them. Acts at once, on all versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Takes leads and runs them.
    #[default]
    Live,
    /// Holds everything where it is; nothing is lost.
    Paused,
    /// Takes no new leads; running ones finish.
    Off,
    /// Stops everything.
    Archived,
}

/// Who follows a newly published version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplyTo {
    /// Leads that enroll from now on.
    #[default]
    NewLeads,
    /// Running ones too, each when its step is next due and still exists.
    Everyone,
}

/// The hours a cadence keeps, by channel, in the lead's local time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelHours {
    /// For calls.
    pub call: Option<WeeklyHours>,
    /// For texts.
    pub sms: Option<WeeklyHours>,
    /// For emails.
    pub email: Option<WeeklyHours>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique within the cadence.
    pub id: StepId,
    /// What it does.
    pub action: Do,
    /// Counts from the previous step's due instant.
    pub wait: Wait,
    /// The message or script it uses.
    pub message: Option<Says>,
    /// The AI agent that calls.
    pub agent: Option<String>,
    /// Who gets the task.
    pub assign: Assign,
    /// How long the user has before the task counts as overdue.
    pub due: Option<Wait>,
    /// How long to wait for the step's outcome before going on.
    pub hold: Option<Wait>,
    /// How many rounds at most, after no_answer, voicemail or busy; at least 1.
    pub attempts: u32,
    /// How long after one round's due instant the next is due.
    pub every: Option<Wait>,
    /// What each outcome leads to; one that is not listed leads to the next step.
    pub on: BTreeMap<Outcome, Target>,
    /// What happens when the user's task is not done by `due`; until then the step holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on_overdue: Option<OnOverdue>,
}

/// What happens when a user's task is not done in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOverdue {
    /// The cadence goes on there; the task stays with its user.
    Go(Target),
    /// Somebody else is asked, once; if they don't do it in time either, the step has expired.
    Assign(Assign),
}

/// Who gets a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assign {
    /// The lead's loan officer.
    #[default]
    LoanOfficer,
    /// This user.
    User(UserId),
    /// Whoever in this group had the last turn longest ago, of those who may act for the lead.
    RoundRobin(GroupId),
}

/// Where an outcome leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// To the next step in the list.
    Next,
    /// To the end of the cadence.
    End,
    /// Nowhere until its owner, who gets a task, lets it go on.
    Pause,
    /// To this step.
    Step(StepId),
    /// To another cadence; this one ends.
    Cadence(CadenceId),
}

impl Cadence {
    /// The step of that id.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// Where a step stands in the list.
    pub fn position(&self, id: &StepId) -> Option<usize> {
        self.steps.iter().position(|step| step.id == *id)
    }

    /// The cadences that outcomes lead to, as often as they are named.
    pub fn targets(&self) -> impl Iterator<Item = &CadenceId> {
        let of_steps = self.steps.iter().flat_map(Step::targets);
        of_steps.chain(self.anytime.values()).filter_map(|target| match target {
            Target::Cadence(id) => Some(id),
            Target::Next | Target::End | Target::Pause | Target::Step(_) => None,
        })
    }

    /// The step after that one; `None` after the last.
    pub fn step_after(&self, id: &StepId) -> Option<&Step> {
        self.steps.get(self.position(id)? + 1)
    }
}

impl Step {
    /// Everything that an outcome of the step may lead to.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let overdue = self.on_overdue.iter().filter_map(|on_overdue| match on_overdue {
            OnOverdue::Go(target) => Some(target),
            OnOverdue::Assign(_) => None,
        });
        self.on.values().chain(overdue)
    }

    /// The message that the lead gets at this step of that cadence.
    pub fn message_for(&self, cadence: &CadenceId, lead: &LeadId) -> Option<&MessageId> {
        self.message.as_ref()?.to(lead, cadence, &self.id)
    }

    /// Every message that some lead gets.
    pub fn messages(&self) -> impl Iterator<Item = &MessageId> {
        self.message.iter().flat_map(Says::messages)
    }

    /// Who is asked, at first or, where the one who was asked didn't do it in time, instead of them.
    pub fn assign(&self, is_overdue: bool) -> &Assign {
        match &self.on_overdue {
            Some(OnOverdue::Assign(assign)) if is_overdue => assign,
            Some(OnOverdue::Assign(_) | OnOverdue::Go(_)) | None => &self.assign,
        }
    }

    /// How long the step waits for its outcome: what the record says, until its task is overdue where something comes of that, else 15
    /// minutes for an AI call and, where `attempts` needs an outcome to go by, a business-day's worth of 8 hours.
    pub fn hold(&self) -> Option<Wait> {
        let until_overdue = self.due.clone().filter(|_| self.on_overdue.is_some());
        self.hold.clone().or(until_overdue).or_else(|| match self.action {
            Do::AiDial => Some(Wait::minutes(15)),
            _ if self.attempts > 1 => Some(Wait::hours(8)),
            Do::Dial | Do::CustomSms | Do::CustomEmail | Do::AiSms | Do::AiEmail | Do::CannedSms | Do::CannedEmail => {
                None
            }
        })
    }
}
