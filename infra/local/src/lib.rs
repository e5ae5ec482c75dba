//! The local cloud: the AWS services that the functions use, embedded in one process over one SQLite file.
//!
//! Real SDK clients talk to it. It delivers stream records, queue messages, timers and HTTP requests to functions as Lambda does.
//! Nothing in it knows what Cadence is but [`deployment`], which deploys the functions as the template does.

pub mod account;
pub mod clock;
pub mod cloud;
mod connector;
pub mod database;
pub mod deployment;
pub mod dynamo;
pub mod faults;
pub mod filter;
pub mod function;
pub mod gateway;
mod pages;
pub mod processes;
pub mod queue_mapping;
pub mod records;
pub mod server;
mod services;
pub mod streams;
pub mod tokens;
pub mod words;

pub use clock::Pace;
pub use cloud::{Cloud, CloudError, Delivery, Message, Options, Timer, Written};
pub use services::{outbox::Sent, voice_agent::Ending};
