//! What comes in from outside is read or refused: nothing panics, there is always an answer, and what is made of it has bounds.
//!
//! `cargo test` tries the same inputs each time, a fuzzer those that reach further: CONTRIBUTING says how.

#![cfg(test)]

mod bad_webhooks;
mod damage;
mod doors;
mod envelopes;
mod parsers;

use std::{
    fmt::Debug,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

use bolero::generator::{
    ValueGenerator,
    bolero_generator::driver::{Options, Rng},
};
use rand::{SeedableRng, rngs::SmallRng};

/// How many inputs `cargo test` tries of each kind.
const TRIES: u64 = 2_000;

/// Tries a closure on many inputs of a generator: the same ones each time, or a fuzzer's.
macro_rules! fuzz {
    ($generator:expr, $test:expr) => {
        fuzz!(crate::TRIES, $generator, $test)
    };
    ($tries:expr, $generator:expr, $test:expr) => {{
        if cfg!(fuzzing) {
            bolero::check!().with_generator($generator).for_each($test);
        } else {
            crate::same_each_time($tries, $generator, $test);
        }
    }};
}
use fuzz;

/// How many inputs were read and how many refused: a target that only one of them reaches tries little.
#[derive(Default)]
struct Ways {
    read: AtomicU64,
    refused: AtomicU64,
}

impl Ways {
    fn went(&self, is_read: bool) {
        let way = if is_read { &self.read } else { &self.refused };
        way.fetch_add(1, Ordering::Relaxed);
    }

    /// That all of them went one of the ways, and at least so many each. A fuzzer goes its own.
    fn assert(self, what: &str, least: u64) {
        let counts = [self.read.into_inner(), self.refused.into_inner()];
        println!("{what}: {counts:?} read, refused");
        let are_enough = counts.iter().sum::<u64>() == TRIES && counts.iter().all(|count| *count >= least);
        assert!(cfg!(fuzzing) || are_enough, "{what}: {counts:?}, and not at least {least} of {TRIES} each");
    }
}

fn same_each_time<G>(tries: u64, generator: G, test: impl Fn(&G::Output))
where
    G: ValueGenerator,
    G::Output: Debug,
{
    for seed in 0..tries {
        let mut driver = Rng::new(SmallRng::seed_from_u64(seed), &Options::default());
        let Some(input) = generator.generate(&mut driver) else { continue };
        if catch_unwind(AssertUnwindSafe(|| test(&input))).is_err() {
            panic!("input {seed}: {input:?}");
        }
    }
}
