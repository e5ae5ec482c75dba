//! Whole-system tests, in one binary.

#![cfg(test)]

mod about_to_text;
mod claims;
mod documents;
mod duplicates;
mod endpoints;
mod interleavings;
mod layout;
mod leases;
mod story;
mod template;
