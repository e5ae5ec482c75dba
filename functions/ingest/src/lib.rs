//! Lead webhooks in, leads and enrollments out.

mod answer;
mod arrive;
mod secrets;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::HeaderMap,
    response::Response,
    routing::post,
};
use cadence_boot::{Boot, BootError, Secrets, http, path::Path};
use cadence_core::{Clock, SourceId};
use cadence_store::Store;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;

pub use answer::Refusal;
pub use secrets::SourceSecrets;

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &["LEADS_TABLE", "CONFIG_TABLE", "SECRET_ID"];
/// The routes that [`router`] answers.
pub const ROUTES: &[(&str, &str)] = &[("POST", "/leads/{source}"), ("POST", "/leads/{source}/{secret}")];

/// What the function holds: exactly what its policy allows.
#[derive(Clone)]
pub struct App {
    /// The tables.
    pub store: Store,
    /// The sources' secrets.
    pub secrets: SourceSecrets,
    /// The key that addresses are hashed with.
    pub address_key: Vec<u8>,
    /// The time.
    pub clock: Clock,
}

/// How long a webhook may be, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;
/// The header that carries a source's secret, where its path doesn't.
pub const SECRET_HEADER: &str = "x-cadence-secret";

impl App {
    /// The function, ready for its first event.
    pub async fn start(boot: &Boot) -> Result<Self, BootError> {
        let secrets = Secrets::load(boot).await?;
        let secret_id = boot.env.required("SECRET_ID")?;
        Ok(Self {
            store: Store::new(&boot.aws, boot.env.required("LEADS_TABLE")?, boot.env.required("CONFIG_TABLE")?),
            address_key: secrets.key()?,
            secrets: SourceSecrets::new(boot.aws.clone(), secret_id, secrets.sources, boot.clock.now()),
            clock: boot.clock.clone(),
        })
    }
}

/// Answers an API Gateway event.
pub async fn on_event(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    http::answer(&router(app.clone()), event).await
}

/// `POST /leads/{source}`, and `POST /leads/{source}/{secret}` for vendors who can't set a header.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/leads/{source}", post(by_header))
        .route("/leads/{source}/{secret}", post(by_path))
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn by_header(State(app): State<App>, Path(source): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let bearer = text(&headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    let secret = text(&headers, SECRET_HEADER).or(bearer).unwrap_or_default().to_owned();
    handle(&app, &SourceId::new(source), &secret, &headers, &body).await
}

async fn by_path(
    State(app): State<App>,
    Path((source, secret)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    handle(&app, &SourceId::new(source), &secret, &headers, &body).await
}

/// Takes one webhook: authenticated, read, and written before it is answered.
async fn handle(app: &App, source: &SourceId, secret: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    let taken = match authenticated(app, source, secret).await {
        Ok(source) => arrive::take(app, &source, headers, body).await,
        Err(refusal) => Err(refusal),
    };
    answer::of(taken)
}

/// The source, if the secret is its own. Every failure takes the same comparison and gets the same answer.
async fn authenticated(app: &App, id: &SourceId, given: &str) -> Result<cadence_core::records::Source, Refusal> {
    let source = app.store.load_source(id).await.map_err(Refusal::Store)?;
    let name = source.as_ref().map(|source| source.secret.as_str());
    let is_its_own = app.secrets.fits(name, given, app.clock.now()).await.map_err(Refusal::Secrets)?;
    source.filter(|_| is_its_own).ok_or(Refusal::Unauthorized)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("store", &self.store).finish_non_exhaustive()
    }
}
