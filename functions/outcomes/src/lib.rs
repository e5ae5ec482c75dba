//! Provider events in, outcomes applied.

mod unsubscribe;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use cadence_boot::{Boot, BootError, Secrets, diagnostic::chain, http, path::Path, problem::Problem};
use cadence_core::{
    Clock,
    apply::{Applied, apply_outcome},
    delivery::Report,
    intake,
    links::LinkKey,
    vapi,
};
use cadence_store::{Committed, Store, StoreError};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &["LEADS_TABLE", "CONFIG_TABLE", "SECRET_ID"];
/// The routes that [`router`] answers.
pub const ROUTES: &[(&str, &str)] =
    &[("POST", "/events/{provider}"), ("GET", "/unsubscribe/{token}"), ("POST", "/unsubscribe/{token}")];

/// What the function holds: exactly what its policy allows.
#[derive(Clone, Debug)]
pub struct App {
    /// The tables.
    pub store: Store,
    /// What the voice agent sends to show that it is the voice agent.
    pub voice_agent_secret: Secret,
    /// Verifies unsubscribe links.
    pub links: LinkKey,
    /// The time.
    pub clock: Clock,
}

/// A secret that is never printed.
#[derive(Clone)]
pub struct Secret(pub String);

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The tables did not answer.
    #[error("the tables could not be read or written")]
    Store(#[from] StoreError),
    /// The enrollment kept changing.
    #[error("the enrollment kept changing")]
    Races,
}

/// How often an outcome is decided again when something else is written first.
const ROUNDS: u32 = 8;

impl App {
    /// The function, ready for its first event.
    pub async fn start(boot: &Boot) -> Result<Self, BootError> {
        let secrets = Secrets::load(boot).await?;
        Ok(Self {
            store: Store::new(&boot.aws, boot.env.required("LEADS_TABLE")?, boot.env.required("CONFIG_TABLE")?),
            links: LinkKey::new(secrets.key()?),
            voice_agent_secret: Secret(secrets.voice_agent_webhook_secret),
            clock: boot.clock.clone(),
        })
    }
}

/// Answers an API Gateway event.
pub async fn on_event(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    http::answer(&router(app.clone()), event).await
}

/// `POST /events/voice-agent`, and `/unsubscribe/{token}`.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/events/{provider}", post(event))
        .route("/unsubscribe/{token}", get(unsubscribe::page).post(unsubscribe::confirm))
        // A report tells all that was said in a call; API Gateway bounds how long it may be.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn event(State(app): State<App>, Path(provider): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let given = headers.get("x-vapi-secret").map_or(&[][..], |value| value.as_bytes());
    let expected = app.voice_agent_secret.0.as_bytes();
    if provider != "voice-agent" || expected.is_empty() || !intake::same_secret(given, expected) {
        return Problem::new(401, "unauthorized", "The provider or its secret is not right").into_response();
    }
    match vapi::parse_report(&body, app.clock.now()) {
        Ok(Some(report)) => answer(apply(&app, &report).await),
        Ok(None) => (StatusCode::OK, Json(json!({ "status": "ignored" }))).into_response(),
        Err(error) => {
            Problem::new(400, "unreadable-event", "The event can't be read").detail(error.to_string()).into_response()
        }
    }
}

/// Applies a report to its enrollment; one that says nothing new changes nothing.
pub async fn apply(app: &App, report: &Report) -> Result<(), EventError> {
    for _ in 0..ROUNDS {
        let context = match app.store.load_step(&report.lead, &report.key.enrollment).await {
            Ok(context) => context,
            // A lead that was erased, or an id that was never ours: there is nothing to move.
            Err(StoreError::Missing { .. }) => {
                tracing::warn!(enrollment.id = %report.key.enrollment, "ignored event of an unknown enrollment");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let Applied::Change(change) = apply_outcome(&context, report, app.clock.now()) else {
            return Ok(());
        };
        if app.store.commit(&change).await? == Committed::Yes {
            let outcome = report.outcome.as_str();
            tracing::info!(enrollment.id = %report.key.enrollment, step.id = %report.key.step, outcome, "applied outcome");
            return Ok(());
        }
    }
    Err(EventError::Races)
}

fn answer(applied: Result<(), EventError>) -> Response {
    match applied {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "applied" }))).into_response(),
        Err(error) => {
            tracing::error!(error.message = chain(&error), "could not apply event");
            Problem::new(503, "unavailable", "The event was not applied").detail("Send it again.").into_response()
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}
