//! Runs due call steps: load, plan, claim, deliver, settle.

use cadence_core::{
    Clock,
    delivery::{Delivery, Email},
    enrollment::StepDue,
    plan::{Action, Plan, StepPlan, StepReport, plan_step},
};
use cadence_store::{Claimed, Committed, Invocation, StepError, Store};
use cadence_vendors::{Ses, VoiceAgent, voice_agent};

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

/// Runs one due call step.
pub async fn handle(app: &App, due: &StepDue, invocation: &Invocation) -> Result<StepReport, StepError> {
    let context = app
        .store
        .load_step(&due.lead, &due.enrollment)
        .await
        .map_err(StepError::Before)?;

    let plan = match plan_step(&context, due, app.clock.now()) {
        Plan::Send(plan) => plan,
        Plan::Change(change) => return Ok(app.store.commit(&change).await.map_err(StepError::Before)?.into()),
        Plan::Settle(settled) => {
            return Ok(app
                .store
                .settle(&settled, &context.enrollment)
                .await
                .map_err(StepError::Before)?
                .into());
        }
        Plan::Skip(why) => return Ok(StepReport::Skipped(why)),
        Plan::Busy => return Ok(StepReport::Busy),
    };
    invocation.has_time_for(voice_agent::TIMEOUT, app.clock.now())?;

    let claim = match app
        .store
        .claim(&plan, invocation.claim_id(), app.clock.now())
        .await
        .map_err(StepError::Before)?
    {
        Claimed::Yes(claim) => claim,
        Claimed::Refused(_) => return Ok(StepReport::Replan),
    };
    let delivery = deliver(app, &plan).await;
    let settled = app
        .store
        .settle_claim(context, &claim, &plan.action, &delivery, &app.clock)
        .await;

    match settled.map_err(StepError::After)? {
        Committed::Yes => Ok(StepReport::Settled(delivery)),
        Committed::Stale => Err(StepError::Unsettled),
    }
}

async fn deliver(app: &App, plan: &StepPlan) -> Delivery {
    if app.clock.now() > plan.send_by {
        return Delivery::Later {
            reason: "the hours for this lead ended".to_owned(),
        };
    }
    match &plan.action {
        Action::AiCall(call) => app.voice_agent.call(call).await,
        Action::Task(notice) => notify(app, notice.as_ref()).await,
        Action::Sms(_) | Action::Email(_) => Delivery::Later {
            reason: "it came on another channel's queue".to_owned(),
        },
    }
}

/// Tells the user of their task. The task is written whether or not the notice arrives, so its answer decides nothing.
async fn notify(app: &App, notice: Option<&Email>) -> Delivery {
    if let Some(notice) = notice {
        let told = app.email.send(notice).await;
        tracing::info!(enrollment.id = %notice.key.enrollment, step.id = %notice.key.step, told = ?told, "noticed user of task");
    }
    Delivery::Accepted {
        vendor_id: "task".to_owned(),
    }
}
