//! Whole-system tests, in one binary.

#![cfg(test)]

mod documents;
mod duplicates;
mod endpoints;
mod layout;
mod story;
mod template;
