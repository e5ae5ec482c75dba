//! The records that ops edit, as the engine reads them once they are published.

pub mod cadence;
mod check;
mod deletion;
pub mod enrolling;
pub mod message;
mod parse;
mod print;
pub(crate) mod problem;
pub mod running;
mod schema;
pub mod settings;
pub mod source;
mod summary;
mod unread;
pub mod user;
mod variants;

pub use cadence::{ApplyTo, Assign, Cadence, OnOverdue, Status, Step, Target};
pub use check::{Draft, Known, check, dependents_of, kept_for_running};
pub use deletion::kept_because;
pub use enrolling::{ForLeads, Reenroll, Wanted};
pub use message::Message;
pub use parse::{BINARY, KINDS, Record, parse_record};
pub use print::{laid_out, print};
pub use problem::{Problem, Severity, closest};
pub use running::Running;
pub use schema::SCHEMAS;
pub use settings::Settings;
pub use source::{Format, Source};
pub use summary::summary;
pub use unread::unread_because;
pub use user::User;
pub use variants::Says;
