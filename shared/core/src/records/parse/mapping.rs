//! Reads where a source's bodies hold what.

use serde_json::Value;

use super::{
    console::{kind_of, text_of},
    fields::Fields,
};
use crate::{
    records::{
        problem::{closest, quoted},
        source::Mapping,
    },
    sources::{PLAIN_FIELDS, Path, snake_case},
};

const PATH: &str = "Write the names that lead there, parted by dots, such as \"lead.contact.phone\".";

pub(super) fn read(fields: &Fields<'_>) -> Mapping {
    let mut mapping = Mapping::new();
    for (written, value) in fields.entries() {
        if !value.is_object() {
            place(&mut mapping, fields, written, written, value);
            continue;
        }
        // Names with dots may be written as a map in the map too.
        let Some(group) = Fields::of(fields.path(written), value, fields.findings()) else { continue };
        for (name, value) in group.entries() {
            place(&mut mapping, &group, name, &format!("{written}.{name}"), value);
        }
    }
    let is_said =
        |name, value| ["phone", "email"].contains(&name) && text_of(value).is_none_or(|text| !text.is_empty());
    if !fields.entries().any(|(name, value)| is_said(name, value)) {
        let sentence = "Neither \"phone\" nor \"email\" stands here, so no lead could be reached.";
        fields.wrong("phone", sentence, "Say where one of them is: \"phone\": \"lead.contact.phone\".");
    }
    if mapping.keys().any(|name| name.starts_with("consent.")) && !mapping.contains_key("consent.text") {
        let sentence = "This says where consent is, but not where the words are that the lead agreed to.";
        let remedy = "Say where \"consent.text\" is, or leave consent to the source's own \"consent\".";
        fields.wrong("consent.text", sentence, remedy);
    }
    mapping
}

/// Reads the place of the field of that name, which stands under `key` in the record.
fn place(mapping: &mut Mapping, fields: &Fields<'_>, key: &str, name: &str, value: &Value) {
    let attribute = name.strip_prefix("attributes.").map(snake_case);
    let is_known = attribute.as_ref().map_or(PLAIN_FIELDS.contains(&name), |attribute| !attribute.is_empty());
    if !is_known {
        let remedy = match closest(name, PLAIN_FIELDS) {
            Some(guess) => format!("Did you mean \"{guess}\"?"),
            None if attribute.is_some() => "Name the attribute, such as \"attributes.loan_amount\".".to_owned(),
            None => format!("To keep it as an attribute, write \"attributes.{}\".", snake_case(name)),
        };
        return fields.wrong(key, format!("A lead has no field {}.", quoted(name)), remedy);
    }
    let Some(text) = text_of(value) else {
        return fields.wrong(key, format!("This must be text, but it is {}.", kind_of(value)), PATH);
    };
    if text.is_empty() {
        return;
    }
    if text.contains("{{") {
        let sentence = format!("{} is no path: nothing is put in here, it says where to look.", quoted(&text));
        return fields.wrong(key, sentence, PATH);
    }
    match Path::parse(&text) {
        Err(error) => fields.wrong(key, format!("{error}."), PATH),
        Ok(path) => {
            let name = attribute.map_or(name.to_owned(), |attribute| format!("attributes.{attribute}"));
            if mapping.insert(name.clone(), path).is_some() {
                fields.wrong(key, format!("The field \"{name}\" stands here twice."), "Remove one of them.");
            }
        }
    }
}
