//! What must hold, each in a function of its own.

pub(crate) mod course;
pub(crate) mod due;
pub(crate) mod effects;
pub(crate) mod led;
pub(crate) mod permits;
pub(crate) mod progress;
pub(crate) mod rest;
pub(crate) mod words;
