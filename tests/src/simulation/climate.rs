//! How much goes wrong in a world, and when its services are out.

use std::time::Duration;

use chrono::TimeDelta;
use fastrand::Rng;

use super::draws::{Draws, between, happens, one_of, weighted};

/// How much goes wrong in a world: chances for each request and each delivery.
#[derive(Clone, Debug)]
pub(crate) struct Climate {
    /// That a request meets a fault.
    pub(crate) call_faults: f64,
    /// That a fault ends the function's process.
    pub(crate) kills: f64,
    /// That a delivery comes late, twice, or not at all.
    pub(crate) mishaps: f64,
    /// That somebody does something about a lead while a step of theirs is under way.
    pub(crate) meddling: f64,
    /// How long a request is on its way at most.
    pub(crate) slowest_call: Duration,
    /// When services are out.
    pub(crate) outages: Vec<Outage>,
}

/// A time in which a service answers nobody.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    /// The service, as requests are signed for it.
    pub(crate) service: &'static str,
    /// When it begins, after the world's start.
    pub(crate) from: TimeDelta,
    /// When it ends.
    pub(crate) until: TimeDelta,
}

/// The services that functions ask.
const SERVICES: [&str; 6] = ["dynamodb", "sqs", "scheduler", "sns", "ses", "voice-agent"];

impl Climate {
    /// Nothing goes wrong.
    pub(crate) fn calm() -> Self {
        let slowest_call = Duration::from_millis(20);
        Self { call_faults: 0.0, kills: 0.0, mishaps: 0.0, meddling: 0.0, slowest_call, outages: Vec::new() }
    }

    /// The climate of a seed whose world lasts so long.
    pub(crate) fn drawn(draws: Draws, lasts: TimeDelta) -> Self {
        let mut rng = draws.of("climate", 0);
        let (faults, mishaps) = weighted(
            &mut rng,
            &[
                (1, ((0.0, 0.0), (0.0, 0.0))),
                (3, ((0.001, 0.01), (0.005, 0.03))),
                (3, ((0.01, 0.05), (0.02, 0.1))),
                (1, ((0.05, 0.2), (0.1, 0.3))),
                (1, ((0.0, 0.0), (0.05, 0.4))),
            ],
        )
        .unwrap_or_default();
        let slowest = one_of(&mut rng, &[3_u64, 50, 50, 400, 2500]).copied().unwrap_or(50);
        let kills = within(&mut rng, (0.02, 0.4));
        Self {
            call_faults: within(&mut rng, faults),
            kills,
            mishaps: within(&mut rng, mishaps),
            meddling: one_of(&mut rng, &[0.0, 0.02, 0.1, 0.3]).copied().unwrap_or(0.0),
            slowest_call: Duration::from_millis(slowest),
            outages: outages(draws, lasts, faults.1 > 0.0),
        }
    }
}

fn within(rng: &mut Rng, (from, until): (f64, f64)) -> f64 {
    from + (until - from) * rng.f64()
}

fn outages(draws: Draws, lasts: TimeDelta, at_all: bool) -> Vec<Outage> {
    let mut rng = draws.of("outages", 0);
    if !at_all || happens(&mut rng, 0.6) {
        return Vec::new();
    }
    let drawn = |number: u64| {
        let mut rng = draws.of("outage", number);
        let from = between(&mut rng, TimeDelta::zero(), lasts);
        let length = between(&mut rng, TimeDelta::seconds(20), TimeDelta::minutes(50));
        let service = one_of(&mut rng, &SERVICES).copied().unwrap_or("dynamodb");
        Outage { service, from, until: from + length }
    };
    (0..rng.u64(1..4)).map(drawn).collect()
}
