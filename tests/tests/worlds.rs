//! Worlds of the simulation, as many as there is time for on each change; `soak` runs any number.

#![cfg(test)]

use std::{
    io::{self, Write},
    sync::{Mutex, Once},
    thread,
    time::Duration,
};

use cadence_tests::simulation::{
    Bug, Crashes, Kind, Run, SCENARIOS, Scenario, Totals, crashed, failure, left, on_threads, processors,
};

/// How many worlds are run.
const WORLDS: u64 = 9;
/// Of all single crashes of all stories, one in so many is tried here; the command tries all.
const CRASHES: usize = 173;
/// Of the crashes after one of these of the reference story, one in so many.
const PAIRS: usize = 151;

/// How long a shorter way to a failure is looked for.
const SHRINKING: Duration = Duration::from_secs(40);

/// What is looked for in all that functions log.
#[derive(Default)]
struct Logs {
    errors: usize,
    /// The first line that says who somebody is.
    telling: Option<String>,
}

static LOGS: Mutex<Logs> = Mutex::new(Logs { errors: 0, telling: None });
/// What people of every world are called, and what their numbers and addresses have in common.
const WHO: [&str; 5] = ["Robin0", "Sample0", "Town0", "person0", "55501"];

impl Logs {
    fn watch() {
        static WATCHED: Once = Once::new();
        // The digits of an instant may be those of a number.
        let logs = || tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(Self::default);
        WATCHED.call_once(|| logs().init());
    }
}

impl Write for Logs {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let said = String::from_utf8_lossy(line);
        let mut logs = LOGS.lock().unwrap();
        logs.errors += usize::from(said.contains("ERROR ") && said.contains("error.message="));
        if logs.telling.is_none() && WHO.iter().any(|who| said.contains(who)) {
            logs.telling = Some(said.into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn all_hold(runs: impl Iterator<Item = Run> + Send) -> Totals {
    Logs::watch();
    let mut totals = Totals::default();
    let mut failures = Vec::new();
    on_threads(processors(), runs.map(|run| ((), run)), |(), run, ran| {
        totals.add(&ran.totals);
        // One is shrunk; the others say enough with their seed.
        let shrinking = if failures.is_empty() { SHRINKING } else { Duration::ZERO };
        failures.extend(failure(&run, ran, shrinking));
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert_eq!(LOGS.lock().unwrap().telling, None, "logs tell who somebody is");
    totals
}

#[test]
fn what_is_promised_holds_in_every_world() {
    let totals = all_hold((0..WORLDS).map(Run::of_seed));
    // Promises that nothing tries would hold of anything.
    assert!(totals.lead_steps > 10 * WORLDS, "{totals:?}");
    for kind in ["sms", "email", "ai_call"] {
        assert!(totals.sent.get(kind).is_some_and(|sent| *sent > WORLDS / 2), "{kind} {totals:?}");
    }
    for fault in [
        "throttled",
        "refused",
        "done but reported as failed",
        "request lost",
        "answer lost",
        "hung",
        "done but hung",
        "killed before",
        "killed after",
        "delivered late",
        "delivered twice",
        "delivery expired",
        "out of service",
    ] {
        assert!(totals.faults.contains_key(fault), "nothing was {fault}: {totals:?}");
    }
    for (counts, names) in [
        (&totals.told, &["opted_out", "deferred", "retried", "parked", "version_changed", "held_out", "unsure"][..]),
        (
            &totals.outcomes,
            &["opted_out", "unsubscribed", "connected", "replied", "declined", "bad_number", "transferred"],
        ),
    ] {
        for name in names {
            assert!(counts.contains_key(*name), "nothing was {name}: {totals:?}");
        }
    }
    let errors = LOGS.lock().unwrap().errors;
    assert!(errors > 5, "{errors}");
}

#[test]
fn a_seed_makes_the_same_requests_each_time() {
    let run = Run { with_digest: true, ..Run::of_seed(4) };
    let digest = |run: &Run| run.go().digest.unwrap();
    let (one, other) = (digest(&run), digest(&run));
    assert_eq!(one, other);
    let elsewhere = thread::scope(|scope| scope.spawn(|| digest(&run)).join().unwrap());
    assert_eq!(one, elsewhere, "on another thread");
    assert_ne!(one, digest(&Run { seed: 0, ..run }));
}

#[test]
fn a_crash_at_any_request_of_any_story_breaks_no_promise() {
    let mut requests = Vec::new();
    for scenario in SCENARIOS {
        let ran = crashed(*scenario, Crashes::default()).go();
        assert_eq!(ran.violation, None, "{scenario:?} without a crash");
        assert!(ran.calls.len() > 5, "{scenario:?} makes {} requests", ran.calls.len());
        requests.extend(left(&ran, &Crashes::default()).into_iter().map(|address| (*scenario, address)));
    }
    assert!(SCENARIOS.len() >= 24);
    let crashes = requests
        .into_iter()
        .flat_map(|(scenario, address)| Kind::ALL.map(|kind| crashed(scenario, Crashes::default().and(address, kind))));
    let sampled: Vec<Run> = crashes.step_by(CRASHES).collect();
    assert!(sampled.len() > 25, "{}", sampled.len());
    all_hold(sampled.into_iter());
}

#[test]
fn a_crash_after_a_crash_breaks_no_promise_either() {
    let reference = Scenario::named("reference").unwrap();
    let crashed_after = |crashes: &Crashes| {
        let ran = crashed(reference, crashes.clone()).go();
        assert_eq!(ran.violation, None, "{crashes}");
        let requests = left(&ran, crashes).into_iter();
        requests.flat_map(|address| Kind::ALL.map(|kind| crashes.and(address, kind))).collect::<Vec<_>>()
    };
    let firsts = crashed_after(&Crashes::default());
    let pairs: Vec<Crashes> = firsts.iter().step_by(firsts.len() / 3).flat_map(crashed_after).collect();
    let sampled: Vec<Run> = pairs.into_iter().step_by(PAIRS).map(|pair| crashed(reference, pair)).collect();
    assert!(sampled.len() > 1, "{}", sampled.len());
    all_hold(sampled.into_iter());
}

#[test]
fn a_planted_bug_is_found_in_the_world_that_shows_it() {
    let mut missed = Vec::new();
    let runs = Bug::all().map(|bug| (bug, bug.shown()));
    on_threads(processors(), runs, |bug, run, ran| {
        if ran.violation.as_ref().is_none_or(|violation| violation.invariant != bug.breaks()) {
            missed.push(format!("{bug}: {run}: {:?}", ran.violation));
        }
    });
    assert!(missed.is_empty(), "not found where they were; `simulate planted` looks further: {missed:#?}");
}
