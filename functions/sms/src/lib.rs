//! Runs due SMS steps: load, plan, claim, deliver, settle.

use cadence_core::{
    Clock,
    delivery::Delivery,
    enrollment::StepDue,
    plan::{Action, Plan, StepPlan, StepReport, plan_step},
};
use cadence_store::{Claimed, Committed, Invocation, StepError, Store};
use cadence_vendors::{Sns, sns};

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

/// Runs one due SMS step.
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
    invocation.has_time_for(sns::TIMEOUT, app.clock.now())?;

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
        Action::Sms(sms) => app.sms.send(sms).await,
        Action::Task(_) => Delivery::Accepted {
            vendor_id: "task".to_owned(),
        },
        Action::Email(_) | Action::AiCall(_) => Delivery::Later {
            reason: "it came on another channel's queue".to_owned(),
        },
    }
}
