//! The functions, in this process or each in one of its own.

use std::{pin::Pin, time::Duration};

use cadence_boot::{Boot, BootError};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;

use super::environment;
use crate::{
    cloud::Cloud,
    function::{Context, Function, FunctionError},
    processes::{Processes, ProcessesError},
};

/// Every function, as the cloud invokes it.
pub(super) struct Functions {
    pub(super) ingest: Function,
    pub(super) schedule: Function,
    pub(super) sms: Function,
    pub(super) email: Function,
    pub(super) call: Function,
    pub(super) outcomes: Function,
    pub(super) console: Function,
    pub(super) publish: Function,
    pub(super) reconcile: Function,
}

/// What the template says of a function.
struct Spec {
    name: &'static str,
    seconds: u64,
    env: &'static [&'static str],
}

const INGEST: Spec = Spec { name: "ingest", seconds: 29, env: ingest::ENV };
const SCHEDULE: Spec = Spec { name: "schedule", seconds: 60, env: schedule::ENV };
const SMS: Spec = Spec { name: "sms", seconds: 60, env: sms::ENV };
const EMAIL: Spec = Spec { name: "email", seconds: 60, env: email::ENV };
const CALL: Spec = Spec { name: "call", seconds: 60, env: call::ENV };
const OUTCOMES: Spec = Spec { name: "outcomes", seconds: 29, env: outcomes::ENV };
const CONSOLE: Spec = Spec { name: "console", seconds: 29, env: console::ENV };
const PUBLISH: Spec = Spec { name: "publish", seconds: 60, env: publish::ENV };
const RECONCILE: Spec = Spec { name: "reconcile", seconds: 300, env: reconcile::ENV };

type Answered = Pin<Box<dyn Future<Output = Result<Value, Diagnostic>> + Send>>;

impl Functions {
    /// Starts every function as its `main.rs` does, each with only the variables that it lists.
    pub(super) async fn in_process(boot: &Boot) -> Result<Self, BootError> {
        let with = |spec: &Spec| Boot { env: boot.env.only(spec.env), ..boot.clone() };
        let ingest = ingest::App::start(&with(&INGEST)).await?;
        let schedule = schedule::App::start(&with(&SCHEDULE)).await?;
        let sms = sms::App::start(&with(&SMS)).await?;
        let email = email::App::start(&with(&EMAIL)).await?;
        let call = call::App::start(&with(&CALL)).await?;
        let outcomes = outcomes::App::start(&with(&OUTCOMES)).await?;
        let console = console::App::start(&with(&CONSOLE)).await?;
        let publish = publish::App::start(&with(&PUBLISH)).await?;
        let reconcile = reconcile::App::start(&with(&RECONCILE)).await?;
        Ok(Self {
            ingest: function(&INGEST, ingest, |app, event| {
                Box::pin(async move { ingest::on_event(&app, event).await })
            }),
            schedule: function(&SCHEDULE, schedule, |app, event| {
                Box::pin(async move { schedule::on_event(&app, event).await })
            }),
            sms: function(&SMS, sms, |app, event| Box::pin(async move { sms::on_event(&app, event).await })),
            email: function(&EMAIL, email, |app, event| Box::pin(async move { email::on_event(&app, event).await })),
            call: function(&CALL, call, |app, event| Box::pin(async move { call::on_event(&app, event).await })),
            outcomes: function(&OUTCOMES, outcomes, |app, event| {
                Box::pin(async move { outcomes::on_event(&app, event).await })
            }),
            console: function(&CONSOLE, console, |app, event| {
                Box::pin(async move { console::on_event(&app, event).await })
            }),
            publish: function(&PUBLISH, publish, |app, event| {
                Box::pin(async move { publish::on_event(&app, event).await })
            }),
            reconcile: function(&RECONCILE, reconcile, |app, event| {
                Box::pin(async move { reconcile::on_event(&app, event).await })
            }),
        })
    }

    /// Finds every function's binary. A process starts with the first event that needs one.
    pub(super) fn as_processes(cloud: &Cloud, processes: &Processes) -> Result<Self, ProcessesError> {
        if cloud.reckoning().is_none() {
            return Err(ProcessesError::ClockJumps);
        }
        let function = |spec: &Spec| {
            let env = spec.env;
            let variables = Box::new(move |account: &_| environment(account).only(env));
            processes.function(cloud, spec.name, Duration::from_secs(spec.seconds), variables)
        };
        Ok(Self {
            ingest: function(&INGEST)?,
            schedule: function(&SCHEDULE)?,
            sms: function(&SMS)?,
            email: function(&EMAIL)?,
            call: function(&CALL)?,
            outcomes: function(&OUTCOMES)?,
            console: function(&CONSOLE)?,
            publish: function(&PUBLISH)?,
            reconcile: function(&RECONCILE)?,
        })
    }
}

fn function<A: Clone + Send + Sync + 'static>(
    spec: &Spec,
    app: A,
    on_event: impl Fn(A, LambdaEvent<Value>) -> Answered + Send + Sync + 'static,
) -> Function {
    Function::new(spec.name, Duration::from_secs(spec.seconds), move |event, context| {
        let answered = on_event(app.clone(), LambdaEvent::new(event, lambda_context(&context)));
        Box::pin(async move {
            let failed =
                |failure: Diagnostic| FunctionError { error_type: failure.error_type, message: failure.error_message };
            answered.await.map_err(failed)
        })
    })
}

fn lambda_context(context: &Context) -> lambda_runtime::Context {
    let mut lambda = lambda_runtime::Context::default();
    lambda.request_id.clone_from(&context.request_id);
    lambda.deadline = u64::try_from(context.deadline.timestamp_millis()).unwrap_or(0);
    lambda
}
