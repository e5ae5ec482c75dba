//! Reads the settings.

use std::collections::BTreeMap;

use super::{
    console::{kind_of, text_of},
    email,
    fields::Fields,
};
use crate::{
    records::{
        Settings,
        problem::{Problem, quoted},
        settings::Caps,
    },
    time::Holidays,
};

pub(super) fn read(fields: Fields<'_>) -> Option<Settings> {
    let company = fields.required("company", "Messages carry the company's name.");
    let postal_address = fields.required("postal_address", "The law wants it in every email.");
    if fields.value("notices_from").is_none() {
        fields.missing("notices_from", "Notices to users come from this address.");
    }
    let notices_from = email(&fields, "notices_from");
    if fields.value("unsubscribe_url").is_none() {
        fields.missing("unsubscribe_url", "The law wants a way to unsubscribe in every email.");
    }
    let unsubscribe_url =
        fields.parsed("unsubscribe_url", web_address, "Write a web address that begins with https://.");
    let holidays = holidays(&fields);
    let caps = fields.map("caps").map(caps);
    let snippets = fields.map("snippets").map(|map| snippets(&map)).unwrap_or_default();
    fields.finish();
    Some(Settings {
        company: company?,
        postal_address: postal_address?,
        notices_from: notices_from?,
        unsubscribe_url: unsubscribe_url?,
        holidays,
        caps: caps.unwrap_or(Caps::FLOOR),
        snippets,
    })
}

/// The settings are read with every step, so they stay small.
const MOST_SNIPPETS: usize = 50;
const SNIPPET_LENGTH: usize = 4_000;

fn snippets(fields: &Fields<'_>) -> BTreeMap<String, String> {
    let mut snippets = BTreeMap::new();
    for (name, value) in fields.entries() {
        let is_name = name.len() <= 40
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            let sentence = format!("{} is no name for a snippet.", quoted(name));
            let remedy = "Use a word of letters, digits and underscores, for messages to say {{ snippets.word }}.";
            fields.wrong(name, sentence, remedy);
            continue;
        }
        match text_of(value) {
            Some(text) if text.chars().count() > SNIPPET_LENGTH => {
                let remedy = format!("Shorten it to {SNIPPET_LENGTH} characters.");
                fields.wrong(name, "This is too long for a snippet.", remedy);
            }
            Some(text) => drop(snippets.insert(name.to_owned(), text)),
            None => {
                let sentence = format!("This must be text, but it is {}.", kind_of(value));
                fields.wrong(name, sentence, "Write what the snippet says.");
            }
        }
    }
    if snippets.len() > MOST_SNIPPETS {
        let sentence = format!("There are {} snippets.", snippets.len());
        fields.findings().add(Problem::error("snippets", sentence, format!("Keep at most {MOST_SNIPPETS}.")));
    }
    snippets
}

/// An https address; plain http only to this machine, where the local cloud answers.
fn web_address(text: &str) -> Result<String, String> {
    let is_local = ["http://localhost", "http://127.0.0.1"].iter().any(|local| text.starts_with(local));
    let is_web = text.strip_prefix("https://").is_some_and(|host| !host.is_empty()) || is_local;
    match is_web && !text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')) {
        // Links go on from it with a slash of their own.
        true => Ok(text.trim_end_matches('/').to_owned()),
        false => Err(format!("{} is not a web address", quoted(text))),
    }
}

fn holidays(fields: &Fields<'_>) -> Vec<String> {
    let mut holidays = Vec::new();
    for (path, day) in fields.words("holidays") {
        if Holidays::is_date(&day) {
            holidays.push(day);
            continue;
        }
        let sentence = format!("{} is not a day.", quoted(&day));
        fields.findings().add(Problem::error(path, sentence, "Write it as 2026-12-24."));
    }
    holidays
}

fn caps(fields: Fields<'_>) -> Caps {
    let floor = Caps::FLOOR;
    let cap = |name, floor| narrowed(&fields, name, floor);
    let caps = Caps {
        contacts_per_day: cap("contacts_per_day", floor.contacts_per_day),
        contacts_per_week: cap("contacts_per_week", floor.contacts_per_week),
        ai_calls_per_day: cap("ai_calls_per_day", floor.ai_calls_per_day),
        sms_per_day: cap("sms_per_day", floor.sms_per_day),
        emails_per_day: cap("emails_per_day", floor.emails_per_day),
    };
    fields.finish();
    caps
}

fn narrowed(fields: &Fields<'_>, name: &'static str, floor: u32) -> u32 {
    let Some(cap) = fields.whole(name, 0..=1000) else {
        return floor;
    };
    let cap = u32::try_from(cap).unwrap_or(u32::MAX);
    if cap > floor {
        let sentence = format!("{cap} is more than {floor}, which no record can widen.");
        fields.wrong(name, sentence, format!("Write {floor} or less, or remove the field."));
    }
    cap
}
