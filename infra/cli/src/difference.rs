//! What differs between two states of a record, in words, and for whom it will matter.

mod fields;
mod whom;

use cadence_core::records::{parse_record, print};
use cadence_store::Edited;
use serde_json::Value;

/// What a change of a record comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What differs, a sentence each.
    pub(crate) changes: Vec<String>,
    /// Whom it matters to, and when.
    pub(crate) matters: Vec<String>,
}

/// What else is known of a record that changes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context<'a> {
    /// What is written on a cadence of the leads that run through it.
    pub(crate) leads: Option<&'a str>,
    /// The cadences that refer to the record.
    pub(crate) used_by: &'a [&'a str],
}

/// What becomes different with `new`, where `old` is there; `None` if nothing does.
pub(crate) fn difference(pk: &str, old: &Value, new: &Value, context: Context<'_>) -> Option<Difference> {
    if old == new {
        return None;
    }
    let (old, new) = match (meant(pk, old), meant(pk, new)) {
        (Some(old), Some(new)) => (old, new),
        // What can't be read is compared as it is written.
        _ => (filled(pk, old.clone()), filled(pk, new.clone())),
    };
    if old == new {
        let changes = vec!["only notes or the spelling differ: it stays the same version".to_owned()];
        return Some(Difference { changes, matters: Vec::new() });
    }
    let changes = fields::changes(&old, &new);
    Some(Difference { matters: whom::matters(pk, &old, &new, context), changes })
}

/// Whether two states of a record come to the same: but for notes and spelling, they are one version.
pub(crate) fn says_the_same(pk: &str, one: &Value, other: &Value) -> bool {
    one == other || meant(pk, one).is_some_and(|one| Some(one) == meant(pk, other))
}

/// What a record means where it says nothing, so that saying it is no difference and leaving it out is told as what it comes to.
const UNSAID: [(&str, &str, &str); 4] = [
    ("CADENCE#", "status", "\"live\""),
    ("CADENCE#", "apply_to", "\"new_leads\""),
    ("CADENCE#", "priority", "0"),
    ("USER#", "active", "true"),
];
/// The same of a step.
const UNSAID_OF_STEPS: [(&str, &str); 2] = [("assign", "\"loan_officer\""), ("attempts", "1")];

/// Says in `content` what it leaves unsaid where another thing is at work: an edit that is silent there is taken for one that was saved
/// half-way, and refused.
pub(crate) fn said_outright(pk: &str, mut content: Value, at_work: Option<&Value>) -> Value {
    let is_silent = |record: &Value, name: &str| record.get(name).is_none_or(|said| said.is_null() || said == "");
    for (_, name, meant) in UNSAID.iter().filter(|(kind, ..)| pk.starts_with(kind)) {
        let differs = at_work.is_some_and(|at_work| !is_silent(at_work, name));
        if let (true, true, Some(fields), Ok(meant)) =
            (differs, is_silent(&content, name), content.as_object_mut(), serde_json::from_str(meant))
        {
            fields.insert((*name).to_owned(), meant);
        }
    }
    content
}

/// What a record means, whatever its spelling and without notes; `None` if it can't be read.
pub(crate) fn meant(pk: &str, content: &Value) -> Option<Value> {
    Some(filled(pk, Edited::content_of(print(&parse_record(pk, content).ok()?))))
}

/// The same with what it leaves unsaid.
pub(crate) fn filled(pk: &str, mut meant: Value) -> Value {
    let fill = |map: &mut Value, name: &str, value: &str| {
        if let (Some(map), Ok(value)) = (map.as_object_mut(), serde_json::from_str(value)) {
            map.entry(name).or_insert(value);
        }
    };
    for (_, name, value) in UNSAID.iter().filter(|(kind, ..)| pk.starts_with(kind)) {
        fill(&mut meant, name, value);
    }
    for step in meant.get_mut("steps").and_then(Value::as_array_mut).into_iter().flatten() {
        UNSAID_OF_STEPS.iter().for_each(|(name, value)| fill(step, name, value));
    }
    meant
}

#[cfg(test)]
mod tests;
