//! What bugs do to the requests of DynamoDB: parts of an update's expressions are left out, or written otherwise.

use cadence_core::records::settings::Caps;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::simulation::people::HOMES;

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

/// Asks no longer that nobody has a claim, only that its lease is over.
pub(super) fn heed_lease_only(item: &mut Value, now: DateTime<Utc>) {
    let Some(claim) = alias(item, "claim") else { return };
    let Some(update) = item.get_mut("Update") else { return };
    let (asked, asks) = (format!("attribute_not_exists({claim})"), format!("{claim}.#lease_over <= :lease_over"));
    let condition = update.get("ConditionExpression").and_then(Value::as_str).unwrap_or_default();
    let condition = condition.replace(&asked, &format!("({asked} OR {asks})"));
    set(update, "/ConditionExpression", json!(condition));
    for (names, name, value) in [
        ("ExpressionAttributeNames", "#lease_over", json!("lease_until")),
        ("ExpressionAttributeValues", ":lease_over", json!({ "S": now.to_rfc3339() })),
    ] {
        if let Some(names) = update.get_mut(names).and_then(Value::as_object_mut) {
            names.insert(name.to_owned(), value);
        }
    }
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
    let used: Vec<&str> = said.split(|c: char| !(c.is_ascii_alphanumeric() || "#:_".contains(c))).collect();
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

/// Leaves enrollments out of what was read.
pub(super) fn hide_enrollments(read: &mut Value) {
    if let Some(items) = read.get_mut("Items").and_then(Value::as_array_mut) {
        items.retain(|item| {
            !item.pointer("/sk/S").and_then(Value::as_str).is_some_and(|sk| sk.starts_with("ENROLLMENT#"))
        });
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

/// Writes another instant at which the next step is due.
pub(super) fn put_off(item: &mut Value, to: impl Fn(DateTime<Utc>) -> DateTime<Utc>) {
    visit(item, &mut |fields| {
        let due_at = fields.get_mut("next").and_then(|next| next.pointer_mut("/M/due_at/S"));
        let read = |at: &Value| DateTime::parse_from_rfc3339(at.as_str()?).ok();
        if let Some((due_at, at)) = due_at.and_then(|due_at| read(due_at).map(|at| (due_at, at))) {
            *due_at = json!(due_then(to(at.to_utc())));
        }
    });
}

pub(super) fn due_then(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Takes what is due next to be due by then, in what was read.
pub(super) fn due_by(read: &mut Value, by: DateTime<Utc>) {
    put_off(read, |due_at| due_at.min(by));
}

/// Goes on with the first of the steps that were done, by their names, instead of with the next.
pub(super) fn go_back(item: &mut Value) {
    visit(item, &mut |fields| {
        let Some(rounds) = fields.get("rounds").and_then(|rounds| rounds.get("M")?.as_object()) else { return };
        let next = fields.get("next").and_then(|next| next.pointer("/M/step/S")?.as_str());
        let done = rounds.iter().find(|(step, _)| next.is_some_and(|next| next != *step));
        let Some((step, round)) =
            done.and_then(|(step, round)| Some((step.clone(), round.get("N")?.as_str()?.parse::<u32>().ok()?)))
        else {
            return;
        };
        let round = json!({ "N": (round + 1).to_string() });
        for (path, value) in [("/M/step", json!({ "S": step })), ("/M/round", round.clone())] {
            if let Some(there) = fields.get_mut("next").and_then(|next| next.pointer_mut(path)) {
                *there = value;
            }
        }
        if let Some(reached) = fields.get_mut("rounds").and_then(|rounds| rounds.get_mut("M")?.get_mut(&step)) {
            *reached = round;
        }
    });
}

/// Takes every lead that was read to have agreed to everything in writing.
pub(super) fn agree_to_all(read: &mut Value) {
    visit(read, &mut |fields| {
        if let Some(channels) = fields.get_mut("consent").and_then(|consent| consent.get_mut("M")?.as_object_mut()) {
            channels.values_mut().for_each(|degree| *degree = json!({ "S": "express_written" }));
        }
    });
}

/// Takes all caps that were read for the law's.
pub(super) fn forget_caps(read: &mut Value) {
    let laws = serde_json::to_value(Caps::FLOOR).unwrap_or_default();
    visit(read, &mut |fields| {
        for (name, cap) in laws.as_object().into_iter().flatten() {
            if let Some(there) = fields.get_mut(name) {
                *there = json!({ "N": cap.to_string() });
            }
        }
    });
}

/// Takes every user that was read to be licensed wherever people live.
pub(super) fn license_all(read: &mut Value) {
    let states: Vec<Value> = HOMES.iter().map(|home| json!({ "S": home.state })).collect();
    visit(read, &mut |fields| {
        if let Some(licences) = fields.get_mut("licences") {
            *licences = json!({ "L": states });
        }
    });
}

/// Takes every cadence that was read to be for everyone.
pub(super) fn follow_any(read: &mut Value) {
    visit(read, &mut |fields| {
        if fields.contains_key("steps") {
            fields.insert("apply_to".to_owned(), json!({ "S": "everyone" }));
        }
    });
}

/// The lead of an address that was read.
pub(super) fn lead_of(read: &mut Value) -> Option<&mut Value> {
    match read {
        Value::Object(fields) => {
            let is_address =
                fields.get("pk").and_then(|pk| pk.get("S")?.as_str()).is_some_and(|pk| pk.starts_with("ADDRESS#"));
            if is_address { fields.get_mut("lead") } else { fields.values_mut().find_map(lead_of) }
        }
        Value::Array(items) => items.iter_mut().find_map(lead_of),
        _ => None,
    }
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
