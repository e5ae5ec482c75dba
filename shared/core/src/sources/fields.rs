//! A JSON object read leniently: numbers as text, text as trimmed lines, what doesn't fit as nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The fields of one object in a body.
pub(super) struct Fields<'a> {
    at: String,
    object: Option<&'a Map<String, Value>>,
}

/// How long one piece of text may be, in characters.
const MAX_TEXT: usize = 500;
/// How many attributes are kept of one lead.
pub(super) const MAX_ATTRIBUTES: usize = 100;

impl<'a> Fields<'a> {
    /// The fields of an object at that JSON pointer; none where there is no object.
    pub(super) fn new(at: &str, object: Option<&'a Map<String, Value>>) -> Self {
        Self { at: at.to_owned(), object }
    }

    /// The object under that name; empty where there is none.
    pub(super) fn object(&self, name: &str) -> Fields<'a> {
        Fields { at: self.pointer(name), object: self.value(name).and_then(Value::as_object) }
    }

    /// A field's JSON pointer.
    pub(super) fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// A field as one line of text; `None` where it is empty or no text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name).and_then(line)
    }

    /// Whether there is an object at all.
    pub(super) fn is_there(&self) -> bool {
        self.object.is_some()
    }

    /// A field as it is.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object?.get(name)
    }

    /// A field that is a number; kept as text where it could not be stored as one.
    pub(super) fn number(&self, name: &str) -> Option<Value> {
        self.value(name).filter(|value| value.is_number()).and_then(plain)
    }

    /// Every other field that is a plain value or a list of such, by its snake_case name.
    pub(super) fn attributes_but(&self, known: &[&str]) -> BTreeMap<String, Value> {
        let fields = self.object.into_iter().flatten();
        fields
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .filter_map(|(name, value)| Some((snake_case(name), plain(value)?)))
            .filter(|(name, _)| !name.is_empty())
            .take(MAX_ATTRIBUTES)
            .collect()
    }
}

fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if !is_storable(number) => line(value).map(Value::String),
        Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        Value::String(_) => line(value).map(Value::String),
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().filter(|item| !item.is_array()).filter_map(plain).take(50).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Whether DynamoDB stores it as a number: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.
fn is_storable(number: &serde_json::Number) -> bool {
    number.as_f64().is_some_and(|number| number == 0.0 || (1e-130..1e126).contains(&number.abs()))
}

/// Text on one line, without control characters, cut to a sensible length.
fn line(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean: String = spaced.trim().chars().take(MAX_TEXT).collect();
    (!clean.is_empty()).then_some(clean)
}

/// `loanPurpose`, `HomeEquity` and `HELOC` as `loan_purpose`, `home_equity` and `heloc`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut after_small = false;
    for c in name.chars() {
        if c.is_uppercase() && after_small {
            snake.push('_');
        }
        after_small = c.is_lowercase() || c.is_ascii_digit();
        match c {
            c if c.is_alphanumeric() => snake.extend(c.to_lowercase()),
            _ if snake.ends_with('_') || snake.is_empty() => {}
            _ => snake.push('_'),
        }
    }
    let short: String = snake.chars().take(64).collect();
    short.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (name, expected) in [
            ("loanPurpose", "loan_purpose"),
            ("HomeEquity", "home_equity"),
            ("HELOC", "heloc"),
            ("Fixed30Year", "fixed30_year"),
            ("What type of home?", "what_type_of_home"),
            ("__", ""),
            (&format!("{}_b", "a".repeat(63)), &"a".repeat(63)),
        ] {
            assert_eq!(snake_case(name), expected);
            assert_eq!(snake_case(expected), expected);
        }
    }

    #[test]
    fn text_is_one_clean_line_and_other_values_are_kept_only_if_plain() {
        let body =
            json!({"a": " John\r\nBcc: x ", "n": 12345, "o": {"deep": 1}, "l": ["x", {"y": 1}], "e": "  ", "b": true});
        let fields = Fields::new("", body.as_object());
        assert_eq!(fields.text("a").as_deref(), Some("John  Bcc: x"));
        assert_eq!(fields.text("n").as_deref(), Some("12345"));
        assert_eq!(fields.text("e"), None);
        assert_eq!(
            serde_json::to_value(fields.attributes_but(&["a"])).unwrap(),
            json!({"n": 12345, "l": ["x"], "b": true})
        );
    }

    #[test]
    fn a_number_that_could_not_be_stored_is_kept_as_text() {
        let body = json!({"n": 1e300, "l": [1e126, 0.0, -9e125], "t": -1e-131, "u": u64::MAX});
        let kept = Fields::new("", body.as_object()).attributes_but(&[]);
        assert_eq!(
            serde_json::to_value(kept).unwrap(),
            json!({"n": "1e+300", "l": ["1e+126", 0.0, -9e125], "t": "-1e-131", "u": u64::MAX})
        );
    }
}
