//! All decisions of Cadence, as pure functions: no I/O, no clock, no environment, no AWS.

#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

// Under this name fixtures are the same text in the tests beside the code and in those in `tests/`.
#[cfg(test)]
extern crate self as cadence_core;

pub mod address;
pub mod apply;
pub mod arrival;
pub mod assign;
pub mod attempt;
pub mod calendar;
pub mod change;
pub mod channel;
pub mod clock;
pub mod course;
pub mod delivery;
mod draw;
pub mod enroll;
pub mod enrollment;
pub mod failure;
#[cfg(test)]
mod fixtures;
pub mod gate;
pub mod ids;
pub mod intake;
pub mod law;
pub mod lead;
pub mod links;
mod onward;
pub mod outcome;
pub mod overdue;
mod pause;
pub mod plan;
pub mod records;
pub mod scheduling;
pub mod settle;
pub mod simulation;
pub mod sources;
pub mod task;
pub mod template;
pub mod time;
pub mod timeline;
pub mod vapi;

pub use channel::{Channel, Do};
pub use clock::Clock;
pub use ids::{
    CadenceId, ClaimId, EnrollmentId, GroupId, LeadId, MessageId, SourceId, StepId, StepKey, TaskId, UserId,
};
pub use outcome::Outcome;
