//! HTTP functions: an API Gateway event in, a router's answer out.

use axum::Router;
use lambda_http::{Adapter, Service, request::LambdaRequest};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;

use crate::diagnostic;

/// The router's answer to an API Gateway event.
pub async fn answer(router: &Router, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let payload: LambdaRequest =
        serde_json::from_value(event.payload).map_err(|error| diagnostic::unreadable(&error))?;
    let request = LambdaEvent { payload, context: event.context };
    // The adapter itself may not be held while its answer is awaited: it is not `Send`.
    let answering = Adapter::from(router.clone()).call(request);
    let response = answering.await.unwrap_or_else(|never| match never {});
    serde_json::to_value(response).map_err(|error| diagnostic::unreadable(&error))
}
