//! The `schedule` Lambda.
fn main() {}
