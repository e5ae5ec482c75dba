//! Parse: the item that ops wrote becomes a typed record, or everything that keeps it from being one is said.

mod cadence;
mod console;
mod enrolling;
mod fields;
mod mapping;
mod message;
mod settings;
mod source;
mod step;
mod user;
mod written;

pub use console::BINARY;
use fields::{Fields, Findings};
pub(super) use fields::{Said, said};
use serde::Deserialize;
use serde_json::Value;
pub(super) use written::{Counted, as_written};

use super::{
    Cadence, Message, Settings, Source, User,
    problem::{Problem, capped, did_you_mean, quoted},
};
use crate::address::{normalize_email, normalize_phone};

/// A record that could be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// `CADENCE#...`
    Cadence(Cadence),
    /// `MESSAGE#...`
    Message(Message),
    /// `USER#...`
    User(User),
    /// `SOURCE#...`
    Source(Source),
    /// `SETTINGS#company`
    Settings(Settings),
}

impl Record {
    /// The key under which ops edit it.
    pub fn pk(&self) -> String {
        match self {
            Self::Cadence(cadence) => format!("CADENCE#{}", cadence.id),
            Self::Message(message) => format!("MESSAGE#{}", message.id),
            Self::User(user) => format!("USER#{}", user.id),
            Self::Source(source) => format!("SOURCE#{}", source.id),
            Self::Settings(_) => "SETTINGS#company".to_owned(),
        }
    }

    /// The record as it is published.
    pub fn to_stored(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::Cadence(cadence) => serde_json::to_value(cadence),
            Self::Message(message) => serde_json::to_value(message),
            Self::User(user) => serde_json::to_value(user),
            Self::Source(source) => serde_json::to_value(source),
            Self::Settings(settings) => serde_json::to_value(settings),
        }
    }

    /// Reads a published record of that kind, the first part of its key; `None` for what was never one.
    pub fn from_stored(kind: &str, stored: &Value) -> Option<Self> {
        match kind {
            "CADENCE" => Cadence::deserialize(stored).ok().map(Self::Cadence),
            "MESSAGE" => Message::deserialize(stored).ok().map(Self::Message),
            "USER" => User::deserialize(stored).ok().map(Self::User),
            "SOURCE" => Source::deserialize(stored).ok().map(Self::Source),
            "SETTINGS" => Settings::deserialize(stored).ok().map(Self::Settings),
            _ => None,
        }
    }
}

/// The kinds of record, each after those that it may refer to, but that a cadence may refer to a cadence.
pub const KINDS: [&str; 5] = ["SETTINGS", "USER", "SOURCE", "MESSAGE", "CADENCE"];

/// What may stand in the ids of a kind besides letters and digits.
fn extra(kind: &str) -> &'static str {
    match kind {
        "CADENCE" | "SOURCE" => "-_",
        "MESSAGE" => "-_/",
        // A user's id is the subject of their token, which is the login provider's to choose.
        "USER" => "-_.@|:+",
        _ => "",
    }
}

/// Longer ids than that nobody types, and keys and links grow with them.
const ID_LENGTH: usize = 100;

/// A version keeps a record twice, as it was written and as it is read, and an item holds 400 KB.
const LONGEST_BYTES: usize = 100_000;

/// Reads the record of that key; `content` is the item without its keys and without what publish wrote back.
pub fn parse_record(pk: &str, content: &Value) -> Result<Record, Vec<Problem>> {
    match read_record(pk, content) {
        (Some(record), problems) if problems.is_empty() => Ok(record),
        (_, problems) => Err(capped(problems)),
    }
}

/// Reads what can be read of a record, and says everything that keeps it from being one. What it has of a record with such problems is
/// good for looking up what its names stand for, and for nothing else.
pub(super) fn read_record(pk: &str, content: &Value) -> (Option<Record>, Vec<Problem>) {
    let (kind, id) = match kind_and_id(pk) {
        Ok(known) => known,
        Err(problem) => return (None, vec![problem]),
    };
    let findings = Findings::default();
    let record = Fields::of("", content, &findings).and_then(|fields| read(kind, id, fields));
    let mut problems = findings.into_problems();
    problems.iter_mut().for_each(|problem| problem.path = as_written(&problem.path, content, Counted::Items));
    let length = content.to_string().len();
    if problems.is_empty() && record.is_none() {
        problems.push(Problem::error("", "The record can't be read.", "Compare it with one that works."));
    } else if problems.is_empty() && length > LONGEST_BYTES {
        let sentence = format!("The record is {} KB long.", length / 1000);
        problems.push(Problem::error("", sentence, format!("Keep it under {} KB.", LONGEST_BYTES / 1000)));
    }
    (record, problems)
}

/// What was asked of a record: each field that it has, or could have where it stands.
#[cfg(test)]
pub(crate) fn asked_of(pk: &str, content: &Value) -> Vec<fields::Asked> {
    let (kind, id) = kind_and_id(pk).unwrap();
    let findings = Findings::default();
    Fields::of("", content, &findings).and_then(|fields| read(kind, id, fields));
    let asked = findings.asked.take();
    assert_eq!(findings.into_problems(), [], "{pk}");
    asked
}

#[cfg(test)]
pub(crate) use fields::Form;

fn read(kind: &str, id: &str, fields: Fields<'_>) -> Option<Record> {
    match kind {
        "CADENCE" => cadence::read(id.into(), fields).map(Record::Cadence),
        "MESSAGE" => message::read(id.into(), fields).map(Record::Message),
        "USER" => user::read(id.into(), fields).map(Record::User),
        "SOURCE" => source::read(id.into(), fields).map(Record::Source),
        _ => settings::read(fields).map(Record::Settings),
    }
}

/// The kind and the id in a record's key.
pub(super) fn kind_and_id(pk: &str) -> Result<(&'static str, &str), Problem> {
    let (written, id) = pk.split_once('#').unwrap_or((pk, ""));
    let Some(kind) = KINDS.into_iter().find(|kind| *kind == written) else {
        let remedy = "Make a new record whose key begins with CADENCE#, MESSAGE#, USER#, SOURCE# or SETTINGS#.";
        let sentence = format!("The key {} names no kind of record.", quoted(pk));
        return Err(Problem::error("pk", sentence, did_you_mean(written, KINDS, remedy)));
    };
    if kind == "SETTINGS" && id != "company" {
        let sentence = format!("There is one settings record, and its key is not {}.", quoted(pk));
        return Err(Problem::error("pk", sentence, "Use the key SETTINGS#company."));
    }
    let extra = extra(kind);
    if id.is_empty() || id.len() > ID_LENGTH || !id.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c)) {
        let sentence = format!("{} is no id for a record.", quoted(id));
        let extra: Vec<String> = extra.chars().map(String::from).collect();
        let extra = extra.join(" ");
        let remedy =
            format!("Make a new record whose id is 1 to {ID_LENGTH} letters, digits and any of {extra} instead.");
        return Err(Problem::error("pk", sentence, remedy));
    }
    Ok((kind, id))
}

/// An id that a record refers to, written as the id or as the whole key.
fn reference<'a>(kind: &str, text: &'a str) -> &'a str {
    text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('#')).unwrap_or(text)
}

/// Reads a phone number as E.164.
fn phone(fields: &Fields<'_>, name: &'static str) -> Option<String> {
    let read = |text: &str| normalize_phone(text).ok_or_else(|| format!("{} is not a phone number", quoted(text)));
    fields.parsed(name, read, "Write it as +14155550123.")
}

/// Reads an email address.
fn email(fields: &Fields<'_>, name: &'static str) -> Option<String> {
    let read = |text: &str| normalize_email(text).ok_or_else(|| format!("{} is not an email address", quoted(text)));
    fields.parsed(name, read, "Write it as name@example.com.")
}
