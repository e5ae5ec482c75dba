//! The clock of a function's process: the system's, unless the local cloud, whose clock may run faster, says how the two go together.

use std::{fmt, str::FromStr};

use cadence_core::Clock;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Env, EnvError};

/// The variable in which the local cloud tells a function's process of its clock. No deployment sets it.
pub const LOCAL_CLOCK: &str = "LOCAL_CLOCK";

/// How a clock that runs at a multiple of real time follows from the system's: it told `told_at` when the system's told `system_at`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reckoning {
    /// What the clock told.
    pub told_at: DateTime<Utc>,
    /// What the system's clock told then.
    pub system_at: DateTime<Utc>,
    /// How many times as fast as real time it runs.
    pub speed: f64,
}

impl Reckoning {
    /// What the clock tells when the system's tells `system_now`.
    pub fn at(&self, system_now: DateTime<Utc>) -> DateTime<Utc> {
        let passed = (system_now - self.system_at).as_seconds_f64() * self.speed * 1e6;
        self.told_at + TimeDelta::microseconds(passed as i64)
    }
}

impl fmt::Display for Reckoning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.told_at.timestamp_micros(), self.system_at.timestamp_micros(), self.speed)
    }
}

impl FromStr for Reckoning {
    type Err = EnvError;

    fn from_str(text: &str) -> Result<Self, EnvError> {
        let words: Vec<&str> = text.split(' ').collect();
        let instant = |micros: &str| micros.parse().ok().and_then(DateTime::from_timestamp_micros);
        let read = match words.as_slice() {
            [told, system, speed] => instant(told).zip(instant(system)).zip(speed.parse::<f64>().ok()),
            _ => None,
        };
        match read {
            Some(((told_at, system_at), speed)) if speed > 0.0 => Ok(Self { told_at, system_at, speed }),
            _ => Err(EnvError::NotAValue {
                name: LOCAL_CLOCK,
                values: "two instants in microseconds and a speed, as the local cloud writes them",
            }),
        }
    }
}

/// The process's clock.
pub(crate) fn of_process(env: &Env) -> Result<Clock, EnvError> {
    match env.optional(LOCAL_CLOCK) {
        None => Ok(Clock::new(system_now)),
        Some(text) => {
            let reckoning: Reckoning = text.parse()?;
            Ok(Clock::new(move || reckoning.at(system_now())))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where a function's process reads the clock")]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_reckons_the_local_clouds_time_from_its_own() {
        let instant = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap();
        let written =
            Reckoning { told_at: instant(1_900_000_000), system_at: instant(1_800_000_000), speed: 60.0 }.to_string();
        let read: Reckoning = written.parse().unwrap();
        assert_eq!(read.at(instant(1_800_000_000)), instant(1_900_000_000));
        assert_eq!(read.at(instant(1_800_000_010)), instant(1_900_000_600));
    }

    #[test]
    fn a_clock_that_cant_be_read_is_no_clock() {
        for wrong in ["", "1 2", "1 2 3 4", "1 2 0", "1 2 NaN", "now then 60"] {
            assert!(wrong.parse::<Reckoning>().is_err(), "{wrong}");
        }
    }
}
