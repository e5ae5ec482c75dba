//! What differs, field by field; steps by their ids, wherever they stand.

use serde_json::{Map, Value};

/// Longer texts are told line by line.
const SHORT: usize = 60;

/// What differs between two records without notes.
pub(super) fn changes(old: &Value, new: &Value) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, old, new) in both(old, new) {
        match (name, old.map(steps_of), new.map(steps_of)) {
            ("steps", Some(Some(old)), Some(Some(new))) => changes.extend(steps(&old, &new)),
            _ => told(name, old, new, &mut changes),
        }
    }
    changes
}

/// The fields of two maps that differ, as they stand in each.
fn both<'a>(old: &'a Value, new: &'a Value) -> Vec<(&'a str, Option<&'a Value>, Option<&'a Value>)> {
    let (old, new) = (old.as_object(), new.as_object());
    let mut names: Vec<&String> = old.into_iter().chain(new).flat_map(Map::keys).collect();
    names.sort();
    names.dedup();
    let of = |map: Option<&'a Map<String, Value>>, name: &str| map.and_then(|map| map.get(name));
    let fields = names.into_iter().map(|name| (name.as_str(), of(old, name), of(new, name)));
    fields.filter(|(_, old, new)| old != new).collect()
}

/// Tells a field that differs; of a map, each of its fields.
fn told(path: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<String>) {
    match (old, new) {
        (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) => {
            for (name, old, new) in both(old, new) {
                told(&format!("{path}.{name}"), old, new, changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if are_words(old) && are_words(new) => {
            members(path, old, new, changes);
        }
        (Some(Value::String(old)), Some(Value::String(new))) if is_long(old) || is_long(new) => {
            changes.push(format!("{path} reads otherwise:{}", lines(old, new)));
        }
        (Some(old), Some(new)) => changes.push(format!("{path} is {} instead of {}", shown(new), shown(old))),
        (None, Some(new)) => changes.push(format!("{path} is {}; there was none", shown(new))),
        (Some(old), None) => changes.push(format!("{path} is gone; it was {}", shown(old))),
        (None, None) => {}
    }
}

/// Whether a list is one of words, such as states or groups.
fn are_words(list: &[Value]) -> bool {
    list.iter().all(Value::is_string)
}

/// Tells what a list gains and loses; in another order, the whole list.
fn members(path: &str, old: &[Value], new: &[Value], changes: &mut Vec<String>) {
    let only = |list: &[Value], other: &[Value]| -> Vec<String> {
        list.iter().filter(|value| !other.contains(value)).map(shown).collect()
    };
    let (gained, lost) = (only(new, old), only(old, new));
    let list = |list: &[Value]| Value::from(list.to_vec());
    match (gained.as_slice(), lost.as_slice()) {
        ([], []) => changes.push(format!("{path} is {} instead of {}", list(new), list(old))),
        (gained, []) => changes.push(format!("{path} has {} too", gained.join(", "))),
        ([], lost) => changes.push(format!("{path} has {} no more", lost.join(", "))),
        (gained, lost) => changes.push(format!("{path} has {} instead of {}", gained.join(", "), lost.join(", "))),
    }
}

fn is_long(text: &str) -> bool {
    text.chars().count() > SHORT || text.contains('\n')
}

/// The lines that only one of two texts has.
fn lines(old: &str, new: &str) -> String {
    let of = |text: &str, other: &str, mark: char| -> String {
        let others: Vec<&str> = other.lines().collect();
        text.lines().filter(|line| !others.contains(line)).map(|line| format!("\n      {mark} {line}")).collect()
    };
    format!("{}{}", of(old, new, '-'), of(new, old, '+'))
}

/// A value as it is told: a text that can't be mistaken without its quotes.
fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.contains(['"', ',']) && text.trim() == text => text.to_owned(),
        _ => value.to_string(),
    }
}

/// A list of steps, if each has an id of its own.
fn steps_of(value: &Value) -> Option<Vec<(&str, &Value)>> {
    let steps = value.as_array()?;
    let steps: Option<Vec<(&str, &Value)>> =
        steps.iter().map(|step| Some((step.get("id")?.as_str()?.trim(), step))).collect();
    steps.filter(|steps| {
        let mut ids: Vec<&str> = steps.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.windows(2).all(|pair| pair.first() != pair.last())
    })
}

fn steps(old: &[(&str, &Value)], new: &[(&str, &Value)]) -> Vec<String> {
    let in_both = |steps: &[(&str, &Value)], others: &[(&str, &Value)]| -> Vec<String> {
        let common = steps.iter().filter(|(id, _)| others.iter().any(|(other, _)| other == id));
        common.map(|(id, _)| (*id).to_owned()).collect()
    };
    let mut changes = Vec::new();
    let order = in_both(new, old);
    if in_both(old, new) != order {
        changes.push(format!("the steps come in another order: {}", order.join(", ")));
    }
    let gone = old.iter().filter(|(id, _)| new.iter().all(|(other, _)| other != id));
    changes.extend(gone.map(|(id, _)| format!("step {id} is gone")));
    let mut before = None;
    for (id, step) in new {
        match old.iter().find(|(other, _)| other == id) {
            None => {
                let place = before.map_or("first".to_owned(), |before| format!("after {before}"));
                changes.push(format!("step {id} is new, {place}: {}", described(step)));
            }
            Some((_, old)) => changes.extend(step_changes(id, old, step)),
        }
        before = Some(*id);
    }
    changes
}

/// A step in a line: what it does and when, and whatever else it says.
fn described(step: &Value) -> String {
    let said = |name: &str| step.get(name).map(shown).unwrap_or_default();
    let is_said = |name: &str| ["id", "do", "wait"].contains(&name);
    // What goes without saying isn't said of a step that is new.
    let goes_without = |name: &str, value: &Value| {
        matches!((name, shown(value).as_str()), ("assign", "loan_officer") | ("attempts", "1"))
    };
    let rest =
        step.as_object().into_iter().flatten().filter(|(name, value)| !is_said(name) && !goes_without(name, value));
    let rest: String = rest.map(|(name, value)| format!(", {name} {}", shown(value))).collect();
    format!("{} after {}{rest}", said("do"), said("wait"))
}

fn step_changes(id: &str, old: &Value, new: &Value) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, old, new) in both(old, new) {
        match (name, old, new) {
            ("wait", Some(old), Some(new)) => {
                changes.push(format!("step {id} waits {} instead of {}", shown(new), shown(old)));
            }
            ("do", Some(old), Some(new)) => {
                changes.push(format!("step {id} does {} instead of {}", shown(new), shown(old)));
            }
            ("message", Some(old), Some(new)) => {
                changes.push(format!("step {id} uses the message {} instead of {}", shown(new), shown(old)));
            }
            _ => told(&format!("step {id}: {name}"), old, new, &mut changes),
        }
    }
    changes
}
