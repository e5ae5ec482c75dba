//! HTTP functions: an API Gateway event in, a router's answer out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use lambda_http::{Adapter, Service, request::LambdaRequest};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};

use crate::{diagnostic, problem::Problem};

/// The router's answer to an API Gateway event.
pub async fn answer(router: &Router, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let payload: LambdaRequest =
        serde_json::from_value(event.payload).map_err(|error| diagnostic::unreadable(&error))?;
    let request = LambdaEvent { payload, context: event.context };
    // The adapter itself may not be held while its answer is awaited: it is not `Send`.
    let router = router.clone().fallback(nowhere).method_not_allowed_fallback(nowhere);
    // It panics at what it can't make a URL of, such as a host that is none.
    let Ok(answering) = catch_unwind(AssertUnwindSafe(|| Adapter::from(router).call(request))) else {
        return unreadable();
    };
    let response = answering.await.unwrap_or_else(|never| match never {});
    serde_json::to_value(response).map_err(|error| diagnostic::unreadable(&error))
}

fn unreadable() -> Result<Value, Diagnostic> {
    let problem = Problem::new(400, "unreadable-request", "The request can't be read")
        .detail("Check the host, the path and the query: together they must be a URL.");
    let body = serde_json::to_string(&problem).map_err(|error| diagnostic::unreadable(&error))?;
    let headers = json!({ "content-type": "application/problem+json" });
    Ok(json!({ "statusCode": 400, "headers": headers, "body": body, "isBase64Encoded": false }))
}

/// What a path is answered that a gateway let through and no route is for, such as one with dots that lead out of it.
async fn nowhere() -> Problem {
    Problem::new(404, "no-such-path", "There is nothing at this path").detail("Check the path and the method.")
}
