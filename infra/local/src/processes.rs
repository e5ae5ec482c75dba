//! Functions as processes of their own: the binaries that are deployed, served the Lambda Runtime API.
//!
//! They reach the cloud over HTTP, and they can be killed in the middle of their work.

mod roll;
mod runtime_api;
mod sandbox;

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadence_boot::Env;
use chrono::TimeDelta;
use serde_json::Value;
use tokio::sync::Semaphore;

pub use self::roll::Process;
use self::{roll::Roll, runtime_api::Event, sandbox::Sandbox};
use crate::{
    account::Account,
    cloud::Cloud,
    function::{Function, FunctionError},
};

/// How many processes of one function run at a time at most; further invocations wait for one of them. So many does Lambda begin with
/// for a queue: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const MAX_CONCURRENCY: usize = 5;

/// The binaries of a folder, and the processes that run them. Clones are the same.
#[derive(Clone)]
pub struct Processes(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    roll: Arc<Roll>,
    /// The processes that wait for an invocation, by function.
    idle: Mutex<BTreeMap<String, Vec<Sandbox>>>,
}

/// A function's binary, and what it runs with.
pub(crate) struct Program {
    pub(crate) name: String,
    binary: PathBuf,
    timeout: Duration,
    variables: Variables,
}

/// The variables of a function that reaches the cloud at that account's endpoint.
pub type Variables = Box<dyn Fn(&Account) -> Env + Send + Sync>;

/// Why functions can't run as processes.
#[derive(Debug, thiserror::Error)]
pub enum ProcessesError {
    /// A binary is not there.
    #[error(
        "{} holds no binary of the function {name}, neither as {name} nor as {name}/bootstrap; \
         `cargo build --workspace --bins` puts them all into target/debug, and with --release into target/release",
        folder.display()
    )]
    Missing {
        /// The function.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// Their clocks could not follow.
    #[error("processes have a clock of their own, so the local cloud's must run and not jump")]
    ClockJumps,
}

impl Processes {
    /// The binaries of that folder: `target/debug`, or one as cargo-lambda makes it.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inner { folder: folder.into(), roll: Arc::default(), idle: Mutex::default() }))
    }

    /// The processes that run now.
    pub fn running(&self) -> Vec<Process> {
        self.0.roll.processes()
    }

    /// Ends the processes that wait for an invocation. Those that are at one end with it.
    pub fn stop(&self) {
        self.idle().clear();
    }

    /// A function that runs that binary of the folder, with variables that follow from where it reaches the cloud.
    pub fn function(
        &self,
        cloud: &Cloud,
        name: &str,
        timeout: Duration,
        variables: Variables,
    ) -> Result<Function, ProcessesError> {
        let binary = self.binary(name)?;
        let (cloud, processes, places) = (cloud.clone(), self.clone(), Arc::new(Semaphore::new(MAX_CONCURRENCY)));
        let program = Arc::new(Program { name: name.to_owned(), binary, timeout, variables });
        Ok(Function::new(name, timeout, move |event, context| {
            let (cloud, processes, program, places) =
                (cloud.clone(), processes.clone(), program.clone(), places.clone());
            Box::pin(async move {
                let _place = places.acquire().await;
                processes.invoke(&cloud, &program, event, context.request_id).await
            })
        }))
    }

    fn binary(&self, name: &str) -> Result<PathBuf, ProcessesError> {
        let folder = &self.0.folder;
        let mut places = [folder.join(name), folder.join(name).join("bootstrap")].into_iter();
        // A process that is started elsewhere than here still finds it.
        let found = places.find(|path| path.is_file()).and_then(|path| std::path::absolute(path).ok());
        found.ok_or_else(|| ProcessesError::Missing { name: name.to_owned(), folder: folder.clone() })
    }

    /// Has a process handle an event: one that waits, else a new one.
    async fn invoke(
        &self,
        cloud: &Cloud,
        program: &Program,
        payload: Value,
        request_id: String,
    ) -> Result<Value, FunctionError> {
        let mut sandbox = match self.waiting(&program.name) {
            Some(sandbox) => sandbox,
            None => Sandbox::start(cloud, program, &self.0.roll).await?,
        };
        // Its time begins when it has the event: a start is not part of it.
        let deadline = cloud.now() + TimeDelta::from_std(program.timeout).unwrap_or(TimeDelta::MAX);
        let limit = cloud.real_time_until(deadline).unwrap_or(program.timeout);
        let ended = sandbox.invoke(Event { request_id, deadline, payload }, limit).await;
        if sandbox.is_alive() {
            self.idle().entry(program.name.clone()).or_default().push(sandbox);
        }
        ended
    }

    /// A process of the function that waits and was not killed meanwhile.
    fn waiting(&self, function: &str) -> Option<Sandbox> {
        let mut idle = self.idle();
        let idle = idle.get_mut(function)?;
        while let Some(mut sandbox) = idle.pop() {
            if sandbox.is_alive() {
                return Some(sandbox);
            }
        }
        None
    }

    fn idle(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Sandbox>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processes").field("folder", &self.0.folder).finish_non_exhaustive()
    }
}
