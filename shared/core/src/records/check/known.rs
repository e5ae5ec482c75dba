//! The published records that the checked one is held against.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    CadenceId, MessageId, SourceId, UserId,
    records::{
        Assign, Cadence, Message, OnOverdue, Record, Settings, Source, Step, User,
        problem::{all_of, did_you_mean, quoted},
    },
};

/// The published records that a check looks up.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The messages.
    pub messages: BTreeMap<MessageId, Message>,
    /// The cadences.
    pub cadences: BTreeMap<CadenceId, Cadence>,
    /// The users.
    pub users: BTreeMap<UserId, User>,
    /// The sources.
    pub sources: BTreeMap<SourceId, Source>,
    /// The settings.
    pub settings: Option<Settings>,
    /// The keys of records that are there and never could be published, because of errors of their own.
    pub refused: BTreeSet<String>,
}

/// Why a name stands for nothing.
pub(super) struct Absent {
    /// What is wrong, without a stop.
    pub(super) what: String,
    /// What to do about it.
    pub(super) remedy: String,
}

impl Known {
    /// Adds a published record, as it is stored, of that kind: `MESSAGE`, `CADENCE`, `USER`, `SOURCE` or `SETTINGS`.
    pub fn add(&mut self, kind: &str, stored: &Value) {
        if let Some(record) = Record::from_stored(kind, stored) {
            self.insert(record);
        }
    }

    /// Adds a record, in place of the one of its id.
    pub fn insert(&mut self, record: Record) {
        match record {
            Record::Message(message) => {
                self.messages.insert(message.id.clone(), message);
            }
            Record::Cadence(cadence) => {
                self.cadences.insert(cadence.id.clone(), cadence);
            }
            Record::User(user) => {
                self.users.insert(user.id.clone(), user);
            }
            Record::Source(source) => {
                self.sources.insert(source.id.clone(), source);
            }
            Record::Settings(settings) => self.settings = Some(settings),
        }
    }

    /// The record of that key.
    pub fn record(&self, pk: &str) -> Option<Record> {
        let (kind, id) = pk.split_once('#')?;
        match kind {
            "MESSAGE" => self.messages.get(&MessageId::new(id)).cloned().map(Record::Message),
            "CADENCE" => self.cadences.get(&CadenceId::new(id)).cloned().map(Record::Cadence),
            "USER" => self.users.get(&UserId::new(id)).cloned().map(Record::User),
            "SOURCE" => self.sources.get(&SourceId::new(id)).cloned().map(Record::Source),
            "SETTINGS" => self.settings.clone().map(Record::Settings),
            _ => None,
        }
    }

    /// The source of that id, in whatever case: that is how leads are matched with it.
    pub fn source(&self, id: &str) -> Option<&Source> {
        self.sources.values().find(|source| source.id.as_str().eq_ignore_ascii_case(id))
    }

    /// Why that id stands for no published record of its kind. The checked record's own id is not what was meant; `otherwise` is what to do
    /// about a name that is like none.
    pub(super) fn absent(&self, kind: &str, id: &str, own: &str, otherwise: &str) -> Absent {
        let (noun, name, pk) = (kind.to_lowercase(), quoted(id), format!("{kind}#{id}"));
        if self.refused.contains(&pk) {
            let what = format!("The record of the {noun} {name} has errors of its own");
            return Absent { what, remedy: format!("Mend {pk} first: what is wrong is said there.") };
        }
        let ids = self.ids(kind).into_iter().chain(self.refused_of(kind)).filter(|known| *known != own);
        Absent { what: format!("There is no {noun} {name}"), remedy: did_you_mean(id, ids, otherwise) }
    }

    /// What to do first where a record of that kind that has errors of its own may be what is missing.
    pub(super) fn mend_first(&self, kind: &str) -> Option<String> {
        let keys: Vec<String> = self.refused_of(kind).map(|id| format!("{kind}#{id}")).collect();
        let keys = keys.iter().map(String::as_str);
        (keys.len() > 0).then(|| format!("Mend {} first: it may be what is missing.", all_of(keys)))
    }

    fn ids(&self, kind: &str) -> Vec<&str> {
        match kind {
            "MESSAGE" => self.messages.keys().map(|id| id.as_str()).collect(),
            "CADENCE" => self.cadences.keys().map(|id| id.as_str()).collect(),
            "USER" => self.users.keys().map(|id| id.as_str()).collect(),
            "SOURCE" => self.sources.keys().map(|id| id.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    fn refused_of(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.refused.iter().filter_map(move |pk| pk.strip_prefix(kind)?.strip_prefix('#'))
    }
}

/// The kinds of record whose check may look at one of that kind.
pub fn dependents_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "SETTINGS" => &["MESSAGE", "CADENCE"],
        "USER" => &["CADENCE", "USER"],
        "CADENCE" => &["CADENCE", "MESSAGE"],
        "MESSAGE" => &["CADENCE", "SETTINGS"],
        "SOURCE" => &["CADENCE", "SOURCE"],
        _ => &[],
    }
}

impl Record {
    /// The keys of the records that this one names and that can be deleted.
    pub fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Cadence(cadence) => cadence_names(cadence).collect(),
            Self::User(user) => {
                let stand_ins = user.out_of_office.iter().filter_map(|absence| absence.stand_in.as_ref());
                stand_ins.map(|id| format!("USER#{id}")).collect()
            }
            Self::Message(_) | Self::Source(_) | Self::Settings(_) => BTreeSet::new(),
        }
    }

    /// The kinds of record that this one's check looks at.
    pub fn refers_to(&self) -> Vec<&'static str> {
        match self {
            Self::Cadence(cadence) => cadence_refers_to(cadence),
            Self::Message(_) => vec!["CADENCE", "SETTINGS"],
            Self::User(user) if !user.out_of_office.is_empty() || !user.active => vec!["USER"],
            Self::Settings(_) => vec!["MESSAGE"],
            Self::Source(_) => vec!["SOURCE"],
            Self::User(_) => Vec::new(),
        }
    }
}

fn cadence_names(cadence: &Cadence) -> impl Iterator<Item = String> {
    let messages = cadence.steps.iter().flat_map(Step::messages).map(|id| format!("MESSAGE#{id}"));
    let cadences = cadence.targets().chain(&cadence.takes_over).map(|id| format!("CADENCE#{id}"));
    let asked = cadence.steps.iter().flat_map(|step| match &step.on_overdue {
        Some(OnOverdue::Assign(then)) => vec![&step.assign, then],
        Some(OnOverdue::Go(_)) | None => vec![&step.assign],
    });
    let users = asked.filter_map(|assign| match assign {
        Assign::User(id) => Some(format!("USER#{id}")),
        Assign::LoanOfficer | Assign::RoundRobin(_) => None,
    });
    messages.chain(cadences).chain(users)
}

fn cadence_refers_to(cadence: &Cadence) -> Vec<&'static str> {
    let has_message = cadence.steps.iter().any(|step| step.message.is_some());
    let has_source = !cadence.for_leads.source.is_empty() || !cadence.for_leads.attributes.is_empty();
    let refers = [
        ("MESSAGE", has_message),
        ("SOURCE", has_source),
        // Others may take the leads that it is for; caps, and who may act, hold for every cadence.
        ("CADENCE", true),
        ("SETTINGS", true),
        ("USER", true),
    ];
    refers.into_iter().filter(|(_, does)| *does).map(|(kind, _)| kind).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{fixtures::steps, records::KINDS};

    #[test]
    fn whoever_looks_at_a_kind_is_checked_again_after_it() {
        let cadence = steps(json!([
            {"id": "a", "do": "canned_sms", "wait": "0m", "message": "sms/intro", "on": {"replied": {"cadence": "b"}}}]));
        let mut looks_at_sources = cadence.clone();
        looks_at_sources.for_leads.source = vec!["zillow".to_owned()];
        let user = json!({"first_name": "Riley", "last_name": "Example", "email": "riley@example.com", "phone": "+14155550140",
            "time_zone": "America/Los_Angeles", "out_of_office": {"from": "2026-12-20", "until": "2026-12-24", "stand_in": "lo-morgan"}});
        let settings = json!({"company": "Example Home Loans", "postal_address": "100 Example Street",
            "notices_from": "notices@example.com", "unsubscribe_url": "https://example.com/unsubscribe"});
        let parsed = |pk: &str, content| crate::records::parse_record(pk, &content).unwrap();
        for (kind, record) in [
            ("CADENCE", Record::Cadence(cadence)),
            ("CADENCE", Record::Cadence(looks_at_sources)),
            ("MESSAGE", parsed("MESSAGE#sms/intro", json!({"text": "Hi"}))),
            ("USER", parsed("USER#lo-riley", user)),
            ("SOURCE", parsed("SOURCE#zillow", json!({"format": "zillow"}))),
            ("SETTINGS", parsed("SETTINGS#company", settings)),
        ] {
            let looks_at = record.refers_to();
            assert!(looks_at.iter().all(|kind| KINDS.contains(kind)));
            for other in looks_at {
                assert!(dependents_of(other).contains(&kind), "{kind} looks at {other}");
            }
        }
    }
}
