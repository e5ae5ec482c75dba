//! Runs due call steps: load, plan, claim, deliver, settle.

use cadence_boot::{Boot, BootError, Secrets, queue};
use cadence_core::{
    Clock,
    delivery::{Delivery, Email},
    enrollment::StepDue,
    plan::{Action, Plan, StepPlan, StepReport, plan_step},
};
use cadence_store::{Claimed, Committed, Invocation, StepError, Store};
use cadence_vendors::{Ses, VoiceAgent, VoiceAgentConfig, voice_agent};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::Value;

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &[
    "LEADS_TABLE",
    "CONFIG_TABLE",
    "SECRET_ID",
    "SEND_MODE",
    "SES_CONFIGURATION_SET",
    "VOICE_AGENT_URL",
    "VOICE_AGENT_PHONE_NUMBER_ID",
];

/// What the function holds: exactly what its policy allows.
#[derive(Clone, Debug)]
pub struct App {
    /// The tables.
    pub store: Store,
    /// AI calls.
    pub voice_agent: VoiceAgent,
    /// Notices to users.
    pub email: Ses,
    /// The time.
    pub clock: Clock,
}

impl App {
    /// The function, ready for its first event.
    pub async fn start(boot: &Boot) -> Result<Self, BootError> {
        let secrets = Secrets::load(boot).await?;
        let agent = VoiceAgentConfig {
            url: boot.env.required("VOICE_AGENT_URL")?,
            api_key: secrets.voice_agent_api_key,
            phone_number_id: boot.env.required("VOICE_AGENT_PHONE_NUMBER_ID")?,
            assistants: secrets.voice_agent_assistants,
        };
        let mode = boot.env.send_mode()?;
        Ok(Self {
            store: Store::new(&boot.aws, boot.env.required("LEADS_TABLE")?, boot.env.required("CONFIG_TABLE")?),
            voice_agent: VoiceAgent::new(&boot.aws, mode, agent),
            email: Ses::new(&boot.aws, mode, boot.env.optional("SES_CONFIGURATION_SET")),
            clock: boot.clock.clone(),
        })
    }
}

/// Runs the due steps of an SQS event.
pub async fn on_event(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    queue::each(app, event, StepError::class, |app, due, context| Box::pin(run(app, due, context))).await
}

/// Runs one due step until it doesn't lose a race.
async fn run(app: &App, due: StepDue, context: &Context) -> Result<(), StepError> {
    let invocation = Invocation::new(context.request_id.as_str(), cadence_boot::deadline(context));
    let report = invocation.settle(app, &due, |app, due, invocation| Box::pin(handle(app, due, invocation))).await?;
    tracing::info!(lead.id = %due.lead, enrollment.id = %due.enrollment, generation = due.generation, report = ?report, "ran step");
    Ok(())
}

/// Runs one due call step.
pub async fn handle(app: &App, due: &StepDue, invocation: &Invocation) -> Result<StepReport, StepError> {
    let context = app.store.load_step(&due.lead, &due.enrollment).await.map_err(StepError::Before)?;

    let plan = match plan_step(&context, due, app.clock.now()) {
        Plan::Send(plan) => plan,
        Plan::Change(change) => return Ok(app.store.commit(&change).await.map_err(StepError::Before)?.into()),
        Plan::Settle(settled) => {
            return Ok(app.store.settle(&settled).await.map_err(StepError::Before)?.into());
        }
        Plan::Skip(why) => return Ok(StepReport::Skipped(why)),
        Plan::Busy => return Ok(StepReport::Busy),
    };
    invocation.has_time_for(voice_agent::TIMEOUT, app.clock.now())?;

    let claim = match app.store.claim(&plan, invocation.claim_id(), app.clock.now()).await.map_err(StepError::Before)? {
        Claimed::Yes(claim) => claim,
        Claimed::Refused(_) => return Ok(StepReport::Replan),
    };
    let delivery = deliver(app, &plan).await;
    let settled = app.store.settle_claim(context, &claim, &plan.action, &delivery, &app.clock).await;

    match settled.map_err(StepError::After)? {
        Committed::Yes => Ok(StepReport::Settled(delivery)),
        Committed::Stale => Err(StepError::Unsettled),
    }
}

async fn deliver(app: &App, plan: &StepPlan) -> Delivery {
    if app.clock.now() > plan.send_by {
        return Delivery::Later { reason: "the hours for this lead ended".to_owned() };
    }
    match &plan.action {
        Action::AiCall(call) => app.voice_agent.call(call).await,
        Action::Task(notice) => notify(app, notice.as_ref()).await,
        Action::Sms(_) | Action::Email(_) => {
            Delivery::Later { reason: "it came on another channel's queue".to_owned() }
        }
    }
}

/// Tells the user of their task. The task is written whether or not the notice arrives, so its answer decides nothing.
async fn notify(app: &App, notice: Option<&Email>) -> Delivery {
    if let Some(notice) = notice {
        let told = app.email.send(notice).await;
        tracing::info!(enrollment.id = %notice.key.enrollment, step.id = %notice.key.step, told = ?told, "noticed user of task");
    }
    Delivery::Accepted { vendor_id: "task".to_owned() }
}
