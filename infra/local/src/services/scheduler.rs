//! Amazon EventBridge Scheduler, as REST JSON: one-shot timers onto queues.

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use http::{Request, Response};
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use super::{
    Scope, instant,
    wire::{self, Outcome, Refusal},
};

pub(crate) fn handle(scope: &Scope<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    wire::rest_answer(answer(scope, request))
}

fn answer(scope: &Scope<'_>, request: &Request<Bytes>) -> Outcome {
    let path: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(request.uri().query().unwrap_or_default()).unwrap_or_default();
    let group = query.iter().find(|(name, _)| name == "groupName").map_or("default", |(_, value)| value.as_str());
    match (request.method().as_str(), path.as_slice()) {
        ("POST", ["schedules", name]) => create(scope, &decoded(name), wire::body(request)?),
        ("GET", ["schedules", name]) => get(scope, group, &decoded(name)),
        ("DELETE", ["schedules", name]) => delete(scope, group, &decoded(name)),
        ("GET", ["schedules"]) => list(scope),
        ("POST", ["schedule-groups", name]) => {
            scope.conn.execute("INSERT OR IGNORE INTO schedule_groups (name) VALUES (?1)", [decoded(name)])?;
            Ok(json!({ "ScheduleGroupArn": scope.account.arn("scheduler", &format!("schedule-group/{name}")) }))
        }
        (method, _) => Err(Refusal::unknown_operation(&format!("{method} {}", request.uri().path()))),
    }
}

fn create(scope: &Scope<'_>, name: &str, mut request: Value) -> Outcome {
    let group = request.get("GroupName").and_then(Value::as_str).unwrap_or("default").to_owned();
    if group != "default" && !has_group(scope, &group)? {
        return Err(Refusal::missing("ResourceNotFoundException", format!("schedule group {group} does not exist")));
    }
    if name.is_empty() || name.len() > 64 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return Err(Refusal::of(
            "ValidationException",
            "Name must be 1 to 64 letters, digits, hyphens, underscores or dots",
        ));
    }
    let due_at = due_at(&request)?;
    let token = |request: &Value| request.get("ClientToken").and_then(Value::as_str).map(str::to_owned);
    if let Some((_, stored)) = load(scope, &group, name)? {
        // The same request again, by its token, is the same timer.
        return match token(&stored).is_some() && token(&stored) == token(&request) {
            true => Ok(made(scope, &group, name)),
            false => Err(Refusal {
                status: 409,
                ..Refusal::of("ConflictException", format!("schedule {name} already exists"))
            }),
        };
    }
    if let Some(fields) = request.as_object_mut() {
        fields.insert("CreationDate".to_owned(), json!(scope.now.timestamp()));
    }
    let sql = "INSERT INTO schedules (group_name, name, due_at, request) VALUES (?1, ?2, ?3, ?4)";
    scope.conn.prepare_cached(sql)?.execute(params![group, name, due_at.timestamp_millis(), request.to_string()])?;
    Ok(made(scope, &group, name))
}

/// Only one-shot timers in UTC onto queues are made here: what the functions make.
fn due_at(request: &Value) -> Outcome<DateTime<Utc>> {
    let invalid = |message: &str| Refusal::of("ValidationException", message);
    let expression = wire::text(request, "ScheduleExpression")?;
    let zone = request.get("ScheduleExpressionTimezone").and_then(Value::as_str).unwrap_or("UTC");
    if zone != "UTC" {
        return Err(invalid("the local cloud's timers are in UTC"));
    }
    let target = request.pointer("/Target/Arn").and_then(Value::as_str).unwrap_or_default();
    let role = request.pointer("/Target/RoleArn").and_then(Value::as_str).unwrap_or_default();
    if !target.contains(":sqs:") || role.is_empty() {
        return Err(invalid("Target must be the ARN of a queue, with a RoleArn"));
    }
    if request.pointer("/FlexibleTimeWindow/Mode").and_then(Value::as_str).is_none() {
        return Err(invalid("FlexibleTimeWindow is required"));
    }
    let form = "at(%Y-%m-%dT%H:%M:%S)";
    // The parser takes signs, spaces and single digits too; AWS does not.
    let at = NaiveDateTime::parse_from_str(expression, form).ok();
    let at = at.filter(|at| at.format(form).to_string() == expression);
    at.map(|at| at.and_utc()).ok_or_else(|| invalid("ScheduleExpression must read at(yyyy-mm-ddThh:mm:ss)"))
}

fn get(scope: &Scope<'_>, group: &str, name: &str) -> Outcome {
    let (_, mut stored) = load(scope, group, name)?.ok_or_else(|| no_such(name))?;
    if let Some(fields) = stored.as_object_mut() {
        fields.remove("ClientToken");
        fields.insert("Name".to_owned(), json!(name));
        fields.insert("State".to_owned(), json!("ENABLED"));
        fields.insert("Arn".to_owned(), json!(arn(scope, group, name)));
    }
    Ok(stored)
}

fn delete(scope: &Scope<'_>, group: &str, name: &str) -> Outcome {
    let sql = "DELETE FROM schedules WHERE group_name = ?1 AND name = ?2";
    match scope.conn.prepare_cached(sql)?.execute(params![group, name])? {
        0 => Err(no_such(name)),
        _ => Ok(json!({})),
    }
}

fn list(scope: &Scope<'_>) -> Outcome {
    let mut statement =
        scope.conn.prepare("SELECT group_name, name, due_at, request FROM schedules ORDER BY due_at, name")?;
    let rows = statement.query_map([], |row| {
        let (group, name, due_at, request): (String, String, i64, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let request: Value = serde_json::from_str(&request).unwrap_or_default();
        Ok(json!({
            "Arn": arn(scope, &group, &name), "GroupName": group, "Name": name, "State": "ENABLED",
            "CreationDate": request.get("CreationDate"), "LastModificationDate": request.get("CreationDate"),
            "Target": { "Arn": request.pointer("/Target/Arn") },
            // AWS lists no expression; people who look at a laptop's timers want to know when.
            "ScheduleExpression": instant(due_at).map(|at| at.format("at(%Y-%m-%dT%H:%M:%S)").to_string()),
        }))
    })?;
    Ok(json!({ "Schedules": rows.collect::<rusqlite::Result<Vec<_>>>()? }))
}

fn load(scope: &Scope<'_>, group: &str, name: &str) -> Outcome<Option<(i64, Value)>> {
    let sql = "SELECT due_at, request FROM schedules WHERE group_name = ?1 AND name = ?2";
    let found = scope
        .conn
        .prepare_cached(sql)?
        .query_row(params![group, name], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    Ok(found.map(|(due_at, request)| (due_at, serde_json::from_str(&request).unwrap_or_default())))
}

fn has_group(scope: &Scope<'_>, group: &str) -> Outcome<bool> {
    let sql = "SELECT 1 FROM schedule_groups WHERE name = ?1";
    Ok(scope.conn.prepare_cached(sql)?.query_row([group], |_| Ok(())).optional()?.is_some())
}

fn made(scope: &Scope<'_>, group: &str, name: &str) -> Value {
    json!({ "ScheduleArn": arn(scope, group, name) })
}

fn arn(scope: &Scope<'_>, group: &str, name: &str) -> String {
    scope.account.arn("scheduler", &format!("schedule/{group}/{name}"))
}

fn no_such(name: &str) -> Refusal {
    Refusal::missing("ResourceNotFoundException", format!("schedule {name} does not exist"))
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_that_aws_would_refuse_is_refused() {
        let timer = |at: &str| {
            json!({
                "ScheduleExpression": at, "FlexibleTimeWindow": { "Mode": "OFF" },
                "Target": { "Arn": "arn:aws:sqs:us-east-1:000000000000:sms", "RoleArn": "arn:aws:iam::000000000000:role/t" },
            })
        };
        assert_eq!(due_at(&timer("at(2027-01-05T15:20:00)")).unwrap().to_rfc3339(), "2027-01-05T15:20:00+00:00");
        for at in
            ["at(2027-1-5T15:20:00)", "at(2027-02-30T15:20:00)", "at(2027-01-05T15:20:00Z)", "rate(5 minutes)", ""]
        {
            assert_eq!(due_at(&timer(at)).unwrap_err().code, "ValidationException", "{at}");
        }
        let mut without_window = timer("at(2027-01-05T15:20:00)");
        without_window["FlexibleTimeWindow"] = Value::Null;
        assert!(due_at(&without_window).is_err());
    }
}
