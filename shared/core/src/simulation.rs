//! Simulation: the engine itself in virtual time, over a world in memory.

mod world;

pub use world::{Conflict, Ran, Taken, World};
