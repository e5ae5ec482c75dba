//! Where a finding's path leads in a record as somebody wrote it.

use serde_json::Value;

use super::console::{bare, text_of, trimmed};
use crate::sources::snake_case;

/// What the numbers in a path count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::records) enum Counted {
    /// The items of lists.
    Items,
    /// What was read of them: a text with commas is several.
    Read,
}

/// The path as an editor sees it: what stands alone where a list may stand has no number.
pub(in crate::records) fn as_written(path: &str, content: &Value, counted: Counted) -> String {
    let mut value = Some(content);
    let parts = path.split('.').map(|part| {
        let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        let found = value.and_then(|value| field(value, name, counted));
        let mut written = found.map_or(name, |(written, _)| written).to_owned();
        value = found.map(|(_, value)| value);
        while let Some((index, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            rest = after;
            match value.map(bare) {
                Some(Value::Array(items)) => {
                    let at = index.parse().ok().map(|index| match counted {
                        Counted::Items => index,
                        Counted::Read => item_of(items, index),
                    });
                    value = at.and_then(|at| items.get(at));
                    written += &format!("[{}]", at.map_or(index.to_owned(), |at| at.to_string()));
                }
                Some(Value::Object(map)) if !map.contains_key(index) => {}
                Some(Value::String(_) | Value::Number(_)) => {}
                Some(Value::Object(_) | Value::Null | Value::Bool(_)) | None => {
                    value = value.and_then(|value| field(value, index, counted)).map(|(_, value)| value);
                    written += &format!("[{index}]");
                }
            }
        }
        written + rest
    });
    parts.collect::<Vec<_>>().join(".")
}

/// The field of that name, by the name that it is written with, without the spaces around it: what was read of an attribute's is plainer.
fn field<'a>(value: &'a Value, name: &str, counted: Counted) -> Option<(&'a str, &'a Value)> {
    let map = bare(value).as_object()?;
    let fields = || map.iter().map(|(written, value)| (trimmed(written), value));
    let is_read_so = |written: &str| counted == Counted::Read && snake_case(written) == name;
    fields().find(|(written, _)| *written == name).or_else(|| fields().find(|(written, _)| is_read_so(written)))
}

/// The item that holds the word of that number.
fn item_of(items: &[Value], word: usize) -> usize {
    let words =
        |item: &Value| text_of(item).map_or(1, |text| text.split(',').filter(|w| !trimmed(w).is_empty()).count());
    let mut before = 0;
    let holds = |item: &Value| {
        before += words(item);
        before > word
    };
    items.iter().position(holds).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_has_numbers_only_where_lists_are_written() {
        let content = json!({
            "out_of_office": {"from": "2026-12-20"}, " steps": {"L": [{"M": {"on": {"busy": "x"}}}, {}]}, "hours": [{"call": "x"}],
            "for_leads": {"source": "a, b", "state": ["CA, XX", "YY"]}, "numbered": {"0": {"id": "a"}}, "steps[0]": 1, "attributes": {"loanAmount ": 1},
        });
        for (path, items, read) in [
            ("out_of_office[0].stand_in", "out_of_office.stand_in", "out_of_office.stand_in"),
            ("steps[1].wait", "steps[1].wait", "steps[1].wait"),
            ("steps[0].on.busy", "steps[0].on.busy", "steps[0].on.busy"),
            ("hours[0].call", "hours[0].call", "hours[0].call"),
            ("for_leads.source[1]", "for_leads.source", "for_leads.source"),
            ("for_leads.state[1]", "for_leads.state[1]", "for_leads.state[0]"),
            ("for_leads.state[2]", "for_leads.state[2]", "for_leads.state[1]"),
            ("for_leads.purpose[2]", "for_leads.purpose[2]", "for_leads.purpose[2]"),
            ("numbered[0].id", "numbered[0].id", "numbered[0].id"),
            ("gone.a[3].b", "gone.a[3].b", "gone.a[3].b"),
            ("odd[name.x]y", "odd[name.x]y", "odd[name.x]y"),
            ("attributes.loan_amount", "attributes.loan_amount", "attributes.loanAmount"),
            ("", "", ""),
        ] {
            assert_eq!(as_written(path, &content, Counted::Items), items);
            assert_eq!(as_written(path, &content, Counted::Read), read);
        }
    }
}
