//! Amazon SNS, as AWS Query: texts to phone numbers.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;

use super::{
    Scope,
    outbox::{self, Sent},
    wire::{self, Outcome, Refusal},
};

pub(crate) fn handle(scope: &Scope<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let form: BTreeMap<String, String> = serde_urlencoded::from_bytes(request.body()).unwrap_or_default();
    wire::query_answer(match form.get("Action").map(String::as_str) {
        Some("Publish") => publish(scope, &form),
        other => Err(Refusal::unknown_operation(other.unwrap_or_default())),
    })
}

fn publish(scope: &Scope<'_>, form: &BTreeMap<String, String>) -> Outcome<String> {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (to, text) = (field("PhoneNumber"), field("Message"));
    let is_number = to
        .strip_prefix('+')
        .is_some_and(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    if !is_number {
        return Err(Refusal::of("InvalidParameter", "Invalid parameter: PhoneNumber"));
    }
    if text.is_empty() || text.chars().count() > 1600 {
        return Err(Refusal::of("InvalidParameter", "Invalid parameter: Message"));
    }
    let attributes = attributes(form);
    let sent = Sent {
        seq: 0,
        at: scope.now,
        kind: "sms".to_owned(),
        from: attributes.get("AWS.MM.SMS.OriginationNumber").cloned().unwrap_or_default(),
        to: to.to_owned(),
        subject: None,
        text: text.to_owned(),
        html: None,
        carried: json!(attributes),
        sent_by: Scope::asked_by(),
    };
    let id = outbox::put(scope.conn, &sent)?;
    Ok(format!(
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>sms-{id}</MessageId></PublishResult>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"
    ))
}

/// `MessageAttributes.entry.1.Name` and `MessageAttributes.entry.1.Value.StringValue`, by name.
fn attributes(form: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let entries = form.iter().filter_map(|(field, name)| {
        Some((field.strip_prefix("MessageAttributes.entry.")?.strip_suffix(".Name")?, name))
    });
    entries
        .filter_map(|(entry, name)| {
            let value = form.get(&format!("MessageAttributes.entry.{entry}.Value.StringValue"))?;
            Some((name.clone(), value.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::account::Account;

    #[test]
    fn a_texts_length_is_counted_in_characters() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(crate::services::SCHEMA).unwrap();
        let account = Account::at("http://localhost");
        let scope = Scope { conn: &conn, account: &account, now: chrono::DateTime::UNIX_EPOCH };
        for (length, status) in [(1600, 200), (1601, 400)] {
            let text = "\u{e9}".repeat(length);
            let fields = [("Action", "Publish"), ("PhoneNumber", "+14155550123"), ("Message", &text)];
            let form = serde_urlencoded::to_string(fields).unwrap();
            let answer = handle(&scope, &Request::post("/").body(Bytes::from(form)).unwrap());
            assert_eq!(answer.status(), status, "{length}");
        }
    }
}
