//! Texts through Amazon SNS.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sns::{Client, config, types::MessageAttributeValue};
use cadence_core::delivery::{Delivery, SendMode, Sms};

use crate::{answer, dry_run, once};

/// How long SNS may take to answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// SNS's own codes for "nothing was sent, try later".
const LATER: [&str; 2] = ["KMSThrottling", "KMSThrottlingException"];

/// Sends texts.
#[derive(Clone, Debug)]
pub struct Sns {
    client: Client,
    mode: SendMode,
}

impl Sns {
    /// A sender over that configuration.
    pub fn new(config: &SdkConfig, mode: SendMode) -> Self {
        let (retry, timeout) = once(TIMEOUT);
        let config = config::Builder::from(config).retry_config(retry).timeout_config(timeout).build();
        Self { client: Client::from_conf(config), mode }
    }

    /// Sends one text, once. `Publish` has no idempotency token, so an answer that is lost stays unknown.
    pub async fn send(&self, sms: &Sms) -> Delivery {
        if self.mode == SendMode::DryRun {
            return dry_run();
        }
        let publish = self.client.publish().phone_number(&sms.to).message(&sms.text);
        // https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
        let attributes =
            [("AWS.MM.SMS.OriginationNumber", sms.from.as_str()), ("AWS.SNS.SMS.SMSType", "Transactional")];
        let publish = attributes.into_iter().try_fold(publish, |publish, (name, value)| {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build()?;
            Ok::<_, aws_smithy_types::error::operation::BuildError>(publish.message_attributes(name, value))
        });
        let Ok(publish) = publish else {
            return Delivery::Rejected { reason: "the text's sender could not be written".to_owned() };
        };
        match publish.send().await {
            Ok(sent) => Delivery::Accepted { vendor_id: sent.message_id.unwrap_or_default() },
            Err(error) => answer::of_aws(&error, &LATER),
        }
    }
}
