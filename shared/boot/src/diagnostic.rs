//! How a function's failure reaches Lambda, and the metrics that alarms can key on.

use std::{error::Error, fmt::Write};

use cadence_core::failure::Class;
use lambda_runtime::Diagnostic;

/// An error as Lambda reports it: its class, and its whole chain of causes in words.
pub fn of(class: Class, error: &(dyn Error + 'static)) -> Diagnostic {
    Diagnostic { error_type: class.as_str().to_owned(), error_message: chain(error) }
}

/// An event that is not what it should be: it fails until somebody mends its sender.
pub fn unreadable(error: &serde_json::Error) -> Diagnostic {
    of(Class::Permanent, error)
}

/// An error and its causes: `the step was tried but could not be settled: dynamodb TransactWriteItems failed: ...`.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
