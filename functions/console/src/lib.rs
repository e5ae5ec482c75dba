//! The users' tasks over JSON. The user is the subject of a token that the API's authorizer has verified.

mod subject;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use cadence_boot::{Boot, BootError, diagnostic::chain, http, path::Path, problem::Problem};
use cadence_core::{
    Clock, Outcome, TaskId,
    apply::{Completed, complete_task},
    task::Task,
};
use cadence_store::{Committed, Store, StoreError};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Deserialize;
use serde_json::{Value, json};

use subject::Subject;

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &["LEADS_TABLE", "CONFIG_TABLE"];
/// The routes that [`router`] answers, each for users only.
pub const ROUTES: &[(&str, &str)] = &[("GET", "/tasks"), ("GET", "/tasks/{id}"), ("POST", "/tasks/{id}/outcome")];

/// What the function holds: exactly what its policy allows.
#[derive(Clone, Debug)]
pub struct App {
    /// The tables.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

/// What a user reports of a task.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    outcome: Outcome,
    #[serde(default)]
    note: Option<String>,
}

/// How often a completion is decided again when something else is written first.
const ROUNDS: u32 = 8;

impl App {
    /// The function, ready for its first event.
    pub async fn start(boot: &Boot) -> Result<Self, BootError> {
        Ok(Self {
            store: Store::new(&boot.aws, boot.env.required("LEADS_TABLE")?, boot.env.required("CONFIG_TABLE")?),
            clock: boot.clock.clone(),
        })
    }
}

/// Answers an API Gateway event.
pub async fn on_event(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    http::answer(&router(app.clone()), event).await
}

/// `GET /tasks`, `GET /tasks/{id}`, `POST /tasks/{id}/outcome`.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/tasks", get(mine))
        .route("/tasks/{id}", get(one))
        .route("/tasks/{id}/outcome", post(complete))
        .with_state(app)
}

async fn mine(State(app): State<App>, Subject(user): Subject) -> Response {
    match app.store.load_open_tasks(&user).await {
        Ok(tasks) => Json(json!({ "tasks": tasks.iter().map(shown).collect::<Vec<_>>() })).into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn one(State(app): State<App>, Subject(user): Subject, Path(id): Path<String>) -> Response {
    match load_mine(&app, &user, &id).await {
        Ok(Some(task)) => Json(shown(&task)).into_response(),
        Ok(None) => not_found(),
        Err(error) => unavailable(&error),
    }
}

async fn complete(
    State(app): State<App>,
    Subject(user): Subject,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Response {
    let told: Told = match serde_json::from_slice(&body) {
        Ok(told) => told,
        Err(error) => {
            let detail = format!("Send {{\"outcome\": \"connected\", \"note\": \"...\"}}: {error}.");
            return Problem::new(422, "unreadable-outcome", "The outcome can't be read")
                .detail(detail)
                .errors([(culprit(&body), "This is not what was asked for.".to_owned())])
                .into_response();
        }
    };
    for _ in 0..ROUNDS {
        let task = match load_mine(&app, &user, &id).await {
            Ok(Some(task)) => task,
            Ok(None) => return not_found(),
            Err(error) => return unavailable(&error),
        };
        let context = match app.store.load_step(&task.id.lead, &task.id.key.enrollment).await {
            Ok(context) => context,
            Err(error) => return unavailable(&error),
        };
        let change = match complete_task(&context, &task, &user, told.outcome, told.note.clone(), app.clock.now()) {
            Completed::Change(change) => change,
            Completed::Known => return Json(shown(&task)).into_response(),
            Completed::Conflict(_) => return conflict(&task),
            Completed::NotAnOutcome => return not_an_outcome(&task),
        };
        match app.store.commit(&change).await {
            Ok(Committed::Yes) => {
                tracing::info!(enrollment.id = %task.id.key.enrollment, step.id = %task.id.key.step, outcome = told.outcome.as_str(), "completed task");
                let closed =
                    change.close.iter().find(|(closed, _)| *closed == task.id).map(|(_, closed)| closed.clone());
                return Json(shown(&Task { closed, ..task })).into_response();
            }
            Ok(Committed::Stale) => {}
            Err(error) => return unavailable(&error),
        }
    }
    Problem::new(503, "unavailable", "The task was not completed")
        .detail("Nothing was written. Try again.")
        .into_response()
}

/// Where a body can't be read: at the first field that is none of ours, or at the one that has no value of its kind.
fn culprit(body: &[u8]) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return String::new() };
    let unknown = fields.keys().find(|name| !["outcome", "note"].contains(&name.as_str()));
    let is_note = fields.get("note").is_none_or(|note| note.is_null() || note.is_string());
    match unknown {
        Some(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        None if is_note => "/outcome".to_owned(),
        None => "/note".to_owned(),
    }
}

/// The user's own task; somebody else's is as good as none.
async fn load_mine(app: &App, user: &cadence_core::UserId, id: &str) -> Result<Option<Task>, StoreError> {
    match TaskId::parse(id) {
        Some(id) => Ok(app.store.load_task(&id).await?.filter(|task| task.user == *user)),
        None => Ok(None),
    }
}

fn shown(task: &Task) -> Value {
    let mut shown = json!(task);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("outcomes".to_owned(), json!(task.kind.outcomes()));
    }
    shown
}

fn not_found() -> Response {
    Problem::new(404, "no-such-task", "You have no such task").detail("GET /tasks lists yours.").into_response()
}

fn conflict(task: &Task) -> Response {
    let how = task.closed.as_ref().map_or("", |closed| closed.outcome.as_str());
    Problem::new(409, "task-is-closed", "The task is closed").detail(format!("It was closed as {how}.")).into_response()
}

fn not_an_outcome(task: &Task) -> Response {
    let outcomes: Vec<_> = task.kind.outcomes().iter().map(|outcome| outcome.as_str()).collect();
    Problem::new(422, "not-an-outcome", "A task of this kind can't end so")
        .detail(format!("Use one of: {}.", outcomes.join(", ")))
        .errors([("/outcome".to_owned(), "This is no outcome of this kind of task.".to_owned())])
        .into_response()
}

fn unavailable(error: &StoreError) -> Response {
    tracing::error!(error.message = chain(error), "could not serve tasks");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Problem::new(503, "unavailable", "The tasks can't be read just now").detail("Try again."),
    )
        .into_response()
}
