//! Amazon SES v2, as REST JSON: emails.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{
    Scope,
    outbox::{self, Sent},
    wire::{self, Outcome, Refusal},
};

pub(crate) fn handle(scope: &Scope<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let outcome = match (request.method().as_str(), request.uri().path()) {
        ("POST", "/v2/email/outbound-emails") => wire::body(request).and_then(|body| send(scope, &body)),
        (method, path) => Err(Refusal::unknown_operation(&format!("{method} {path}"))),
    };
    wire::rest_answer(outcome)
}

fn send(scope: &Scope<'_>, body: &Value) -> Outcome {
    let bad = |message: &str| Refusal::of("BadRequestException", message);
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let to = text("/Destination/ToAddresses/0")
        .filter(|to| to.contains('@'))
        .ok_or_else(|| bad("Destination is required"))?;
    let from = text("/FromEmailAddress")
        .filter(|from| from.contains('@'))
        .ok_or_else(|| bad("FromEmailAddress is required"))?;
    let subject = text("/Content/Simple/Subject/Data").ok_or_else(|| bad("Content.Simple.Subject is required"))?;
    if subject.chars().any(char::is_control) {
        return Err(bad("Subject must not hold control characters"));
    }
    let sent = Sent {
        seq: 0,
        at: scope.now,
        kind: "email".to_owned(),
        from,
        to,
        subject: Some(subject),
        text: text("/Content/Simple/Body/Text/Data").unwrap_or_default(),
        html: text("/Content/Simple/Body/Html/Data"),
        carried: json!({ "headers": body.pointer("/Content/Simple/Headers"), "tags": body.get("EmailTags") }),
    };
    let id = outbox::put(scope.conn, &sent)?;
    Ok(json!({ "MessageId": format!("email-{id}") }))
}
