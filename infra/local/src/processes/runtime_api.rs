//! The Lambda Runtime API of one process: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use crate::function::FunctionError;

/// No answer of a function is longer: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_ANSWER: usize = 6 * 1024 * 1024;
/// What a process reports that says no more of its error.
const UNNAMED: &str = "Unhandled";

/// What an invocation ends in.
pub(super) type Answer = Result<Value, FunctionError>;

/// An event for the process, and what it is told of the invocation.
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) deadline: DateTime<Utc>,
    pub(super) payload: Value,
}

/// What one process asks and answers. It has one invocation at a time.
pub(super) struct RuntimeApi {
    function_arn: String,
    events_in: mpsc::UnboundedSender<Event>,
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    /// How the process's start ended, once it has: it asked for an event, or told what is wrong.
    started: watch::Sender<Option<Result<(), FunctionError>>>,
    running: Mutex<Option<Running>>,
}

struct Running {
    request_id: String,
    answer: oneshot::Sender<Answer>,
}

/// An error as runtimes report it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reported {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl RuntimeApi {
    pub(super) fn new(function_arn: String) -> Arc<Self> {
        let (events_in, events) = mpsc::unbounded_channel();
        Arc::new(Self {
            function_arn,
            events_in,
            events: tokio::sync::Mutex::new(events),
            started: watch::Sender::new(None),
            running: Mutex::new(None),
        })
    }

    /// The routes, for the process alone.
    pub(super) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(MAX_ANSWER))
            .with_state(self.clone())
    }

    /// Waits until the process asks for its first event, or tells that it can't.
    pub(super) async fn started(&self) -> Result<(), FunctionError> {
        let mut started = self.started.subscribe();
        let ended = started.wait_for(Option::is_some).await.map(|ended| ended.clone());
        ended.ok().flatten().unwrap_or(Ok(()))
    }

    /// Hands the process an event; its answer comes later.
    pub(super) fn hand(&self, event: Event) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        *self.running() = Some(Running { request_id: event.request_id.clone(), answer });
        // The other end lives as long as this one does.
        let _ = self.events_in.send(event);
        answered
    }

    /// Takes the answer to the running invocation; one to any other is refused.
    fn answered(&self, request_id: &str, answer: Answer) -> Response {
        match self.running().take_if(|running| running.request_id == request_id) {
            Some(running) => {
                // Whoever waited may have given up.
                let _ = running.answer.send(answer);
                accepted()
            }
            None => {
                let refusal = json!({ "errorType": "InvalidRequestID", "errorMessage": "Invalid request ID" });
                (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response()
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    api.started.send_if_modified(|started| match started {
        None => {
            *started = Some(Ok(()));
            true
        }
        Some(_) => false,
    });
    let Some(event) = api.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", event.request_id),
        ("lambda-runtime-deadline-ms", event.deadline.timestamp_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", api.function_arn.clone()),
    ];
    let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value));
    (axum::response::AppendHeaders(headers), axum::Json(event.payload)).into_response()
}

async fn response(State(api): State<Arc<RuntimeApi>>, Path(request_id): Path<String>, body: Bytes) -> Response {
    let answer = serde_json::from_slice(&body).map_err(|error| FunctionError {
        error_type: "Runtime.InvalidResponse".to_owned(),
        message: format!("the answer is not JSON: {error}"),
    });
    api.answered(&request_id, answer)
}

async fn error(
    State(api): State<Arc<RuntimeApi>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    api.answered(&request_id, Err(reported(&headers, &body)))
}

async fn init_error(State(api): State<Arc<RuntimeApi>>, headers: HeaderMap, body: Bytes) -> Response {
    api.started.send_replace(Some(Err(reported(&headers, &body))));
    accepted()
}

/// What the body says, else what the header does.
fn reported(headers: &HeaderMap, body: &[u8]) -> FunctionError {
    let told: Option<Reported> = serde_json::from_slice(body).ok();
    let header = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    let (error_type, message) = told.map_or((None, None), |told| (told.error_type, told.error_message));
    FunctionError {
        error_type: error_type.unwrap_or_else(|| header.unwrap_or(UNNAMED).to_owned()),
        message: message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()),
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(json!({ "status": "OK" }))).into_response()
}
