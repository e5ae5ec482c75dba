//! What is handed to a vendor, and how that ended.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{LeadId, StepKey};

/// A text, ready to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Sms {
    /// The step it is for: the vendor's idempotency token, tag or metadata, where it has one.
    pub key: StepKey,
    /// Origination number, E.164.
    pub from: String,
    /// E.164.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// An email, ready to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    /// The step it is for, sent as a tag.
    pub key: StepKey,
    /// The lead it is for, sent as a tag.
    pub lead: LeadId,
    /// `Riley Example <riley@example.com>`.
    pub from: String,
    /// An address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Where one POST unsubscribes (RFC 8058); `None` for notices to users.
    pub unsubscribe_url: Option<String>,
}

/// An AI call, ready to place.
#[derive(Clone, PartialEq, Eq)]
pub struct AiCall {
    /// The step it is for, sent as metadata and echoed by the vendor's reports.
    pub key: StepKey,
    /// The lead, sent as metadata.
    pub lead: LeadId,
    /// The lead's number, E.164.
    pub to: String,
    /// The lead's first name.
    pub customer_name: String,
    /// The agent that calls, as the cadence names it.
    pub agent: String,
    /// Where a live lead is transferred to, E.164.
    pub transfer_to: String,
    /// What the agent knows of the lead, by name.
    pub variables: std::collections::BTreeMap<String, String>,
}

/// How one try to deliver ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Delivery {
    /// The vendor took it.
    Accepted {
        /// The vendor's id of it; `dry-run` where nothing was sent.
        vendor_id: String,
    },
    /// The vendor refused it for good; nothing was sent.
    Rejected {
        /// The vendor's words, without addresses.
        reason: String,
    },
    /// It was certainly not sent, and may be tried again.
    Later {
        /// Why.
        reason: String,
    },
    /// It may have been sent.
    Unknown {
        /// What is known.
        reason: String,
    },
}

/// Whether vendors are really asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendMode {
    /// Everything but the sending; a fresh deployment starts so.
    DryRun,
    /// Sends.
    Live,
}

/// A vendor's report that something came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The lead.
    pub lead: LeadId,
    /// The step.
    pub key: StepKey,
    /// What came of it.
    pub outcome: crate::Outcome,
    /// What was said, for the timeline and the owner; without contact data.
    pub note: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

macro_rules! masked {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("key", &self.key).finish_non_exhaustive()
            }
        }
    )*};
}
masked!(Sms, Email, AiCall);
