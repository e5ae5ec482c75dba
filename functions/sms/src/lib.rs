//! Runs due SMS steps.
