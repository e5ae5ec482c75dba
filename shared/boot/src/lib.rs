//! What every function needs before its first event, and around each: configuration, logs, envelopes, diagnostics.

pub mod clock;
pub mod diagnostic;
pub mod env;
pub mod http;
pub mod path;
pub mod problem;
pub mod queue;
pub mod secrets;
pub mod stream;

use std::{pin::Pin, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use cadence_core::Clock;
use chrono::{DateTime, Utc};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;

pub use env::{Env, EnvError};
pub use secrets::{Secrets, SecretsError};

/// What a function is made of: its environment, a way to AWS, and the time. Lambda's process hands it in, or the local cloud.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Its environment.
    pub env: Env,
    /// What SDK clients are made with.
    pub aws: SdkConfig,
    /// The time.
    pub clock: Clock,
}

/// Why a function could not start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Its environment is not complete.
    #[error("the environment is not complete")]
    Env(#[from] EnvError),
    /// Its secrets could not be read.
    #[error("the secrets could not be read")]
    Secrets(#[from] SecretsError),
}

impl Boot {
    /// What Lambda's process gives: its environment, AWS and the system's clock. Starts the logs.
    pub async fn of_process() -> Result<Self, BootError> {
        let env = Env::of_process();
        start_logs(&env);
        let clock = clock::of_process(&env)?;
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts())
            .load()
            .await;
        Ok(Self { env, aws, clock })
    }
}

/// How long AWS may take. A step's lease and a function's timeout are longer than all attempts together.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// The handling of one message or change, which may fail.
pub type Running<'a, E> = Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'a>>;

/// Serves Lambda's events with `on_event` until the process ends.
pub async fn run<A, F>(app: A, on_event: F) -> Result<(), lambda_runtime::Error>
where
    F: AsyncFn(&A, LambdaEvent<Value>) -> Result<Value, Diagnostic>,
{
    let (app, on_event) = (&app, &on_event);
    lambda_runtime::run(service_fn(move |event| Box::pin(on_event(app, event)))).await
}

/// When the invocation is cut off.
pub fn deadline(context: &lambda_runtime::Context) -> DateTime<Utc> {
    i64::try_from(context.deadline).ok().and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Structured logs, one JSON object a line, as CloudWatch reads them; `LOG_LEVEL` is `info` unless it says otherwise.
fn start_logs(env: &Env) {
    let level = env.optional("LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    // A second call in one process keeps the first's logs.
    let _ = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).without_time().try_init();
}
