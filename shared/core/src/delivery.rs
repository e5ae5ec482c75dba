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
#[derive(Clone, PartialEq, Eq)]
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

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report").field("key", &self.key).field("outcome", &self.outcome).finish_non_exhaustive()
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        arrival::Webhook,
        fixtures::{World, accepted, facts, lead, reference, tuesday},
        sources::Inbound,
    };

    #[test]
    fn an_answer_reads_back_as_it_is_stored() {
        for (delivery, stored) in [
            (Delivery::Accepted { vendor_id: "1".to_owned() }, json!({"how": "accepted", "vendor_id": "1"})),
            (Delivery::Rejected { reason: "no".to_owned() }, json!({"how": "rejected", "reason": "no"})),
            (Delivery::Later { reason: "busy".to_owned() }, json!({"how": "later", "reason": "busy"})),
            (Delivery::Unknown { reason: "?".to_owned() }, json!({"how": "unknown", "reason": "?"})),
        ] {
            assert_eq!(serde_json::to_value(&delivery).unwrap(), stored);
            assert_eq!(serde_json::from_value::<Delivery>(stored).unwrap(), delivery);
        }
        assert_eq!(serde_json::to_value(SendMode::DryRun).unwrap(), "dry_run");
    }

    #[test]
    fn nothing_that_is_logged_tells_who_a_lead_is_or_what_was_said() {
        let mut world = World::new(reference(), tuesday());
        let mut told = vec![format!("{:?} {:?}", lead(), facts())];
        for _ in 0..4 {
            let now = world.due_at();
            told.push(format!("{:?}", world.plan(now)));
            world.run(accepted(), now);
        }
        told.push(format!("{:?} {:?}", world.context, world.entries));
        told.push(format!("{:?}", world.report("first-call", 1, crate::Outcome::Replied, tuesday())));
        let inbound = Inbound {
            first_name: "Robin".to_owned(),
            phone: Some("+14155550123".to_owned()),
            email: Some("robin@example.com".to_owned()),
            ..Inbound::default()
        };
        told.push(format!("{inbound:?}"));
        for private in [
            "Robin",
            "+14155550140",
            "lo-riley@example.com",
            "+14155550123",
            "robin@example.com",
            "what was said",
            "Oakland",
        ] {
            for told in &told {
                assert!(!told.contains(private), "{private} in {told}");
            }
        }
    }

    #[test]
    fn what_a_webhook_came_to_reads_back_as_it_is_stored() {
        let stored = json!({"lead": "a", "status": "concluded", "at": "2026-12-01T18:00:00Z"});
        let webhook: Webhook = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!((webhook.enrollment.clone(), webhook.expires_at), (None, None));
        assert_eq!(serde_json::to_value(webhook).unwrap(), stored);
    }
}
