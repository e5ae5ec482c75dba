//! Whom a change matters to: what the record language says of when an edit is heeded.

use serde_json::Value;

use super::Context;

/// What decides which leads a cadence takes: read anew for each lead that arrives, whatever version others are on.
const ON_ARRIVAL: [&str; 4] = ["for_leads", "priority", "reenroll", "takes_over"];
/// What acts at once on all versions.
const AT_ONCE: &str = "status";
/// What says whom a version is for.
const APPLY_TO: &str = "apply_to";

/// Whom the difference between two records without notes matters to.
pub(super) fn matters(pk: &str, old: &Value, new: &Value, context: Context<'_>) -> Vec<String> {
    let used = match context.used_by {
        [] => String::new(),
        used_by => format!(" (used by {})", used_by.join(", ")),
    };
    match pk.split('#').next().unwrap_or_default() {
        "CADENCE" => cadence(old, new, context.leads),
        "MESSAGE" => {
            vec![format!("for everything that is sent with it from now on, also to leads that run already{used}")]
        }
        "USER" => vec![format!("for all of the user's leads from now on{used}")],
        "SOURCE" => vec!["for leads that arrive from now on".to_owned()],
        "SETTINGS" => vec!["for everything that is sent from now on, also to leads that run already".to_owned()],
        _ => Vec::new(),
    }
}

fn cadence(old: &Value, new: &Value, leads: Option<&str>) -> Vec<String> {
    let differs = |name: &str| old.get(name) != new.get(name);
    let empty = serde_json::Map::new();
    let (old_fields, new_fields) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let mut names: Vec<&str> = old_fields.keys().chain(new_fields.keys()).map(String::as_str).collect();
    names.retain(|name| differs(name));
    // The record is told of leads within minutes.
    let running = leads.map(|leads| format!(" ({leads} when last counted)")).unwrap_or_default();

    let mut matters = Vec::new();
    if differs(AT_ONCE) {
        matters.push(status(new.get(AT_ONCE).and_then(Value::as_str).unwrap_or("live").trim(), &running));
    }
    if names.iter().any(|name| ON_ARRIVAL.contains(name)) {
        matters.push("whom it takes: for leads that arrive from now on".to_owned());
    }
    names.retain(|name| *name != AT_ONCE && !ON_ARRIVAL.contains(name));
    if !names.is_empty() {
        matters.push(match new.get(APPLY_TO).and_then(Value::as_str).unwrap_or("new_leads").trim() {
            "everyone" => format!(
                "for leads that enroll from now on, and for those that run{running}, each when its next step is due and still exists"
            ),
            _ => format!("for leads that enroll from now on; those that run{running} keep their version"),
        });
    }
    let is_for_everyone = new.get(APPLY_TO).and_then(Value::as_str).is_some_and(|whom| whom.trim() == "everyone");
    let gone: Vec<&str> = steps(old).filter(|id| is_for_everyone && steps(new).all(|other| other != *id)).collect();
    if !gone.is_empty() {
        let gone = gone.join(" or ");
        matters.push(format!(
            "who waits for {gone} when this is published runs it still, as it was, and moves when the step after it is due"
        ));
    }
    if is_for_everyone {
        matters.extend(reordered(old, new));
    }
    matters
}

/// Who runs which steps again, because those that came before a step come after it now, and which never, because those that came after it
/// come before it: a lead goes on from the step that it waits for.
fn reordered(old: &Value, new: &Value) -> Option<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (steps(old).collect(), steps(new).collect());
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for (index, step) in old.iter().enumerate() {
        let (before, after) = (old.iter().take(index), old.iter().skip(index + 1));
        let Some(place) = new.iter().position(|id| id == step) else { continue };
        let is_after = |id: &&&str| new.iter().skip(place).any(|other| other == *id);
        let is_before = |id: &&&str| new.iter().take(place).any(|other| other == *id);
        let again = in_order(&new, before.filter(is_after));
        let never = in_order(&new, after.filter(is_before));
        let what = match (again.as_slice(), never.as_slice()) {
            ([], []) => continue,
            (again, []) => format!("runs {} again", again.join(" and ")),
            ([], never) => format!("never runs {}", never.join(" or ")),
            (again, never) => format!("runs {} again, and never {}", again.join(" and "), never.join(" or ")),
        };
        match told.iter_mut().find(|(other, _)| *other == what) {
            Some((_, waiting)) => waiting.push(step),
            None => told.push((what, vec![step])),
        }
    }
    let told: Vec<String> =
        told.iter().map(|(what, waiting)| format!("who waits for {} then {what}", waiting.join(" or "))).collect();
    (!told.is_empty()).then(|| format!("steps are followed in their new order: {}", told.join("; ")))
}

/// Some steps in the order in which they come.
fn in_order<'a>(all: &[&'a str], some: impl Iterator<Item = &'a &'a str>) -> Vec<&'a str> {
    let some: Vec<&str> = some.copied().collect();
    all.iter().copied().filter(|id| some.contains(id)).collect()
}

/// The ids of a record's steps.
fn steps(record: &Value) -> impl Iterator<Item = &str> {
    record.get("steps").and_then(Value::as_array).into_iter().flatten().filter_map(|step| step.get("id")?.as_str())
}

fn status(status: &str, running: &str) -> String {
    match status {
        "live" => format!("at once: takes leads, and those that rest go on within minutes{running}"),
        "paused" => {
            format!("at once: nothing more is sent, and its leads{running} rest where they are until it is live again")
        }
        "off" => format!("at once: takes no new leads, and those that run{running} finish"),
        "archived" => {
            format!("at once: takes no new leads, and ends for each that runs{running} when its next step comes due")
        }
        _ => format!("at once, for every lead that runs{running}"),
    }
}
