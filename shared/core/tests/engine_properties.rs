//! Whatever vendors, users, ops and crashes do to an enrollment, in whatever order, the promises to its lead hold.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "the tests beside the code use the rest")]
#[path = "../src/fixtures.rs"]
mod fixtures;

use std::collections::{BTreeMap, BTreeSet};

use cadence_core::{
    Outcome, StepId, StepKey,
    apply::{Applied, Completed, apply_outcome, complete_task},
    course,
    delivery::Delivery,
    enrollment::{Effect, State},
    lead::{Consent, OptOut, TouchKind},
    plan::{Plan, Stale, plan_step},
    records::{Cadence, Status, Target, User},
    settle::{MAX_TRIES, settle_step},
    simulation::Taken,
    time::{Zones, local_text},
};
use chrono::{DateTime, TimeDelta, Utc};
use fixtures::{World, accepted, at, cadence, context, later, minutes, rejected, tuesday, unknown, user, zones};
use proptest::{prelude::*, strategy::ValueTree};
use serde_json::{Value, json};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn on_any_walk_the_promises_to_the_lead_hold(world in worlds(), deeds in prop::collection::vec(deeds(), 1..60)) {
        let mut walk = Walk::of(world);
        for deed in deeds {
            let before = walk.world.clone();
            walk.does(&deed);
            check_growth(&before, &walk.world)?;
            check_end(&before, &walk.world)?;
            check_claims(&walk.world)?;
            check_asked(&walk.world)?;
        }
        check_caps(&walk.world)?;
    }

    #[test]
    fn reports_come_to_the_same_in_any_order_and_however_often(
        cadence in cadences(),
        reports in prop::collection::vec((0_usize..4, outcomes()), 1..7).prop_shuffle(),
        seed in any::<u64>(),
    ) {
        let (one, other) = (told(&cadence, &reports), told(&cadence, &shuffled_with_repeats(&reports, seed)));
        prop_assert_eq!(stored(&one), stored(&other));
        prop_assert_eq!(&one.context.lead.opt_outs, &other.context.lead.opt_outs);
    }

    #[test]
    fn whether_an_end_was_reported_decides_whether_it_is_over(
        reports in prop::collection::vec((0_usize..4, outcomes()), 1..7),
        seed in any::<u64>(),
    ) {
        let reference = fixtures::reference();
        let ends = reports.iter().any(|(step, outcome)| {
            course::target_of(&reference, &reference.steps[*step], *outcome) == Some(&Target::End)
        });
        for reports in [reports.clone(), shuffled_with_repeats(&reports, seed)] {
            prop_assert_eq!(told(&reference, &reports).context.enrollment.has_ended(), ends);
        }
    }

    #[test]
    fn without_outcomes_every_step_runs_once_and_in_order(cadence in plain_cadences(), hour in 0_i64..168) {
        let mut world = World::new(cadence, tuesday() + TimeDelta::hours(hour));
        world.context.settings.caps = generous();
        world.run_all();
        let ran: Vec<&str> = world.claims.iter().map(|taken| taken.claim.step.as_str()).collect();
        let listed: Vec<&str> = world.context.cadence.steps.iter().map(|step| step.id.as_str()).collect();
        prop_assert_eq!(ran, listed);
        prop_assert!(world.claims.is_sorted_by_key(|taken| taken.claim.claimed_at));
        let is_over = matches!(world.state(), State::Ended { .. });
        prop_assert!(is_over);
    }

    #[test]
    fn a_step_of_another_generation_never_does_anything(world in worlds(), generation in any::<u64>()) {
        let due = cadence_core::enrollment::StepDue { generation, ..world.due() };
        prop_assume!(generation != world.context.enrollment.progress.generation);
        let plan = plan_step(&world.context, &due, tuesday() + TimeDelta::days(30));
        prop_assert!(matches!(plan, Plan::Skip(Stale::Generation)), "{:?}", plan);
    }

    #[test]
    fn a_plan_is_the_same_however_often_it_is_made(world in worlds(), late in 0_i64..10_000) {
        let now = tuesday() + minutes(late);
        prop_assert_eq!(format!("{:?}", world.plan(now)), format!("{:?}", world.plan(now)));
    }
}

/// A world, and when it is.
struct Walk {
    world: World,
    now: DateTime<Utc>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Deed {
    /// Time passes and a message comes.
    Runs(i64, Delivery),
    /// What is due runs when it is due.
    RunsOnTime(Delivery),
    /// The function dies after its claim, before or after it recorded the attempt.
    Dies(Option<Delivery>),
    /// An outcome arrives while a function is at work.
    ReportedDuringClaim(usize, Outcome, Delivery),
    /// An outcome arrives.
    Reported(usize, u32, Outcome),
    /// A user completes a task.
    Completes(usize, usize),
    /// Ops edit the cadence's status.
    Edits(Status),
    /// The owner leaves or comes back.
    OwnerIs(bool),
    /// A person resumes what an outcome paused.
    Resumes,
    /// `reconcile` looks at it, after a while.
    Reconciles(i64),
}

impl Walk {
    fn of(world: World) -> Self {
        Self { world, now: tuesday() }
    }

    fn does(&mut self, deed: &Deed) {
        match deed {
            Deed::Runs(wait, delivery) => {
                self.now += minutes(*wait);
                self.world.run(delivery.clone(), self.now);
            }
            Deed::RunsOnTime(delivery) => {
                if let Some(next) = &self.world.context.enrollment.progress.next {
                    self.now = self.now.max(next.due_at);
                }
                self.world.run(delivery.clone(), self.now);
            }
            Deed::Dies(recorded) => {
                self.claim();
                if let (Some(claim), Some(delivery)) = (self.world.context.enrollment.claim.clone(), recorded) {
                    let taken = self.world.claims.last().unwrap();
                    let settled =
                        settle_step(&self.world.context, &claim, &taken.plan.action, delivery.clone(), self.now);
                    self.world.context.attempt = Some(settled.attempt);
                }
            }
            Deed::ReportedDuringClaim(step, outcome, delivery) => {
                if self.claim() {
                    self.report(*step, 1, *outcome);
                    self.world.settle(delivery.clone(), self.now);
                }
            }
            Deed::Reported(step, round, outcome) => self.report(*step, *round, *outcome),
            Deed::Completes(task, outcome) => self.complete(*task, *outcome),
            Deed::Edits(status) => self.world.context.status = *status,
            Deed::OwnerIs(active) => self.world.context.users[0].active = *active,
            Deed::Resumes => self.resume(),
            Deed::Reconciles(wait) => {
                self.now += minutes(*wait);
                self.world.reconcile(self.now);
                assert!(!self.world.reconcile(self.now), "a second look changes nothing");
            }
        }
    }

    /// Takes the claim of what is due; false if nothing is.
    fn claim(&mut self) -> bool {
        let Plan::Send(plan) = self.world.plan(self.now) else { return false };
        self.world.claim(&plan, self.now);
        true
    }

    fn report(&mut self, step: usize, round: u32, outcome: Outcome) {
        let steps = &self.world.context.cadence.steps;
        let step = steps[step % steps.len()].id.to_string();
        let report = self.world.report(&step, round, outcome, self.now);
        if let Applied::Change(change) = apply_outcome(&self.world.context, &report, self.now) {
            self.world.commit(*change);
        }
        let again = apply_outcome(&self.world.context, &report, self.now);
        assert!(matches!(again, Applied::Known), "the same report twice: {again:?}");
    }

    /// Whoever was asked lets a paused enrollment go on, which must repeat nothing.
    fn resume(&mut self) {
        let asked = self.world.context.asked_to_resume().next().cloned();
        let Some(task) = asked else { return };
        let said = Outcome::Skipped;
        match complete_task(&self.world.context, &task, &task.user, said, None, self.now) {
            Completed::Change(change) => self.world.commit(*change),
            other => panic!("{other:?}"),
        }
    }

    fn complete(&mut self, task: usize, outcome: usize) {
        let open = &self.world.context.open_tasks;
        let Some(task) = open.get(task % open.len().max(1)).cloned() else { return };
        let outcomes = task.kind.outcomes();
        let outcome = outcomes[outcome % outcomes.len()];
        match complete_task(&self.world.context, &task, &task.user, outcome, None, self.now) {
            Completed::Change(change) => self.world.commit(*change),
            other => panic!("{other:?}"),
        }
    }
}

/// Generation, rounds and tries only grow, and generation with every change of progress.
fn check_growth(before: &World, after: &World) -> Result<(), TestCaseError> {
    let (was, is) = (&before.context.enrollment.progress, &after.context.enrollment.progress);
    prop_assert!(is.generation > was.generation || is == was, "{:?} became {:?}", was, is);
    for (step, round) in &was.rounds {
        prop_assert!(is.rounds.get(step) >= Some(round), "the rounds of {step} shrank");
    }
    let mut tries: BTreeMap<StepKey, u32> = BTreeMap::new();
    for taken in &after.claims {
        let key = after.context.enrollment.key(&taken.claim.step, taken.claim.round);
        let last = tries.insert(key, taken.claim.try_number);
        prop_assert!(last < Some(taken.claim.try_number) && taken.claim.try_number <= MAX_TRIES);
    }
    Ok(())
}

/// What is over stays over and emits nothing.
fn check_end(before: &World, after: &World) -> Result<(), TestCaseError> {
    if before.context.enrollment.has_ended() {
        prop_assert_eq!(&before.context.enrollment.progress, &after.context.enrollment.progress);
        prop_assert_eq!(before.claims.len(), after.claims.len());
    }
    if after.context.enrollment.has_ended() {
        prop_assert_eq!(&after.context.enrollment.progress.next, &None);
        let plan = after.plan(tuesday() + TimeDelta::days(300));
        prop_assert!(matches!(plan, Plan::Skip(_) | Plan::Settle(_)), "{:?}", plan);
    } else {
        prop_assert!(after.context.enrollment.progress.next.is_some(), "what is not over has something due");
    }
    Ok(())
}

/// A step key is delivered at most once, within hours, and never past an opt-out.
fn check_claims(world: &World) -> Result<(), TestCaseError> {
    let mut delivered = BTreeSet::new();
    for taken in &world.claims {
        let claim = &taken.claim;
        let may_have_been_sent = !matches!(taken.delivery, Some(Delivery::Rejected { .. } | Delivery::Later { .. }));
        if may_have_been_sent {
            let key = world.context.enrollment.key(&claim.step, claim.round);
            prop_assert!(delivered.insert(key.clone()), "{key} twice");
        }
        let closed = match claim.effect {
            Effect::Sms | Effect::AiCall => world.context.lead.opt_outs.get(&OptOut::Phone),
            Effect::Email => world.context.lead.opt_outs.get(&OptOut::Email),
            Effect::Task => None,
        };
        prop_assert!(closed.is_none_or(|closed| claim.claimed_at <= *closed), "claimed after an opt-out");
        if matches!(claim.effect, Effect::Sms | Effect::AiCall) {
            for zone in world.context.lead.zones.iter().flat_map(Zones::iter) {
                let hour = hour_in(claim.claimed_at, zone);
                prop_assert!((9..20).contains(&hour), "at {hour} in {zone}");
            }
            prop_assert!(taken.plan.send_by > claim.claimed_at);
        }
    }
    Ok(())
}

/// Whom a task is for was told of it, and is not asked for the second time in place of somebody who was late.
fn check_asked(world: &World) -> Result<(), TestCaseError> {
    let again: BTreeSet<(&StepId, u32)> =
        world.claims.iter().filter(|taken| taken.plan.next.overdue_for.is_some()).map(round_of).collect();
    for taken in &world.claims {
        let (step, round) = round_of(taken);
        prop_assert!(
            !(again.contains(&(step, round)) && again.contains(&(step, round + 1))),
            "{step} asked a third time"
        );
        prop_assert_eq!(taken.claim.user.is_some(), taken.claim.effect == Effect::Task);
    }
    for task in &world.context.open_tasks {
        let claim = world.claims.iter().rev().find(|taken| round_of(taken) == (&task.id.key.step, task.id.key.round));
        prop_assert!(claim.is_none_or(|claim| claim.claim.user.as_ref() == Some(&task.user)), "{:?}", task);
    }
    Ok(())
}

fn round_of(taken: &Taken) -> (&StepId, u32) {
    (&taken.claim.step, taken.claim.round)
}

/// No 24 hours and no 7 days hold more touches than the caps of the law allow.
fn check_caps(world: &World) -> Result<(), TestCaseError> {
    let counted: Vec<(DateTime<Utc>, TouchKind)> = world
        .claims
        .iter()
        .filter(|taken| !matches!(taken.delivery, Some(Delivery::Rejected { .. } | Delivery::Later { .. })))
        .filter_map(|taken| Some((taken.claim.claimed_at, taken.plan.touch?)))
        .collect();
    for (from, _) in &counted {
        let within = |span: TimeDelta, kinds: &[TouchKind]| {
            counted.iter().filter(|(at, kind)| at >= from && *at < *from + span && kinds.contains(kind)).count()
        };
        let (day, week) = (TimeDelta::hours(24), TimeDelta::days(7));
        let contacts = [TouchKind::Dial, TouchKind::AiCall, TouchKind::Sms];
        prop_assert!(within(day, &contacts) <= 3 && within(week, &contacts) <= 8);
        prop_assert!(within(day, &[TouchKind::AiCall]) <= 1 && within(day, &[TouchKind::Sms]) <= 2);
        prop_assert!(within(day, &[TouchKind::Email]) <= 1);
    }
    Ok(())
}

fn hour_in(at: DateTime<Utc>, zone: &cadence_core::time::Zone) -> u32 {
    local_text(at, zone).split(' ').nth(3).and_then(|time| time.get(..2)).unwrap().parse().unwrap()
}

/// The world after these reports, nothing else happening.
fn told(cadence: &Cadence, reports: &[(usize, Outcome)]) -> World {
    let mut walk = Walk::of(World::new(cadence.clone(), tuesday()));
    walk.world.run(accepted(), tuesday());
    for (step, outcome) in reports {
        walk.report(*step, 1, *outcome);
    }
    walk.world
}

fn stored(world: &World) -> BTreeMap<StepKey, Outcome> {
    world.context.outcomes.iter().map(|known| (known.key.clone(), known.outcome)).collect()
}

/// The same reports, each once or twice, in another order.
fn shuffled_with_repeats(reports: &[(usize, Outcome)], seed: u64) -> Vec<(usize, Outcome)> {
    let mut state = seed | 1;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut all: Vec<(u64, (usize, Outcome))> = Vec::new();
    for report in reports {
        all.push((random(), *report));
        if random() % 2 == 0 {
            all.push((random(), *report));
        }
    }
    all.sort_by_key(|(order, _)| *order);
    all.into_iter().map(|(_, report)| report).collect()
}

fn generous() -> cadence_core::records::settings::Caps {
    cadence_core::records::settings::Caps {
        contacts_per_day: 99,
        contacts_per_week: 99,
        ai_calls_per_day: 99,
        sms_per_day: 99,
        emails_per_day: 99,
    }
}

fn outcomes() -> impl Strategy<Value = Outcome> + Clone {
    prop::sample::select(Outcome::BY_STRENGTH.to_vec())
}

fn answers() -> impl Strategy<Value = Delivery> {
    prop_oneof![6 => Just(accepted()), 1 => Just(rejected()), 2 => Just(later()), 1 => Just(unknown())]
}

fn deeds() -> impl Strategy<Value = Deed> {
    let waits = prop_oneof![Just(0_i64), 0_i64..30, 0_i64..3000];
    let statuses = prop::sample::select(vec![Status::Live, Status::Live, Status::Live, Status::Off, Status::Paused]);
    prop_oneof![
        6 => answers().prop_map(Deed::RunsOnTime),
        2 => (waits.clone(), answers()).prop_map(|(wait, delivery)| Deed::Runs(wait, delivery)),
        2 => prop::option::of(answers()).prop_map(Deed::Dies),
        2 => (0_usize..5, outcomes(), answers()).prop_map(|(s, o, d)| Deed::ReportedDuringClaim(s, o, d)),
        2 => (0_usize..5, 1_u32..4, outcomes()).prop_map(|(s, r, o)| Deed::Reported(s, r, o)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(task, outcome)| Deed::Completes(task, outcome)),
        1 => statuses.prop_map(Deed::Edits),
        1 => any::<bool>().prop_map(Deed::OwnerIs),
        1 => Just(Deed::Resumes),
        2 => waits.prop_map(Deed::Reconciles),
    ]
}

/// A lead, here or there, who agreed to this or that, at the beginning of any cadence.
fn worlds() -> impl Strategy<Value = World> {
    let consent =
        prop::sample::select(vec![Consent::ExpressWritten, Consent::ExpressWritten, Consent::None, Consent::Revoked]);
    let places = prop::sample::select(vec![
        Some(zones(&["America/Los_Angeles"])),
        Some(zones(&["America/Los_Angeles", "America/New_York"])),
        Some(zones(&["Pacific/Honolulu"])),
        None,
    ]);
    (cadences(), consent.clone(), consent, places, any::<bool>()).prop_map(|(cadence, sms, email, zones, stale)| {
        let mut context = context(cadence, tuesday());
        (context.lead.consent.sms, context.lead.consent.call, context.lead.consent.email) = (sms, sms, email);
        context.lead.zones = zones;
        context.users[2] = User { groups: vec!["callers".into()], ..user("jules", "Jules", &["CA"]) };
        context.enrollment.progress.stale = stale;
        World::of(context)
    })
}

const WAITS: [&str; 6] = ["0m", "20m", "2h", "1d", "1bd at 10:15", "3d"];

/// Any cadence that ops could write, loops and all.
fn cadences() -> impl Strategy<Value = Cadence> {
    let target = prop_oneof![
        Just(json!("next")),
        Just(json!("end")),
        Just(json!("pause")),
        Just(json!({"cadence": "other"})),
        (0_usize..4).prop_map(|step| json!(format!("s{step}"))),
    ];
    let words = prop::sample::select(Outcome::BY_STRENGTH.map(Outcome::as_str).to_vec());
    let on = prop::collection::btree_map(words, target, 0..4);
    let actions = prop::sample::select(cadence_core::Do::ALL.to_vec());
    let hold = prop::option::weighted(0.3, Just("45m"));
    let assign = prop::sample::select(vec!["loan_officer", "jules", "round_robin: callers"]);
    let other =
        prop_oneof![Just("lo-morgan"), Just("round_robin: callers")].prop_map(|other| json!({ "assign": other }));
    let assigned = (assign, prop_oneof![other, Just(json!("next")), Just(json!("end"))]);
    let step = (actions, prop::sample::select(WAITS.to_vec()), 1_u32..4, hold, on.clone(), assigned);
    (prop::collection::vec(step, 4), on).prop_map(|(steps, anytime)| {
        let steps: Vec<Value> = steps
            .into_iter()
            .enumerate()
            .map(|(number, (action, wait, attempts, hold, mut on, (assign, on_overdue)))| {
                let mut step = fixtures::step(action);
                step["id"] = json!(format!("s{number}"));
                step["wait"] = json!(wait);
                if on_overdue.is_string() {
                    on.remove("expired");
                }
                (step["on"], step["assign"]) = (json!(on), json!(assign));
                if attempts > 1 {
                    step["attempts"] = json!(attempts);
                    step["every"] = json!("2h");
                }
                if let Some(hold) = hold {
                    step["hold"] = json!(hold);
                }
                if action.is_users() && attempts == 1 && step.get("hold").is_none() {
                    (step["due"], step["on_overdue"]) = (json!("10m"), on_overdue);
                }
                step
            })
            .collect();
        let anytime: BTreeMap<_, _> =
            anytime.into_iter().filter(|(_, to)| !to.as_str().is_some_and(|to| to.starts_with('s'))).collect();
        hours(json!({"steps": steps, "anytime": anytime}))
    })
}

/// Steps that neither loop nor wait for an outcome longer than they hold.
fn plain_cadences() -> impl Strategy<Value = Cadence> {
    let actions = prop::sample::select(cadence_core::Do::ALL.to_vec());
    prop::collection::vec((actions, prop::sample::select(WAITS.to_vec())), 1..7).prop_map(|steps| {
        let steps: Vec<Value> = steps
            .into_iter()
            .enumerate()
            .map(|(number, (action, wait))| {
                let mut step = fixtures::step(action);
                step["id"] = json!(format!("s{number}"));
                step["wait"] = json!(wait);
                step
            })
            .collect();
        hours(json!({"steps": steps}))
    })
}

/// Open from 09:00 to 20:00 for calls and texts, on every day.
fn hours(mut record: Value) -> Cadence {
    record["hours"] = json!({"call": "daily 09:00-20:00", "sms": "daily 09:00-20:00", "email": "any time"});
    record["skip_holidays"] = json!(false);
    cadence(record)
}

#[test]
fn the_walks_reach_what_they_are_to_test() {
    // A property over walks that never send, end, rest or lose a claim would hold of anything.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut sent, mut ended, mut rested, mut unsure, mut opted_out) = (0, 0, 0, 0, 0);
    for _ in 0..150 {
        let world = worlds().new_tree(&mut runner).unwrap().current();
        let deeds = prop::collection::vec(deeds(), 40).new_tree(&mut runner).unwrap().current();
        let mut walk = Walk::of(world);
        for deed in deeds {
            walk.does(&deed);
            rested += i32::from(matches!(walk.world.state(), State::Parked { .. }));
        }
        sent += walk.world.claims.iter().filter(|taken| taken.delivery == Some(accepted())).count();
        unsure += walk.world.kinds().iter().filter(|kind| **kind == cadence_core::timeline::EntryKind::Unsure).count();
        ended += i32::from(walk.world.context.enrollment.has_ended());
        opted_out += i32::from(!walk.world.context.lead.opt_outs.is_empty());
    }
    assert!(
        sent > 200 && ended > 50 && rested > 50 && unsure > 20 && opted_out > 20,
        "{sent} {ended} {rested} {unsure} {opted_out}"
    );
    assert!(at("2026-12-01T18:00:00Z") == tuesday());
}
