//! Lays a record out as a file that people read and compare: fields in the order in which they are thought of, one step a line.

use serde_json::{Map, Value};

/// The order of fields; any other follows, by the alphabet.
const ORDER: &[&str] = &[
    "pk",
    "sk",
    "id",
    "name",
    "status",
    "do",
    "wait",
    "assign",
    "due",
    "agent",
    "message",
    "hold",
    "attempts",
    "every",
    "on",
    "on_overdue",
    "for_leads",
    "source",
    "state",
    "purpose",
    "attributes",
    "hold_out",
    "at_least",
    "at_most",
    "priority",
    "reenroll",
    "takes_over",
    "apply_to",
    "first_name",
    "last_name",
    "email",
    "phone",
    "sms_number",
    "nmls_id",
    "licences",
    "active",
    "groups",
    "time_zone",
    "hours",
    "out_of_office",
    "from",
    "until",
    "stand_in",
    "skip_holidays",
    "anytime",
    "format",
    "secret",
    "consent",
    "call",
    "sms",
    "proof",
    "subject",
    "text",
    "body",
    "company",
    "postal_address",
    "notices_from",
    "unsubscribe_url",
    "holidays",
    "caps",
    "snippets",
    "steps",
];

/// What fits into a line stays on one.
const WIDTH: usize = 140;

/// The item as the text of a file.
pub fn laid_out(item: &Value) -> String {
    let mut text = String::new();
    match item {
        // Of the item itself each field has a line, however short it is.
        Value::Object(fields) => broken_map(&mut text, fields, 0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            write(&mut text, item, 0, 0);
        }
    }
    text.push('\n');
    text
}

/// Writes a value that begins in that column of a line.
fn write(text: &mut String, value: &Value, indent: usize, column: usize) {
    let inline = inline(value);
    match value {
        Value::Object(fields) if column + inline.chars().count() > WIDTH => broken_map(text, fields, indent),
        Value::Array(items) if column + inline.chars().count() > WIDTH => {
            let items = items.iter().map(|item| (String::new(), item));
            broken(text, ['[', ']'], items, indent);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            text.push_str(&inline);
        }
    }
}

fn broken_map(text: &mut String, fields: &Map<String, Value>, indent: usize) {
    let fields = ordered(fields).into_iter().map(|(name, value)| (format!("{}: ", quoted(name)), value));
    broken(text, ['{', '}'], fields, indent);
}

fn broken<'a>(text: &mut String, ends: [char; 2], parts: impl Iterator<Item = (String, &'a Value)>, indent: usize) {
    let [open, close] = ends;
    let margin = " ".repeat(indent + 2);
    text.push(open);
    for (index, (name, value)) in parts.enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&margin);
        text.push_str(&name);
        // Its comma belongs to the line.
        write(text, value, indent + 2, margin.len() + name.chars().count() + 1);
    }
    text.push_str(&format!("\n{}{close}", " ".repeat(indent)));
}

fn inline(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let parts = ordered(fields).into_iter().map(|(name, value)| format!("{}: {}", quoted(name), inline(value)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

fn ordered(fields: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    let mut ordered: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
    ordered.sort_by_key(|(name, _)| (place(name), *name));
    ordered
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_has_a_line_for_each_field_and_each_step() {
        let long = "x".repeat(150);
        let item = json!({"steps": [
            {"wait": "0m", "do": "dial", "id": "a", "on": {"busy": "end", "no_answer": {"cadence": "b"}}},
            {"id": "b", "do": "canned_sms", "wait": "1d", "message": long}], "sk": "CURRENT", "pk": "CADENCE#a", "zzz": [], "note": "n\"n"});
        let text = laid_out(&item);
        let expected = format!(
            r#"{{
  "pk": "CADENCE#a",
  "sk": "CURRENT",
  "steps": [
    {{"id": "a", "do": "dial", "wait": "0m", "on": {{"busy": "end", "no_answer": {{"cadence": "b"}}}}}},
    {{
      "id": "b",
      "do": "canned_sms",
      "wait": "1d",
      "message": "{long}"
    }}
  ],
  "note": "n\"n",
  "zzz": []
}}
"#
        );
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), item);
    }
}
