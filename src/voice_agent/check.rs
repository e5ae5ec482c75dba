//! What a call may be ordered with.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::wire::Refusal;

/// The reasons of a call in which nobody spoke with the agent.
const UNANSWERED: [&str; 4] = [
    "customer-did-not-answer",
    "customer-busy",
    "customer-did-not-give-microphone-permission",
    "voicemail",
];

/// The words of a create-call request that the vendor acts on.
pub(super) struct Order {
    pub(super) number: String,
    pub(super) phone_number_id: String,
    pub(super) assistant_id: String,
}

pub(super) fn order(body: &Value) -> Result<Order, Refusal> {
    let text = |pointer: &str, field: &str| {
        let text = body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| bad(format!("{field} must be a string")))
    };
    let number = text("/customer/number", "customer.number")?;
    let digits = number.strip_prefix('+').unwrap_or_default();
    if !(8..=15).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(bad("customer.number must be a valid phone number in the E.164 format".to_owned()));
    }
    for (pointer, field) in [
        ("/metadata", "metadata"),
        ("/assistantOverrides", "assistantOverrides"),
        ("/assistantOverrides/variableValues", "assistantOverrides.variableValues"),
    ] {
        if body.pointer(pointer).is_some_and(|value| !value.is_object()) {
            return Err(bad(format!("{field} must be an object")));
        }
    }
    Ok(Order {
        number,
        phone_number_id: text("/phoneNumberId", "phoneNumberId")?,
        assistant_id: text("/assistantId", "assistantId")?,
    })
}

/// Reads a bound of a list.
pub(super) fn instant(name: &str, at: &str) -> Result<DateTime<Utc>, Refusal> {
    at.parse().map_err(|_| bad(format!("{name} must be a valid ISO 8601 date string")))
}

/// Whether a person spoke with the agent.
pub(super) fn was_answered(ended_reason: &str) -> bool {
    !UNANSWERED.contains(&ended_reason) && !ended_reason.contains("error")
}

fn bad(message: String) -> Refusal {
    Refusal::new("Bad Request", message)
}
