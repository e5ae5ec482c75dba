//! Checks edited records and makes good ones versions.
