//! What holds for the whole company.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Holidays;

/// The published settings; there is one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The name that messages carry.
    pub company: String,
    /// The postal address that emails carry.
    pub postal_address: String,
    /// The address that notices to users come from.
    pub notices_from: String,
    /// Where an unsubscribe link leads: an https URL; the step key and a signature are appended.
    pub unsubscribe_url: String,
    /// Days on which nothing is sent, `2026-12-24`, besides the federal holidays.
    pub holidays: Vec<String>,
    /// The caps per person over all cadences.
    pub caps: Caps,
    /// Texts that messages use by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub snippets: BTreeMap<String, String>,
}

impl Settings {
    /// The federal holidays and the company's own.
    pub fn holidays(&self) -> Holidays {
        Holidays::federal_and(&self.holidays)
    }
}

/// Caps per person, over all cadences; a record can only narrow them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Calls and texts in any 24 hours.
    pub contacts_per_day: u32,
    /// Calls and texts in any 7 days.
    pub contacts_per_week: u32,
    /// Of the day's contacts, AI calls.
    pub ai_calls_per_day: u32,
    /// Of the day's contacts, texts.
    pub sms_per_day: u32,
    /// Emails in any 24 hours.
    pub emails_per_day: u32,
}

impl Caps {
    /// The floor, and what holds where the record is silent.
    pub const FLOOR: Self =
        Self { contacts_per_day: 3, contacts_per_week: 8, ai_calls_per_day: 1, sms_per_day: 2, emails_per_day: 1 };
}
