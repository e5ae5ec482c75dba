//! The `console` Lambda.
fn main() {}
