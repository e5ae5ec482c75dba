//! A Lambda function as the cloud invokes it.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Value;

/// What one invocation ends in: the function's answer, or what it failed with.
pub type Invoked = Pin<Box<dyn Future<Output = Result<Value, FunctionError>> + Send>>;

/// A deployed function: a JSON event in, a JSON answer out.
#[derive(Clone)]
pub struct Function {
    /// The name it is deployed under.
    pub name: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    run: Arc<dyn Fn(Value, Context) -> Invoked + Send + Sync>,
}

/// What an invocation knows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// This invocation's own id.
    pub request_id: String,
    /// When it is cut off.
    pub deadline: DateTime<Utc>,
}

/// What a function failed with, as its runtime reports it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the function failed with {error_type}: {message}")]
pub struct FunctionError {
    /// `Retryable`, `Permanent`, `Ambiguous`, ...
    pub error_type: String,
    /// What it says.
    pub message: String,
}

impl Function {
    /// A function of that name.
    pub fn new(
        name: impl Into<String>,
        timeout: Duration,
        run: impl Fn(Value, Context) -> Invoked + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), timeout, run: Arc::new(run) }
    }

    /// Runs it once.
    pub fn invoke(&self, event: Value, request_id: impl Into<String>, now: DateTime<Utc>) -> Invoked {
        let timeout = chrono::TimeDelta::from_std(self.timeout).unwrap_or(chrono::TimeDelta::MAX);
        (self.run)(event, Context { request_id: request_id.into(), deadline: now + timeout })
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}
