//! HTTP functions: an API Gateway event in, a router's answer out.

use axum::Router;
use lambda_http::{Adapter, Service, request::LambdaRequest};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;

use crate::{diagnostic, problem::Problem};

/// The router's answer to an API Gateway event.
pub async fn answer(router: &Router, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let payload: LambdaRequest =
        serde_json::from_value(event.payload).map_err(|error| diagnostic::unreadable(&error))?;
    let request = LambdaEvent { payload, context: event.context };
    // The adapter itself may not be held while its answer is awaited: it is not `Send`.
    let router = router.clone().fallback(nowhere).method_not_allowed_fallback(nowhere);
    let answering = Adapter::from(router).call(request);
    let response = answering.await.unwrap_or_else(|never| match never {});
    serde_json::to_value(response).map_err(|error| diagnostic::unreadable(&error))
}

/// What a path is answered that a gateway let through and no route is for, such as one with dots that lead out of it.
async fn nowhere() -> Problem {
    Problem::new(404, "no-such-path", "There is nothing at this path").detail("Check the path and the method.")
}
