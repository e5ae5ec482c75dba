//! The `ingest` Lambda.
fn main() {}
