//! The `outcomes` Lambda.
fn main() {}
