//! Vapi's end-of-call report: what came of an AI call.
//!
//! Format: <https://docs.vapi.ai/server-url/events>; reasons: <https://docs.vapi.ai/calls/call-ended-reason>.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{LeadId, Outcome, StepKey, delivery::Report};

/// The names under which a call carries whose step it is; the vendor echoes them.
pub const LEAD: &str = "lead";
/// The step key's name in a call's metadata.
pub const STEP_KEY: &str = "step_key";

/// Why an event can't be read.
#[derive(Debug, thiserror::Error)]
pub enum VapiError {
    /// It is not JSON.
    #[error("the body is not JSON")]
    Json(#[from] serde_json::Error),
    /// It has no message.
    #[error("message.type is missing: send Vapi's server messages as they are")]
    NoMessage,
}

/// How much of a call's summary the timeline keeps, in characters.
const MAX_NOTE: usize = 1000;
/// How long what names a lead or a step of ours may be, in bytes; what is longer is none, and could be no key of an item either.
const MAX_KEY: usize = 300;

/// Reads an event; `None` where it ends no call of ours.
pub fn parse_report(body: &[u8], received_at: DateTime<Utc>) -> Result<Option<Report>, VapiError> {
    let event: Value = serde_json::from_slice(body)?;
    let message = event.get("message").ok_or(VapiError::NoMessage)?;
    let kind = message.get("type").and_then(Value::as_str).ok_or(VapiError::NoMessage)?;
    if kind != "end-of-call-report" {
        return Ok(None);
    }
    let metadata = |name: &str| {
        message.pointer(&format!("/call/metadata/{name}")).and_then(Value::as_str).filter(|key| key.len() <= MAX_KEY)
    };
    let (Some(lead), Some(key)) = (metadata(LEAD), metadata(STEP_KEY).and_then(StepKey::parse)) else {
        return Ok(None);
    };
    let reason = message.get("endedReason").or_else(|| message.pointer("/call/endedReason"));
    let reason = reason.and_then(Value::as_str).unwrap_or_default();
    let analysis = message.get("analysis").or_else(|| message.pointer("/call/analysis"));
    let told = analysis.and_then(told_by_analysis);
    let outcome = told.map_or(outcome_of(reason), |told| refined(reason, told));
    let summary = analysis.and_then(|analysis| analysis.get("summary")).and_then(Value::as_str);
    let note = match summary.map(str::trim).filter(|summary| !summary.is_empty()) {
        Some(summary) => Some(summary.chars().take(MAX_NOTE).collect()),
        None => matches!(outcome, Outcome::Failed | Outcome::Unknown)
            .then(|| format!("the call ended with {reason}").chars().take(MAX_NOTE).collect()),
    };
    Ok(Some(Report { lead: LeadId::new(lead), key, outcome, note, at: received_at }))
}

/// What a reason means; one that nobody knows yet is `unknown`, which lets the cadence go on.
fn outcome_of(reason: &str) -> Outcome {
    match reason {
        NO_ANSWER => Outcome::NoAnswer,
        BUSY => Outcome::Busy,
        VOICEMAIL => Outcome::Voicemail,
        "assistant-forwarded-call" => Outcome::Transferred,
        "exceeded-max-duration" => Outcome::Connected,
        // A line that was picked up and stayed silent reached nobody.
        "silence-timed-out" => Outcome::NoAnswer,
        reason if ANSWERED.iter().any(|answered| reason.starts_with(answered)) => Outcome::Connected,
        reason if reason.ends_with("-completed-call") || reason == "vonage-completed" => Outcome::Connected,
        reason if reason.contains("error") || reason.contains("failed") => Outcome::Failed,
        _ => Outcome::Unknown,
    }
}

const NO_ANSWER: &str = "customer-did-not-answer";
const BUSY: &str = "customer-busy";
const VOICEMAIL: &str = "voicemail";
/// How the reasons of calls begin in which somebody spoke.
const ANSWERED: [&str; 3] = ["customer-ended-call", "assistant-ended-call", "assistant-said-"];

/// What came of a call of which the agent's analysis tells, too. However a call ends that somebody may have answered, what was said in it
/// counts; of one that nobody answered only the word not to call again does, since to call on would be worse.
fn refined(reason: &str, told: Outcome) -> Outcome {
    let outcome = outcome_of(reason);
    if [NO_ANSWER, BUSY, VOICEMAIL].contains(&reason) && told != Outcome::OptedOut {
        return outcome;
    }
    // A transfer is told by the call itself.
    if outcome == Outcome::Transferred { outcome.merge(told) } else { told }
}

/// The outcome that the structured data of the agent's own analysis names, if it is one that an agent can tell.
fn told_by_analysis(analysis: &Value) -> Option<Outcome> {
    let outcome = analysis.pointer("/structuredData/outcome")?;
    let outcome: Outcome = serde_json::from_value(outcome.clone()).ok()?;
    let may_be_told = [
        Outcome::AppointmentSet,
        Outcome::Declined,
        Outcome::OptedOut,
        Outcome::Voicemail,
        Outcome::BadNumber,
        Outcome::Transferred,
    ];
    may_be_told.contains(&outcome).then_some(outcome)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(reason: &str, analysis: Value) -> Option<Report> {
        let body = json!({"message": {"type": "end-of-call-report", "endedReason": reason, "analysis": analysis,
            "call": {"id": "c1", "metadata": {"lead": "a1", "step_key": "b2.robot-call.1"}}}});
        parse_report(body.to_string().as_bytes(), DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn reasons_are_outcomes_and_what_was_said_in_an_answered_call_refines_them() {
        for (reason, analysis, expected) in [
            ("customer-did-not-answer", json!({}), Outcome::NoAnswer),
            ("customer-busy", json!({}), Outcome::Busy),
            ("voicemail", json!({}), Outcome::Voicemail),
            ("assistant-forwarded-call", json!({}), Outcome::Transferred),
            ("customer-ended-call", json!({}), Outcome::Connected),
            ("assistant-ended-call-after-message-spoken", json!({}), Outcome::Connected),
            ("customer-ended-call", json!({"structuredData": {"outcome": "appointment_set"}}), Outcome::AppointmentSet),
            ("customer-ended-call", json!({"structuredData": {"outcome": "opted_out"}}), Outcome::OptedOut),
            ("customer-ended-call", json!({"structuredData": {"outcome": "delivered"}}), Outcome::Connected),
            ("customer-did-not-answer", json!({"structuredData": {"outcome": "appointment_set"}}), Outcome::NoAnswer),
            ("voicemail", json!({"structuredData": {"outcome": "opted_out"}}), Outcome::OptedOut),
            ("silence-timed-out", json!({}), Outcome::NoAnswer),
            ("silence-timed-out", json!({"structuredData": {"outcome": "opted_out"}}), Outcome::OptedOut),
            ("assistant-forwarded-call", json!({"structuredData": {"outcome": "opted_out"}}), Outcome::OptedOut),
            ("assistant-forwarded-call", json!({"structuredData": {"outcome": "voicemail"}}), Outcome::Transferred),
            ("assistant-said-end-call-phrase", json!({}), Outcome::Connected),
            ("customer-ended-call-during-transfer", json!({}), Outcome::Connected),
            ("call.in-progress.twilio-completed-call", json!({}), Outcome::Connected),
            ("vonage-completed", json!({}), Outcome::Connected),
            ("phone-call-provider-closed-websocket", json!({}), Outcome::Unknown),
            (
                "call.in-progress.error-providerfault-x",
                json!({"structuredData": {"outcome": "appointment_set"}}),
                Outcome::AppointmentSet,
            ),
            ("something-new", json!({"structuredData": {"outcome": "opted_out"}}), Outcome::OptedOut),
            ("call.start.error-vapi-number-international", json!({}), Outcome::Failed),
            ("call.in-progress.error-providerfault-x", json!({}), Outcome::Failed),
            ("something-new", json!({}), Outcome::Unknown),
        ] {
            let report = report(reason, analysis).unwrap();
            assert_eq!(report.outcome, expected, "{reason}");
            assert_eq!(report.key.to_string(), "b2.robot-call.1");
        }
    }

    #[test]
    fn what_is_kept_of_an_event_has_bounds() {
        let told = report(&"x".repeat(5_000), json!({})).unwrap().note.unwrap();
        assert_eq!(told.chars().count(), MAX_NOTE);
        let metadata = json!({"lead": "a".repeat(MAX_KEY + 1), "step_key": "b2.robot-call.1"});
        let body = json!({"message": {"type": "end-of-call-report", "call": {"metadata": metadata}}});
        assert!(parse_report(body.to_string().as_bytes(), DateTime::UNIX_EPOCH).unwrap().is_none());
    }

    #[test]
    fn events_that_end_no_call_of_ours_are_passed_over() {
        for body in [
            json!({"message": {"type": "status-update", "status": "in-progress"}}),
            json!({"message": {"type": "end-of-call-report", "endedReason": "voicemail", "call": {"id": "x"}}}),
            json!({"message": {"type": "end-of-call-report", "call": {"metadata": {"lead": "a", "step_key": "broken"}}}}),
        ] {
            assert!(parse_report(body.to_string().as_bytes(), DateTime::UNIX_EPOCH).unwrap().is_none(), "{body}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for body in ["", "{", "{}", r#"{"message":{}}"#] {
            assert!(parse_report(body.as_bytes(), DateTime::UNIX_EPOCH).is_err(), "{body}");
        }
    }
}
