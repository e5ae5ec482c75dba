//! The record of one try, and of what came of a step.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ClaimId, LeadId, MessageId, Outcome, StepKey, delivery::Delivery, enrollment::Effect};

/// One try to deliver one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Whose.
    pub lead: LeadId,
    /// Which step.
    pub key: StepKey,
    /// Which try.
    #[serde(rename = "try")]
    pub try_number: u32,
    /// What was tried.
    pub effect: Effect,
    /// With which message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<MessageId>,
    /// The claim it was made under.
    pub claim: ClaimId,
    /// When the vendor's answer was known.
    pub at: DateTime<Utc>,
    /// What the vendor said.
    pub delivery: Delivery,
}

/// What came of a step: one item a step key, merged as reports arrive.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutcome {
    /// Whose.
    pub lead: LeadId,
    /// Which step.
    pub key: StepKey,
    /// The strongest report so far.
    pub outcome: Outcome,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// When it was reported.
    pub at: DateTime<Utc>,
}

impl std::fmt::Debug for StepOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepOutcome").field("key", &self.key).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
