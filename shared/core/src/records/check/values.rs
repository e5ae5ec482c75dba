//! Checks what a cadence wants its leads to be against what they are known to come with.

use serde_json::Value;

use super::Known;
use crate::{
    records::{
        Cadence, Source, Wanted,
        enrolling::amount,
        problem::{Problem, closest, did_you_mean, one_of, quoted},
    },
    sources::{PURPOSES, Values},
};

/// Values that no lead is known to have. Any source may have values of its own, so none of it is an error.
pub(super) fn check(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let wanted = &cadence.for_leads;
    let mut problems = Vec::new();
    for (index, purpose) in wanted.purpose.iter().enumerate() {
        if let Some(meant) = nearly(purpose, &PURPOSES) {
            let sentence = format!("Leads do not come with the purpose {}, as far as is known.", quoted(purpose));
            let remedy = format!("Did you mean \"{meant}\"? If a source does send it, leave it.");
            problems.push(Problem::warning(format!("for_leads.purpose[{index}]"), sentence, remedy));
        }
    }
    let is_meant = |source: &&Source| {
        wanted.source.is_empty() || wanted.source.iter().any(|id| id.eq_ignore_ascii_case(source.id.as_str()))
    };
    let sources: Vec<&Source> = known.sources.values().filter(is_meant).collect();
    for (name, wanted) in &wanted.attributes {
        let odd = sources.iter().find_map(|source| Some((source, odd(wanted, source.values_of(name))?)));
        problems.extend(odd.map(|(source, (what, remedy))| {
            let sentence = format!("\"{name}\" from the source {} {what}.", quoted(source.id.as_str()));
            Problem::warning(format!("for_leads.attributes.{name}"), sentence, remedy)
        }));
    }
    problems
}

/// What is odd about what an attribute is wanted to be, and what to do about it.
fn odd(wanted: &Wanted, values: Values) -> Option<(String, String)> {
    match (values, wanted) {
        (Values::Amount, Wanted::OneOf(items)) => {
            let other = items.iter().find(|item| amount(item).is_none())?;
            let remedy = "Write a number such as 100000, or bounds such as {\"at_least\": 100000}.";
            Some((format!("comes as a number, and never as {}", shown(other)), remedy.to_owned()))
        }
        (Values::Flag, Wanted::OneOf(items)) => {
            let other = items.iter().find(|item| !is_flag(item))?;
            let remedy = did_you_mean(&shown(other), FLAGS, "Write true or false.");
            Some((format!("comes as true or false, and never as {}", shown(other)), remedy))
        }
        (Values::OneOf(words), Wanted::OneOf(items)) => {
            let texts = items.iter().filter_map(Value::as_str);
            let (other, meant) = texts.filter_map(|text| Some((text, nearly(text, words)?))).next()?;
            let remedy = format!("Did you mean \"{meant}\"? If it does send the other, leave it.");
            Some((format!("does not come as {}, as far as is known", quoted(other)), remedy))
        }
        (Values::Flag, Wanted::Between { .. }) => {
            Some(("comes as true or false, which no bounds fit".to_owned(), "Write true or false.".to_owned()))
        }
        (Values::OneOf(words), Wanted::Between { .. }) => {
            let remedy = format!("Write values such as {}.", one_of(words.iter().copied().take(3)));
            Some(("comes as words, which no bounds fit".to_owned(), remedy))
        }
        (Values::Amount, Wanted::Between { .. }) | (Values::Any, _) => None,
    }
}

/// The known word that a word nearly is, and yet is not: other digits are another word.
fn nearly<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let is_same = |known: &&str| known.eq_ignore_ascii_case(word.trim());
    let alike = known.iter().copied().filter(|known| digits(known) == digits(word));
    closest(word, alike).filter(|_| !known.iter().any(is_same))
}

const FLAGS: [&str; 4] = ["true", "false", "yes", "no"];

fn is_flag(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::String(text) => FLAGS.iter().any(|flag| flag.eq_ignore_ascii_case(text.trim())),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_told_from_a_word_of_its_own() {
        let known = ["purchase", "home_equity", "Fixed30Year"];
        for (word, meant) in [
            ("purchse", Some("purchase")),
            ("home equity", Some("home_equity")),
            ("fixed30year", None),
            ("Fixd30Year", Some("Fixed30Year")),
            ("Fixed40Year", None),
            ("reverse", None),
            ("Purchase ", None),
        ] {
            assert_eq!(nearly(word, &known), meant, "{word}");
        }
    }
}
