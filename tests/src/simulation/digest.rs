//! What a sequence of requests comes to, in one line: the same if and only if every request is the same.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What all requests so far come to.
#[derive(Clone, Default)]
pub(crate) struct Digest {
    hash: Sha256,
    count: u64,
}

impl Digest {
    /// Adds a request: its line, its headers, its body.
    ///
    /// Fields of JSON and of forms are put in order, since clients write maps in any; what is signed over them is left out for that reason.
    pub(crate) fn add(&mut self, request: &Request<Bytes>) {
        self.count += 1;
        self.hash.update(format!("{} {}\n", request.method(), request.uri()));
        let headers = request
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str() != "authorization" && name.as_str() != "x-amz-content-sha256");
        let mut headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        headers.sort_unstable();
        for (name, value) in headers {
            self.hash.update(name);
            self.hash.update(value);
        }
        match serde_json::from_slice::<Value>(request.body()) {
            Ok(body) => {
                let mut body = unwrapped(body);
                body.sort_all_objects();
                self.hash.update(body.to_string());
            }
            Err(_) => self.hash.update(sorted_form(request.body())),
        }
    }

    /// The requests' number and hash.
    pub(crate) fn told(&self) -> String {
        let hash = self.hash.clone().finalize();
        let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{} {hex}", self.count)
    }
}

/// What a form's fields say. A map's entries are numbered in the order in which they are written, so their names are left out.
fn sorted_form(body: &[u8]) -> String {
    let form = String::from_utf8_lossy(body);
    let mut said: Vec<&str> =
        form.split('&').map(|field| if field.contains(".entry.") { value_of(field) } else { field }).collect();
    said.sort_unstable();
    said.join("&")
}

fn value_of(field: &str) -> &str {
    field.split_once('=').map_or(field, |(_, value)| value)
}

/// The value with what texts in it hold as JSON in their place, for that may be in any order too.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, unwrapped(value))).collect(),
        Value::Array(elements) => elements.into_iter().map(unwrapped).collect(),
        // What a message says is JSON in a text.
        Value::String(text) => match serde_json::from_str::<Value>(&text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => unwrapped(inner),
            _ => Value::String(text),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}
