//! A task: work for a user.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Do, Outcome, TaskId, UserId, lead::OptOut};

/// Work for a user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Deterministic, so that it can't be made twice. Prints as `lead.enrollment.step.round`.
    #[serde(with = "id_text")]
    pub id: TaskId,
    /// What is asked for.
    pub kind: TaskKind,
    /// Who is asked.
    pub user: UserId,
    /// The lead's name, for the list.
    pub lead_name: String,
    /// Where to reach the lead: a phone number or an email address.
    pub reach: Option<String>,
    /// What to say, or why the task exists.
    pub text: String,
    /// When it was asked.
    pub opened_at: DateTime<Utc>,
    /// When it counts as overdue.
    pub task_due_at: DateTime<Utc>,
    /// How it ended; `None` while it is open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closed: Option<Closed>,
}

/// What a task asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// To call the lead.
    Dial,
    /// To write the lead a text.
    Sms,
    /// To write the lead an email.
    Email,
    /// To take up what the lead said.
    FollowUp,
    /// To look at something that went wrong.
    Review,
    /// To let a cadence go on that an outcome paused.
    Resume,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// What came of it; `skipped` where it was no longer to be done, `expired` where somebody else was asked.
    pub outcome: Outcome,
    /// When.
    pub at: DateTime<Utc>,
    /// Who said so; `None` where nobody did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<UserId>,
}

impl Closed {
    /// No longer to be done, without a word from its user.
    pub fn skipped(at: DateTime<Utc>) -> Self {
        Self { outcome: Outcome::Skipped, at, by: None }
    }

    /// Whether its user may still say what came of it, because nobody did: it was late and somebody else was asked, or it was no longer to
    /// be done. Whoever is on the phone then hears all the same that the lead wants no more.
    pub fn may_be_told(&self) -> bool {
        self.by.is_none()
    }
}

impl TaskKind {
    /// What a user does for a step of that kind.
    pub fn of(action: Do) -> Self {
        match action {
            Do::Dial | Do::AiDial => Self::Dial,
            Do::CustomSms | Do::AiSms | Do::CannedSms => Self::Sms,
            Do::CustomEmail | Do::AiEmail | Do::CannedEmail => Self::Email,
        }
    }

    /// Whether nobody needs to do it any more once its cadence is over.
    pub fn ends_with_cadence(self) -> bool {
        match self {
            Self::Dial | Self::Sms | Self::Email | Self::Resume => true,
            Self::FollowUp | Self::Review => false,
        }
    }

    /// The opt-out after which nobody may do it any more.
    pub fn closed_by(self) -> Option<OptOut> {
        match self {
            Self::Dial | Self::Sms => Some(OptOut::Phone),
            Self::Email => Some(OptOut::Email),
            Self::FollowUp | Self::Review | Self::Resume => None,
        }
    }

    /// The outcomes that a user may report.
    pub fn outcomes(self) -> &'static [Outcome] {
        match self {
            Self::Dial => &[
                Outcome::Connected,
                Outcome::NoAnswer,
                Outcome::Voicemail,
                Outcome::Busy,
                Outcome::BadNumber,
                Outcome::AppointmentSet,
                Outcome::Declined,
                Outcome::OptedOut,
                Outcome::Skipped,
            ],
            Self::Sms => &[Outcome::Delivered, Outcome::Replied, Outcome::OptedOut, Outcome::Skipped],
            Self::Email => {
                &[Outcome::Delivered, Outcome::Replied, Outcome::Unsubscribed, Outcome::OptedOut, Outcome::Skipped]
            }
            Self::FollowUp | Self::Review | Self::Resume => {
                &[Outcome::Connected, Outcome::AppointmentSet, Outcome::Declined, Outcome::OptedOut, Outcome::Skipped]
            }
        }
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

mod id_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::TaskId;

    pub(super) fn serialize<S: Serializer>(id: &TaskId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TaskId, D::Error> {
        let text = String::deserialize(from)?;
        TaskId::parse(&text).ok_or_else(|| D::Error::custom("a task's id reads lead.enrollment.step.round"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{World, accepted, reference, tuesday};

    #[test]
    fn a_task_reads_back_as_it_is_stored_open_or_closed() {
        let mut world = World::new(reference(), tuesday());
        world.run(accepted(), tuesday());
        let open = world.task("first-call").clone();
        let closed = Closed { outcome: Outcome::Voicemail, at: tuesday(), by: Some("lo-riley".into()) };
        for task in [open.clone(), Task { closed: Some(closed), ..open }] {
            let stored = serde_json::to_value(&task).unwrap();
            assert_eq!(stored["id"], task.id.to_string());
            assert_eq!(serde_json::from_value::<Task>(stored.clone()).unwrap(), task);
            let mut broken = stored;
            broken["id"] = "no id".into();
            assert!(serde_json::from_value::<Task>(broken).is_err());
        }
    }

    #[test]
    fn a_task_is_of_its_steps_channel() {
        for action in Do::ALL {
            let kind = TaskKind::of(action);
            let expected = match action.channel() {
                crate::Channel::Call => TaskKind::Dial,
                crate::Channel::Sms => TaskKind::Sms,
                crate::Channel::Email => TaskKind::Email,
            };
            assert_eq!(kind, expected, "{action:?}");
            assert_eq!(kind.closed_by() == Some(OptOut::Email), kind == TaskKind::Email);
        }
    }

    #[test]
    fn every_task_can_be_skipped_and_can_end_in_the_lead_wanting_no_more() {
        for kind in
            [TaskKind::Dial, TaskKind::Sms, TaskKind::Email, TaskKind::FollowUp, TaskKind::Review, TaskKind::Resume]
        {
            let outcomes = kind.outcomes();
            assert!(outcomes.contains(&Outcome::Skipped) && outcomes.contains(&Outcome::OptedOut), "{kind:?}");
            for only_told_by_machines in [Outcome::Expired, Outcome::Failed, Outcome::Unknown, Outcome::Transferred] {
                assert!(!outcomes.contains(&only_told_by_machines), "{kind:?}");
            }
        }
        assert!(TaskKind::Email.outcomes().contains(&Outcome::Unsubscribed), "or of emails only");
    }
}
