//! A Lambda function as the cloud invokes it.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::Notify;

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

/// An invocation while it runs, as those see it whom it makes requests to.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function.
    pub function: Arc<str>,
    /// This invocation's own id.
    pub request_id: Arc<str>,
    killed: Arc<Notify>,
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

tokio::task_local! {
    static RUNNING: Invocation;
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

    /// Runs it once, until it answers, is cut off, or is killed.
    pub async fn invoke(
        &self,
        event: Value,
        request_id: impl Into<String>,
        now: DateTime<Utc>,
    ) -> Result<Value, FunctionError> {
        let request_id = request_id.into();
        let invocation = Invocation {
            function: self.name.as_str().into(),
            request_id: request_id.as_str().into(),
            killed: Arc::default(),
        };
        let killed = invocation.killed.clone();
        let timeout = chrono::TimeDelta::from_std(self.timeout).unwrap_or(chrono::TimeDelta::MAX);
        let running = (self.run)(event, Context { request_id, deadline: now + timeout });
        tokio::select! {
            biased;
            () = killed.notified() => Err(ended("Runtime.ExitError", "the process was killed".to_owned())),
            answer = tokio::time::timeout(self.timeout, RUNNING.scope(invocation, running)) => match answer {
                Ok(answer) => answer,
                Err(_) => {
                    let message = format!("Task timed out after {:.2} seconds", self.timeout.as_secs_f64());
                    Err(ended("Sandbox.Timedout", message))
                }
            },
        }
    }
}

impl Invocation {
    /// The invocation that asks; `None` where nobody does on behalf of a function.
    pub fn that_asks() -> Option<Self> {
        RUNNING.try_with(Clone::clone).ok()
    }

    /// Ends its process. What it does at this moment it never goes on with.
    pub(crate) fn kill(&self) {
        self.killed.notify_one();
    }
}

fn ended(error_type: &str, message: String) -> FunctionError {
    FunctionError { error_type: error_type.to_owned(), message }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    async fn ends(run: impl Fn() -> Invoked + Send + Sync + 'static) -> Result<Value, String> {
        let function = Function::new("sms", Duration::from_secs(60), move |_, _| run());
        function.invoke(json!({}), "r1", NOW).await.map_err(|error| error.error_type)
    }

    #[tokio::test(start_paused = true)]
    async fn an_invocation_ends_with_its_answer_its_time_or_its_process() {
        assert_eq!(ends(|| Box::pin(async { Ok(json!(1)) })).await, Ok(json!(1)));
        assert_eq!(ends(|| Box::pin(std::future::pending())).await, Err("Sandbox.Timedout".to_owned()));
        let killed = ends(|| {
            Box::pin(async {
                Invocation::that_asks().unwrap().kill();
                std::future::pending().await
            })
        });
        assert_eq!(killed.await, Err("Runtime.ExitError".to_owned()));
    }

    #[tokio::test]
    async fn whoever_is_asked_knows_which_function_asks_if_one_does() {
        let asks = || Invocation::that_asks().map(|asks| format!("{} {}", asks.function, asks.request_id));
        assert_eq!(asks(), None);
        assert_eq!(ends(move || Box::pin(async move { Ok(json!(asks())) })).await, Ok(json!("sms r1")));
    }
}
