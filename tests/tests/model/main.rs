//! A model of the claim protocol: how one step is delivered at most once and no enrollment stands still, whoever dies in between.
//!
//! [`World`] is all there is at one instant: a lead and its enrollments, what waits in the stream, in timers and on the queue, and two workers,
//! each about to make its next call. [`Action`](actions::Action) is one thing that may happen next. The checker tries every order of them, as far
//! as the scene's [`Chances`] go, and after each asks every [`Promise`](promises::Promise). Then [`Broken`] leaves out one part of the protocol
//! after the other, and the checker tells the shortest way to a promise that breaks for it: the table and the stories are in `snapshots/`.
//! Read `promises.rs` for what holds, the stories for why each part is there, and `work.rs` for how it is done.
//!
//! | here | in the code |
//! | --- | --- |
//! | `Schedule`, `Fire` | `schedule::handle`, by `scheduling`; EventBridge's timer, at least once and late |
//! | `Receive`, then `Call` on `Load` | a channel's `handle`: `Store::load_step`, which reads item by item, and `plan_step` |
//! | `Call` on `Claim` | `Store::claim`: one transaction over the enrollment and the lead |
//! | `CallUnanswered` | the same without an answer: `Store::is_mine` |
//! | `Deliver` | the vendor's client: once, and each answer sorted into a `Delivery` |
//! | `Call` on `Record`, then on `Settle` | `Store::settle`, by `settle_step`, repeated by `Store::settle_claim`; by `settle_expired` for a claim that ran out |
//! | `Call` on `Commit` | `Store::commit` of what a plan changes without delivering: skipped, deferred, a hold that ends, a release |
//! | `Reconcile`, `Call` on `Requeue` | `reconcile::look_at`, by `remedy` |
//! | `Report` | `outcomes::apply` and `console`, by `apply_outcome`; tried until it is written, so it is one step here |
//! | `OptOut` | `Store::opt_out` |
//! | `Die` | a crash between two calls, a timeout, or an error that ends the invocation: its message comes again |
//! | `RunOut` | the instant `lease_until`; a lease is longer than a function may run, so no holder lives to see it |
//! | `LoseRecord`, `LoseTimer`, `LoseMessage` | what ends in a dead-letter queue |
//!
//! The decisions are in `decisions.rs`, and `against_core.rs` puts all that they are ever asked to `cadence-core` as well, so that they are the code's.
//! What is in `work.rs`, the conditions of the writes, is held to the code by the tests of `tests/it/claims.rs` and `interleavings.rs`.
//!
//! What is left out: hours, consent and licences, which say only whether and when; switching to another cadence; messages that come early.
//! A step is tried twice and a call placed twice here, six times and as the record says there. Every rest may end, as for a cadence that was paused.
//! A message that `reconcile` puts back while the first is still in some worker's hand is the same as one that comes twice, which `mishaps` counts.

#![cfg(test)]

mod actions;
mod against_core;
mod broken;
mod decisions;
#[expect(dead_code, reason = "the tests beside the code use the rest")]
#[path = "../../../shared/core/src/fixtures.rs"]
mod fixtures;
mod promises;
mod protocol;
mod story;
mod work;
mod world;

use std::fmt::Write;

use actions::KEPT;
use broken::Broken;
use protocol::{Chances, Protocol, Scene};
use stateright::{Checker, HasDiscoveries, Model};
use world::World;

/// The right protocol keeps every promise in that scene. `worlds` says how many there are, so that nobody narrows a scene unseen.
fn holds(scene: Scene, worlds: usize) {
    let checker = Protocol::right(scene).checker().symmetry_fn(World::sorted).spawn_dfs().join();
    if let Some(path) = checker.discovery(KEPT) {
        panic!("{}", story::tell(checker.model(), path).join("\n"));
    }
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    println!(
        "{name:50} {:6} worlds, the longest way to one {:3} steps",
        checker.unique_state_count(),
        checker.max_depth()
    );
    assert_eq!(checker.unique_state_count(), worlds);
}

const NONE: Chances = Chances::NONE;

#[test]
fn a_text_to_which_everything_happens_once() {
    holds(Scene::text(Chances { deaths: 1, refusals: 1, mishaps: 1, reports: 1, opt_outs: 1, ..NONE }), 85_977);
}

#[test]
fn a_text_whose_functions_die_twice() {
    holds(Scene::text(Chances { deaths: 2, refusals: 1, mishaps: 1, opt_outs: 1, ..NONE }), 16_009);
}

#[test]
fn a_text_of_which_something_is_lost_for_good() {
    holds(Scene::text(Chances { deaths: 1, refusals: 1, mishaps: 1, losses: 1, opt_outs: 1, ..NONE }), 20_152);
}

#[test]
fn two_texts_and_reports_on_them() {
    holds(Scene::two_texts(Chances { deaths: 1, reports: 1, refusals: 1, ..NONE }), 40_977);
}

#[test]
fn a_text_that_is_reported_on_twice() {
    holds(Scene::text(Chances { deaths: 1, reports: 2, refusals: 1, ..NONE }), 58_333);
}

#[test]
fn a_call_that_nobody_answers() {
    holds(Scene::call(Chances { deaths: 1, reports: 2, ..NONE }), 65_210);
}

#[test]
fn a_task_and_then_a_text() {
    holds(Scene::task_and_text(Chances { deaths: 1, mishaps: 1, reports: 1, opt_outs: 1, ..NONE }), 63_999);
}

#[test]
fn two_cadences_and_a_cap_of_one() {
    holds(Scene::two_cadences(Chances { deaths: 1, refusals: 1, opt_outs: 1, ..NONE }), 63_143);
}

#[test]
fn without_any_one_of_its_parts_the_protocol_breaks_a_promise() {
    let mut table = format!("{:50}  {:46} {:>6} {:>5}\n", "without it", "what breaks", "worlds", "steps");
    let mut stories = String::new();
    for (broken, does, breaks, scene) in Broken::all() {
        let protocol = Protocol::broken(broken, breaks, scene);
        let checker = protocol.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let Some(path) = checker.discovery(KEPT) else { panic!("{broken:?} is not refuted") };
        let (worlds, steps) = (checker.unique_state_count(), path.clone().into_actions().len());
        writeln!(table, "{does:50}  {:46} {worlds:6} {steps:5}", breaks.as_str()).unwrap();
        writeln!(stories, "\n{does}:").unwrap();
        for line in story::tell(checker.model(), path) {
            writeln!(stories, "    {line}").unwrap();
        }
    }
    println!("{table}");
    insta::assert_snapshot!("broken", format!("{table}{stories}"));
}
