//! What is saved is what is scheduled: each change of an enrollment becomes a timer or a queue message.
//!
//! The only holder of Scheduler rights. Timers have deterministic names, so doing it twice does it once.

mod timer;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use cadence_boot::{Boot, BootError, stream};
use cadence_core::{
    Channel, Clock,
    enrollment::{Enrollment, Next, StepDue},
    failure::Class,
    scheduling::{Set, scheduling},
};
use chrono::{DateTime, Utc};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_dynamo::{AttributeValue, Item};
use serde_json::Value;

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &[
    "SMS_QUEUE_URL",
    "SMS_QUEUE_ARN",
    "EMAIL_QUEUE_URL",
    "EMAIL_QUEUE_ARN",
    "CALL_QUEUE_URL",
    "CALL_QUEUE_ARN",
    "SCHEDULE_GROUP",
    "TIMER_ROLE_ARN",
    "TIMER_DLQ_ARN",
];

/// What the function holds: exactly what its policy allows.
#[derive(Clone, Debug)]
pub struct App {
    /// Timers.
    pub scheduler: aws_sdk_scheduler::Client,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Where each channel's messages go.
    pub queues: Queues,
    /// What timers are made with.
    pub timers: Timers,
    /// The time.
    pub clock: Clock,
}

/// The channels' queues.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the channels")]
pub struct Queues {
    pub sms: Queue,
    pub email: Queue,
    pub call: Queue,
}

/// A queue, as SQS and as EventBridge name it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the two names")]
pub struct Queue {
    pub url: String,
    pub arn: String,
}

/// What every timer is made with.
#[derive(Clone, Debug)]
pub struct Timers {
    /// The schedule group.
    pub group: String,
    /// The role that may put messages on the queues.
    pub role_arn: String,
    /// Where a timer's message goes that its queue would not take.
    pub dlq_arn: String,
}

/// Why a change could not be scheduled.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A queue did not take the message.
    #[error("the step could not be put on its queue")]
    Queue(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The timer could not be made.
    #[error("the timer could not be made")]
    Timer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An enrollment in the stream does not read as one.
    #[error("the change could not be read")]
    Image(#[source] serde_dynamo::Error),
    /// An AWS request could not even be put together.
    #[error("the request is not complete")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ScheduleError {
    /// What may be expected of it.
    pub fn class(&self) -> Class {
        match self {
            Self::Queue(_) | Self::Timer(_) => Class::Retryable,
            Self::Request(_) | Self::Image(_) => Class::Permanent,
        }
    }
}

impl App {
    /// The function, ready for its first event.
    pub async fn start(boot: &Boot) -> Result<Self, BootError> {
        let env = &boot.env;
        let queue = |url, arn| Ok::<_, BootError>(Queue { url: env.required(url)?, arn: env.required(arn)? });
        Ok(Self {
            scheduler: aws_sdk_scheduler::Client::new(&boot.aws),
            sqs: aws_sdk_sqs::Client::new(&boot.aws),
            queues: Queues {
                sms: queue("SMS_QUEUE_URL", "SMS_QUEUE_ARN")?,
                email: queue("EMAIL_QUEUE_URL", "EMAIL_QUEUE_ARN")?,
                call: queue("CALL_QUEUE_URL", "CALL_QUEUE_ARN")?,
            },
            timers: Timers {
                group: env.required("SCHEDULE_GROUP")?,
                role_arn: env.required("TIMER_ROLE_ARN")?,
                dlq_arn: env.required("TIMER_DLQ_ARN")?,
            },
            clock: boot.clock.clone(),
        })
    }
}

/// Schedules what a stream event of the leads table says has changed.
pub async fn on_event(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    stream::each(app, event, ScheduleError::class, |app, change| Box::pin(changed(app, change))).await
}

async fn changed(app: &App, change: stream::Change) -> Result<(), ScheduleError> {
    if !is_enrollment(&change.keys) {
        return Ok(());
    }
    let enrollment = |image| serde_dynamo::from_item(image).map_err(ScheduleError::Image);
    let old: Option<Enrollment> = change.old_image.map(enrollment).transpose()?;
    let new: Option<Enrollment> = change.new_image.map(enrollment).transpose()?;
    handle(app, old.as_ref(), new.as_ref()).await
}

/// The event's filter lets only enrollments through; whatever else comes is passed over.
fn is_enrollment(keys: &Item) -> bool {
    matches!(keys.get("sk"), Some(AttributeValue::S(sk)) if sk.starts_with("ENROLLMENT#"))
}

/// Schedules what one change of an enrollment asks for.
pub async fn handle(app: &App, old: Option<&Enrollment>, new: Option<&Enrollment>) -> Result<(), ScheduleError> {
    let now = app.clock.now();
    let asked = scheduling(old, new, now);
    match &asked.set {
        Some(Set::Message { due, next }) => enqueue(app, due, next, now).await?,
        Some(Set::Timer { due, next }) => timer::create(app, due, next).await?,
        None => {}
    }
    match &asked.retire {
        Some(due) => timer::delete(app, due).await,
        None => Ok(()),
    }
}

async fn enqueue(app: &App, due: &StepDue, next: &Next, now: DateTime<Utc>) -> Result<(), ScheduleError> {
    let delay = (next.due_at - now).num_milliseconds().max(0);
    let body = serde_json::to_string(due).map_err(|error| ScheduleError::Request(error.into()))?;
    let send = app
        .sqs
        .send_message()
        .queue_url(&app.queues.of(next.channel).url)
        .delay_seconds(i32::try_from((delay + 999) / 1000).unwrap_or(0))
        .message_body(body);
    send.send().await.map_err(|error| ScheduleError::Queue(error.into()))?;
    tracing::info!(enrollment.id = %due.enrollment, generation = due.generation, channel = next.channel.as_str(), "queued step");
    Ok(())
}

impl Queues {
    /// The queue of a channel.
    pub fn of(&self, channel: Channel) -> &Queue {
        match channel {
            Channel::Call => &self.call,
            Channel::Sms => &self.sms,
            Channel::Email => &self.email,
        }
    }
}

/// Whether AWS answered with that error.
fn is<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, code: &str) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(code)
}
