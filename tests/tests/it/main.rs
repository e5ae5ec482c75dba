//! Whole-system tests, in one binary.

#![cfg(test)]

mod documents;
mod duplicates;
mod endpoints;
mod events;
mod layout;
mod publishing;
mod story;
mod tasks;
mod template;
mod webhooks;
