//! Emails through Amazon SES.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sesv2::{
    Client, config,
    error::BuildError,
    types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use cadence_core::delivery::{Delivery, Email, SendMode};

use crate::{answer, dry_run, once};

/// How long SES may take to answer.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// SES's own codes for "nothing was sent, try later": somebody must first lift a pause or verify a domain.
const LATER: [&str; 3] = ["SendingPausedException", "AccountSuspendedException", "MailFromDomainNotVerifiedException"];

/// Sends emails.
#[derive(Clone, Debug)]
pub struct Ses {
    client: Client,
    mode: SendMode,
    configuration_set: Option<String>,
}

impl Ses {
    /// A sender over that configuration. The configuration set is what tells of bounces and complaints.
    pub fn new(config: &SdkConfig, mode: SendMode, configuration_set: Option<String>) -> Self {
        let (retry, timeout) = once(TIMEOUT);
        let config = config::Builder::from(config).retry_config(retry).timeout_config(timeout).build();
        Self { client: Client::from_conf(config), mode, configuration_set }
    }

    /// Sends one email, once, tagged with its lead and step.
    pub async fn send(&self, email: &Email) -> Delivery {
        if self.mode == SendMode::DryRun {
            return dry_run();
        }
        let (Ok(content), Ok(tags)) = (content(email), tags(email)) else {
            return Delivery::Rejected { reason: "the email could not be put together".to_owned() };
        };
        let send = self
            .client
            .send_email()
            .from_email_address(mailbox(&email.from))
            .destination(Destination::builder().to_addresses(&email.to).build())
            .content(content)
            .set_email_tags(Some(tags))
            .set_configuration_set_name(self.configuration_set.clone());
        match send.send().await {
            Ok(sent) => Delivery::Accepted { vendor_id: sent.message_id.unwrap_or_default() },
            Err(error) => answer::of_aws(&error, &LATER),
        }
    }
}

/// A mailbox as SES takes it: ASCII, so that any other name is written in encoded words of at most 75 characters (RFC 2047).
///
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
fn mailbox(mailbox: &str) -> String {
    let name = mailbox.rsplit_once(" <").filter(|_| !mailbox.is_ascii());
    let Some((name, address)) = name else { return mailbox.to_owned() };
    let mut words = vec![String::new()];
    for letter in name.trim_matches('"').chars() {
        match words.last_mut().filter(|word| word.len() + letter.len_utf8() <= MOST_ENCODED) {
            Some(word) => word.push(letter),
            None => words.push(letter.to_string()),
        }
    }
    let encoded: Vec<String> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    format!("{} <{address}", encoded.join(" "))
}

/// How many bytes fit an encoded word.
const MOST_ENCODED: usize = 45;

fn content(email: &Email) -> Result<EmailContent, BuildError> {
    let body = Body::builder().text(utf8(&email.text)?).html(utf8(&email.html)?).build();
    let mut message = Message::builder().subject(utf8(&email.subject)?).body(body);
    if let Some(url) = &email.unsubscribe_url {
        // RFC 8058: mail programs unsubscribe with one POST to that URL.
        let headers = [
            ("List-Unsubscribe", format!("<{url}>")),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ];
        for (name, value) in headers {
            message = message.headers(MessageHeader::builder().name(name).value(value).build()?);
        }
    }
    Ok(EmailContent::builder().simple(message.build()).build())
}

fn utf8(text: &str) -> Result<Content, BuildError> {
    Content::builder().data(text).charset("UTF-8").build()
}

/// Tags may hold letters, digits, hyphens and underscores only, so the step key goes in its parts.
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html>
fn tags(email: &Email) -> Result<Vec<MessageTag>, BuildError> {
    let key = &email.key;
    let clean = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
    };
    [
        ("lead", clean(email.lead.as_str())),
        ("enrollment", clean(key.enrollment.as_str())),
        ("step", clean(key.step.as_str())),
        ("round", key.round.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| MessageTag::builder().name(name).value(value).build())
    .collect()
}
