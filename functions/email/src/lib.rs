//! Runs due email steps.
