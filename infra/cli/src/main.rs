//! The `cadence` command.
fn main() {}
