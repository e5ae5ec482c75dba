//! Puts back what is overdue, settles what is unsure, releases what is parked, counts what runs. Runs every five minutes; a second run
//! changes nothing.

use cadence_boot::{
    Boot, BootError,
    diagnostic::{self, chain},
};
use cadence_core::{
    CadenceId, Channel, Clock, EnrollmentId, LeadId,
    failure::Class,
    overdue::{Remedy, remedy, worth_a_look},
    plan::StepContext,
};
use cadence_store::{Committed, Store, StoreError};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::Value;

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &["LEADS_TABLE", "CONFIG_TABLE", "SMS_QUEUE_URL", "EMAIL_QUEUE_URL", "CALL_QUEUE_URL"];

/// What the function holds: exactly what its policy allows.
#[derive(Clone, Debug)]
pub struct App {
    /// The tables.
    pub store: Store,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The channels' queue URLs.
    pub queues: QueueUrls,
    /// The time.
    pub clock: Clock,
}

/// The channels' queue URLs.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the channels")]
pub struct QueueUrls {
    pub sms: String,
    pub email: String,
    pub call: String,
}

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Overdue steps put back on their queues.
    pub requeued: u32,
    /// Claims that ran out, settled.
    pub settled: u32,
    /// Parked enrollments that go on.
    pub released: u32,
    /// Cadences whose record is told how many leads run through them.
    pub recounted: u32,
    /// Enrollments and cadences that could not be looked at; the next run tries again.
    pub failed: u32,
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The table did not answer.
    #[error("the enrollments could not be read")]
    Store(#[from] StoreError),
    /// A queue did not take a message.
    #[error("a step could not be put back on its queue")]
    Queue(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A message could not be written.
    #[error("a step could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl ReconcileError {
    /// What may be expected of it.
    pub fn class(&self) -> Class {
        match self {
            Self::Store(error) if error.may_work_later() => Class::Retryable,
            Self::Queue(_) => Class::Retryable,
            Self::Store(_) | Self::Json(_) => Class::Permanent,
        }
    }
}

impl App {
    /// The function, ready for its first event.
    pub async fn start(boot: &Boot) -> Result<Self, BootError> {
        let env = &boot.env;
        Ok(Self {
            store: Store::new(&boot.aws, boot.env.required("LEADS_TABLE")?, boot.env.required("CONFIG_TABLE")?),
            sqs: aws_sdk_sqs::Client::new(&boot.aws),
            queues: QueueUrls {
                sms: env.required("SMS_QUEUE_URL")?,
                email: env.required("EMAIL_QUEUE_URL")?,
                call: env.required("CALL_QUEUE_URL")?,
            },
            clock: boot.clock.clone(),
        })
    }
}

/// Runs once, whatever the event says: it comes from a rule that fires every five minutes.
pub async fn on_event(app: &App, _: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let reconciled = handle(app).await.map_err(|error| diagnostic::of(error.class(), &error))?;
    serde_json::to_value(reconciled).map_err(|error| diagnostic::of(Class::Permanent, &error))
}

/// Looks at everything that is due or claimed and at what rests and may go on, and counts what runs.
pub async fn handle(app: &App) -> Result<Reconciled, ReconcileError> {
    let now = app.clock.now();
    let mut found = app.store.load_due(now).await?;
    let resting = app.store.load_parked().await?;
    if !resting.is_empty() {
        found.extend(worth_a_look(resting, &app.store.load_statuses().await?, now));
    }
    let mut done = Reconciled::default();
    for (lead, enrollment) in found {
        if let Err(error) = look_at(app, &lead, &enrollment, &mut done).await {
            // One that can't be mended must not keep the others from it.
            tracing::error!(enrollment.id = %enrollment, error.message = chain(&error), "could not reconcile enrollment");
            done.failed += 1;
        }
    }
    for (cadence, told) in app.store.load_told_leads().await? {
        if let Err(error) = recount(app, &cadence, &told, &mut done).await {
            tracing::error!(cadence.id = %cadence, error.message = chain(&error), "could not count running leads");
            done.failed += 1;
        }
    }
    tracing::info!(
        requeued = done.requeued,
        settled = done.settled,
        released = done.released,
        recounted = done.recounted,
        failed = done.failed,
        "reconciled"
    );
    Ok(done)
}

async fn look_at(
    app: &App,
    lead: &LeadId,
    enrollment: &EnrollmentId,
    done: &mut Reconciled,
) -> Result<(), ReconcileError> {
    let context = app.store.load_step(lead, enrollment).await?;
    // A write that lost a race is left to the next run.
    let count = |committed, counter: &mut u32| *counter += u32::from(committed == Committed::Yes);
    match remedy(&context, app.clock.now()) {
        Remedy::Leave => {}
        Remedy::Requeue => {
            requeue(app, &context).await?;
            done.requeued += 1;
        }
        Remedy::Settle(settlement) => {
            if app.store.settle(&settlement).await? == Committed::Yes {
                done.settled += 1;
                // What rests behind the claim may be let go by now, and a second run must find nothing to do.
                return Box::pin(look_at(app, lead, enrollment, done)).await;
            }
        }
        Remedy::Release(change) => count(app.store.commit(&change).await?, &mut done.released),
    }
    Ok(())
}

/// Tells a cadence's record how many leads run through it, if it says something else.
async fn recount(app: &App, cadence: &CadenceId, told: &str, done: &mut Reconciled) -> Result<(), ReconcileError> {
    let running = app.store.load_running(cadence).await?;
    if running.to_string() != told && app.store.tell_leads(cadence, &running).await? == Committed::Yes {
        done.recounted += 1;
    }
    Ok(())
}

async fn requeue(app: &App, context: &StepContext) -> Result<(), ReconcileError> {
    let Some(next) = &context.enrollment.progress.next else {
        return Ok(());
    };
    let due = context.enrollment.step_due();
    let body = serde_json::to_string(&due)?;
    let url = match next.channel {
        Channel::Call => &app.queues.call,
        Channel::Sms => &app.queues.sms,
        Channel::Email => &app.queues.email,
    };
    let sent = app.sqs.send_message().queue_url(url).message_body(body).send().await;
    sent.map_err(|error| ReconcileError::Queue(error.into()))?;
    tracing::warn!(enrollment.id = %due.enrollment, generation = due.generation, channel = next.channel.as_str(), "requeued overdue step");
    Ok(())
}
