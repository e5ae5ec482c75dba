//! One process of a function, alone with its Runtime API and its own door to the cloud.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::State};
use http::{Request, Response};
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    task::AbortHandle,
};

use super::{
    Program,
    roll::{Listed, Roll},
    runtime_api::{Event, RuntimeApi},
};
use crate::{account::Account, cloud::Cloud, function::FunctionError, server};

/// How long a process may take until it asks for its first event:
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
const LONGEST_START: Duration = Duration::from_secs(10);

/// A process that serves invocations, one at a time. It ends, killed, when this is dropped.
pub(super) struct Sandbox {
    process: Child,
    api: Arc<RuntimeApi>,
    listed: Listed,
    door: AbortHandle,
}

impl Sandbox {
    /// Starts a process and waits until it is ready.
    pub(super) async fn start(cloud: &Cloud, program: &Program, roll: &Arc<Roll>) -> Result<Self, FunctionError> {
        let failed = |error_type: &str, message: String| FunctionError { error_type: error_type.to_owned(), message };
        let door = server::bind(0).await;
        let door = door.and_then(|door| Ok((door.local_addr()?.to_string(), door)));
        let (address, door) = door.map_err(|error| failed("Sandbox.Failure", format!("no port is free: {error}")))?;
        let function = format!("function:{}", program.name);
        let api = RuntimeApi::new(cloud.account().arn("lambda", &function));
        // What a process of an earlier life of this cloud still asks meets a door that is gone.
        let router = api.router().fallback_service(Router::new().fallback(aws).with_state(cloud.clone()));
        let door = tokio::spawn(async move { axum::serve(door, router).await }).abort_handle();
        let spawned = command(cloud, program, &address).spawn();
        let process = spawned.map_err(|error| {
            failed("Runtime.InvalidEntrypoint", format!("{} does not start: {error}", program.binary.display()))
        })?;
        let listed = roll.list(&program.name, process.id());
        let mut sandbox = Self { process, api, listed, door };
        sandbox.ready().await?;
        Ok(sandbox)
    }

    async fn ready(&mut self) -> Result<(), FunctionError> {
        let started = async {
            tokio::select! {
                biased;
                started = self.api.started() => started,
                exit = self.process.wait() => Err(exited(exit.ok(), None)),
            }
        };
        tokio::time::timeout(LONGEST_START, started).await.unwrap_or_else(|_| {
            Err(FunctionError {
                error_type: "Sandbox.Timedout".to_owned(),
                message: format!("the process asked for no event within {} seconds", LONGEST_START.as_secs()),
            })
        })
    }

    /// Whether the process is there; one that was killed is not.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Has the process handle an event. One that takes longer than `limit` of real time is killed.
    pub(super) async fn invoke(&mut self, event: Event, limit: Duration) -> Result<Value, FunctionError> {
        let request_id = event.request_id.clone();
        let _busy = self.listed.busy(&request_id);
        let answered = self.api.hand(event);
        let ended = async {
            tokio::select! {
                biased;
                Ok(answer) = answered => answer,
                exit = self.process.wait() => Err(exited(exit.ok(), Some(&request_id))),
            }
        };
        match tokio::time::timeout(limit, ended).await {
            Ok(ended) => ended,
            Err(_) => {
                // Nothing of it may go on when others are told that it failed.
                let _ = self.process.kill().await;
                let message = format!("RequestId: {request_id} Error: Task timed out");
                Err(FunctionError { error_type: "Sandbox.Timedout".to_owned(), message })
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// The process with nothing in its environment but what Lambda and its deployment put there.
fn command(cloud: &Cloud, program: &Program, address: &str) -> Command {
    let account = Account { endpoint: format!("http://{address}"), ..cloud.account().clone() };
    let mut command = Command::new(&program.binary);
    command.env_clear().kill_on_drop(true).stdin(Stdio::null());
    // What a function logs is what this process logs.
    command.stdout(std::io::stderr()).stderr(Stdio::inherit());
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    command.envs([
        ("AWS_LAMBDA_RUNTIME_API", address),
        ("AWS_LAMBDA_FUNCTION_NAME", &program.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_REGION", &account.region),
        ("AWS_DEFAULT_REGION", &account.region),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL", &account.endpoint),
        ("TZ", ":UTC"),
    ]);
    command.env("LAMBDA_TASK_ROOT", program.binary.parent().unwrap_or(Path::new("/")));
    command.envs((program.variables)(&account).variables());
    if let Some(reckoning) = cloud.reckoning() {
        command.env(cadence_boot::clock::LOCAL_CLOCK, reckoning.to_string());
    }
    command
}

/// The services that the process's SDK clients ask.
async fn aws(State(cloud): State<Cloud>, request: Request<Body>) -> Response<Body> {
    match server::whole(request).await {
        Ok(request) => cloud.handle(&request).map(Body::from),
        Err(refusal) => refusal,
    }
}

/// As Lambda words it.
fn exited(exit: Option<ExitStatus>, request_id: Option<&str>) -> FunctionError {
    let how = exit.map_or_else(|| "it is gone".to_owned(), |exit| exit.to_string());
    let of_request = request_id.map(|id| format!("RequestId: {id} ")).unwrap_or_default();
    FunctionError {
        error_type: "Runtime.ExitError".to_owned(),
        message: format!("{of_request}Error: Runtime exited with {how}"),
    }
}
