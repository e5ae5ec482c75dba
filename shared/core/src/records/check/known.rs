//! The published records that the checked one may refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    CadenceId, MessageId, SourceId, UserId,
    records::{Assign, Cadence, Message, Record, Source, Target, message::Copy},
};

/// The published records that a check looks references up in.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What each message says.
    pub messages: BTreeMap<MessageId, Copy>,
    /// The cadences.
    pub cadences: BTreeSet<CadenceId>,
    /// The users.
    pub users: BTreeSet<UserId>,
    /// The sources.
    pub sources: BTreeSet<SourceId>,
    /// The attributes that leads of those sources are known to come with.
    pub attributes: BTreeSet<String>,
    /// The company's name, if the settings are published.
    pub company: Option<String>,
}

impl Known {
    /// Adds a published record, as JSON, of that kind: `MESSAGE`, `CADENCE`, `USER`, `SOURCE` or `SETTINGS`.
    pub fn add(&mut self, kind: &str, record: &Value) {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        match (kind, text("id"), text("company")) {
            ("MESSAGE", ..) => {
                if let Ok(message) = serde_json::from_value::<Message>(record.clone()) {
                    self.messages.insert(message.id, message.copy);
                }
            }
            ("CADENCE", Some(id), _) => {
                self.cadences.insert(id.into());
            }
            ("USER", Some(id), _) => {
                self.users.insert(id.into());
            }
            ("SOURCE", Some(id), _) => {
                self.sources.insert(id.into());
                if let Ok(source) = serde_json::from_value::<Source>(record.clone()) {
                    self.attributes.extend(source.attributes().map(str::to_owned));
                }
            }
            ("SETTINGS", _, Some(company)) => self.company = Some(company.to_owned()),
            _ => {}
        }
    }
}

/// The kinds of record whose check may look at one of that kind.
pub fn dependents_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "SETTINGS" => &["MESSAGE", "CADENCE"],
        "MESSAGE" | "USER" | "SOURCE" | "CADENCE" => &["CADENCE"],
        _ => &[],
    }
}

impl Record {
    /// The kinds of record that this one's check looks at.
    pub fn refers_to(&self) -> Vec<&'static str> {
        match self {
            Self::Cadence(cadence) => cadence_refers_to(cadence),
            Self::Message(_) => vec!["SETTINGS"],
            Self::User(_) | Self::Source(_) | Self::Settings(_) => Vec::new(),
        }
    }
}

fn cadence_refers_to(cadence: &Cadence) -> Vec<&'static str> {
    let has_message = cadence.steps.iter().any(|step| step.message.is_some());
    let has_user = cadence.steps.iter().any(|step| matches!(step.assign, Assign::User(_)));
    let mut targets = cadence.steps.iter().flat_map(|step| step.on.values()).chain(cadence.anytime.values());
    let has_cadence = !cadence.takes_over.is_empty() || targets.any(|target| matches!(target, Target::Cadence(_)));
    let has_source = !cadence.for_leads.source.is_empty() || !cadence.for_leads.attributes.is_empty();
    let refers = [
        ("MESSAGE", has_message),
        ("SETTINGS", has_message),
        ("CADENCE", has_cadence),
        ("USER", has_user),
        ("SOURCE", has_source),
    ];
    refers.into_iter().filter(|(_, does)| *does).map(|(kind, _)| kind).collect()
}
