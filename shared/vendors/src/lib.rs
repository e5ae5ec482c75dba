//! Everything that reaches a person: one file per vendor.
