//! Reads a map that a person edited, field by field, and goes on after whatever is wrong, so that one look at the
//! record shows all of it. (A deserializer would stop at the first.)

use std::{cell::RefCell, collections::BTreeMap, fmt::Display};

use serde_json::Value;

use super::console::{self, bare, kind_of, only, text_of, trimmed, unquoted};
use crate::records::problem::{Problem, all_of, capitalized, closest, did_you_mean, one_of, quoted};

/// What was found wrong so far.
#[derive(Default)]
pub(super) struct Findings {
    problems: RefCell<Vec<Problem>>,
    /// What was asked for: the schemas are held to it.
    #[cfg(test)]
    pub(super) asked: RefCell<Vec<Asked>>,
}

/// A field that was asked for.
#[cfg(test)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) form: Form,
}

/// What a field may hold, as far as it is more than text.
#[cfg(test)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    Any,
    Flag,
    Whole(i64, i64),
    OneOf(Vec<&'static str>),
    /// A map whose names are values.
    Named,
    /// A list of such, or one without its list.
    OneOrMore(&'static str),
}

impl Findings {
    pub(super) fn add(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    /// Adds what belongs before what was found since.
    fn insert(&self, at: usize, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        let at = at.min(problems.len());
        problems.insert(at, problem);
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// One map of the record. Names and texts lose surrounding spaces; null and empty text count as absent.
pub(super) struct Fields<'a> {
    path: String,
    values: BTreeMap<&'a str, &'a Value>,
    asked: RefCell<Vec<&'static str>>,
    /// What must be there and isn't, each with its remedy.
    missing: RefCell<Vec<(String, String)>>,
    findings: &'a Findings,
    /// How many findings there were before this map's.
    before: usize,
}

/// Longer than any wait, hours, address or number; what is wrong with it has to fit into a sentence.
const LONGEST_NOTATION: usize = 500;

/// What may stand in any map, for people only.
const NOTE: &str = "note";

impl<'a> Fields<'a> {
    /// The fields of a map; `None`, and a finding, if it isn't one.
    pub(super) fn of(path: impl Into<String>, value: &'a Value, findings: &'a Findings) -> Option<Self> {
        let mut path = path.into();
        let Value::Object(map) = only(value) else {
            findings.add(Problem::error(
                path,
                format!("This must be a map of fields, but it is {}.", kind_of(value)),
                "Make it a map.",
            ));
            return None;
        };
        if bare(value).is_array() {
            path.push_str("[0]");
        }
        let before = findings.count();
        let mut values = BTreeMap::new();
        for (name, value) in map {
            let name = trimmed(name);
            if values.insert(name, bare(value)).is_some() {
                let sentence = "The same field stands here twice, once with spaces around its name.";
                findings.add(Problem::error(below(&path, name), sentence, "Remove one of them."));
            }
        }
        let (asked, missing) = (RefCell::new(vec![NOTE]), RefCell::default());
        Some(Self { path, values, asked, missing, findings, before })
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

    /// Notes that a field which must be there is not: said for all of them together, since a record may be saved half-way.
    pub(super) fn missing(&self, name: &str, remedy: &str) {
        self.missing.borrow_mut().push((name.to_owned(), remedy.to_owned()));
    }

    /// The field as it stands; `None` if it is absent, null or empty text.
    pub(super) fn value(&self, name: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(name);
        #[cfg(test)]
        self.takes(name, Form::Any);
        let value = self.values.get(name).copied()?;
        match value {
            Value::Null => None,
            Value::String(text) if trimmed(text).is_empty() => None,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => Some(value),
        }
    }

    /// A text; a number counts as its digits.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        self.text_or(name, "Write it as text.")
    }

    /// A text that means something to us, without quotes that were typed around it.
    pub(super) fn notation(&self, name: &'static str) -> Option<String> {
        self.text(name).map(|text| unquoted(&text).to_owned())
    }

    /// A text, or a finding with that remedy.
    fn text_or(&self, name: &'static str, remedy: &str) -> Option<String> {
        let value = self.value(name)?;
        let text = text_of(value);
        if text.is_none() {
            self.wrong(name, format!("This must be text, but it is {}.", kind_of(value)), remedy);
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
        #[cfg(test)]
        self.takes(name, Form::Whole(*range.start(), *range.end()));
        let value = self.value(name)?;
        let number = console::whole(value);
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
        #[cfg(test)]
        self.takes(name, Form::Flag);
        let value = self.value(name)?;
        let flag = console::flag(value);
        if flag.is_none() {
            self.wrong(name, "This must be true or false.", "Write true or false.");
        }
        flag
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, name: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        #[cfg(test)]
        self.takes(name, Form::OneOf(choices.iter().map(|(word, _)| *word).collect()));
        let words = || choices.iter().map(|(word, _)| *word);
        let use_one = format!("Use {}.", one_of(words()));
        let text = self.text_or(name, &use_one)?;
        let text = unquoted(&text);
        let chosen = choices.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
        if chosen.is_none() {
            let remedy = match closest(text, words()) {
                Some(guess) => format!("Did you mean \"{guess}\"? It can be {}.", one_of(words())),
                None => use_one,
            };
            self.wrong(name, format!("\"{name}\" can't be {}.", quoted(text)), remedy);
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
        let text = self.text_or(name, remedy)?;
        let text = unquoted(&text);
        if text.len() > LONGEST_NOTATION {
            self.wrong(name, format!("{} is too long to be right.", quoted(text)), remedy);
            return None;
        }
        match parse(text) {
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

    /// The maps of a list, each with where it stands; one that is absent is empty, and one map is a list of its own.
    pub(super) fn list(&self, name: &'static str) -> Vec<(String, &'a Value)> {
        #[cfg(test)]
        self.takes(name, Form::OneOrMore("object"));
        self.value(name).map_or_else(Vec::new, |value| self.placed(name, value, console::maps(value)))
    }

    /// The texts of a list, each with where it stands. A text counts as several where it has commas.
    pub(super) fn words(&self, name: &'static str) -> Vec<(String, String)> {
        #[cfg(test)]
        self.takes(name, Form::OneOrMore("string"));
        let listed = match self.value(name) {
            None => return Vec::new(),
            Some(text @ (Value::String(_) | Value::Number(_))) => vec![(self.path(name), text)],
            Some(value) => self.placed(name, value, console::items(value)),
        };
        let mut words = Vec::new();
        for (path, item) in listed {
            match text_of(item) {
                Some(text) => {
                    let parts = text.split(',').map(trimmed).filter(|word| !word.is_empty());
                    words.extend(parts.map(|word| (path.clone(), word.to_owned())));
                }
                None => self.findings.add(Problem::error(
                    path,
                    format!("This must be text, but it is {}.", kind_of(item)),
                    "Write it as text.",
                )),
            }
        }
        words
    }

    /// Items, each with where it stands; none, and a finding, where there is no list.
    fn placed(&self, name: &str, value: &Value, items: Option<Vec<&'a Value>>) -> Vec<(String, &'a Value)> {
        let path = self.path(name);
        if let Some(items) = items {
            return items.into_iter().enumerate().map(|(index, item)| (format!("{path}[{index}]"), item)).collect();
        }
        let remedy = match value.is_object() {
            true => "Make it a list: a map keeps its fields in no order.",
            false => "Make it a list, even if it has one item only.",
        };
        self.wrong(name, format!("This must be a list, but it is {}.", kind_of(value)), remedy);
        Vec::new()
    }

    /// The fields of a map within this one.
    pub(super) fn map(&self, name: &'static str) -> Option<Fields<'a>> {
        Fields::of(self.path(name), self.value(name)?, self.findings)
    }

    /// Every field but the note, for a map whose names are values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        #[cfg(test)]
        self.findings.asked.borrow_mut().push(Asked { path: self.path.clone(), form: Form::Named });
        let entries = self.values.iter().map(|(name, value)| (*name, *value));
        entries.filter(|(name, value)| *name != NOTE && !value.is_null())
    }

    #[cfg(test)]
    fn takes(&self, name: &str, form: Form) {
        self.findings.asked.borrow_mut().push(Asked { path: self.path(name), form });
    }

    /// Notes every field that is missing, and every one that nobody asked for.
    pub(super) fn finish(self) {
        self.finish_with(|_| None);
    }

    /// The same, where more is known of what some other names stand for: `remedy` says what to do about one.
    pub(super) fn finish_with(self, remedy: impl Fn(&str) -> Option<String>) {
        self.note_missing();
        let asked = self.asked.borrow();
        for name in self.values.keys().filter(|name| !asked.contains(*name)) {
            let is_absent = |known: &&str| self.values.get(known).is_none_or(|value| value.is_null());
            let absent = asked.iter().copied().filter(is_absent);
            let mut known = asked.clone();
            known.sort_unstable();
            known.dedup();
            let remedy =
                remedy(name).unwrap_or_else(|| format!("Remove it, or use one of the fields {}.", known.join(", ")));
            self.wrong(name, format!("There is no field {} here.", quoted(name)), did_you_mean(name, absent, &remedy));
        }
    }

    fn note_missing(&self) {
        let missing = self.missing.borrow();
        let (path, sentence) = match missing.as_slice() {
            [] => return,
            [(name, _)] => (self.path(name), format!("The field \"{name}\" is missing or empty.")),
            several => {
                let names = all_of(several.iter().map(|(name, _)| name.as_str()));
                (self.path.clone(), format!("This is not finished yet: {names} are missing."))
            }
        };
        let mut remedies: Vec<&str> = missing.iter().map(|(_, remedy)| remedy.as_str()).collect();
        remedies.dedup();
        self.findings.insert(self.before, Problem::error(path, sentence, remedies.join(" ")));
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::records) enum Said {
    /// It is not there.
    Absent,
    /// It is there, and null, empty text, or a list of nothing else.
    Nothing,
    /// It says something.
    Something,
}

/// What the field at the end of that path through maps holds.
pub(in crate::records) fn said(content: &Value, path: &[&str]) -> Said {
    let mut value = content;
    for name in path {
        let fields = only(value).as_object();
        match fields.and_then(|fields| fields.iter().find(|(written, _)| trimmed(written) == *name)) {
            Some((_, field)) => value = field,
            None => return Said::Absent,
        }
    }
    match is_empty(value) {
        true => Said::Nothing,
        false => Said::Something,
    }
}

fn is_empty(value: &Value) -> bool {
    match bare(value) {
        Value::Null => true,
        Value::String(text) => text.split(',').all(|word| trimmed(word).is_empty()),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
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
