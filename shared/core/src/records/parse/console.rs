//! Undoes what consoles, and pasting into them, do to a value where it is plain what was meant.

use serde_json::{Map, Value};

/// A value without what DynamoDB's own notation puts around it: `{"S": "live"}`, pasted into a view that expects plain JSON.
pub(super) fn bare(value: &Value) -> &Value {
    static NOTHING: Value = Value::Null;
    let Value::Object(map) = value else { return value };
    let mut fields = map.iter();
    match (fields.next(), fields.next()) {
        (Some((kind, inner)), None) => match (kind.as_str(), inner) {
            ("S" | "N", Value::String(_)) | ("BOOL", Value::Bool(_)) | ("M", Value::Object(_)) => inner,
            ("L" | "SS" | "NS", Value::Array(_)) => inner,
            ("NULL", Value::Bool(true)) => &NOTHING,
            _ => value,
        },
        _ => value,
    }
}

/// The value itself where a list holds nothing else: one text where a text is meant, one map where a map is.
pub(super) fn only(value: &Value) -> &Value {
    match bare(value).as_array().map(Vec::as_slice) {
        Some([one]) => bare(one),
        Some(_) => value,
        None => bare(value),
    }
}

/// The maps of a list, or of what can't be anything else: one map without its list, or a map that numbers its fields from 0.
pub(super) fn maps(value: &Value) -> Option<Vec<&Value>> {
    let is_one = |map: &Map<String, Value>| map.values().any(|value| !bare(value).is_object());
    items(value).or_else(|| value.as_object().filter(|map| is_one(map)).map(|_| vec![value]))
}

/// The items of a list, or of a map that numbers them from 0.
pub(super) fn items(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(items) => Some(items.iter().map(bare).collect()),
        Value::Object(map) => (0..map.len()).map(|index| map.get(&index.to_string()).map(bare)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A text, or what stands for one.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match only(value) {
        Value::String(text) => Some(trimmed(text).to_owned()),
        Value::Number(number) => Some(match number.as_f64().filter(|_| !number.is_i64()).and_then(whole_of) {
            Some(whole) => whole.to_string(),
            None => number.to_string(),
        }),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, written as `3`, `"3"` or `3.0`.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match only(value) {
        Value::Number(number) => number.as_i64().or_else(|| whole_of(number.as_f64()?)),
        Value::String(text) => {
            let text = unquoted(trimmed(text));
            text.parse().ok().or_else(|| whole_of(text.parse().ok()?))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Yes or no, written as `true`, `"true"`, `"yes"` or `1`.
pub(super) fn flag(value: &Value) -> Option<bool> {
    if let Value::Bool(flag) = only(value) {
        return Some(*flag);
    }
    match unquoted(&text_of(value)?).to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A text without the spaces around it, those that can't be seen included.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'))
}

/// A word without quotes that were typed around it.
pub(super) fn unquoted(text: &str) -> &str {
    let inner = ["\"", "'"].iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    inner.map(trimmed).filter(|inner| !inner.is_empty() && !inner.contains(['"', '\''])).unwrap_or(text)
}

/// The one field of a map that stands for bytes, which no record has and JSON can't say.
pub const BINARY: &str = "Binary";

/// What a value is, in the console's words.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(fields) if fields.len() == 1 && fields.contains_key(BINARY) => "of the type Binary",
        Value::Object(_) => "a map",
    }
}

fn whole_of(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_surrounds_a_value_is_taken_off_only_where_nothing_else_can_be_meant() {
        for (written, meant) in [
            (json!({"S": "live"}), json!("live")),
            (json!({"N": "3"}), json!("3")),
            (json!({"BOOL": true}), json!(true)),
            (json!({"NULL": true}), json!(null)),
            (json!({"M": {"a": 1}}), json!({"a": 1})),
            (json!({"SS": ["a"]}), json!(["a"])),
            (json!({"S": 3}), json!({"S": 3})),
            (json!({"S": "a", "N": "3"}), json!({"S": "a", "N": "3"})),
            (json!({"cadence": "a"}), json!({"cadence": "a"})),
        ] {
            assert_eq!(*bare(&written), meant, "{written}");
        }
    }

    #[test]
    fn a_map_is_a_list_only_if_it_is_one_item_or_says_its_order() {
        for (written, meant) in [
            (json!([{"M": {"id": "a"}}]), Some(json!([{"id": "a"}]))),
            (json!({"id": "a", "on": {}}), Some(json!([{"id": "a", "on": {}}]))),
            (json!({"1": {"id": "b"}, "0": {"id": "a"}}), Some(json!([{"id": "a"}, {"id": "b"}]))),
            (json!({"first": {"id": "a"}, "second": {"id": "b"}}), None),
            (json!({}), Some(json!([]))),
            (json!("dial"), None),
        ] {
            assert_eq!(maps(&written).map(|items| json!(items)), meant, "{written}");
        }
    }

    #[test]
    fn numbers_words_and_flags_are_what_they_look_like() {
        for (written, text) in [
            (json!(" a\u{200b}\u{a0}"), Some("a")),
            (json!(["a"]), Some("a")),
            (json!(1_000_001.0), Some("1000001")),
            (json!(0.5), Some("0.5")),
            (json!(["a", "b"]), None),
            (json!({}), None),
        ] {
            assert_eq!(text_of(&written).as_deref(), text, "{written}");
        }
        for (written, number) in
            [(json!("'3'"), Some(3)), (json!([3.0]), Some(3)), (json!("3.5"), None), (json!(true), None)]
        {
            assert_eq!(whole(&written), number, "{written}");
        }
        for (written, is_so) in
            [(json!("Yes"), Some(true)), (json!(0), Some(false)), (json!("\"true\""), Some(true)), (json!(2), None)]
        {
            assert_eq!(flag(&written), is_so, "{written}");
        }
        for (written, word) in
            [("\"live\"", "live"), ("'0m'", "0m"), ("\"a\" or \"b\"", "\"a\" or \"b\""), ("\"", "\""), ("''", "''")]
        {
            assert_eq!(unquoted(written), word);
        }
    }
}
