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
    if [&subject, &to, &from].iter().any(|line| line.chars().any(char::is_control)) {
        return Err(bad("subject and addresses must not hold control characters"));
    }
    if text("/Content/Simple/Body/Text/Data").or_else(|| text("/Content/Simple/Body/Html/Data")).is_none() {
        return Err(bad("Content.Simple.Body has neither Text nor Html"));
    }
    if !pairs(body.pointer("/Content/Simple/Headers")).all(|(name, value)| is_header(name, value)) {
        return Err(bad("Content.Simple.Headers holds what is no header"));
    }
    if !pairs(body.get("EmailTags")).all(|(name, value)| is_tag(name) && is_tag(value)) {
        return Err(bad("EmailTags may hold ASCII letters, digits, hyphens and underscores only"));
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
        sent_by: Scope::asked_by(),
    };
    let id = outbox::put(scope.conn, &sent)?;
    Ok(json!({ "MessageId": format!("email-{id}") }))
}

/// The names and values of a list.
fn pairs(list: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    list.and_then(Value::as_array).into_iter().flatten().map(|pair| {
        let text = |name: &str| pair.get(name).and_then(Value::as_str).unwrap_or_default();
        (text("Name"), text("Value"))
    })
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html>
fn is_header(name: &str, value: &str) -> bool {
    let is_name = (1..=126).contains(&name.len()) && name.chars().all(|c| c.is_ascii_graphic() && c != ':');
    is_name && (1..=870).contains(&value.len()) && value.chars().all(|c| c == ' ' || c.is_ascii_graphic())
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html>
fn is_tag(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::account::Account;

    #[test]
    fn an_email_that_ses_would_refuse_is_not_sent() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(crate::services::SCHEMA).unwrap();
        let account = Account::at("http://localhost");
        let scope = Scope { conn: &conn, account: &account, now: chrono::DateTime::UNIX_EPOCH };
        let email = json!({
            "FromEmailAddress": "Riley Example <riley@example.com>",
            "Destination": { "ToAddresses": ["casey@example.com"] },
            "Content": { "Simple": {
                "Subject": { "Data": "Hello" }, "Body": { "Text": { "Data": "Hi" } },
                "Headers": [{ "Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click" }],
            }},
            "EmailTags": [{ "Name": "step", "Value": "intro-email" }],
        });
        let send = |email: &Value| {
            let request = Request::post("/v2/email/outbound-emails").body(Bytes::from(email.to_string())).unwrap();
            handle(&scope, &request).status().as_u16()
        };
        assert_eq!(send(&email), 200);
        let pair = |name: &str, value: &str| json!([{ "Name": name, "Value": value }]);
        for (field, value) in [
            ("/Destination/ToAddresses", json!([])),
            ("/FromEmailAddress", json!("riley@example.com\r\nBcc: other@example.com")),
            ("/Content/Simple/Body", json!({})),
            ("/Content/Simple/Headers", pair("X-Note", "a\r\nBcc: other@example.com")),
            ("/Content/Simple/Headers", pair("X Note", "a")),
            ("/Content/Simple/Headers", pair("X-Note", &"x".repeat(871))),
            ("/EmailTags", pair("step", "intro.email")),
            ("/EmailTags", pair("step", "")),
        ] {
            let mut changed = email.clone();
            *changed.pointer_mut(field).unwrap() = value;
            assert_eq!(send(&changed), 400, "{changed}");
        }
        assert_eq!(outbox::list(&conn, 0).unwrap().len(), 1);
    }
}
