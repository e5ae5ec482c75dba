//! The channels and the eight kinds of step.

use serde::{Deserialize, Serialize};

/// How a lead is reached. Each channel has a queue and a function of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Voice, by a user or an AI agent.
    Call,
    /// Text message.
    Sms,
    /// Email.
    Email,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Call, Self::Sms, Self::Email];

    /// The word in records and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

/// What a step does, and by that who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Do {
    /// A user is prompted to call.
    Dial,
    /// A user writes a text.
    CustomSms,
    /// A user writes an email.
    CustomEmail,
    /// An AI agent calls.
    AiDial,
    /// AI writes a text.
    AiSms,
    /// AI writes an email.
    AiEmail,
    /// A stored text with variables.
    CannedSms,
    /// A stored email with variables.
    CannedEmail,
}

impl Do {
    /// Every kind of step.
    pub const ALL: [Self; 8] = [
        Self::Dial,
        Self::CustomSms,
        Self::CustomEmail,
        Self::AiDial,
        Self::AiSms,
        Self::AiEmail,
        Self::CannedSms,
        Self::CannedEmail,
    ];

    /// The channel whose queue and function run it.
    pub fn channel(self) -> Channel {
        match self {
            Self::Dial | Self::AiDial => Channel::Call,
            Self::CustomSms | Self::AiSms | Self::CannedSms => Channel::Sms,
            Self::CustomEmail | Self::AiEmail | Self::CannedEmail => Channel::Email,
        }
    }

    /// True where a user acts, so that the step makes a task.
    pub fn is_users(self) -> bool {
        match self {
            Self::Dial | Self::CustomSms | Self::CustomEmail => true,
            Self::AiDial | Self::AiSms | Self::AiEmail | Self::CannedSms | Self::CannedEmail => false,
        }
    }

    /// The word in records and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::CustomSms => "custom_sms",
            Self::CustomEmail => "custom_email",
            Self::AiDial => "ai_dial",
            Self::AiSms => "ai_sms",
            Self::AiEmail => "ai_email",
            Self::CannedSms => "canned_sms",
            Self::CannedEmail => "canned_email",
        }
    }
}
