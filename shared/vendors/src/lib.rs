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

/// One attempt, at most that long.
fn once(timeout: Duration) -> (RetryConfig, TimeoutConfig) {
    (RetryConfig::disabled(), TimeoutConfig::builder().operation_timeout(timeout).build())
}

/// What a vendor that was not asked would have said.
fn dry_run() -> Delivery {
    Delivery::Accepted { vendor_id: "dry-run".to_owned() }
}
