//! Reads a map that a person edited, field by field, and goes on after whatever is wrong, so that one look at the
//! record shows all of it. (A deserializer would stop at the first.)

use std::{cell::RefCell, collections::BTreeMap, fmt::Display};

use serde_json::Value;

use crate::records::problem::{Problem, capitalized, closest, did_you_mean, one_of, quoted};

/// What was found wrong so far.
#[derive(Default)]
pub(super) struct Findings(RefCell<Vec<Problem>>);

impl Findings {
    pub(super) fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// One map of the record. Names and texts lose surrounding spaces; null and empty text count as absent.
pub(super) struct Fields<'a> {
    path: String,
    values: BTreeMap<&'a str, &'a Value>,
    asked: RefCell<Vec<&'static str>>,
    findings: &'a Findings,
}

/// Longer than any wait, hours, address or number; what is wrong with it has to fit into a sentence.
const LONGEST_NOTATION: usize = 500;

/// What may stand in any map, for people only.
const NOTE: &str = "note";

impl<'a> Fields<'a> {
    /// The fields of a map; `None`, and a finding, if it isn't one.
    pub(super) fn of(path: impl Into<String>, value: &'a Value, findings: &'a Findings) -> Option<Self> {
        let path = path.into();
        let Value::Object(map) = value else {
            findings.add(Problem::error(
                path,
                format!("This must be a map of fields, but it is {}.", kind_of(value)),
                "Make it a map.",
            ));
            return None;
        };
        let mut values = BTreeMap::new();
        for (name, value) in map {
            if values.insert(name.trim(), value).is_some() {
                let sentence = "The same field stands here twice, once with spaces around its name.";
                findings.add(Problem::error(below(&path, name.trim()), sentence, "Remove one of them."));
            }
        }
        Some(Self { path, values, asked: RefCell::new(vec![NOTE]), findings })
    }

    /// Where a field of this map stands.
    pub(super) fn path(&self, name: &str) -> String {
        below(&self.path, name)
    }

    /// What this map's findings are added to.
    pub(super) fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// Notes what is wrong with one field.
    pub(super) fn wrong(&self, name: &str, sentence: impl Into<String>, remedy: impl Into<String>) {
        self.findings.add(Problem::error(self.path(name), sentence, remedy));
    }

    /// Notes that a field which must be there is not.
    pub(super) fn missing(&self, name: &str, remedy: &str) {
        self.wrong(name, format!("The field \"{name}\" is missing or empty."), remedy);
    }

    /// The field as it stands; `None` if it is absent, null or empty text.
    pub(super) fn value(&self, name: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(name);
        let value = self.values.get(name).copied()?;
        match value {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() => None,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => Some(value),
        }
    }

    /// A text; a number counts as its digits.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        let value = self.value(name)?;
        let text = text_of(value);
        if text.is_none() {
            let sentence = format!("This must be text, but it is {}.", kind_of(value));
            self.wrong(name, sentence, "Write it as text.");
        }
        text
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &'static str, remedy: &str) -> Option<String> {
        if self.value(name).is_none() {
            self.missing(name, remedy);
            return None;
        }
        self.text(name)
    }

    /// A whole number in that range, written as `3` or `"3"`.
    pub(super) fn whole(&self, name: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(name)?;
        let number = match value {
            Value::Number(number) => number.as_i64().or_else(|| whole_of(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok().or_else(|| whole_of(text.trim().parse().ok()?)),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let sentence = match text_of(value) {
                Some(text) => format!("{} is no number that can stand here.", quoted(&text)),
                None => format!("This must be a whole number, but it is {}.", kind_of(value)),
            };
            self.wrong(name, sentence, format!("Write a whole number from {} to {}.", range.start(), range.end()));
        }
        number
    }

    /// Yes or no, written as `true` or `"true"`.
    pub(super) fn flag(&self, name: &'static str) -> Option<bool> {
        let value = self.value(name)?;
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" => Some(true),
                "false" | "no" => Some(false),
                _ => None,
            },
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        if flag.is_none() {
            self.wrong(name, "This must be true or false.", "Write true or false.");
        }
        flag
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, name: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(name)?;
        let chosen = choices.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
        if chosen.is_none() {
            let words = || choices.iter().map(|(word, _)| *word);
            let remedy = match closest(&text, words()) {
                Some(guess) => format!("Did you mean \"{guess}\"? It can be {}.", one_of(words())),
                None => format!("Use {}.", one_of(words())),
            };
            self.wrong(name, format!("\"{name}\" can't be {}.", quoted(&text)), remedy);
        }
        chosen.map(|(_, value)| *value)
    }

    /// A text in a notation of its own; what its parser says is the sentence.
    pub(super) fn parsed<T, E: Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        remedy: &str,
    ) -> Option<T> {
        let text = self.text(name)?;
        if text.len() > LONGEST_NOTATION {
            self.wrong(name, format!("{} is too long to be right.", quoted(&text)), remedy);
            return None;
        }
        match parse(&text) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let error = error.to_string();
                // Some parsers know the remedy and say it after a semicolon.
                let (error, remedy) = error.rsplit_once("; ").unwrap_or((&error, remedy));
                self.wrong(name, sentence(error), sentence(remedy));
                None
            }
        }
    }

    /// The items of a list, each with where it stands; one that is absent is empty.
    pub(super) fn list(&self, name: &'static str) -> Vec<(String, &'a Value)> {
        let items = match self.value(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                let sentence = format!("This must be a list, but it is {}.", kind_of(other));
                self.wrong(name, sentence, "Make it a list, even if it has one item only.");
                return Vec::new();
            }
        };
        let path = self.path(name);
        let at = |(index, item)| (format!("{path}[{index}]"), item);
        items.iter().enumerate().map(at).collect()
    }

    /// The texts of a list, each with where it stands. One text counts as a list split at its commas.
    pub(super) fn words(&self, name: &'static str) -> Vec<(String, String)> {
        if let Some(text) = self.value(name).and_then(text_of) {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            return words.map(|word| (self.path(name), word.to_owned())).collect();
        }
        let mut words = Vec::new();
        for (path, item) in self.list(name) {
            match text_of(item) {
                Some(text) if !text.is_empty() => words.push((path, text)),
                Some(_) => {}
                None => self.findings.add(Problem::error(
                    path,
                    format!("This must be text, but it is {}.", kind_of(item)),
                    "Write it as text.",
                )),
            }
        }
        words
    }

    /// The fields of a map within this one.
    pub(super) fn map(&self, name: &'static str) -> Option<Fields<'a>> {
        Fields::of(self.path(name), self.value(name)?, self.findings)
    }

    /// Every field but the note, for a map whose names are values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let entries = self.values.iter().map(|(name, value)| (*name, *value));
        entries.filter(|(name, value)| *name != NOTE && !value.is_null())
    }

    /// Notes every field that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for name in self.values.keys().filter(|name| !asked.contains(*name)) {
            let is_absent = |known: &&str| self.values.get(known).is_none_or(|value| value.is_null());
            let absent = asked.iter().copied().filter(is_absent);
            let mut known = asked.clone();
            known.sort_unstable();
            known.dedup();
            let remedy = format!("Remove it, or use one of the fields {}.", known.join(", "));
            self.wrong(name, format!("There is no field {} here.", quoted(name)), did_you_mean(name, absent, &remedy));
        }
    }
}

/// A text, or what stands for one.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a value is, in the console's words.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// What a parser says, as a sentence.
fn sentence(error: &str) -> String {
    let stop = if error.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{stop}", capitalized(error))
}

/// The path of a field; a name of any length comes out short.
pub(super) fn below(path: &str, name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    match path {
        "" => name,
        path => format!("{path}.{name}"),
    }
}

fn whole_of(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}
