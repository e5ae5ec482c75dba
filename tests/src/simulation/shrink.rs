//! The shortest list of a world's parts with which it still fails in the same way.

use std::time::{Duration, Instant};

use super::{Part, Parts, Ran, Run};

/// Leaves out of a failed run what it fails without, for at most so long. Gives the shortest run found, and what came of that.
pub fn shrunk(run: &Run, ran: Ran, at_most: Duration) -> (Run, Ran) {
    let Some(violation) = ran.violation.clone() else { return (run.clone(), ran) };
    let began = Instant::now();
    let mut parts: Vec<Part> = ran.parts.iter().map(|(part, _)| *part).collect();
    let mut best = (run.clone(), ran);
    let mut chunk = parts.len().div_ceil(2);
    while chunk > 0 {
        let mut from = 0;
        while from < parts.len() {
            if began.elapsed() > at_most {
                return best;
            }
            let left: Vec<Part> = parts
                .iter()
                .enumerate()
                .filter(|(at, _)| !(from..from + chunk).contains(at))
                .map(|(_, part)| *part)
                .collect();
            let tried = Run { parts: Parts::only(left.iter().copied()), ..run.clone() };
            let came = tried.go();
            match came.violation.as_ref().is_some_and(|found| found.invariant == violation.invariant) {
                true => {
                    // Faults that no longer befall anything are gone too.
                    parts = came.parts.iter().map(|(part, _)| *part).filter(|part| left.contains(part)).collect();
                    best = (Run { parts: Parts::only(parts.iter().copied()), ..run.clone() }, came);
                }
                false => from += chunk,
            }
        }
        chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
    }
    best
}
