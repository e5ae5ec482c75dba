//! Steps run by hand: at the moment that a test wants, interrupted, killed, or once more.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use cadence_boot::Boot;
use cadence_core::{
    Channel, EnrollmentId, LeadId,
    enrollment::{Next, StepDue},
    lead::Lead,
    plan::StepReport,
};
use cadence_local::{account::Account, deployment};
use cadence_store::{Invocation, StepError};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    Tested, World,
    interruption::{Interruption, Moment},
};

/// What a function made of a message.
pub type Ran = Result<StepReport, StepError>;

/// How long a channel's function may run.
const FUNCTION_TIMEOUT: TimeDelta = TimeDelta::seconds(60);

/// Tells each invocation from every other.
static INVOCATIONS: AtomicU32 = AtomicU32::new(1);

impl World {
    /// A world whose lead is in a cadence of those steps, of which nothing has been delivered yet.
    pub async fn with_lead_in(steps: impl IntoIterator<Item = Value>) -> Tested<(Self, LeadId, EnrollmentId)> {
        let world = Self::start().await?;
        world.give_steps(steps).await?;
        let (lead, enrollment) = world.enroll().await?;
        Ok((world, lead, enrollment))
    }

    /// Gives the Zillow cadence those steps instead of its own.
    pub async fn give_steps(&self, steps: impl IntoIterator<Item = Value>) -> Tested {
        let steps = steps.into_iter().collect();
        let record = self.edit("CADENCE#zillow-purchase", |record| {
            if let Some(fields) = record.as_object_mut() {
                fields.insert("steps".to_owned(), Value::Array(steps));
            }
        });
        let record = record.await?;
        match record.get("check").and_then(Value::as_str) {
            Some(check) if check.starts_with("ok") => Ok(()),
            _ => Err(format!("the steps were not published: {record}").into()),
        }
    }

    /// What a function starts with that is run by hand. Its retries don't wait for a time that would really pass.
    pub fn boot(&self) -> Boot {
        let boot = deployment::boot(&self.cloud);
        let retries =
            boot.aws.retry_config().cloned().map(|retry| retry.with_initial_backoff(Duration::from_millis(1)));
        let mut aws = boot.aws.to_builder();
        aws.set_retry_config(retries);
        Boot { aws: aws.build(), ..boot }
    }

    /// An invocation of a channel's function that begins now.
    pub fn invocation(&self) -> Invocation {
        self.invocation_until(self.cloud.now() + FUNCTION_TIMEOUT)
    }

    /// An invocation that is cut off then.
    pub fn invocation_until(&self, deadline: DateTime<Utc>) -> Invocation {
        Invocation::new(format!("by-hand-{}", INVOCATIONS.fetch_add(1, Ordering::Relaxed)), deadline)
    }

    /// Runs a channel's function once with that message, past the queue.
    pub async fn run(&self, channel: Channel, due: &StepDue) -> Tested<Ran> {
        run(&self.boot(), channel, due, &self.invocation()).await
    }

    /// Runs a channel's function once with that message, as part of that invocation.
    pub async fn run_as(&self, channel: Channel, due: &StepDue, invocation: &Invocation) -> Tested<Ran> {
        run(&self.boot(), channel, due, invocation).await
    }

    /// Runs a channel's function once with that message while something else happens.
    pub async fn run_while(
        &self,
        channel: Channel,
        due: &StepDue,
        moment: Moment,
        happening: impl Future<Output = Tested> + Send + 'static,
    ) -> Tested<Ran> {
        let work = async |boot: &Boot| run(boot, channel, due, &self.invocation()).await;
        self.interrupted(moment, happening, work).await
    }

    /// Does some function's work while something else happens.
    pub async fn interrupted<T>(
        &self,
        moment: Moment,
        happening: impl Future<Output = Tested> + Send + 'static,
        work: impl AsyncFnOnce(&Boot) -> Tested<T>,
    ) -> Tested<T> {
        let interruption = Interruption::at(moment, Box::pin(happening));
        let boot = self.boot();
        let done = work(&Boot { aws: interruption.of(&boot.aws)?, ..boot }).await?;
        interruption.ended()?;
        Ok(done)
    }

    /// Runs a channel's function with that message and kills it at that moment.
    pub async fn kill(&self, channel: Channel, due: &StepDue, moment: Moment) -> Tested {
        let (reached, killed) = tokio::sync::oneshot::channel();
        let happening = async move {
            let _ = reached.send(());
            std::future::pending().await
        };
        let running = self.run_while(channel, due, moment, happening);
        tokio::select! {
            biased;
            ran = running => Err(format!("the function ended before it could be killed: {:?}", ran?).into()),
            reached = killed => Ok(reached?),
        }
    }

    /// Puts a message on a channel's queue and delivers all that is ready.
    pub async fn deliver(&self, channel: Channel, due: &StepDue) -> Tested {
        self.enqueue(channel, due).await?;
        self.settle().await
    }

    /// Puts a message on a channel's queue, as a timer does that fires.
    pub async fn enqueue(&self, channel: Channel, due: &StepDue) -> Tested {
        let queue = aws_sdk_sqs::Client::new(&self.boot().aws);
        let url = self.account().queue_url(channel.as_str());
        queue.send_message().queue_url(url).message_body(json!(due).to_string()).send().await?;
        Ok(())
    }

    /// How many messages the channels' queues hold, those that wait for another try included, and their dead-letter queues.
    pub async fn queued(&self) -> Tested<usize> {
        let client = aws_sdk_sqs::Client::new(&self.boot().aws);
        let mut sum = 0;
        for channel in [Channel::Sms, Channel::Email, Channel::Call].map(Channel::as_str) {
            for queue in [channel.to_owned(), format!("{channel}-dlq")] {
                let asked = client.get_queue_attributes().queue_url(self.account().queue_url(&queue));
                let counts = asked.attribute_names(aws_sdk_sqs::types::QueueAttributeName::All).send().await?;
                let counts = counts.attributes.into_iter().flatten();
                let counts = counts.filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
                for (_, count) in counts {
                    sum += count.parse::<usize>()?;
                }
            }
        }
        Ok(sum)
    }

    /// What is due next.
    pub async fn next(&self, lead: &LeadId, id: &EnrollmentId) -> Tested<Next> {
        Ok(self.enrollment(lead, id).await?.progress.next.ok_or("nothing is due next")?)
    }

    /// What plan, gate and claim read of the lead.
    pub async fn lead_now(&self, lead: &LeadId) -> Tested<Lead> {
        Ok(self.store.load_lead(lead).await?.ok_or("there is no such lead")?.lead)
    }

    /// All that a message could change, in one line.
    pub async fn everything(&self, lead: &LeadId, id: &EnrollmentId) -> Tested<String> {
        let (enrollment, told) = (self.enrollment(lead, id).await?, self.told(lead).await?);
        let (sent, tasks, lead) = (self.sent()?, self.open_tasks().await?, self.lead_now(lead).await?);
        Ok(format!("{enrollment:?} {told:?} {sent:?} {tasks:?} {}", json!(lead)))
    }

    fn account(&self) -> &Account {
        self.cloud.account()
    }
}

/// A step of a cadence: a message where it needs one, and an agent where it calls.
pub fn step(action: &str, id: &str, wait: &str) -> Value {
    let (field, value) = match action {
        "canned_sms" => ("message", "sms/intro"),
        "canned_email" => ("message", "email/intro"),
        "ai_dial" => ("agent", "first-touch"),
        _ => ("note", "a user's"),
    };
    json!({ "id": id, "do": action, "wait": wait, (field): value })
}

async fn run(boot: &Boot, channel: Channel, due: &StepDue, invocation: &Invocation) -> Tested<Ran> {
    Ok(match channel {
        Channel::Sms => sms::handle(&sms::App::start(boot).await?, due, invocation).await,
        Channel::Email => email::handle(&email::App::start(boot).await?, due, invocation).await,
        Channel::Call => call::handle(&call::App::start(boot).await?, due, invocation).await,
    })
}
