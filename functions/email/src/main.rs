//! The `email` Lambda.
fn main() {}
