//! Whole-system tests, in one binary.

#![cfg(test)]

mod documents;
mod duplicates;
mod endpoints;
mod events;
mod gates;
mod layout;
mod publishing;
mod reconcile;
mod story;
mod tasks;
mod template;
mod webhooks;
