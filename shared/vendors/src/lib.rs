//! Everything that reaches a person, one file per vendor. Each sends once and sorts the answer into a [`Delivery`].
//!
//! Clients run with one attempt: the SDK's own retry can send twice. What may be tried again is tried by the enrollment, later.
//!
//! [`Delivery`]: cadence_core::delivery::Delivery

mod answer;
pub mod ses;
pub mod sns;
pub mod voice_agent;

pub use ses::Ses;
pub use sns::Sns;
pub use voice_agent::{VoiceAgent, VoiceAgentConfig};

use std::time::Duration;

use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use cadence_core::delivery::Delivery;

/// One attempt, at most that long. Both bounds are said, because a client takes over what isn't from the configuration that it is made with,
/// where an attempt may take less.
fn once(timeout: Duration) -> (RetryConfig, TimeoutConfig) {
    let bounds = TimeoutConfig::builder().operation_timeout(timeout).operation_attempt_timeout(timeout);
    (RetryConfig::disabled(), bounds.build())
}

/// What a vendor that was not asked would have said.
fn dry_run() -> Delivery {
    Delivery::Accepted { vendor_id: "dry-run".to_owned() }
}
