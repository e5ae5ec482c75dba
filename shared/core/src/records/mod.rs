//! The records that ops edit, as the engine reads them once they are published.

pub mod cadence;
mod check;
<<<<<<< HEAD
pub mod enrolling;
=======
mod deletion;
>>>>>>> publishing
pub mod message;
mod parse;
pub(crate) mod problem;
pub mod running;
pub mod settings;
pub mod source;
mod summary;
pub mod user;

<<<<<<< HEAD
pub use cadence::{ApplyTo, Assign, Cadence, Status, Step, Target};
pub use check::{Known, check};
pub use enrolling::{ForLeads, Reenroll, Wanted};
=======
pub use cadence::{ApplyTo, Assign, Cadence, ForLeads, Status, Step, Target};
pub use check::{Known, check, dependents_of};
pub use deletion::kept_because;
>>>>>>> publishing
pub use message::Message;
pub use parse::{KINDS, Record, parse_record};
pub use problem::{Problem, Severity};
pub use running::Running;
pub use settings::Settings;
pub use source::{Format, Source};
pub use summary::summary;
pub use user::User;
