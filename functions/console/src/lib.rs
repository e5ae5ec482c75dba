//! The users' tasks over JSON.
