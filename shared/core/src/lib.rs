//! All decisions of Cadence, as pure functions: no I/O, no clock, no environment, no AWS.

pub mod channel;
pub mod clock;
pub mod delivery;
pub mod ids;
pub mod law;
pub mod lead;
pub mod outcome;
pub mod records;
pub mod time;

pub use channel::{Channel, Do};
pub use clock::Clock;
pub use ids::{CadenceId, ClaimId, EnrollmentId, LeadId, MessageId, SourceId, StepId, StepKey, TaskId, UserId};
pub use outcome::Outcome;
