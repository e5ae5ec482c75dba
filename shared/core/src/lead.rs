//! A lead: one person who asked to be contacted.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{Channel, ClaimId, LeadId, SourceId, UserId, time::Zones};

/// What plan, gate and claim need of a lead. Changes at each claim, so it stays small; all else is in [`Facts`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// Which lead.
    pub id: LeadId,
    /// Grows with every write that a gate's decision rests on; a claim holds only for the one it read.
    pub revision: u64,
    /// E.164.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phone: Option<String>,
    /// Lower-case.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
    /// The keyed hash of the phone number, under which it is stored and, once closed, stays closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phone_hash: Option<String>,
    /// The keyed hash of the email address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email_hash: Option<String>,
    /// USPS code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
    /// Every zone the lead may be in; `None` where nothing tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zones: Option<Zones>,
    /// The loan officer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<UserId>,
    /// What the lead agreed to; the proof is in [`Facts`].
    pub consent: ChannelConsent,
    /// What the lead closed, and when.
    #[serde(default)]
    pub opt_outs: BTreeMap<OptOut, DateTime<Utc>>,
    /// What caps count: the touches of the last 7 days, by the claim that made each.
    #[serde(default)]
    pub touches: BTreeMap<ClaimId, Touch>,
}

/// What the lead agreed to, channel by channel. `call` is the artificial voice's; a person may always dial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the channels")]
pub struct ChannelConsent {
    pub call: Consent,
    pub sms: Consent,
    pub email: Consent,
}

/// How far a person agreed to be contacted on a channel, weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Taken back.
    Revoked,
    /// Never given.
    #[default]
    None,
    /// Given.
    Express,
    /// Given in writing, which texts and artificial voices need.
    ExpressWritten,
}

/// What a person closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOut {
    /// Texts, AI calls and dial tasks: STOP.
    Phone,
    /// Emails: unsubscribe.
    Email,
}

/// One contact that caps count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// When it was claimed.
    pub at: DateTime<Utc>,
    /// What it was.
    pub kind: TouchKind,
}

/// The kinds of contact that caps tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the kinds")]
pub enum TouchKind {
    Dial,
    AiCall,
    Sms,
    Email,
}

/// How long a touch counts: the longest cap's span.
pub const TOUCH_COUNTS_FOR: TimeDelta = TimeDelta::days(7);

/// All that a vendor told about a lead, for messages and for people. Never decides whether something is sent.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Who sent the lead.
    pub source: SourceId,
    /// The words the lead agreed to, where they come from, and when.
    pub consent_proof: Proof,
    /// City, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub city: Option<String>,
    /// ZIP code, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zip: Option<String>,
    /// `purchase`, `refinance`, ...
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purpose: Option<String>,
    /// Everything else that the vendor sent, by snake_case name: `loan_amount`.
    #[serde(default)]
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// The words a lead agreed to, from where, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The words.
    pub text: String,
    /// `lead` where the lead's own fields say so, else `source:<id>`.
    pub source: String,
    /// When the vendor took the lead.
    pub at: DateTime<Utc>,
}

impl Lead {
    /// Whether the lead closed that channel.
    pub fn opted_out(&self, channel: Channel) -> bool {
        let closed = match channel {
            Channel::Call | Channel::Sms => OptOut::Phone,
            Channel::Email => OptOut::Email,
        };
        self.opt_outs.contains_key(&closed)
    }
}

impl Facts {
    /// First and last name, or what stands in for them.
    pub fn full_name(&self) -> String {
        match (self.first_name.as_str(), self.last_name.as_str()) {
            ("", "") => "the lead".to_owned(),
            (first, last) => format!("{first} {last}").trim().to_owned(),
        }
    }
}

impl std::fmt::Debug for Lead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lead").field("id", &self.id).field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{facts, lead, touched, tuesday};

    #[test]
    fn a_stop_closes_calls_and_texts_and_an_unsubscribe_closes_emails() {
        for (closed, channels) in [
            (vec![], vec![]),
            (vec![OptOut::Phone], vec![Channel::Call, Channel::Sms]),
            (vec![OptOut::Email], vec![Channel::Email]),
            (vec![OptOut::Phone, OptOut::Email], Channel::ALL.to_vec()),
        ] {
            let opt_outs = closed.iter().map(|what| (*what, tuesday())).collect();
            let lead = Lead { opt_outs, ..lead() };
            let found: Vec<Channel> = Channel::ALL.into_iter().filter(|channel| lead.opted_out(*channel)).collect();
            assert_eq!(found, channels, "{closed:?}");
        }
    }

    #[test]
    fn a_lead_reads_back_as_it_is_stored_and_stays_small() {
        let eight: Vec<_> = (0..8).map(|_| (TouchKind::AiCall, tuesday())).collect();
        let mut lead = touched(&eight);
        lead.opt_outs.insert(OptOut::Email, tuesday());
        let stored = serde_json::to_string(&lead).unwrap();
        assert_eq!(serde_json::from_str::<Lead>(&stored).unwrap(), lead);
        // As many touches as caps allow in a week: DynamoDB's write unit is 1 KB.
        assert!(stored.len() < 1024, "{} bytes", stored.len());
    }

    #[test]
    fn consent_grows_from_taken_back_to_given_in_writing_and_is_none_unless_given() {
        assert!([Consent::Revoked, Consent::None, Consent::Express, Consent::ExpressWritten].is_sorted());
        assert_eq!(ChannelConsent::default().sms, Consent::None);
    }

    #[test]
    fn a_name_is_what_is_known_of_it() {
        for (first, last, expected) in [
            ("Robin", "Example", "Robin Example"),
            ("Robin", "", "Robin"),
            ("", "Example", "Example"),
            ("", "", "the lead"),
        ] {
            let facts = Facts { first_name: first.to_owned(), last_name: last.to_owned(), ..facts() };
            assert_eq!(facts.full_name(), expected);
        }
    }
}
