//! Print: a record in the form in which ops edit it, the inverse of parse. What a record may leave out is left out.

mod layout;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use layout::laid_out;

use super::{
    Assign, Cadence, ForLeads, Format, Message, OnOverdue, Record, Reenroll, Settings, Source, Step, Target, User,
    Wanted, cadence::ChannelHours, message::Copy, settings::Caps,
};
use crate::{Outcome, time::Wait};

/// The record as the item that ops edit, its keys included.
pub fn print(record: &Record) -> Value {
    let mut item = Item::default();
    item.put("pk", record.pk());
    item.put("sk", "CURRENT");
    match record {
        Record::Cadence(cadence) => print_cadence(&mut item, cadence),
        Record::Message(message) => print_message(&mut item, message),
        Record::User(user) => print_user(&mut item, user),
        Record::Source(source) => print_source(&mut item, source),
        Record::Settings(settings) => print_settings(&mut item, settings),
    }
    item.into()
}

/// A map that is being written.
#[derive(Default)]
struct Item(Map<String, Value>);

impl Item {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Writes what is stored as it is edited: a word or a number, which always turn into JSON.
    fn put_word(&mut self, name: &str, word: &impl Serialize) {
        self.put(name, serde_json::to_value(word).unwrap_or_default());
    }

    /// Writes a word or number that isn't what is meant if there is none.
    fn put_unless<T: Serialize + PartialEq>(&mut self, name: &str, word: &T, default: &T) {
        if word != default {
            self.put_word(name, word);
        }
    }

    fn put_some<T: Into<Value>>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn put_filled(&mut self, name: &str, item: Self) {
        if !item.0.is_empty() {
            self.put(name, item);
        }
    }

    fn put_list<T: ToString>(&mut self, name: &str, list: &[T]) {
        if !list.is_empty() {
            self.put(name, list.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
    }
}

impl From<Item> for Value {
    fn from(item: Item) -> Self {
        Self::Object(item.0)
    }
}

fn print_cadence(item: &mut Item, cadence: &Cadence) {
    item.put("name", cadence.name.as_str());
    item.put_unless("status", &cadence.status, &Default::default());
    item.put_filled("for_leads", for_leads(&cadence.for_leads));
    item.put_unless("priority", &cadence.priority, &0);
    if cadence.reenroll != Reenroll::default() {
        match &cadence.reenroll {
            Reenroll::Never => item.put("reenroll", "never"),
            Reenroll::After(wait) => item.put("reenroll", wait.to_string()),
        }
    }
    item.put_list("takes_over", &cadence.takes_over);
    item.put_unless("apply_to", &cadence.apply_to, &Default::default());
    item.put_filled("hours", hours(&cadence.hours));
    item.put_some("skip_holidays", cadence.skip_holidays);
    item.put_filled("anytime", targets(&cadence.anytime));
    item.put("steps", cadence.steps.iter().map(|each| step(each).into()).collect::<Vec<Value>>());
}

fn for_leads(for_leads: &ForLeads) -> Item {
    let mut item = Item::default();
    item.put_list("source", &for_leads.source);
    item.put_list("state", &for_leads.state);
    item.put_list("purpose", &for_leads.purpose);
    let mut attributes = Item::default();
    for (name, wanted) in &for_leads.attributes {
        attributes.put(
            name,
            match wanted {
                Wanted::OneOf(values) => match values.as_slice() {
                    [one] => one.clone(),
                    values => values.into(),
                },
                Wanted::Between { at_least, at_most } => {
                    let mut bounds = Item::default();
                    bounds.put_some("at_least", at_least.clone().map(Value::Number));
                    bounds.put_some("at_most", at_most.clone().map(Value::Number));
                    bounds.into()
                }
            },
        );
    }
    item.put_filled("attributes", attributes);
    item.put_unless("hold_out", &for_leads.hold_out, &0);
    item
}

fn hours(hours: &ChannelHours) -> Item {
    let mut item = Item::default();
    for (name, hours) in [("call", &hours.call), ("sms", &hours.sms), ("email", &hours.email)] {
        item.put_some(name, hours.as_ref().map(ToString::to_string));
    }
    item
}

fn step(step: &Step) -> Item {
    let wait = |wait: &Option<Wait>| wait.as_ref().map(ToString::to_string);
    let mut item = Item::default();
    item.put("id", step.id.as_str());
    item.put("do", step.action.as_str());
    item.put("wait", step.wait.to_string());
    if let Some(says) = &step.message {
        item.put_word("message", says);
    }
    item.put_some("agent", step.agent.as_deref());
    if step.assign != Assign::LoanOfficer {
        item.put("assign", assign(&step.assign));
    }
    item.put_some("due", wait(&step.due));
    item.put_some("hold", wait(&step.hold));
    item.put_unless("attempts", &step.attempts, &1);
    item.put_some("every", wait(&step.every));
    item.put_filled("on", targets(&step.on));
    match &step.on_overdue {
        Some(OnOverdue::Go(to)) => item.put("on_overdue", target(to)),
        Some(OnOverdue::Assign(other)) => item.put("on_overdue", json!({"assign": assign(other)})),
        None => {}
    }
    item
}

fn assign(assign: &Assign) -> Value {
    match assign {
        Assign::LoanOfficer => "loan_officer".into(),
        Assign::User(user) => user.as_str().into(),
        Assign::RoundRobin(group) => json!({"round_robin": group}),
    }
}

fn targets(targets: &BTreeMap<Outcome, Target>) -> Item {
    let mut item = Item::default();
    for (outcome, to) in targets {
        item.put(outcome.as_str(), target(to));
    }
    item
}

fn target(target: &Target) -> Value {
    match target {
        Target::Next => "next".into(),
        Target::End => "end".into(),
        Target::Pause => "pause".into(),
        Target::Step(id) => id.as_str().into(),
        Target::Cadence(id) => json!({"cadence": id}),
    }
}

fn print_message(item: &mut Item, message: &Message) {
    match &message.copy {
        Copy::Text(text) => item.put("text", text.as_str()),
        Copy::Email { subject, body } => {
            item.put("subject", subject.as_str());
            item.put("body", body.as_str());
        }
    }
}

fn print_user(item: &mut Item, user: &User) {
    item.put("first_name", user.first_name.as_str());
    item.put("last_name", user.last_name.as_str());
    item.put("email", user.email.as_str());
    item.put("phone", user.phone.as_str());
    item.put_some("sms_number", user.sms_number.as_deref());
    item.put_some("nmls_id", user.nmls_id.as_deref());
    item.put_list("licences", &user.licences);
    item.put_unless("active", &user.active, &true);
    item.put_list("groups", &user.groups);
    item.put_some("time_zone", user.time_zone.as_ref().map(ToString::to_string));
    item.put_some("hours", user.hours.as_ref().map(ToString::to_string));
    if !user.out_of_office.is_empty() {
        item.put_word("out_of_office", &user.out_of_office);
    }
}

fn print_source(item: &mut Item, source: &Source) {
    match &source.format {
        Format::Zillow | Format::Gizmo | Format::Plain => item.put_word("format", &source.format),
        Format::Mapped(mapping) => {
            item.put("format", "mapped");
            let mut fields = Item::default();
            for (name, path) in mapping {
                fields.put_word(name, path);
            }
            item.put("fields", fields);
        }
    }
    if source.secret != source.id.as_str() {
        item.put("secret", source.secret.as_str());
    }
    let consent = &source.consent;
    let mut stated = Item::default();
    for (name, consent) in [("call", consent.call), ("sms", consent.sms), ("email", consent.email)] {
        stated.put_unless(name, &consent, &Default::default());
    }
    stated.put_unless("proof", &consent.proof, &String::new());
    item.put_filled("consent", stated);
}

fn print_settings(item: &mut Item, settings: &Settings) {
    item.put("company", settings.company.as_str());
    item.put("postal_address", settings.postal_address.as_str());
    item.put("notices_from", settings.notices_from.as_str());
    item.put("unsubscribe_url", settings.unsubscribe_url.as_str());
    item.put_list("holidays", &settings.holidays);
    let (own, floor) = (settings.caps, Caps::FLOOR);
    let mut caps = Item::default();
    for (name, own, floor) in [
        ("contacts_per_day", own.contacts_per_day, floor.contacts_per_day),
        ("contacts_per_week", own.contacts_per_week, floor.contacts_per_week),
        ("ai_calls_per_day", own.ai_calls_per_day, floor.ai_calls_per_day),
        ("sms_per_day", own.sms_per_day, floor.sms_per_day),
        ("emails_per_day", own.emails_per_day, floor.emails_per_day),
    ] {
        caps.put_unless(name, &own, &floor);
    }
    item.put_filled("caps", caps);
    if !settings.snippets.is_empty() {
        item.put_word("snippets", &settings.snippets);
    }
}
