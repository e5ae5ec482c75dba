//! What the check says of where steps lead, held against the engine.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "the tests beside the code use the rest")]
#[path = "../src/fixtures.rs"]
mod fixtures;

use std::collections::{BTreeMap, BTreeSet};

use cadence_core::{
    Channel, Outcome, StepId,
    apply::{Applied, apply_outcome},
    delivery::Delivery,
    records::{Cadence, Known, OnOverdue, Problem, Record, check, parse_record, settings::Caps},
};
use fixtures::{World, accepted, cadence, rejected, tuesday, unknown};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

/// More runs than any of these cadences takes that ends.
const MOST_RUNS: usize = 500;

proptest! {
    #[test]
    fn what_passes_ends_by_itself_and_repeats_no_step_beyond_its_attempts(cadence in cadences(), dice in dice()) {
        prop_assume!(!problems(&cadence).iter().any(Problem::is_error));
        let by_itself: Vec<Outcome> =
            Outcome::BY_STRENGTH.into_iter().filter(|outcome| !outcome.is_leads_doing()).collect();
        let (entered, is_over) = walk(&cadence, &dice, &by_itself);
        prop_assert!(is_over, "it does not end");
        for step in &cadence.steps {
            let rounds = entered.get(&step.id).copied().unwrap_or(0);
            let asks_another = matches!(step.on_overdue, Some(OnOverdue::Assign(_)));
            prop_assert!(rounds <= step.attempts + u32::from(asks_another), "{} ran {rounds} times", step.id);
        }
    }

    #[test]
    fn what_nothing_leads_to_never_runs(cadence in cadences(), dice in dice()) {
        let unreached: BTreeSet<String> = problems(&cadence)
            .into_iter()
            .filter(|problem| problem.sentence.starts_with("Nothing leads to"))
            .map(|problem| problem.path)
            .collect();
        let (entered, _) = walk(&cadence, &dice, &Outcome::BY_STRENGTH);
        for (index, step) in cadence.steps.iter().enumerate() {
            let is_unreached = unreached.contains(&format!("steps[{index}]"));
            prop_assert!(!(is_unreached && entered.contains_key(&step.id)), "{} ran", step.id);
        }
    }
}

fn problems(cadence: &Cadence) -> Vec<Problem> {
    let mut known = Known::default();
    let text = json!({"text": "{{ lo_first_name }}, {{ company }}. Reply STOP to opt out"});
    known.insert(parse_record("MESSAGE#sms/intro", &text).unwrap());
    fixtures::users().into_iter().for_each(|user| known.insert(Record::User(user)));
    check(&Record::Cadence(cadence.clone()), &known)
}

/// Runs a lead through, in which each call comes to one of these outcomes, or to none: how often each step ran, and whether it ended or rests.
fn walk(cadence: &Cadence, dice: &[u8], outcomes: &[Outcome]) -> (BTreeMap<StepId, u32>, bool) {
    let mut world = World::new(cadence.clone(), tuesday());
    world.context.settings.caps = Caps {
        contacts_per_day: 9999,
        contacts_per_week: 9999,
        ai_calls_per_day: 9999,
        sms_per_day: 9999,
        emails_per_day: 9999,
    };
    let mut dice = dice.iter().copied().cycle();
    let mut roll = move |sides: usize| usize::from(dice.next().unwrap()) % sides;
    let mut entered: BTreeMap<StepId, u32> = BTreeMap::new();
    for _ in 0..MOST_RUNS {
        let next = world.context.enrollment.progress.next.clone();
        let Some(next) = next.filter(|_| world.context.enrollment.is_active()) else {
            return (entered, true);
        };
        // A task is written or isn't: only of what a vendor is handed anything else may come.
        let action = cadence.step(&next.step).unwrap().action;
        let is_users = action.is_users();
        let delivery: Delivery = match roll(4) {
            0 if !is_users => rejected(),
            1 if !is_users => unknown(),
            _ => accepted(),
        };
        let was_tried = world.run(delivery, next.due_at);
        if was_tried {
            *entered.entry(next.step.clone()).or_default() += 1;
        }
        let outcome = outcomes.get(roll(outcomes.len() + 2)).filter(|outcome| outcome.can_end(action));
        if let (true, Channel::Call, Some(outcome)) = (was_tried, next.channel, outcome) {
            let report = world.report(next.step.as_str(), next.round, *outcome, next.due_at);
            if let Applied::Change(change) = apply_outcome(&world.context, &report, next.due_at) {
                world.commit(*change);
            }
        }
    }
    (entered, false)
}

fn dice() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 40)
}

fn cadences() -> impl Strategy<Value = Cadence> {
    let count = 1_usize..5;
    count.prop_flat_map(|count| {
        let steps: Vec<_> = (0..count).map(|index| step(index, count)).collect();
        (steps, on(count, false)).prop_map(|(steps, anytime)| {
            let hours = json!({"call": "any time", "sms": "any time", "email": "any time"});
            cadence(json!({"steps": steps, "anytime": anytime, "hours": hours, "skip_holidays": false}))
        })
    })
}

fn step(index: usize, count: usize) -> impl Strategy<Value = Value> {
    let hold = prop::option::of(select(vec!["1h", "1d"]));
    let attempts = prop_oneof![3 => Just(1), 1 => 2_u32..4];
    let action = select(vec!["dial", "ai_dial", "custom_email", "canned_sms"]);
    let overdue = prop_oneof![Just(json!({"assign": "lo-morgan"})), target(count).prop_map(Value::from)];
    let rest = (on(count, true), prop::option::of(overdue));
    (action, hold, attempts, rest).prop_map(move |(action, hold, attempts, (on, overdue))| {
        let step = json!({"id": format!("s{index}"), "do": action, "wait": "1h", "agent": "x", "message": "sms/intro"});
        let more = match overdue {
            Some(overdue) if ["dial", "custom_email"].contains(&action) && on.get("expired").is_none() => {
                json!({"due": "1h", "on_overdue": overdue})
            }
            _ => json!({"hold": hold, "attempts": attempts, "every": (attempts > 1).then_some("2h")}),
        };
        let fields = [step, more, json!({"on": on})].into_iter().flat_map(|map| map.as_object().unwrap().clone());
        fields.collect::<serde_json::Map<_, _>>().into()
    })
}

fn target(count: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => select(vec!["next", "end", "pause"]).prop_map(str::to_owned),
        3 => (0..count).prop_map(|step| format!("s{step}")),
    ]
}

/// Where outcomes lead; `all` says that sometimes every outcome leads somewhere.
fn on(count: usize, all: bool) -> impl Strategy<Value = Value> {
    let outcomes: Vec<&'static str> = Outcome::BY_STRENGTH.into_iter().map(Outcome::as_str).collect();
    let most = select(vec!["failed", "unknown", "expired", "no_answer"]);
    let few = prop::collection::btree_map(prop_oneof![most, select(outcomes.clone())], target(count), 0..3);
    let every = prop::collection::vec(target(count), outcomes.len())
        .prop_map(move |targets| outcomes.iter().copied().zip(targets).collect::<BTreeMap<_, _>>());
    prop_oneof![4 => few, u32::from(all) => every].prop_map(|map| json!(map))
}
