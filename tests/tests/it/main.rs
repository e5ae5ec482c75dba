//! Whole-system tests, in one binary.

#![cfg(test)]

mod layout;
mod story;
mod template;
