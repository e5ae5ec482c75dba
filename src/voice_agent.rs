//! The voice agent's side of its calls: a vendor that takes a call, lets it end as a script says, and reports how it ended.
//! <https://docs.vapi.ai/api-reference/calls/create>

mod calls;
mod check;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use self::calls::Call;
pub(crate) use self::calls::{SCHEMA, next_end_at};
pub use self::calls::{Ending, mark_reported, script};
use crate::{
    outbox::{self, Kind, Sending},
    services::{Scope, after, commit, issue_id},
    wire::{self, CloudError, Refusal},
};

/// How many calls are listed where nobody says.
const LISTED: usize = 100;

/// What the vendor posts when a call has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The call's id.
    pub id: String,
    /// The webhook's body.
    pub body: Value,
}

/// Answers one request.
pub fn handle(scope: &Scope<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    match commit(scope.conn, || run(scope, request)) {
        Ok((status, body)) => respond(status, &body),
        Err(CloudError::Refused(refusal)) => {
            let body = json!({"message": refusal.message, "error": refusal.code, "statusCode": refusal.status.as_u16()});
            respond(refusal.status, &body)
        }
        Err(CloudError::Database(error)) => {
            tracing::error!(%error, "failed a request to the voice agent");
            let body = json!({"message": "Internal server error", "statusCode": 500});
            respond(StatusCode::INTERNAL_SERVER_ERROR, &body)
        }
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn run(scope: &Scope<'_>, request: &Request<Bytes>) -> Result<(StatusCode, Value), CloudError> {
    if !has_key(request.headers()) {
        let message = "Invalid Key. Hot tip, you may be using the public key instead of the private key, or vice versa.";
        return Err(Refusal::new("Unauthorized", message).with_status(StatusCode::UNAUTHORIZED).into());
    }
    let path = wire::path(request);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (request.method(), path.as_slice()) {
        (&Method::POST, [.., "call"]) => Ok((StatusCode::CREATED, create(scope, &wire::read(request.body())?)?)),
        (&Method::GET, [.., "call"]) => Ok((StatusCode::OK, list(scope, request)?)),
        (&Method::GET, [.., "call", id]) => {
            let call = calls::find(scope.conn, id)?;
            let call = call.ok_or_else(|| not_found("Couldn't Get Call. Does This Id Exist?".to_owned()))?;
            Ok((StatusCode::OK, shown(scope, &call)))
        }
        (method, _) => {
            let path = request.uri().path();
            tracing::warn!(%method, path, "refused an operation that the local voice agent does not have");
            Err(not_found(format!("Cannot {method} {path}")).into())
        }
    }
}

fn has_key(headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.and_then(|given| given.strip_prefix("Bearer ")).is_some_and(|key| !key.trim().is_empty())
}

fn create(scope: &Scope<'_>, body: &Value) -> Result<Value, CloudError> {
    let order = check::order(body)?;
    let ending = calls::ending_of(scope.conn, &order.number)?;
    let call = Call {
        id: issue_id(scope.conn, "call")?.to_string(),
        order: body.clone(),
        created_at: scope.now,
        ends_at: after(scope.now, ending.after),
        ended_reason: ending.ended_reason,
        structured_data: ending.structured_data,
    };
    calls::insert(scope.conn, &call)?;
    let sending = Sending {
        kind: Kind::AiCall,
        from: order.phone_number_id,
        to: order.number,
        subject: None,
        text: Some(order.assistant_id),
        html: None,
        tags: object(body, "/metadata"),
        details: object(body, "/assistantOverrides/variableValues"),
        vendor_id: call.id.clone(),
    };
    outbox::push(scope, &sending)?;
    Ok(shown(scope, &call))
}

fn object(body: &Value, pointer: &str) -> Map<String, Value> {
    body.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// A call as the vendor shows it at this instant.
fn shown(scope: &Scope<'_>, call: &Call) -> Value {
    let mut shown = call.order.as_object().cloned().unwrap_or_default();
    let ended = call.ends_at <= scope.now;
    let status = if ended {
        "ended"
    } else if call.created_at == scope.now {
        "queued"
    } else {
        "in-progress"
    };
    shown.extend([
        ("id".to_owned(), json!(call.id)),
        ("type".to_owned(), json!("outboundPhoneCall")),
        ("status".to_owned(), json!(status)),
        ("createdAt".to_owned(), json!(text(call.created_at))),
    ]);
    if ended {
        shown.insert("endedAt".to_owned(), json!(text(call.ends_at)));
        shown.insert("endedReason".to_owned(), json!(call.ended_reason));
    }
    Value::Object(shown)
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The calls that the request's bounds let through, the newest first.
fn list(scope: &Scope<'_>, request: &Request<Bytes>) -> Result<Value, CloudError> {
    let bound = |name| match wire::query(request, name) {
        Some(at) => check::instant(name, &at).map(Some),
        None => Ok(None),
    };
    let (from, beyond) = (bound("createdAtGe")?, bound("createdAtGt")?);
    let (until, before) = (bound("createdAtLe")?, bound("createdAtLt")?);
    let limit = wire::query(request, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(LISTED);
    let mut calls = calls::list(scope.conn)?;
    calls.retain(|call| {
        let at = call.created_at;
        from.is_none_or(|bound| at >= bound)
            && beyond.is_none_or(|bound| at > bound)
            && until.is_none_or(|bound| at <= bound)
            && before.is_none_or(|bound| at < bound)
    });
    for filter in ["assistantId", "phoneNumberId"] {
        if let Some(wanted) = wire::query(request, filter) {
            calls.retain(|call| call.order.get(filter).and_then(Value::as_str) == Some(&wanted));
        }
    }
    Ok(calls.iter().take(limit).map(|call| shown(scope, call)).collect())
}

/// The reports of the calls that have ended by now and were not reported, in the order they ended.
pub fn due_reports(scope: &Scope<'_>) -> rusqlite::Result<Vec<Report>> {
    let ended = calls::ended(scope.conn, scope.now)?;
    Ok(ended.into_iter().map(|call| report(scope, call)).collect())
}

fn report(scope: &Scope<'_>, call: Call) -> Report {
    let answered = check::was_answered(&call.ended_reason);
    let transcript = if answered { "AI: Hello, is this a good time?\nUser: Yes.\n" } else { "" };
    let summary = if answered {
        "The agent reached the customer."
    } else {
        "The customer was not reached."
    };
    let body = json!({"message": {
        "type": "end-of-call-report",
        "timestamp": call.ends_at.timestamp_millis(),
        "endedReason": call.ended_reason,
        "startedAt": text(call.created_at),
        "endedAt": text(call.ends_at),
        "call": shown(scope, &call),
        "artifact": {"transcript": transcript, "messages": [], "recording": {}},
        "analysis": {
            "summary": summary,
            "structuredData": call.structured_data,
            "successEvaluation": answered.to_string(),
        },
    }});
    Report { id: call.id, body }
}

fn not_found(message: String) -> Refusal {
    Refusal::new("Not Found", message).with_status(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests;
