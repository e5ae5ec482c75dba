//! What a vendor is answered.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use cadence_boot::{SecretsError, diagnostic::chain, problem::Problem};
use cadence_core::{
    arrival::Webhook,
    records::{Format, Source},
    sources::FieldProblem,
};
use cadence_store::StoreError;
use serde_json::json;

use crate::BODY_LIMIT;

/// Why a webhook was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such source, or not its secret.
    #[error("the source or its secret is not right")]
    Unauthorized,
    /// It is too long.
    #[error("the body is too long")]
    TooLarge,
    /// It names nobody who can be reached; it was kept.
    #[error("the body can't be used")]
    Unusable(Vec<FieldProblem>),
    /// The tables did not answer.
    #[error("the tables could not be read or written")]
    Store(#[source] StoreError),
    /// The sources' secrets could not be read again, so that nobody knows whether this is one.
    #[error("the sources' secrets could not be read")]
    Secrets(#[source] SecretsError),
    /// Too many webhooks for the same person at once.
    #[error("other webhooks for the same person were written first, again and again")]
    Busy,
}

/// 202 with the ids, or a problem document (RFC 9457).
pub(crate) fn of(taken: Result<(Webhook, Source), Refusal>) -> Response {
    match taken {
        Ok((webhook, source)) => accepted(&webhook, &source),
        Err(refusal) => refused(&refusal),
    }
}

fn accepted(webhook: &Webhook, source: &Source) -> Response {
    let mut body = json!({ "lead": webhook.lead, "enrollment": webhook.enrollment, "status": webhook.status });
    if let (Format::Zillow, Some(fields)) = (&source.format, body.as_object_mut()) {
        // Zillow stores this beside the contact: https://mortgageapi.zillow.com/api/zillowLenderContactNotification
        fields.insert("externalContactReference".to_owned(), json!(webhook.lead));
    }
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Unauthorized => {
            let detail =
                "Check the source's name in the path, and its secret in the path or the x-cadence-secret header.";
            Problem::new(401, "unauthorized", "The source or its secret is not right").detail(detail).into_response()
        }
        Refusal::TooLarge => Problem::new(413, "too-large", "The body is too long")
            .detail(format!("A webhook may be {BODY_LIMIT} bytes long. Leave out what is not about the lead."))
            .into_response(),
        Refusal::Unusable(problems) => Problem::new(422, "unusable-lead", "The body can't be used as a lead")
            .detail("It was kept for us to look at. Mend what `errors` names and send it again.")
            .errors(problems.iter().map(|problem| (problem.pointer.clone(), problem.detail.clone())))
            .into_response(),
        Refusal::Store(_) | Refusal::Secrets(_) => {
            tracing::error!(error.message = chain(refusal), "could not take webhook");
            unavailable()
        }
        Refusal::Busy => unavailable(),
    }
}

fn unavailable() -> Response {
    Problem::new(503, "unavailable", "The lead was not taken")
        .detail("Nothing was written. Send it again.")
        .into_response()
}
