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
