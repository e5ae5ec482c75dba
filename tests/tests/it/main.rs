//! Whole-system tests, in one binary.

#![cfg(test)]

mod about_to_text;
mod assigning;
mod claims;
mod documents;
mod duplicates;
mod endpoints;
mod enrolling;
mod events;
mod gates;
mod interleavings;
mod layout;
mod leases;
mod processes;
mod publishing;
mod reconcile;
mod resting;
mod snippets;
mod story;
mod takeovers;
mod tasks;
mod template;
mod variants;
mod webhooks;
