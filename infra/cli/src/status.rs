//! Whether what is at work of a record is in use, and what stands in its place that is not at work.

use cadence_store::{AtWork, Edited};
use serde_json::Value;

use crate::difference::says_the_same;

/// Whether a record is in use, where its kind says so; `None` if nothing of it is at work.
pub(crate) fn status(pk: &str, at_work: Option<&AtWork>) -> Option<String> {
    at_work.map(|at_work| status_of(pk, &at_work.content))
}

/// Whether a record that says that is in use; empty where its kind doesn't say so.
pub(crate) fn status_of(pk: &str, content: &Value) -> String {
    let status = match pk.split('#').next() {
        Some("CADENCE") => content.get("status").and_then(Value::as_str).unwrap_or("live"),
        Some("USER") => match content.get("active") {
            Some(Value::Bool(false)) => "not active",
            _ => "active",
        },
        _ => "",
    };
    status.to_owned()
}

/// Why an edit is not at work; `None` if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotAtWork {
    /// It was refused.
    Refused,
    /// It was not checked yet.
    Unchecked,
}

impl NotAtWork {
    /// Why the edit is not at work that stands there.
    pub(crate) fn of(edited: &Edited, at_work: Option<&AtWork>) -> Option<Self> {
        let is_at_work = at_work.is_some_and(|at_work| says_the_same(&edited.pk, &at_work.content, &edited.content));
        match &edited.told {
            _ if is_at_work => None,
            // What was published is still told of the record while a newer edit waits for its check.
            Some(told) if !told.is_published() => Some(Self::Refused),
            Some(_) | None => Some(Self::Unchecked),
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "was refused",
            Self::Unchecked => "was not checked yet",
        }
    }
}
