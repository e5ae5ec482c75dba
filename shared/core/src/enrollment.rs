//! An enrollment: one lead's run through one version of a cadence.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    CadenceId, Channel, ClaimId, EnrollmentId, LeadId, Outcome, StepId, StepKey,
    records::{ApplyTo, Cadence},
};

/// One lead's run through one version of a cadence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrollment {
    /// Which enrollment.
    pub id: EnrollmentId,
    /// Whose.
    pub lead: LeadId,
    /// Through what.
    pub cadence: CadenceId,
    /// When it began.
    pub enrolled_at: DateTime<Utc>,
    /// Where it stands.
    pub progress: Progress,
    /// Who is delivering right now. Written and cleared apart from `progress`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub claim: Option<Claim>,
}

/// Where an enrollment stands. Replaced as a whole, on condition of the generation it was decided on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The pinned version of the cadence.
    pub version: u32,
    /// Whether it goes on.
    pub state: State,
    /// Grows with every change of progress, and by that retires timers and messages of earlier ones.
    pub generation: u64,
    /// The one thing that is due next; `None` once it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<Next>,
    /// The highest round that each step has reached.
    #[serde(default)]
    pub rounds: BTreeMap<StepId, u32>,
    /// True until the first text or AI call of a lead that arrived too old for an instant one; that touch becomes a task.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub stale: bool,
}

/// Whether an enrollment goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// It runs.
    Active,
    /// It rests where it is.
    Parked {
        /// Why.
        why: Park,
    },
    /// It is over.
    Ended {
        /// Why.
        why: End,
    },
}

/// Why an enrollment rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Park {
    /// Its cadence is paused; released when that is live again.
    CadencePaused,
    /// Nobody is licensed in the lead's state; released when somebody is.
    NoLicensedOwner,
    /// An outcome asked for a pause; a person resumes it.
    Outcome,
}

/// Why an enrollment is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The last step is done.
    Completed,
    /// An outcome ended it.
    Outcome(Outcome),
    /// An outcome moved the lead to another cadence.
    Switched(CadenceId),
    /// Its cadence was archived.
    Archived,
}

/// What is due next, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// What to do then.
    pub act: Act,
    /// With which step.
    pub step: StepId,
    /// Which round of it.
    pub round: u32,
    /// Which try of that round; grows only after a try that was certainly not sent.
    #[serde(rename = "try")]
    pub try_number: u32,
    /// When; whole seconds.
    pub due_at: DateTime<Utc>,
    /// The step's own due instant, from which the next step's wait counts.
    pub step_due_at: DateTime<Utc>,
    /// Whose queue it goes on.
    pub channel: Channel,
}

/// What a due instant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Run the step.
    Run,
    /// Stop waiting for the step's outcome.
    ExpireHold,
}

/// One invocation's exclusive right to deliver one try of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The invocation that holds it.
    pub id: ClaimId,
    /// The step.
    pub step: StepId,
    /// The round.
    pub round: u32,
    /// The try.
    #[serde(rename = "try")]
    pub try_number: u32,
    /// When it was taken.
    pub claimed_at: DateTime<Utc>,
    /// Until when nobody else may settle it.
    pub lease_until: DateTime<Utc>,
    /// The step's own due instant at the time.
    pub step_due_at: DateTime<Utc>,
    /// The generation that it was taken on: settling moves the enrollment only if that is still the one.
    pub generation: u64,
    /// What it is for.
    pub effect: Effect,
}

/// What a claim is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the effects")]
pub enum Effect {
    Sms,
    Email,
    AiCall,
    Task,
}

/// How long a claim is its holder's: longer than a function can run (60 s).
pub const LEASE: TimeDelta = TimeDelta::seconds(90);

impl Enrollment {
    /// The enrollment on the newest version, where that is for everyone: between steps, and if what is due still exists in it.
    pub fn repinned(mut self, current: &Cadence, version: u32) -> Self {
        let is_between_steps = self.claim.is_none() && self.is_active();
        let next = self.progress.next.as_ref();
        let still_exists = next.is_some_and(|next| current.step(&next.step).is_some());
        if current.apply_to == ApplyTo::Everyone && is_between_steps && still_exists {
            self.progress.version = version;
        }
        self
    }

    /// The step key that is due next.
    pub fn next_key(&self) -> Option<StepKey> {
        self.progress.next.as_ref().map(|next| self.key(&next.step, next.round))
    }

    /// The key of a round of a step.
    pub fn key(&self, step: &StepId, round: u32) -> StepKey {
        StepKey { enrollment: self.id.clone(), step: step.clone(), round }
    }

    /// Whether it may still do something.
    pub fn is_active(&self) -> bool {
        self.progress.state == State::Active
    }

    /// Whether it is over.
    pub fn has_ended(&self) -> bool {
        matches!(self.progress.state, State::Ended { .. })
    }

    /// The claim, while its holder may still be at work.
    pub fn live_claim(&self, now: DateTime<Utc>) -> Option<&Claim> {
        self.claim.as_ref().filter(|claim| claim.lease_until > now)
    }

    /// What a timer or queue message for what is due next says.
    pub fn step_due(&self) -> StepDue {
        StepDue { lead: self.lead.clone(), enrollment: self.id.clone(), generation: self.progress.generation }
    }
}

/// A timer's input and a queue message's body: ids only, so that neither can carry stale or personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDue {
    /// The lead.
    pub lead: LeadId,
    /// The enrollment.
    pub enrollment: EnrollmentId,
    /// The generation that it was made for.
    pub generation: u64,
}

impl StepDue {
    /// The timer's name: deterministic, so that making it twice makes one.
    pub fn timer_name(&self) -> String {
        format!("{}-{}", self.enrollment, self.generation)
    }
}
