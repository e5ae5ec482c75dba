//! How AWS services read requests and word answers and errors.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

/// A refusal, in AWS's words.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// What an operation comes to.
pub(crate) type Outcome<T = Value> = Result<T, Refusal>;

impl Refusal {
    /// A refusal of what the caller asked for.
    pub(crate) fn of(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    /// A refusal because there is no such thing.
    pub(crate) fn missing(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 404, ..Self::of(code, message) }
    }

    /// No such operation here: loudly, since a function that asks for one would fail on AWS or only here.
    pub(crate) fn unknown_operation(operation: &str) -> Self {
        tracing::warn!(operation, "refused an operation that the local cloud does not have");
        Self::of("UnknownOperationException", format!("the local cloud has no operation {operation}"))
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the local cloud's database failed");
        Self { status: 500, code: "InternalFailure", message: "the local cloud's database failed".to_owned() }
    }
}

/// The operation that `x-amz-target` names, after its prefix.
pub(crate) fn operation(request: &Request<Bytes>) -> &str {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default()
}

/// The request's JSON body; no body is an empty object.
pub(crate) fn body(request: &Request<Bytes>) -> Outcome {
    match request.body().is_empty() {
        true => Ok(json!({})),
        false => serde_json::from_slice(request.body())
            .map_err(|_| Refusal::of("SerializationException", "the body is not JSON")),
    }
}

/// A field that must be text.
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> Outcome<&'a str> {
    let missing = || Refusal::of("ValidationException", format!("{name} is required"));
    body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(missing)
}

/// An answer as AWS JSON words it, errors included.
pub(crate) fn json_answer(outcome: Outcome, error_namespace: &str) -> Response<Bytes> {
    match outcome {
        Ok(answer) => built(200, "application/x-amz-json-1.0", None, answer.to_string()),
        Err(refusal) => {
            let kind = format!("{error_namespace}#{}", refusal.code);
            let body = json!({ "__type": kind, "message": refusal.message });
            built(refusal.status, "application/x-amz-json-1.0", Some(refusal.code), body.to_string())
        }
    }
}

/// An answer as REST JSON words it, errors included.
pub(crate) fn rest_answer(outcome: Outcome) -> Response<Bytes> {
    match outcome {
        Ok(answer) => built(200, "application/json", None, answer.to_string()),
        Err(refusal) => {
            let body = json!({ "Message": refusal.message, "message": refusal.message });
            built(refusal.status, "application/json", Some(refusal.code), body.to_string())
        }
    }
}

/// An answer as AWS Query words it: XML.
pub(crate) fn query_answer(outcome: Outcome<String>) -> Response<Bytes> {
    match outcome {
        Ok(xml) => built(200, "text/xml", None, xml),
        Err(refusal) => {
            let side = if refusal.status < 500 { "Sender" } else { "Receiver" };
            let xml = format!(
                "<ErrorResponse><Error><Type>{side}</Type><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>",
                refusal.code,
                escaped(&refusal.message)
            );
            built(refusal.status, "text/xml", None, xml)
        }
    }
}

/// Text as XML holds it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn built(status: u16, content_type: &str, error: Option<&str>, body: String) -> Response<Bytes> {
    let mut response = Response::builder().status(status).header("content-type", content_type);
    if let Some(code) = error {
        response = response.header("x-amzn-errortype", code);
    }
    response.body(Bytes::from(body)).unwrap_or_default()
}
