//! What bugs do to the requests of DynamoDB: parts of an update's expressions are left out, or written otherwise.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

pub(super) fn set(body: &mut Value, path: &str, value: Value) {
    if let Some(there) = body.pointer_mut(path) {
        *there = value;
    }
}

/// Whether an update's expressions name that attribute.
pub(super) fn names(item: &Value, name: &str) -> bool {
    alias(item, name).is_some()
}

/// Whether an update is the first of those by which a claim is taken: it asks that nobody has one.
pub(super) fn takes_a_claim(item: &Value) -> bool {
    let condition = item.pointer("/Update/ConditionExpression").and_then(Value::as_str).unwrap_or_default();
    let claim = alias(item, "claim").filter(|_| names(item, "state"));
    claim.is_some_and(|claim| condition.contains(&format!("attribute_not_exists({claim})")))
}

/// What an update's expressions call that attribute.
pub(super) fn alias(item: &Value, name: &str) -> Option<String> {
    let names = item.pointer("/Update/ExpressionAttributeNames")?.as_object()?;
    names.iter().find(|(_, known)| *known == name).map(|(alias, _)| alias.clone())
}

/// Leaves the parts of an update's condition out that say so; the item must still exist.
pub(super) fn forget_condition(item: Option<&mut Value>, part: &str) {
    let Some(condition) = item.and_then(|item| item.pointer_mut("/Update/ConditionExpression")) else { return };
    let kept: Vec<&str> =
        condition.as_str().unwrap_or_default().split(" AND ").filter(|said| !said.contains(part)).collect();
    *condition = json!(kept.join(" AND "));
}

/// Leaves out of what an update sets all but what is kept.
pub(super) fn keep_in_set(item: &mut Value, keep: impl Fn(&str) -> bool) {
    let Some(expression) = item.pointer_mut("/Update/UpdateExpression") else { return };
    let text = expression.as_str().unwrap_or_default().to_owned();
    let (set, rest) = text.split_once(" REMOVE ").map_or((text.as_str(), None), |(set, rest)| (set, Some(rest)));
    let sets: Vec<&str> = set.trim_start_matches("SET ").split(", ").filter(|set| keep(set)).collect();
    let rest = rest.map(|rest| format!(" REMOVE {rest}")).unwrap_or_default();
    *expression = json!(format!("SET {}{rest}", sets.join(", ")));
}

/// Leaves an attribute that an update removes where it is.
pub(super) fn forget_remove(item: &mut Value, alias: &str) {
    let Some(expression) = item.pointer_mut("/Update/UpdateExpression") else { return };
    let text = expression.as_str().unwrap_or_default().to_owned();
    let Some((set, removed)) = text.split_once("REMOVE ") else { return };
    let kept: Vec<&str> = removed.split(", ").filter(|removed| *removed != alias).collect();
    let kept = if kept.is_empty() { String::new() } else { format!("REMOVE {}", kept.join(", ")) };
    *expression = json!(format!("{set}{kept}").trim());
}

/// Writes the generation that was read instead of the next.
pub(super) fn keep_generation(item: &mut Value) {
    let Some(values) = item.pointer_mut("/Update/ExpressionAttributeValues").and_then(Value::as_object_mut) else {
        return;
    };
    for value in values.values_mut() {
        let generation = value.pointer("/M/generation/N").and_then(Value::as_str).and_then(|n| n.parse::<u64>().ok());
        if let (Some(generation), true) = (generation, value.pointer("/M/state").is_some()) {
            set(value, "/M/generation/N", json!((generation - 1).to_string()));
        }
    }
}

/// Leaves the claims whose leases end by then out of what was read.
pub(super) fn hide_claims(read: &mut Value, by: DateTime<Utc>) {
    visit(read, &mut |fields| {
        let lease = fields.get("claim").and_then(|claim| claim.pointer("/M/lease_until/S")?.as_str());
        let lease = lease.and_then(|at| DateTime::parse_from_rfc3339(at).ok());
        if lease.is_some_and(|lease| lease <= by) {
            fields.remove("claim");
        }
    });
}

/// Leaves out the names and values that an update's expressions no longer use, which DynamoDB would refuse.
pub(super) fn prune(item: &mut Value) {
    let Some(update) = item.get_mut("Update") else { return };
    let text = |name: &str| update.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let said = format!("{} {}", text("UpdateExpression"), text("ConditionExpression"));
    let used: Vec<&str> = said.split(|c: char| !(c.is_ascii_alphanumeric() || "#:".contains(c))).collect();
    for names in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        if let Some(names) = update.get_mut(names).and_then(Value::as_object_mut) {
            names.retain(|name, _| used.contains(&name.as_str()));
        }
    }
}

/// Writes an item whatever is there.
pub(super) fn forget_whole_condition(item: &mut Value) {
    if let Some(update) = item.get_mut("Update").and_then(Value::as_object_mut) {
        update.remove("ConditionExpression");
    }
}

/// Leaves what a webhook came to out of what was read.
pub(super) fn hide_webhook(read: &mut Value) {
    if read.pointer("/Item/sk/S").is_some_and(|sk| sk == "WEBHOOK")
        && let Some(fields) = read.as_object_mut()
    {
        fields.remove("Item");
    }
}

/// Leaves all steps but the first out of cadences that were read.
pub(super) fn keep_first_step(read: &mut Value) {
    visit(read, &mut |fields| {
        if let Some(steps) = fields.get_mut("steps").and_then(|steps| steps.get_mut("L")).and_then(Value::as_array_mut)
        {
            steps.truncate(1);
        }
    });
}

/// Puts what is due next off by a year.
pub(super) fn put_off(item: &mut Value) {
    visit(item, &mut |fields| {
        let due_at = fields.get_mut("next").and_then(|next| next.pointer_mut("/M/due_at/S"));
        let read = |at: &Value| DateTime::parse_from_rfc3339(at.as_str()?).ok();
        if let Some((due_at, at)) = due_at.and_then(|due_at| read(due_at).map(|at| (due_at, at))) {
            let later = at.to_utc() + TimeDelta::days(365);
            *due_at = json!(later.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
    });
}

/// Does something to each map in it, from the outside in.
fn visit(value: &mut Value, edit: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            edit(fields);
            fields.values_mut().for_each(|field| visit(field, edit));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, edit)),
        _ => {}
    }
}
