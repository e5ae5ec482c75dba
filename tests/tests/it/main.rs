//! Whole-system tests, in one binary.

#![cfg(test)]

mod layout;
mod template;
