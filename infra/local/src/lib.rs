//! The local cloud: the AWS services that the functions use, embedded in one process over one SQLite file.
//!
//! Real SDK clients talk to it. It delivers stream records, queue messages, timers and HTTP requests to functions as Lambda does.

pub mod account;
pub mod clock;
pub mod database;
pub mod dynamo;
pub mod filter;
pub mod function;
pub mod streams;
