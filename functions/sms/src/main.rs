//! The `sms` Lambda.
fn main() {}
