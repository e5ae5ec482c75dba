//! The records that ops edit, as the engine reads them once they are published.

pub mod cadence;
pub mod message;
pub mod settings;
pub mod source;
pub mod user;

pub use cadence::{ApplyTo, Assign, Cadence, ForLeads, Status, Step, Target};
pub use message::Message;
pub use settings::Settings;
pub use source::{Format, Source};
pub use user::User;
