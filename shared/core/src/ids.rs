//! The names things go by. Each is a string newtype, so that one can't be passed for another.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an id that was read or made elsewhere.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as it stands in keys and messages.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }
    };
}

string_id!(
    /// One person who asked to be contacted: 32 hex digits.
    LeadId
);
string_id!(
    /// One lead's run through one version of a cadence: 32 hex digits.
    EnrollmentId
);
string_id!(
    /// A cadence, as ops name it: `zillow-purchase`.
    CadenceId
);
string_id!(
    /// A step, unique within its cadence: `first-call`. Letters, digits and hyphens.
    StepId
);
string_id!(
    /// A user of Cadence, the subject of their token: `lo-riley`.
    UserId
);
string_id!(
    /// A group of users who take turns: `callers`. Letters, digits, hyphens and underscores.
    GroupId
);
string_id!(
    /// A message record: `sms/intro`.
    MessageId
);
string_id!(
    /// A lead source: `zillow`.
    SourceId
);
string_id!(
    /// One try to deliver: the invocation that claimed it.
    ClaimId
);

impl LeadId {
    /// A lead's id made of a fresh UUID.
    pub fn from_uuid(id: Uuid) -> Self {
        Self(id.simple().to_string())
    }
}

impl EnrollmentId {
    /// An enrollment's id made of a fresh UUID.
    pub fn from_uuid(id: Uuid) -> Self {
        Self(id.simple().to_string())
    }
}

/// What at most one effect may come of: one round of one step of one enrollment.
///
/// Prints as `enrollment.step.round`, which every vendor's tags, metadata and idempotency tokens accept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepKey {
    /// Whose step it is.
    pub enrollment: EnrollmentId,
    /// The step.
    pub step: StepId,
    /// 1 for the step's first run; grows with each redial or re-entry.
    pub round: u32,
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.enrollment, self.step, self.round)
    }
}

/// A task's id, `lead.enrollment.step.round`: deterministic, so a task can't be made twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The lead whom the task is about.
    pub lead: LeadId,
    /// The step that asked for it.
    pub key: StepKey,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.lead, self.key)
    }
}

impl StepKey {
    /// Reads `enrollment.step.round`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (enrollment, rest) = text.split_once('.')?;
        let (step, round) = rest.rsplit_once('.')?;
        Some(Self { enrollment: enrollment.into(), step: step.into(), round: round.parse().ok()? })
    }
}

impl TaskId {
    /// Reads `lead.enrollment.step.round`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (lead, key) = text.split_once('.')?;
        Some(Self { lead: lead.into(), key: StepKey::parse(key)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_steps_and_tasks_read_back_as_they_print() {
        let task =
            TaskId { lead: "a1".into(), key: StepKey { enrollment: "b2".into(), step: "first-call".into(), round: 3 } };
        assert_eq!(TaskId::parse(&task.to_string()), Some(task));
        for broken in ["", "a", "a.b", "a.b.c", "a.b.c.x"] {
            assert_eq!(TaskId::parse(broken), None, "{broken}");
        }
    }
}
