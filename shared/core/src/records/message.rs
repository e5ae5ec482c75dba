//! A message template: what a text, an email or a script says.

use serde::{Deserialize, Serialize};

use crate::MessageId;

/// One published message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The key's last part: `sms/intro`.
    pub id: MessageId,
    /// What it says.
    pub copy: Copy,
}

/// What a message says: templates, rendered for one lead when its step runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Copy {
    /// A text message, or a script to read aloud.
    Text(String),
    /// An email.
    Email {
        /// The subject line.
        subject: String,
        /// The body in plain text; blank lines part paragraphs. The HTML part is made of it.
        body: String,
    },
}

impl Message {
    /// Whether it is an email, and no text.
    pub fn is_email(&self) -> bool {
        matches!(self.copy, Copy::Email { .. })
    }
}

impl Copy {
    /// Its templates.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.named_parts().map(|(_, source)| source)
    }

    /// Its templates, each after the field that has it.
    pub(crate) fn named_parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let (one, other) = match self {
            Self::Text(text) => (("text", text), None),
            Self::Email { subject, body } => (("subject", subject), Some(("body", body))),
        };
        [Some(one), other].into_iter().flatten().map(|(field, source)| (field, source.as_str()))
    }
}
