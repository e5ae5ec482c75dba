//! The queues of a stage, as people look after them: what waits in them, what was given up, and how it goes back.

use anyhow::{Context, anyhow, bail};
use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{Message, QueueAttributeName},
};
use cadence_core::Channel;
use cadence_store::Said;

use crate::{aws, table::Place};

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A channel's due steps.
    Steps(Channel),
    /// Due steps that their function gave up after five tries.
    DeadLetters,
    /// Due steps that their channel's queue did not take from their timer.
    TimerDeadLetters,
    /// Changes of enrollments that `schedule` gave up. They say where in the stream the change is, not what it was.
    ScheduleFailures,
    /// Edits of records that `publish` gave up.
    PublishFailures,
}

/// The queues: what each is for, its name in the local cloud, and the template's, from which CloudFormation makes one.
const QUEUES: [(Purpose, &str, &str); 9] = [
    (Purpose::Steps(Channel::Sms), "sms", "SmsQueue"),
    (Purpose::Steps(Channel::Email), "email", "EmailQueue"),
    (Purpose::Steps(Channel::Call), "call", "CallQueue"),
    (Purpose::DeadLetters, "sms-dlq", "SmsDeadLetters"),
    (Purpose::DeadLetters, "email-dlq", "EmailDeadLetters"),
    (Purpose::DeadLetters, "call-dlq", "CallDeadLetters"),
    (Purpose::TimerDeadLetters, "timers-dlq", "TimerDeadLetters"),
    (Purpose::ScheduleFailures, "schedule-failures", "ScheduleFailures"),
    (Purpose::PublishFailures, "publish-failures", "PublishFailures"),
];
/// How many messages SQS hands out at once.
const AT_ONCE: usize = 10;
/// How long a message that is looked at is hidden from others who look.
const HIDDEN_SECONDS: i32 = 30;
/// How long SQS looks for messages on all of its servers:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
const WAIT_SECONDS: i32 = 1;

/// A stage's queues.
pub(crate) struct Queues {
    client: Client,
    found: Vec<Queue>,
    place: Place,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) purpose: Purpose,
    /// What it is called here: `sms-dlq`.
    pub(crate) name: &'static str,
    url: String,
}

/// A message that was looked at. It shows again by itself, unless it is deleted.
pub(crate) struct Held {
    id: String,
    pub(crate) body: String,
    receipt: String,
}

/// What was looked at of a queue.
pub(crate) struct Looked {
    pub(crate) held: Vec<Held>,
    /// Whether there are more than were to be looked at.
    pub(crate) has_more: bool,
}

/// Whether a name is that of a message in a queue of due steps that were given up.
pub(crate) fn is_letters_name(name: &str) -> bool {
    let queue = name.split_once('/').map(|(queue, _)| queue);
    QUEUES.iter().any(|(purpose, local, _)| purpose.is_of_letters() && queue == Some(*local))
}

impl Queue {
    /// What a message of it is called where people name it, by the id that SQS gave it.
    pub(crate) fn name_of(&self, held: &Held) -> String {
        format!("{}/{}", self.name, held.id)
    }
}

impl Purpose {
    /// Whether due steps end in it that were given up.
    pub(crate) fn is_of_letters(self) -> bool {
        matches!(self, Self::DeadLetters | Self::TimerDeadLetters)
    }

    /// Why messages are in it.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Steps(_) => "their function has yet to take them",
            Self::DeadLetters => "their function failed five times, and its log says why",
            Self::TimerDeadLetters => "their timer could not put them on their channel's queue",
            Self::ScheduleFailures => "schedule failed each time, and its log says why",
            Self::PublishFailures => "publish failed each time, and its log says why",
        }
    }
}

impl Queues {
    /// Finds the queues of a stack; without one, those of the local cloud.
    pub(crate) async fn find(aws: &SdkConfig, stack: Option<&str>, place: &Place) -> anyhow::Result<Self> {
        let client = Client::new(aws);
        let listed =
            client.list_queues().set_queue_name_prefix(stack.map(|stack| format!("{stack}-"))).max_results(1000);
        let listed = listed.send().await.map_err(|error| explained("sqs:ListQueues", &error, place))?;
        let is_it = |url: &&String, local: &str, logical: &str| {
            let name = url.rsplit('/').next().unwrap_or_default();
            match stack {
                Some(stack) => name.starts_with(&format!("{stack}-{logical}-")),
                None => name == local,
            }
        };
        let find = |(purpose, local, logical): (Purpose, &'static str, &str)| {
            let url = listed.queue_urls().iter().find(|url| is_it(url, local, logical));
            let Some(url) = url else {
                let whose = stack.map_or_else(|| place.to_string(), |stack| format!("the stack {stack}"));
                bail!("{whose} has no queue {logical}: deploy this version's template first")
            };
            Ok(Queue { purpose, name: local, url: url.clone() })
        };
        let found = QUEUES.into_iter().map(find).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { client, found, place: place.clone() })
    }

    /// The queues that hold what was given up.
    pub(crate) fn given_up(&self) -> impl Iterator<Item = &Queue> {
        self.found.iter().filter(|queue| !matches!(queue.purpose, Purpose::Steps(_)))
    }

    /// How many messages a queue holds, about.
    pub(crate) async fn count(&self, queue: &Queue) -> anyhow::Result<u32> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let asked = self.client.get_queue_attributes().queue_url(&queue.url).set_attribute_names(Some(names.to_vec()));
        let told = asked.send().await.map_err(|error| explained("sqs:GetQueueAttributes", &error, &self.place))?;
        let told = told.attributes.unwrap_or_default();
        Ok(names.iter().filter_map(|name| told.get(name)?.parse::<u32>().ok()).sum())
    }

    /// Looks at the messages of a queue, at most so many.
    pub(crate) async fn look(&self, queue: &Queue, at_most: usize) -> anyhow::Result<Looked> {
        let mut held = Vec::new();
        while held.len() < at_most {
            let got = self.receive(queue, (at_most - held.len()).min(AT_ONCE), HIDDEN_SECONDS).await?;
            if got.is_empty() {
                return Ok(Looked { held, has_more: false });
            }
            held.extend(got);
        }
        // One that is not hidden by being looked at.
        let has_more = !self.receive(queue, 1, 0).await?.is_empty();
        Ok(Looked { held, has_more })
    }

    async fn receive(&self, queue: &Queue, count: usize, hidden_seconds: i32) -> anyhow::Result<Vec<Held>> {
        let receive = self.client.receive_message().queue_url(&queue.url).max_number_of_messages(i32::try_from(count)?);
        let receive = receive.visibility_timeout(hidden_seconds).wait_time_seconds(WAIT_SECONDS);
        let got = receive.send().await.map_err(|error| explained("sqs:ReceiveMessage", &error, &self.place))?;
        let held = |message: Message| {
            Some(Held { id: message.message_id?, body: message.body?, receipt: message.receipt_handle? })
        };
        Ok(got.messages.unwrap_or_default().into_iter().filter_map(held).collect())
    }

    /// Puts a message on a channel's queue.
    pub(crate) async fn send(&self, channel: Channel, body: &str) -> anyhow::Result<()> {
        let queue = self.found.iter().find(|queue| queue.purpose == Purpose::Steps(channel));
        let queue = queue.context("the channel has no queue")?;
        let send = self.client.send_message().queue_url(&queue.url).message_body(body);
        send.send().await.map_err(|error| explained("sqs:SendMessage", &error, &self.place)).map(drop)
    }

    /// Deletes a message that was looked at.
    pub(crate) async fn delete(&self, queue: &Queue, held: &Held) -> anyhow::Result<()> {
        let delete = self.client.delete_message().queue_url(&queue.url).receipt_handle(&held.receipt);
        delete.send().await.map_err(|error| explained("sqs:DeleteMessage", &error, &self.place)).map(drop)
    }

    /// Shows a message that was looked at again at once.
    pub(crate) async fn let_go(&self, queue: &Queue, held: &Held) {
        let change = self.client.change_message_visibility().queue_url(&queue.url);
        // Otherwise it shows when its time is up.
        let _ = change.receipt_handle(&held.receipt).visibility_timeout(0).send().await;
    }
}

/// What SQS says, and what to do about it.
fn explained<E, R>(action: &str, error: &SdkError<E, R>, place: &Place) -> anyhow::Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    let message = error.message().unwrap_or_default();
    match error.code() {
        Some("AccessDenied" | "AccessDeniedException") => anyhow!(
            "access denied: these credentials may not {action} on the queues of {place}. Ask for a role that may; doctor takes \
             sqs:ListQueues and GetQueueAttributes, redrive also ReceiveMessage, ChangeMessageVisibility, SendMessage and \
             DeleteMessage. AWS says: {message}"
        ),
        Some("AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist") => {
            anyhow!("a queue of {place} is gone: is the stack being deployed or deleted? AWS says: {message}")
        }
        Some(code) => {
            let said = Said { code: code.to_owned(), message: message.to_owned() };
            anyhow!("{} (to {action})", aws::answered(&said, place))
        }
        None => anyhow!(aws::unanswered(error, place)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_is_the_templates() {
        let template = include_str!("../../../template.yaml");
        for (_, _, logical) in QUEUES {
            assert!(template.contains(&format!("\n  {logical}:\n    Type: AWS::SQS::Queue")), "{logical}");
        }
        assert_eq!(template.matches("Type: AWS::SQS::Queue\n").count(), QUEUES.len());
    }
}
