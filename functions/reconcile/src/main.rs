//! The `reconcile` Lambda.
fn main() {}
