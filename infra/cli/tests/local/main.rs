//! The command against a `cadence local` that runs, over a real socket; and against what only AWS answers.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that can't go on stops")]

mod answers;
mod named;
mod operations;
mod ops;
mod records;
mod restart;
mod running;
mod stage;
