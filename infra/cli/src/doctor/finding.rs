//! A finding: what it is about, and why.

use cadence_core::{LeadId, enrollment::Park};
use serde::Serialize;

/// Something that somebody should know.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    /// What it is about: a lead's step, a queue, a source, a record.
    pub(crate) about: String,
    /// Why it is one.
    pub(crate) why: String,
    /// The lead, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lead: Option<LeadId>,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A step is over ten minutes late.
    Overdue,
    /// A claim ran out and is not settled.
    Unsettled,
    /// An enrollment can't be looked at.
    Unreadable,
    /// Whether a step reached its lead isn't known, or it failed for good.
    Unsure,
    /// A user's task is late.
    LateTask,
    /// A task's user is no longer active.
    LeftTask,
    /// An enrollment rests, and goes on by itself.
    Parked,
    /// An enrollment rests because an outcome asked for it, until a user lets it go on.
    PausedByOutcome,
    /// An enrollment rests because nobody may act for its lead.
    NoOwner,
    /// A webhook could not be used.
    Quarantined,
    /// A webhook could not be used, and somebody looked at it and dismissed it.
    Dismissed,
    /// Messages were given up.
    GivenUp,
    /// A record was refused.
    Refused,
    /// An item is none of a record, because of its key.
    NotRead,
    /// A record was not looked at yet.
    Unchecked,
}

impl Kind {
    /// In the order in which they are told.
    pub(crate) const ALL: [Self; 15] = [
        Self::Overdue,
        Self::Unsettled,
        Self::Unreadable,
        Self::Unsure,
        Self::PausedByOutcome,
        Self::NoOwner,
        Self::LeftTask,
        Self::GivenUp,
        Self::Quarantined,
        Self::Refused,
        Self::NotRead,
        Self::Unchecked,
        Self::LateTask,
        Self::Parked,
        Self::Dismissed,
    ];

    /// The kind of something that rests for that.
    pub(crate) fn of_rest(why: Park) -> Self {
        match why {
            Park::CadencePaused | Park::Resumed => Self::Parked,
            Park::Outcome => Self::PausedByOutcome,
            Park::NoLicensedOwner => Self::NoOwner,
        }
    }

    /// Whether somebody has to do something, or only may want to know.
    pub(crate) fn needs_somebody(self) -> bool {
        !matches!(self, Self::LateTask | Self::Parked | Self::Dismissed)
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Overdue => "Steps over ten minutes late",
            Self::Unsettled => "Steps begun and never settled",
            Self::Unreadable => "Enrollments that can't be looked at",
            Self::Unsure => "Steps to look at, that failed or may not have reached their lead",
            Self::LateTask => "Users' tasks that are late",
            Self::LeftTask => "Tasks of users who have left",
            Self::Parked => "Enrollments that rest",
            Self::PausedByOutcome => "Enrollments that an outcome paused",
            Self::NoOwner => "Enrollments that rest because nobody may act for their leads",
            Self::Quarantined => "Webhooks that could not be used",
            Self::Dismissed => "Webhooks that could not be used, and were dismissed",
            Self::GivenUp => "Messages that were given up",
            Self::Refused => "Records that were refused",
            Self::NotRead => "Items that nothing reads",
            Self::Unchecked => "Records that were not checked",
        }
    }

    /// What to do about it, with commands that work on the stage which those flags name.
    pub(crate) fn remedy(self, flags: &str) -> String {
        let why = format!("cadence why LEAD{flags}");
        let redrive = format!("cadence redrive{flags}");
        match self {
            Self::Overdue | Self::Unsettled => {
                "reconcile sees to them every five minutes; if they stay, its log says why".to_owned()
            }
            Self::Unreadable => {
                format!("the record that they name is gone or can't be read: put it back, and {why} tells more")
            }
            Self::Unsure => format!("their owners have a task for each; {why} tells what happened"),
            Self::LateTask => "ask their users. Whoever is away: out_of_office on their record hands what comes from then on to a stand-in; \
                               on_overdue on a cadence's step has a late task asked of somebody else"
                .to_owned(),
            Self::LeftTask => format!(
                "they stay theirs: have somebody else take these leads up, {why} tells more. A step's task closes when its \
                 cadence ends; each can be completed with its user's sign-in, with skipped if there is nothing to say"
            ),
            Self::Parked => format!("they go on within minutes once what they wait for is there; {why} tells more"),
            Self::PausedByOutcome => format!(
                "each goes on once its user completes the task, and {why} tells what came of which step; where nobody \
                 has one, have the lead's source send the lead again as a new event, with its loan officer if it has no \
                 owner, and the owner gets a task"
            ),
            Self::NoOwner => format!(
                "add the state to the licences of an active user; where it is not known, have the lead's source send the \
                 lead again as a new event, with its state or its loan officer. They go on within minutes then; {why} tells more"
            ),
            Self::Quarantined => format!(
                "{redrive} posts again what its source's format can read by now; what never will be of use: \
                 {redrive} --dismiss ID --reason WHY"
            ),
            Self::Dismissed => "nobody needs to see to them; each is deleted 90 days after it came".to_owned(),
            Self::GivenUp => format!(
                "{redrive} tells what each was, and puts back what is still due; what it keeps and nobody needs: \
                 {redrive} --dismiss ID --reason WHY"
            ),
            Self::Refused => format!(
                "edit them as they say, or go back with cadence rollback ID --to VERSION{flags}; \
                 until then what each names is at work"
            ),
            Self::NotRead => "do as they say: what somebody meant by them is not at work".to_owned(),
            Self::Unchecked => {
                format!("publish looks at an edit within seconds; if it didn't, {redrive} has it look again")
            }
        }
    }
}
