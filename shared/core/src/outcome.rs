//! What came of a step.

use serde::{Deserialize, Serialize};

use crate::{Channel, Do, lead::OptOut};

/// What happened, as `on` and `anytime` name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each outcome is the word that ops write, and means what it says")]
pub enum Outcome {
    Delivered,
    Bounced,
    Replied,
    Connected,
    NoAnswer,
    Voicemail,
    Busy,
    BadNumber,
    Transferred,
    AppointmentSet,
    AppointmentCancelled,
    CalledBack,
    Declined,
    OptedOut,
    Unsubscribed,
    Complained,
    Expired,
    Skipped,
    Failed,
    Unknown,
}

impl Outcome {
    /// Every outcome, the weakest first: of two reports on one step, the later in this list is kept,
    /// so that reports may arrive twice and in any order.
    pub const BY_STRENGTH: [Self; 20] = [
        Self::Unknown,
        Self::Skipped,
        Self::Expired,
        Self::Failed,
        Self::Delivered,
        Self::NoAnswer,
        Self::Busy,
        Self::Voicemail,
        Self::BadNumber,
        Self::Bounced,
        Self::AppointmentCancelled,
        Self::Connected,
        Self::Replied,
        Self::CalledBack,
        Self::Transferred,
        Self::AppointmentSet,
        Self::Declined,
        Self::Unsubscribed,
        Self::Complained,
        Self::OptedOut,
    ];

    /// The one of two reports on the same step that stands.
    pub fn merge(self, other: Self) -> Self {
        let rank = |outcome| Self::BY_STRENGTH.iter().position(|o| *o == outcome);
        if rank(other) > rank(self) { other } else { self }
    }

    /// True for the outcomes that `attempts` redials after.
    pub fn invites_redial(self) -> bool {
        matches!(self, Self::NoAnswer | Self::Voicemail | Self::Busy)
    }

    /// What the lead closes with it, whatever a record says.
    pub fn closes(self) -> Option<OptOut> {
        if self == Self::OptedOut {
            return Some(OptOut::Phone);
        }
        matches!(self, Self::Unsubscribed | Self::Complained).then_some(OptOut::Email)
    }

    /// True where the lead did something that a person has to take up, so that it is not dropped in silence.
    pub fn wants_person(self) -> bool {
        matches!(self, Self::Replied | Self::AppointmentSet | Self::CalledBack)
    }

    /// True where it takes the lead's own doing, and so can't come about by itself again and again.
    pub fn is_leads_doing(self) -> bool {
        match self {
            Self::Replied
            | Self::Connected
            | Self::Transferred
            | Self::AppointmentSet
            | Self::AppointmentCancelled
            | Self::CalledBack
            | Self::Declined
            | Self::OptedOut
            | Self::Unsubscribed
            | Self::Complained => true,
            Self::Delivered
            | Self::Bounced
            | Self::NoAnswer
            | Self::Voicemail
            | Self::Busy
            | Self::BadNumber
            | Self::Expired
            | Self::Skipped
            | Self::Failed
            | Self::Unknown => false,
        }
    }

    /// True where a step of that kind can end so: any may come to be a user's task. `expired` takes a hold besides.
    pub fn can_end(self, action: Do) -> bool {
        let channel = action.channel();
        match self {
            Self::Skipped | Self::Failed | Self::Expired | Self::OptedOut => true,
            // A lead books, cancels and calls back on their own account, whatever reached them last.
            Self::AppointmentSet | Self::AppointmentCancelled | Self::CalledBack => true,
            // A user's task is written or is not; only of what a vendor was handed nobody may know.
            Self::Unknown => !action.is_users(),
            Self::Delivered | Self::Replied => channel != Channel::Call,
            Self::Bounced | Self::Unsubscribed | Self::Complained => channel == Channel::Email,
            Self::NoAnswer | Self::Voicemail | Self::Busy | Self::BadNumber | Self::Connected | Self::Declined => {
                channel == Channel::Call
            }
            Self::Transferred => action == Do::AiDial,
        }
    }

    /// The outcome as a sentence about a lead says it.
    pub(crate) fn in_words(self) -> String {
        self.as_str().replace('_', " ")
    }

    /// The word in records and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Replied => "replied",
            Self::Connected => "connected",
            Self::NoAnswer => "no_answer",
            Self::Voicemail => "voicemail",
            Self::Busy => "busy",
            Self::BadNumber => "bad_number",
            Self::Transferred => "transferred",
            Self::AppointmentSet => "appointment_set",
            Self::AppointmentCancelled => "appointment_cancelled",
            Self::CalledBack => "called_back",
            Self::Declined => "declined",
            Self::OptedOut => "opted_out",
            Self::Unsubscribed => "unsubscribed",
            Self::Complained => "complained",
            Self::Expired => "expired",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_two_outcomes_is_commutative_idempotent_and_associative() {
        let all = Outcome::BY_STRENGTH;
        for a in all {
            assert_eq!(a.merge(a), a);
            for b in all {
                assert_eq!(a.merge(b), b.merge(a));
                for c in all {
                    assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
                }
            }
        }
    }

    #[test]
    fn a_step_can_end_in_whatever_is_reported_of_it() {
        for action in Do::ALL {
            for outcome in crate::task::TaskKind::of(action).outcomes() {
                assert!(outcome.can_end(action), "{action:?} in {outcome:?}");
            }
        }
        for outcome in ["no_answer", "busy", "voicemail", "transferred", "connected", "failed", "unknown", "opted_out"]
        {
            let outcome: Outcome = serde_json::from_value(outcome.into()).unwrap();
            assert!(outcome.can_end(Do::AiDial), "{outcome:?}");
        }
        for (outcome, action) in [
            (Outcome::Voicemail, Do::CannedSms),
            (Outcome::Delivered, Do::Dial),
            (Outcome::Bounced, Do::CannedSms),
            (Outcome::Transferred, Do::Dial),
            (Outcome::Unknown, Do::CustomEmail),
        ] {
            assert!(!outcome.can_end(action), "{action:?} in {outcome:?}");
        }
    }

    #[test]
    fn every_outcome_has_a_strength_of_its_own_and_prints_as_it_is_written() {
        for outcome in Outcome::BY_STRENGTH {
            assert_eq!(Outcome::BY_STRENGTH.iter().filter(|o| **o == outcome).count(), 1);
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
    }
}
