//! What DynamoDB's requests and answers look like on the wire, where dynoxide's library leaves that to its own server.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use dynoxide::{DynoxideError, streams::LOCAL_REGION};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;
use uuid::Uuid;

use crate::account::Account;

/// dynoxide's readers put the class of their refusal before its text.
const MARKERS: [(&str, Class); 5] = [
    ("SERIALIZATION_AS_READ:", Class::Serialization),
    ("SERIALIZATION:", Class::Serialization),
    ("VALIDATION_REQUEST:", Class::RequestValidation),
    ("VALIDATION_AS_READ:", Class::Validation),
    ("VALIDATION:", Class::Validation),
];

/// What serde says of a request that AWS reads and then refuses as invalid.
const INVALID: [&str; 4] = ["missing field", "unknown variant", "invalid type: null", "Supplied AttributeValue"];

/// What AWS says of an attribute without a value.
const EMPTY_VALUE: &str = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";

/// How AWS opens the refusal of a write's parameters.
const ENVELOPE: &str = "1 validation error detected: ";

#[derive(Clone, Copy)]
enum Class {
    Serialization,
    RequestValidation,
    Validation,
}

/// The refusal of a body that is no JSON, or not that of the operation's request.
pub(super) fn unreadable(error: &serde_json::Error) -> DynoxideError {
    if !error.is_data() {
        return DynoxideError::SerializationException(String::new());
    }
    let text = error.to_string();
    let text = without_position(&text);
    match marked(text) {
        Some((Class::Serialization, text)) => DynoxideError::SerializationException(text.to_owned()),
        Some((Class::RequestValidation, text)) => DynoxideError::EnvelopedValidation(text.to_owned()),
        Some((Class::Validation, text)) => DynoxideError::ValidationException(text.to_owned()),
        None if text.contains("empty AttributeValue") => DynoxideError::ValidationException(EMPTY_VALUE.to_owned()),
        None if INVALID.iter().any(|said| text.contains(said)) => DynoxideError::ValidationException(text.to_owned()),
        None => DynoxideError::SerializationException(text.to_owned()),
    }
}

/// A successful answer.
pub(super) fn answered(id: &str, body: Vec<u8>) -> Response<Bytes> {
    response(StatusCode::OK, id, body)
}

/// A refusal or a failure, as AWS words and shapes it.
pub(super) fn refused(id: &str, target: &str, error: DynoxideError) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() {
        tracing::error!(%error, target.operation = target, "failed a dynamodb request");
    }
    response(status, id, enveloped(target, error).to_json().into_bytes())
}

/// What AWS says to an operation that it does not have, here said of one that the local cloud does not have.
pub(super) fn unknown_operation(id: &str, target: &str) -> Response<Bytes> {
    tracing::warn!(target.operation = target, "refused an operation that the local dynamodb does not have");
    let body = json!({
        "__type": "com.amazon.coral.service#UnknownOperationException",
        "message": format!("the local cloud does not serve '{target}'"),
    });
    response(StatusCode::BAD_REQUEST, id, body.to_string().into_bytes())
}

/// The same for the same request at the same instant, so that a simulation repeats itself.
pub(super) fn request_id(target: &str, now: DateTime<Utc>, body: &[u8]) -> String {
    let mut seed = format!("{target} {now} ").into_bytes();
    seed.extend_from_slice(body);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &seed).simple().to_string().to_uppercase()
}

/// The body of a request whose ARNs dynoxide compares with its own.
pub(super) fn with_dynoxide_arns(target: &str, body: &Bytes) -> Bytes {
    match std::str::from_utf8(body) {
        Ok(text) if speaks_of_arns(target) => Bytes::from(text.replace(&arns_of(&region()), &arns_of(LOCAL_REGION))),
        _ => body.clone(),
    }
}

/// The body of an answer in which dynoxide's region is the account's.
pub(super) fn with_aws_arns(target: &str, body: Vec<u8>) -> Vec<u8> {
    // An item may hold any text, so answers with items are changed only where no text can be: a quote within is escaped.
    let (ours, theirs) = if speaks_of_arns(target) {
        (arns_of(&region()), arns_of(LOCAL_REGION))
    } else if target.ends_with(".GetRecords") {
        let field = |region: &str| format!("\"awsRegion\":\"{region}\"");
        (field(&region()), field(LOCAL_REGION))
    } else {
        return body;
    };
    match String::from_utf8(body) {
        Ok(text) => text.replace(&theirs, &ours).into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

fn speaks_of_arns(target: &str) -> bool {
    [".CreateTable", ".DescribeTable", ".DeleteTable", ".ListStreams", ".DescribeStream"]
        .iter()
        .any(|operation| target.ends_with(operation))
}

fn arns_of(region: &str) -> String {
    format!("arn:aws:dynamodb:{region}:")
}

fn region() -> String {
    Account::at("").region
}

fn enveloped(target: &str, error: DynoxideError) -> DynoxideError {
    match error {
        DynoxideError::EnvelopedValidation(text) => {
            let writes = [".PutItem", ".UpdateItem", ".DeleteItem"];
            let envelope = if writes.iter().any(|operation| target.ends_with(operation)) { ENVELOPE } else { "" };
            DynoxideError::ValidationException(format!("{envelope}{text}"))
        }
        error => error,
    }
}

fn marked(text: &str) -> Option<(Class, &str)> {
    let mut found = MARKERS.iter().filter_map(|(marker, class)| Some((*class, text.strip_prefix(marker)?)));
    found.next()
}

/// serde_json ends its messages with the place, which AWS does not.
fn without_position(text: &str) -> &str {
    text.rsplit_once(" at line ").map_or(text, |(text, _)| text)
}

fn response(status: StatusCode, id: &str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
