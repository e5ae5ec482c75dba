//! Runs due SMS steps: load, plan, claim, deliver, settle.

use cadence_boot::{Boot, BootError, queue};
use cadence_core::{
    Clock,
    delivery::Delivery,
    enrollment::StepDue,
    plan::{Action, Plan, StepPlan, StepReport, plan_step},
};
use cadence_store::{Claimed, Committed, Invocation, StepError, Store};
use cadence_vendors::{Sns, sns};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::Value;

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &["LEADS_TABLE", "CONFIG_TABLE", "SEND_MODE"];

/// What the function holds: exactly what its policy allows.
#[derive(Clone, Debug)]
pub struct App {
    /// The tables.
    pub store: Store,
    /// Texts.
    pub sms: Sns,
    /// The time.
    pub clock: Clock,
}

impl App {
    /// The function, ready for its first event.
    pub async fn start(boot: &Boot) -> Result<Self, BootError> {
        Ok(Self {
            store: Store::new(&boot.aws, boot.env.required("LEADS_TABLE")?, boot.env.required("CONFIG_TABLE")?),
            sms: Sns::new(&boot.aws, boot.env.send_mode()?),
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

/// Runs one due SMS step.
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
    invocation.has_time_for(sns::TIMEOUT, app.clock.now())?;

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
        Action::Sms(sms) => app.sms.send(sms).await,
        Action::Task(_) => Delivery::Accepted { vendor_id: "task".to_owned() },
        Action::Email(_) | Action::AiCall(_) => {
            Delivery::Later { reason: "it came on another channel's queue".to_owned() }
        }
    }
}
