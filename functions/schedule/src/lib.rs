//! What is saved is what is scheduled: each change of an enrollment becomes a timer or a queue message.
//!
//! The only holder of Scheduler rights. Timers have deterministic names, so doing it twice does it once.

mod timer;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use cadence_core::{
    Channel, Clock,
    enrollment::{Enrollment, Next, StepDue},
    failure::Class,
};
use chrono::{DateTime, TimeDelta, Utc};

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

/// What one change asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheduling {
    /// Nothing: neither the generation changed nor was a claim cleared.
    Nothing,
    /// The timer of an earlier generation may go.
    Retire(StepDue),
    /// What is due next is put on its queue or gets a timer.
    Set {
        /// The earlier generation's timer, which may go.
        retire: Option<StepDue>,
        /// What the message says.
        due: StepDue,
        /// What is due.
        next: Next,
    },
}

/// EventBridge fires up to a minute late, so what is due sooner goes straight onto its queue.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
const STRAIGHT_TO_QUEUE: TimeDelta = TimeDelta::seconds(60);

/// Why a change could not be scheduled.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A queue did not take the message.
    #[error("the step could not be put on its queue")]
    Queue(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The timer could not be made.
    #[error("the timer could not be made")]
    Timer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An AWS request could not even be put together.
    #[error("the request is not complete")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ScheduleError {
    /// What may be expected of it.
    pub fn class(&self) -> Class {
        match self {
            Self::Queue(_) | Self::Timer(_) => Class::Retryable,
            Self::Request(_) => Class::Permanent,
        }
    }
}

/// Schedules what one change of an enrollment asks for.
pub async fn handle(app: &App, old: Option<&Enrollment>, new: Option<&Enrollment>) -> Result<(), ScheduleError> {
    match scheduling(old, new) {
        Scheduling::Nothing => Ok(()),
        Scheduling::Retire(due) => timer::delete(app, &due).await,
        Scheduling::Set { retire, due, next } => {
            if next.due_at <= app.clock.now() + STRAIGHT_TO_QUEUE {
                enqueue(app, &due, &next, app.clock.now()).await?;
            } else {
                timer::create(app, &due, &next).await?;
            }
            match retire {
                Some(old) => timer::delete(app, &old).await,
                None => Ok(()),
            }
        }
    }
}

/// What a change asks for: only a new generation or a cleared claim asks for anything.
pub fn scheduling(old: Option<&Enrollment>, new: Option<&Enrollment>) -> Scheduling {
    let Some(new) = new else {
        return old.map_or(Scheduling::Nothing, |old| Scheduling::Retire(old.step_due()));
    };
    let is_new_generation = old.is_none_or(|old| old.progress.generation != new.progress.generation);
    let claim_was_cleared = old.is_some_and(|old| old.claim.is_some()) && new.claim.is_none();
    if !is_new_generation && !claim_was_cleared {
        return Scheduling::Nothing;
    }
    let retire = old
        .filter(|old| is_new_generation && old.progress.next.is_some())
        .map(Enrollment::step_due);
    match &new.progress.next {
        Some(next) if new.is_active() => Scheduling::Set {
            retire,
            due: new.step_due(),
            next: next.clone(),
        },
        Some(_) | None => retire.map_or(Scheduling::Nothing, Scheduling::Retire),
    }
}

async fn enqueue(app: &App, due: &StepDue, next: &Next, now: DateTime<Utc>) -> Result<(), ScheduleError> {
    let delay = (next.due_at - now).num_milliseconds().max(0);
    let body = serde_json::to_string(due).map_err(|error| ScheduleError::Request(error.into()))?;
    let send = app
        .sqs
        .send_message()
        .queue_url(&app.queues.of(next.channel).url)
        .delay_seconds(i32::try_from(delay.div_ceil(1000)).unwrap_or(0))
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
