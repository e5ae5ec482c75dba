//! The timeline: what happened to a lead, for people to read.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CadenceId, Channel, EnrollmentId, LeadId, MessageId, Outcome, StepId};

/// One thing that happened to a lead.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose.
    pub lead: LeadId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: EntryKind,
    /// In which enrollment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrollment: Option<EnrollmentId>,
    /// Through which cadence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cadence: Option<CadenceId>,
    /// At which step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<StepId>,
    /// Which round of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub round: Option<u32>,
    /// Which try of that round.
    #[serde(rename = "try", skip_serializing_if = "Option::is_none", default)]
    pub try_number: Option<u32>,
    /// Which message it said, or gave a user to say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<MessageId>,
    /// On which channel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<Channel>,
    /// From which number, address, user or version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// To which number, address, user or version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// What was said, or why it happened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<Outcome>,
    /// The instant it is about, where that is not `at`: what a deferred step waits for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<DateTime<Utc>>,
}

/// The kinds of things that happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A webhook made or updated the lead.
    LeadIn,
    /// A cadence took the lead.
    Enrolled,
    /// A cadence left the lead to others, so that what it does can be compared.
    HeldOut,
    /// A user was asked to act.
    TaskOpened,
    /// A task ended.
    TaskClosed,
    /// A text or an email was taken by its vendor.
    Sent,
    /// An AI call was taken by its vendor.
    CallPlaced,
    /// Something came of a step.
    Outcome,
    /// A step waits for a later instant.
    Deferred,
    /// A step was left out.
    Skipped,
    /// A try certainly failed and is tried again.
    Retried,
    /// Whether a step was delivered can't be known.
    Unsure,
    /// A step failed for good.
    Failed,
    /// The enrollment rests.
    Parked,
    /// The enrollment goes on.
    Released,
    /// The enrollment follows another version of its cadence from here on.
    VersionChanged,
    /// The lead got a loan officer.
    Assigned,
    /// The lead closed a channel.
    OptedOut,
    /// The enrollment is over.
    Ended,
}

impl EntryKind {
    /// The word in keys and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeadIn => "lead_in",
            Self::Enrolled => "enrolled",
            Self::HeldOut => "held_out",
            Self::TaskOpened => "task_opened",
            Self::TaskClosed => "task_closed",
            Self::Sent => "sent",
            Self::CallPlaced => "call_placed",
            Self::Outcome => "outcome",
            Self::Deferred => "deferred",
            Self::Skipped => "skipped",
            Self::Retried => "retried",
            Self::Unsure => "unsure",
            Self::Failed => "failed",
            Self::Parked => "parked",
            Self::Released => "released",
            Self::VersionChanged => "version_changed",
            Self::Assigned => "assigned",
            Self::OptedOut => "opted_out",
            Self::Ended => "ended",
        }
    }
}

impl Entry {
    /// An entry that says nothing yet but what, whose and when.
    pub fn new(kind: EntryKind, lead: &LeadId, at: DateTime<Utc>) -> Self {
        Self {
            lead: lead.clone(),
            at,
            kind,
            enrollment: None,
            cadence: None,
            step: None,
            round: None,
            try_number: None,
            message: None,
            channel: None,
            from: None,
            to: None,
            text: None,
            outcome: None,
            until: None,
        }
    }

    /// With why it happened, or what was said.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("kind", &self.kind)
            .field("at", &self.at)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}
