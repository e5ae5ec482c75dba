//! The cloud's clock: it jumps, or it runs at a multiple of real time. It never goes back.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadence_boot::clock::Reckoning;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// How the clock moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// It stands until it is told to jump.
    Jumps,
    /// It runs this many times as fast as the runtime's time, which is real time unless that is paused.
    Times(f64),
}

/// The cloud's clock. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct LocalClock(Arc<Mutex<Reading>>);

#[derive(Debug)]
struct Reading {
    pace: Pace,
    at: DateTime<Utc>,
    read: Instant,
}

impl LocalClock {
    /// A clock that tells `start` now.
    pub fn new(start: DateTime<Utc>, pace: Pace) -> Self {
        Self(Arc::new(Mutex::new(Reading { pace, at: start, read: Instant::now() })))
    }

    /// The instant.
    pub fn now(&self) -> DateTime<Utc> {
        let reading = self.reading();
        match reading.pace {
            Pace::Jumps => reading.at,
            Pace::Times(speed) => reading.at + scaled(reading.read.elapsed(), speed),
        }
    }

    /// Jumps to a later instant; an earlier one changes nothing.
    pub fn advance_to(&self, at: DateTime<Utc>) {
        let now = self.now();
        let mut reading = self.reading();
        if at > now {
            reading.at = at;
            reading.read = Instant::now();
        }
    }

    /// How long it takes in real time until the clock tells `at`; `None` where it only gets there by a jump.
    pub fn real_time_until(&self, at: DateTime<Utc>) -> Option<Duration> {
        let ahead = (at - self.now()).to_std().unwrap_or_default();
        match self.reading().pace {
            Pace::Jumps => None,
            Pace::Times(speed) => {
                Some(Duration::try_from_secs_f64(ahead.as_secs_f64() / speed).unwrap_or(Duration::MAX))
            }
        }
    }

    /// How the clock follows from the system's; `None` where it only jumps.
    pub fn reckoning(&self) -> Option<Reckoning> {
        let pace = self.reading().pace;
        match pace {
            Pace::Jumps => None,
            Pace::Times(speed) => Some(Reckoning { told_at: self.now(), system_at: system_now(), speed }),
        }
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "other processes know no other clock")]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}

/// In whole microseconds, counted so that at the runtime's own speed none is lost to rounding within a hundred days.
fn scaled(elapsed: Duration, speed: f64) -> TimeDelta {
    TimeDelta::microseconds((elapsed.as_nanos() as f64 * speed / 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_stands_until_told_and_never_goes_back() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = LocalClock::new(start, Pace::Jumps);
        assert_eq!(clock.now(), start);
        assert_eq!(clock.real_time_until(start), None);
        clock.advance_to(start + TimeDelta::minutes(5));
        clock.advance_to(start);
        assert_eq!(clock.now(), start + TimeDelta::minutes(5));
    }

    #[test]
    fn a_clock_that_runs_fast_reaches_an_instant_in_a_fraction_of_the_time() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = LocalClock::new(start, Pace::Times(600.0));
        let wait = clock.real_time_until(start + TimeDelta::minutes(10)).unwrap();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(clock.now() >= start);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_runs_keeps_to_a_time_that_is_paused() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = LocalClock::new(start, Pace::Times(1.0));
        tokio::time::advance(Duration::from_millis(61_500)).await;
        assert_eq!(clock.now(), start + TimeDelta::milliseconds(61_500));
    }
}
