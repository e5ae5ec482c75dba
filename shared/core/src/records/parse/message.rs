//! Reads a message.

use super::fields::Fields;
use crate::{
    MessageId,
    records::{Message, message::Copy},
};

pub(super) fn read(id: MessageId, fields: Fields<'_>) -> Option<Message> {
    let (text, subject, body) = (fields.text("text"), fields.text("subject"), fields.text("body"));
    let is_email = fields.value("subject").is_some() || fields.value("body").is_some();
    match (fields.value("text").is_some(), is_email) {
        (true, true) => fields.wrong(
            "text",
            "A message is either a text or an email, but this one has both.",
            "Keep \"text\", or keep \"subject\" and \"body\".",
        ),
        (false, false) => fields.missing("text", "Write a \"text\", or a \"subject\" and a \"body\" for an email."),
        (false, true) if fields.value("subject").is_none() => fields.missing("subject", "An email needs a subject."),
        (false, true) if fields.value("body").is_none() => fields.missing("body", "An email needs a body."),
        (true, false) | (false, true) => {}
    }
    fields.finish();
    let copy = match text {
        Some(text) => Copy::Text(text),
        None => Copy::Email { subject: subject?, body: body? },
    };
    Some(Message { id, copy })
}
