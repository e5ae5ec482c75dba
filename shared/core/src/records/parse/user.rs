//! Reads a user.

use super::{
    cadence::{HOURS, states},
    email,
    fields::Fields,
    phone, reference,
};
use crate::{
    GroupId, UserId,
    records::{
        User,
        problem::{Problem, quoted},
        user::Absence,
    },
    time::{Day, Zone, parse_hours},
};

/// A group's name goes into keys.
const GROUP_LENGTH: usize = 60;

pub(super) fn read(id: UserId, fields: Fields<'_>) -> Option<User> {
    let first_name = fields.required("first_name", "Messages carry the user's name.");
    let last_name = fields.required("last_name", "Messages carry the user's name.");
    if fields.value("email").is_none() {
        fields.missing("email", "Notices go there, and emails come from it.");
    }
    let email = email(&fields, "email");
    if fields.value("phone").is_none() {
        fields.missing("phone", "Calls are transferred to it.");
    }
    let own_phone = phone(&fields, "phone");
    let sms_number = phone(&fields, "sms_number");
    let nmls_id = fields.parsed("nmls_id", nmls_id, "Write its digits alone, such as 1000001.");
    let licences = states(&fields, "licences");
    let active = fields.flag("active");
    let groups = groups(&fields);
    let time_zone = fields.parsed("time_zone", zone, "Write it as America/Chicago.");
    let hours = fields.parsed("hours", parse_hours, HOURS);
    let out_of_office = absences(&fields);
    let needs_zone = fields.value("hours").is_some() || fields.value("out_of_office").is_some();
    if needs_zone && fields.value("time_zone").is_none() {
        fields.missing("time_zone", "Say where the user's hours and days are counted, such as America/Chicago.");
    }
    fields.finish();
    Some(User {
        id,
        first_name: first_name.unwrap_or_default(),
        last_name: last_name.unwrap_or_default(),
        email: email.unwrap_or_default(),
        phone: own_phone.unwrap_or_default(),
        sms_number,
        nmls_id,
        licences,
        active: active.unwrap_or(true),
        groups,
        time_zone,
        hours,
        out_of_office,
    })
}

/// An NMLS id's digits: messages write the word before it themselves.
fn nmls_id(text: &str) -> Result<String, String> {
    let id = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let before = text.strip_suffix(id).unwrap_or_default();
    let is_word = before.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).eq("nmls".chars());
    let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_digit());
    match is_id && (is_word || !before.contains(char::is_alphanumeric)) {
        true => Ok(id.to_owned()),
        false => Err(format!("{} is no NMLS id", quoted(text))),
    }
}

fn groups(fields: &Fields<'_>) -> Vec<GroupId> {
    let mut groups = Vec::new();
    for (path, word) in fields.words("groups") {
        if word.len() <= GROUP_LENGTH && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            groups.push(GroupId::new(word));
            continue;
        }
        let sentence = format!("{} is no name for a group.", quoted(&word));
        let remedy = format!("Use letters, digits, hyphens and underscores, at most {GROUP_LENGTH}.");
        fields.findings().add(Problem::error(path, sentence, remedy));
    }
    groups.sort();
    groups.dedup();
    groups
}

/// A zone by its place: names such as EST stand for a time that knows no summer.
fn zone(text: &str) -> Result<Zone, String> {
    let found = Zone::parse(text).filter(|zone| zone.as_str().contains('/') || *zone == Zone::utc());
    found.ok_or_else(|| {
        let wrong = format!("{} is not a time zone", quoted(text));
        match Zone::closest(text) {
            Some(guess) => format!("{wrong}; did you mean \"{guess}\"?"),
            None => wrong,
        }
    })
}

fn absences(fields: &Fields<'_>) -> Vec<Absence> {
    let listed = fields.list("out_of_office").into_iter();
    listed.filter_map(|(path, value)| absence(Fields::of(path, value, fields.findings())?)).collect()
}

fn absence(fields: Fields<'_>) -> Option<Absence> {
    let (from, until) = (day(&fields, "from"), day(&fields, "until"));
    let stand_in = fields.text("stand_in").map(|text| UserId::from(reference("USER", &text)));
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        let sentence = format!("The last day away, {until}, comes before the first, {from}.");
        fields.wrong("until", sentence, "Write the first day as \"from\" and the last as \"until\".");
    }
    fields.finish();
    Some(Absence { from: from?, until: until?, stand_in })
}

fn day(fields: &Fields<'_>, name: &'static str) -> Option<Day> {
    if fields.value(name).is_none() {
        fields.missing(name, "Write the day as 2026-12-24.");
    }
    fields.parsed(name, Day::parse, "Write it as 2026-12-24.")
}
