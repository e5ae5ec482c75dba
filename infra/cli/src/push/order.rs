//! In which order records are written: what others refer to first, so that each is published at once.

use std::collections::BTreeSet;

use cadence_core::records::KINDS;
use serde_json::Value;

use crate::diff::Change;

/// Sorts by kind, and cadences after those that they lead to. Where two lead to each other, the first by name comes first.
pub(crate) fn sort(changes: &mut Vec<Change>) {
    let kind = |change: &Change| {
        let kind = change.pk.split('#').next().unwrap_or_default();
        KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len())
    };
    changes.sort_by(|one, other| (kind(one), &one.pk).cmp(&(kind(other), &other.pk)));
    let mut left: Vec<Change> = std::mem::take(changes);
    while !left.is_empty() {
        let waiting: BTreeSet<String> = left.iter().map(|change| change.pk.clone()).collect();
        let is_free =
            |change: &Change| targets(&change.content).iter().all(|to| *to == change.pk || !waiting.contains(to));
        let next = left.iter().position(is_free).unwrap_or(0);
        changes.push(left.remove(next));
    }
}

/// The keys of the cadences that outcomes lead to.
fn targets(content: &Value) -> Vec<String> {
    match content {
        Value::Object(map) => {
            let to = map.get("cadence").and_then(Value::as_str).filter(|_| map.len() == 1);
            let to = to.map(|to| format!("CADENCE#{}", to.trim().trim_start_matches("CADENCE#")));
            to.into_iter().chain(map.values().flat_map(targets)).collect()
        }
        Value::Array(values) => values.iter().flat_map(targets).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sorted(records: &[(&str, Value)]) -> Vec<String> {
        let of = |(pk, content): &(&str, Value)| Change {
            pk: (*pk).to_owned(),
            content: content.clone(),
            read: None,
            difference: None,
        };
        let mut changes = records.iter().map(of).collect();
        sort(&mut changes);
        changes.into_iter().map(|change| change.pk).collect()
    }

    #[test]
    fn what_others_refer_to_comes_first() {
        let to = |id: &str| json!({ "anytime": { "replied": { "cadence": id } } });
        assert_eq!(
            sorted(&[
                ("CADENCE#a", to("c")),
                ("CADENCE#b", json!({})),
                ("CADENCE#c", to("CADENCE#b")),
                ("MESSAGE#x", json!({})),
                ("NONSENSE", json!({})),
                ("SETTINGS#company", json!({})),
                ("SOURCE#s", json!({})),
                ("USER#u", json!({})),
            ]),
            ["SETTINGS#company", "USER#u", "SOURCE#s", "MESSAGE#x", "CADENCE#b", "CADENCE#c", "CADENCE#a", "NONSENSE"]
        );
        assert_eq!(sorted(&[("CADENCE#b", to("a")), ("CADENCE#a", to("b"))]), ["CADENCE#a", "CADENCE#b"]);
    }
}
