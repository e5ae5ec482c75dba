//! Reads the settings.

use super::{email, fields::Fields};
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
    fields.finish();
    Some(Settings {
        company: company?,
        postal_address: postal_address?,
        notices_from: notices_from?,
        unsubscribe_url: unsubscribe_url?,
        holidays,
        caps: caps.unwrap_or(Caps::FLOOR),
    })
}

/// An https address; plain http only to this machine, where the local cloud answers.
fn web_address(text: &str) -> Result<String, String> {
    let is_local = ["http://localhost", "http://127.0.0.1"].iter().any(|local| text.starts_with(local));
    let is_web = text.strip_prefix("https://").is_some_and(|host| !host.is_empty()) || is_local;
    match is_web && !text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')) {
        true => Ok(text.to_owned()),
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
