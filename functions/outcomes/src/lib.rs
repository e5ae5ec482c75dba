//! Provider events in, outcomes applied.
