//! Randomness that hangs on what it is for and not on what was drawn before: leave one thing out, and the others stay as they were.

use std::time::Duration;

use chrono::TimeDelta;
use fastrand::Rng;

/// Draws of one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    /// The draws of that seed.
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self(mixed(seed ^ 0x5eed_0000_cade_ce00))
    }

    /// What is drawn for one thing: the same each time.
    pub(crate) fn of(self, what: &str, which: u64) -> Rng {
        Rng::with_seed(mixed(self.0 ^ address(&[what]) ^ mixed(which)))
    }
}

/// A number for those words, in that order.
pub(crate) fn address(words: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for word in words {
        for byte in word.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    mixed(hash)
}

/// The number's bits, each of them depending on all (splitmix64).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// True that often.
pub(crate) fn happens(rng: &mut Rng, chance: f64) -> bool {
    rng.f64() < chance
}

/// One of them.
pub(crate) fn one_of<'a, T>(rng: &mut Rng, choices: &'a [T]) -> Option<&'a T> {
    if choices.is_empty() { None } else { choices.get(rng.usize(..choices.len())) }
}

/// One of them, each as often as its weight says.
pub(crate) fn weighted<T: Copy>(rng: &mut Rng, choices: &[(u32, T)]) -> Option<T> {
    let sum: u32 = choices.iter().map(|(weight, _)| weight).sum();
    let mut at = if sum == 0 { 0 } else { rng.u32(..sum) };
    choices.iter().find_map(|(weight, choice)| match at.checked_sub(*weight) {
        Some(rest) => {
            at = rest;
            None
        }
        None => Some(*choice),
    })
}

/// A length of time in whole milliseconds, from one to before the other.
pub(crate) fn between(rng: &mut Rng, from: TimeDelta, until: TimeDelta) -> TimeDelta {
    let (from, until) = (from.num_milliseconds(), until.num_milliseconds());
    TimeDelta::milliseconds(if from < until { rng.i64(from..until) } else { from })
}

/// A length of time from a millisecond to that, each order of magnitude as often as the next: what comes close upon another thing falls into it.
pub(crate) fn soon(rng: &mut Rng, most: TimeDelta) -> TimeDelta {
    let most = most.num_milliseconds().max(1) as f64;
    TimeDelta::milliseconds(most.powf(rng.f64()) as i64)
}

/// The same as the runtime counts it.
pub(crate) fn duration(time: TimeDelta) -> Duration {
    time.to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_for_one_thing_hangs_on_nothing_else() {
        let draws = Draws::of_seed(7);
        let one = draws.of("deed", 3).u64(..);
        draws.of("deed", 4).u64(..);
        assert_eq!(draws.of("deed", 3).u64(..), one);
        for other in [draws.of("deed", 4), draws.of("fault", 3), Draws::of_seed(8).of("deed", 3)] {
            assert_ne!(other.clone().u64(..), one);
        }
        assert_ne!(address(&["a", "b"]), address(&["ab"]));
    }

    #[test]
    fn a_choice_of_no_weight_is_never_made() {
        let mut rng = Rng::with_seed(1);
        let choices = [(0, 'a'), (1, 'b'), (3, 'c'), (0, 'd')];
        let made: Vec<_> = (0..400).filter_map(|_| weighted(&mut rng, &choices)).collect();
        let count = |choice| made.iter().filter(|made| **made == choice).count();
        assert_eq!((count('a'), count('d'), made.len()), (0, 0, 400));
        assert!(count('b') > 50 && count('c') > 200);
        assert_eq!(weighted::<char>(&mut rng, &[]), None);
    }
}
