//! How far a sweep is, for those who watch it: a bar in a terminal, and elsewhere a line now and then. Never on standard output.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::told::complain;

/// What ends sooner is told of in no line.
const FIRST: Duration = Duration::from_secs(2);
/// How often a line is told.
const EVERY: Duration = Duration::from_secs(5);

/// How far a sweep is.
pub(super) struct Progress {
    bar: ProgressBar,
    /// When the next line is told, in milliseconds since the sweep began.
    next: AtomicU64,
}

impl Progress {
    /// The beginning of a sweep over that many places.
    pub(super) fn of(places: u64) -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} places, {eta} left")?;
        Ok(Self { bar: ProgressBar::new(places).with_style(style), next: AtomicU64::new(milliseconds(FIRST)) })
    }

    /// One more place is done.
    pub(super) fn step(&self) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.is_time(self.bar.elapsed()) {
            let left = self.bar.eta().as_secs();
            let places = self.bar.length().unwrap_or_default();
            complain(&format!("{} of {places} places, about {left} s left", self.bar.position()));
        }
    }

    /// Nothing is left to do.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Whether a line is due, which it then is for one of those who ask.
    fn is_time(&self, elapsed: Duration) -> bool {
        let (now, next) = (milliseconds(elapsed), self.next.load(Ordering::Relaxed));
        let after = now.saturating_add(milliseconds(EVERY));
        now >= next && self.next.compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_after_two_seconds_and_then_every_five() {
        let progress = Progress::of(10).unwrap();
        let told = [0, 1900, 2000, 2001, 6999, 7000, 30_000, 34_000, 35_000].map(Duration::from_millis);
        let told: Vec<u64> = told.into_iter().filter(|at| progress.is_time(*at)).map(milliseconds).collect();
        assert_eq!(told, [2000, 7000, 30_000, 35_000]);
    }
}
