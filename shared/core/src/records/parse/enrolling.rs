//! Reads which leads a cadence takes, and which of them again.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::{
    cadence::states,
    console::{bare, kind_of, unquoted},
    fields::Fields,
    reference,
};
use crate::{
    CadenceId,
    records::{
        ForLeads, Reenroll, Wanted,
        enrolling::amount,
        problem::{Problem, closest, quoted},
    },
    sources::snake_case,
    time::{Wait, WaitError},
};

pub(super) fn for_leads(fields: Fields<'_>) -> ForLeads {
    let second = |(_, word): (String, String)| word;
    let source = fields.words("source").into_iter().map(second);
    let source = source.map(|source| reference("SOURCE", unquoted(&source)).to_owned()).collect();
    let purpose = fields.words("purpose").into_iter().map(second);
    let purpose = purpose.map(|purpose| unquoted(&purpose).to_owned()).collect();
    let state = states(&fields, "state");
    let attributes = fields.map("attributes").map(attributes).unwrap_or_default();
    let hold_out = fields.parsed("hold_out", percent, "Write a percent such as 10 or \"10%\".");
    fields.finish_with(|name| {
        // What is written in messages as `attributes.veteran` is an attribute named `veteran`.
        let within = ["attributes.", "lead."].iter().find_map(|map| name.strip_prefix(map));
        let attribute = Some(snake_case(within.unwrap_or(name))).filter(|name| !name.is_empty())?;
        if attribute == "loan_purpose" {
            return Some("Write \"purpose\".".to_owned());
        }
        Some(format!(
            "If leads come with it, move it into \"attributes\", which stands in \"for_leads\": \"attributes\": {{\"{attribute}\": ...}}. Else remove it."
        ))
    });
    ForLeads { source, state, purpose, attributes, hold_out: hold_out.unwrap_or(0) }
}

/// Reads when the cadence may take a lead again.
pub(super) fn reenroll(fields: &Fields<'_>) -> Option<Reenroll> {
    let read = |text: &str| match text.eq_ignore_ascii_case("never") {
        true => Ok(Reenroll::Never),
        false => Wait::parse(text).map(Reenroll::After).map_err(|error| match error {
            WaitError::Unreadable { .. } if closest(text, ["never"]).is_some() => {
                format!("{} is no length of time; did you mean \"never\"?", quoted(text))
            }
            WaitError::Unreadable { .. } => format!("{} is no length of time", quoted(text)),
            WaitError::NoUnit { .. } | WaitError::Meant { .. } | WaitError::TooLong { .. } => error.to_string(),
        }),
    };
    fields.parsed("reenroll", read, "Write a length of time such as \"30d\", or \"never\".")
}

/// Reads the cadences whose leads move to this one.
pub(super) fn takes_over(fields: &Fields<'_>, own: &CadenceId) -> Vec<CadenceId> {
    let mut others = Vec::new();
    for (path, word) in fields.words("takes_over") {
        let other = CadenceId::from(reference("CADENCE", &word));
        if other == *own {
            let sentence = "A cadence can't take leads over from itself: they run in it already.";
            fields.findings().add(Problem::error(path, sentence, "Name other cadences, or remove it."));
        } else if !others.contains(&other) {
            others.push(other);
        }
    }
    others
}

/// Names of what `for_leads` asks for by itself.
const NO_ATTRIBUTES: [&str; 3] = ["source", "state", "purpose"];

fn attributes(fields: Fields<'_>) -> BTreeMap<String, Wanted> {
    let mut attributes = BTreeMap::new();
    for (written, value) in fields.entries() {
        let name = snake_case(written);
        if name.is_empty() || NO_ATTRIBUTES.contains(&name.as_str()) {
            let remedy = match name.is_empty() {
                true => "Write the name of what the source sends, such as \"loan_amount\".".to_owned(),
                false => format!("Move it out of \"attributes\": \"{name}\" is a field of \"for_leads\" itself."),
            };
            fields.wrong(written, format!("{} is no attribute of a lead.", quoted(written)), remedy);
        } else if let Some(wanted) = wanted(&fields, written, value)
            && attributes.insert(name.clone(), wanted).is_some()
        {
            fields.wrong(written, format!("The attribute \"{name}\" stands here twice."), "Remove one of them.");
        }
    }
    attributes
}

fn wanted(fields: &Fields<'_>, name: &str, value: &Value) -> Option<Wanted> {
    if value.is_object() {
        return between(Fields::of(fields.path(name), value, fields.findings())?);
    }
    let items = match value {
        Value::Array(items) => items.as_slice(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(value)
        }
    };
    let mut one_of = Vec::new();
    for item in items {
        match plain(bare(item)) {
            Ok(Some(item)) => one_of.push(item),
            Ok(None) => {}
            Err((sentence, remedy)) => {
                fields.wrong(name, sentence, remedy);
                return None;
            }
        }
    }
    if one_of.is_empty() {
        fields.wrong(name, "This does not say what the attribute must be.", VALUE);
        return None;
    }
    Some(Wanted::OneOf(one_of))
}

const VALUE: &str = "Write a value, a list of values, or bounds such as {\"at_least\": 100000}.";

/// One value that a lead's is compared with; `None` where it is empty.
fn plain(item: &Value) -> Result<Option<Value>, (String, &'static str)> {
    match item {
        Value::Bool(_) => Ok(Some(item.clone())),
        Value::Number(_) => Ok(amount(item).map(Value::Number)),
        Value::String(text) if text.trim_start().starts_with(['<', '>', '=']) => {
            let sentence = format!("{} would be compared as text.", quoted(text));
            Err((sentence, "Write bounds as {\"at_least\": 100000, \"at_most\": 500000}; both are included."))
        }
        Value::String(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(Value::from)),
        Value::Null => Ok(None),
        Value::Array(_) | Value::Object(_) => {
            Err((format!("This can't be compared with a lead's attribute: it is {}.", kind_of(item)), VALUE))
        }
    }
}

fn between(fields: Fields<'_>) -> Option<Wanted> {
    let at_least = bound(&fields, "at_least");
    let at_most = bound(&fields, "at_most");
    let is_silent = fields.value("at_least").is_none() && fields.value("at_most").is_none();
    if is_silent {
        fields.missing("at_least", "Write \"at_least\", \"at_most\" or both.");
    }
    if let (Some(least), Some(most)) = (&at_least, &at_most)
        && least.as_f64() > most.as_f64()
    {
        let sentence = format!("No amount is at least {least} and at most {most}, so no lead would fit.");
        fields.wrong("at_least", sentence, "Exchange the two, or correct one.");
    }
    fields.finish();
    (!is_silent).then_some(Wanted::Between { at_least, at_most })
}

fn bound(fields: &Fields<'_>, name: &'static str) -> Option<Number> {
    let value = fields.value(name)?;
    let bound = amount(value);
    if bound.is_none() {
        let what = match value {
            Value::String(text) => quoted(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                kind_of(value).to_owned()
            }
        };
        fields.wrong(name, format!("This must be a number, but it is {what}."), "Write a number such as 100000.");
    }
    bound
}

fn percent(text: &str) -> Result<u8, String> {
    let number: f64 =
        text.trim_end_matches('%').trim().parse().map_err(|_| format!("{} is no percent", quoted(text)))?;
    if number == 100.0 {
        return Err("nobody would be left for this cadence; to take no new leads, write \"status\": \"off\"".to_owned());
    }
    match number.fract() == 0.0 && (0.0..100.0).contains(&number) {
        true => Ok(number as u8),
        false => Err(format!("{} is no whole percent from 0 to 99", quoted(text))),
    }
}
