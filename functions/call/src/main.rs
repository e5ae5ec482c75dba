//! The `call` Lambda.
fn main() {}
