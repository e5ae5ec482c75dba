use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    apply::{Applied, apply_outcome},
    enrollment::{End, Park, State},
    fixtures::{World, accepted, cadence, clock, later, minutes, rejected, steps, touched, tuesday, unknown},
    lead::{ChannelConsent, OptOut},
    overdue::{Remedy, remedy},
    plan::Plan,
};

fn step_of(action: &str) -> Value {
    match action {
        "ai_dial" => json!({"id": "it", "do": action, "wait": "0m", "agent": "x"}),
        "canned_sms" | "canned_email" => json!({"id": "it", "do": action, "wait": "0m", "message": "sms/intro"}),
        _ => json!({"id": "it", "do": action, "wait": "0m"}),
    }
}

fn of(action: &str) -> World {
    World::new(steps(json!([step_of(action), {"id": "after", "do": "dial", "wait": "1h"}])), tuesday())
}

fn claimed(action: &str) -> World {
    let mut world = of(action);
    claim(&mut world, tuesday());
    world
}

fn claim(world: &mut World, now: DateTime<Utc>) {
    let Plan::Send(plan) = world.plan(now) else { panic!() };
    world.claim(&plan, now);
}

fn settlement(world: &World, delivery: Delivery) -> Settlement {
    let taken = world.claims.last().unwrap();
    settle_step(&world.context, &taken.claim, &taken.plan.action, delivery, tuesday())
}

const ALL: [&str; 4] = ["canned_sms", "canned_email", "ai_dial", "dial"];

#[test]
fn every_answer_is_recorded_as_an_attempt_of_its_claim() {
    for action in ALL {
        for delivery in [accepted(), rejected(), later(), unknown()] {
            let world = claimed(action);
            let attempt = settlement(&world, delivery.clone()).attempt;
            let claim = world.context.enrollment.claim.clone().unwrap();
            assert_eq!((attempt.key, attempt.try_number), (world.key("it", 1), 1));
            assert_eq!((attempt.claim, attempt.effect, attempt.delivery), (claim.id, claim.effect, delivery));
        }
    }
}

#[rstest]
#[case::sms("canned_sms", "Run after 1 at Tue 11:00:00")]
#[case::email("canned_email", "Run after 1 at Tue 11:00:00")]
#[case::a_call_holds("ai_dial", "ExpireHold it 1 at Tue 10:15:00")]
#[case::task("dial", "Run after 1 at Tue 11:00:00")]
fn what_was_accepted_goes_on(#[case] action: &str, #[case] expected: &str) {
    let mut world = claimed(action);
    world.settle(accepted(), tuesday());
    assert_eq!(world.next(), expected);
    assert_eq!(world.context.enrollment.claim, None);
}

#[test]
fn what_was_rejected_or_may_have_been_sent_is_never_tried_again() {
    for action in ALL {
        for delivery in [rejected(), unknown()] {
            let mut world = claimed(action);
            world.settle(delivery.clone(), tuesday());
            assert_eq!(world.next(), "Run after 1 at Tue 11:00:00", "{action} {delivery:?}");
            // A user who is not asked after all is no message that failed.
            let is_seen_to = action != "dial" || delivery == unknown();
            let expected = if is_seen_to { vec!["it~review"] } else { vec![] };
            assert_eq!(world.open(), expected, "a person looks at what was not sent, and at what may not have been");
        }
    }
}

#[test]
fn what_was_certainly_not_sent_is_tried_again_later_and_later_and_then_fails() {
    for action in ALL {
        let mut world = of(action);
        let mut waits = Vec::new();
        while world.next().starts_with("Run it 1") {
            let now = world.due_at();
            world.run(later(), now);
            waits.push((world.due_at() - now).num_minutes());
        }
        assert_eq!(waits[..5], [1, 5, 15, 60, 240], "{action}");
        assert_eq!(waits.len(), usize::try_from(MAX_TRIES).unwrap(), "{action}");
        assert_eq!(world.claims.last().unwrap().claim.try_number, MAX_TRIES);
        assert!(world.next().starts_with("Run after 1"), "{action}: {}", world.next());
        assert!(world.kinds().ends_with(&[EntryKind::Retried, EntryKind::Failed]), "{action}");
        assert_eq!(world.open(), ["it~review"], "{action}");
    }
}

#[test]
fn a_try_again_waits_for_the_hours() {
    let mut world = of("canned_sms");
    let evening = tuesday() + minutes(9 * 60 + 54);
    world.context.enrollment.progress.next.as_mut().unwrap().due_at = evening;
    world.run(later(), evening);
    assert_eq!(world.next(), "Run it 1 at Wed 09:00:00");
}

#[test]
fn a_caps_slot_returns_only_if_nothing_was_sent() {
    for (delivery, left) in [(accepted(), 1), (unknown(), 1), (rejected(), 0), (later(), 0)] {
        let mut world = claimed("canned_sms");
        world.settle(delivery.clone(), tuesday());
        assert_eq!(world.context.lead.touches.len(), left, "{delivery:?}");
    }
}

#[test]
fn the_timeline_says_how_every_try_ended_and_what_was_said() {
    for (action, delivery, kind, text) in [
        ("canned_sms", accepted(), EntryKind::Sent, Some("Hi Robin, Riley here.")),
        ("canned_email", accepted(), EntryKind::Sent, Some("For Robin\n\nHi Robin, Riley here.")),
        ("ai_dial", accepted(), EntryKind::CallPlaced, None),
        ("dial", accepted(), EntryKind::TaskOpened, Some("Hi Robin, Riley here.")),
        ("canned_sms", rejected(), EntryKind::Failed, Some("the number is not in service")),
        ("canned_sms", later(), EntryKind::Retried, Some("the vendor was busy")),
        ("ai_dial", unknown(), EntryKind::Unsure, Some("the vendor did not answer")),
    ] {
        let mut world = claimed(action);
        world.settle(delivery, tuesday());
        let entry = &world.entries[0];
        assert_eq!((entry.kind, entry.text.as_deref()), (kind, text), "{action}");
        assert_eq!((entry.step.as_ref().unwrap().as_str(), entry.round, entry.try_number), ("it", Some(1), Some(1)));
        assert_eq!(entry.enrollment.as_ref(), Some(&world.context.enrollment.id));
    }
}

#[test]
fn a_claim_settled_after_the_enrollment_moved_on_leaves_what_is_next_alone() {
    for action in ALL {
        for delivery in [accepted(), rejected(), later(), unknown()] {
            let mut world = claimed(action);
            world.context.enrollment.progress.generation += 1;
            world.context.enrollment.progress.state = State::Ended { why: End::Archived };
            world.context.enrollment.progress.next = None;
            let before = world.context.enrollment.progress.clone();
            let settlement = settlement(&world, delivery.clone());
            assert_eq!(settlement.change.progress, None, "{action} {delivery:?}");
            world.settled(settlement);
            assert_eq!(world.context.enrollment.progress, before);
            assert_eq!(world.context.enrollment.claim, None);
            let asked = if delivery == unknown() { &["it~review"][..] } else { &[] };
            assert_eq!(world.open(), asked, "what is over asks nobody, but to look at what nobody knows");
        }
    }
}

#[test]
fn what_was_delivered_while_its_enrollment_came_to_rest_is_not_delivered_again() {
    let record = json!({"anytime": {"declined": "pause"}, "hours": {"call": "daily 09:00-20:00"}, "skip_holidays": false,
        "steps": [{"id": "call", "do": "dial", "wait": "0m"}, step_of("ai_dial"), {"id": "after", "do": "dial", "wait": "1h"}]});
    for (delivery, expected) in [
        (accepted(), "ExpireHold it 1 at Tue 10:15:00"),
        (unknown(), "Run after 1 at Tue 11:00:00"),
        (rejected(), "Run after 1 at Tue 11:00:00"),
        (later(), "Run it 1 at Tue 10:01:00"),
    ] {
        let mut world = World::new(cadence(record.clone()), tuesday());
        world.run(accepted(), tuesday());
        claim(&mut world, tuesday());
        let report = world.report("call", 1, Outcome::Declined, tuesday());
        let Applied::Change(change) = apply_outcome(&world.context, &report, tuesday()) else { panic!() };
        world.commit(*change);
        assert_eq!(world.next(), "Run it 1 at Tue 10:00:00");
        world.settle(delivery.clone(), tuesday());
        assert_eq!(world.state(), &State::Parked { why: Park::Outcome }, "{delivery:?}");
        assert_eq!(world.next(), expected, "{delivery:?}");
    }
}

#[test]
fn a_claim_that_ran_out_is_settled_from_its_attempt_or_is_unsure() {
    for action in ["canned_sms", "canned_email", "ai_dial"] {
        for (recorded, kind) in [
            (Some(accepted()), None),
            (Some(rejected()), Some(EntryKind::Failed)),
            (Some(later()), Some(EntryKind::Retried)),
            (None, Some(EntryKind::Unsure)),
        ] {
            let mut world = claimed(action);
            let now = tuesday() + minutes(2);
            world.context.attempt = recorded.clone().map(|delivery| settlement(&world, delivery).attempt);
            let Plan::Settle(settlement) = world.plan(now) else { panic!("{action}") };
            world.settled(*settlement);
            let ended = world.kinds()[0];
            assert_eq!(ended, kind.unwrap_or(ended), "{action} {recorded:?}");
            let tries_again = recorded == Some(later());
            assert_eq!(world.next().starts_with("Run it"), tries_again, "{action} {recorded:?}: {}", world.next());
        }
    }
}

#[test]
fn a_task_whose_claim_ran_out_is_made_once() {
    let mut world = claimed("dial");
    let Plan::Settle(settlement) = world.plan(tuesday() + minutes(2)) else { panic!() };
    world.settled(*settlement);
    assert_eq!(world.open(), ["it"]);
    assert_eq!(world.next(), "Run after 1 at Tue 11:00:00");
}

#[test]
fn nobody_is_asked_to_call_a_lead_who_opted_out_while_the_step_was_claimed() {
    for claim_ran_out in [false, true] {
        let mut world = claimed("dial");
        world.context.lead.opt_outs.insert(OptOut::Phone, tuesday());
        match claim_ran_out {
            true => assert!(world.reconcile(tuesday() + minutes(2))),
            false => world.settle(accepted(), tuesday()),
        }
        assert!(world.open().is_empty(), "{claim_ran_out}");
        assert_eq!((world.kinds(), world.said(EntryKind::Skipped)), (vec![EntryKind::Skipped], "the lead opted out"));
        assert_eq!(world.next(), "Run after 1 at Tue 11:00:00");
    }
}

#[test]
fn a_task_whose_claim_ran_out_when_the_hours_were_over_is_made_when_they_open() {
    let late = tuesday() + minutes(9 * 60 + 54);
    for (now, open, next) in
        [(late, &["it"][..], "Run after 1 at Wed 09:00:00"), (late + minutes(7), &[], "Run it 1 at Wed 09:00:00")]
    {
        let mut world = of("dial");
        claim(&mut world, late);
        match now == late {
            true => world.settle(accepted(), now),
            false => assert!(world.reconcile(now)),
        }
        assert_eq!((world.open().as_slice(), world.next().as_str()), (open, next));
    }
}

#[test]
fn plan_and_reconcile_settle_a_claim_that_ran_out_alike() {
    let world = claimed("canned_sms");
    let now = tuesday() + minutes(2);
    let Plan::Settle(planned) = world.plan(now) else { panic!() };
    let Remedy::Settle(remedied) = remedy(&world.context, now) else { panic!() };
    assert_eq!(planned, remedied);
}

#[test]
fn a_task_for_nobody_is_a_failure_and_not_silence() {
    let mut world = claimed("dial");
    world.context.users.clear();
    world.settle(accepted(), tuesday());
    assert_eq!(world.kinds(), [EntryKind::Failed]);
    assert_eq!(world.said(EntryKind::Failed), "nobody is there to be asked");
    assert_eq!(world.next(), "Run after 1 at Tue 11:00:00");
}

#[test]
fn a_step_that_left_the_cadence_only_clears_its_claim() {
    let mut world = claimed("canned_sms");
    world.context.cadence.steps.remove(0);
    let settlement = settlement(&world, accepted());
    assert_eq!(settlement.change.progress, None);
}

#[test]
fn the_task_in_place_of_an_instant_text_is_made_once_and_then_machines_may() {
    let record =
        json!([step_of("canned_sms"), {"id": "again", "do": "canned_sms", "wait": "1h", "message": "sms/intro"}]);
    let mut world = World::new(steps(record), tuesday());
    world.context.enrollment.progress.stale = true;
    world.run(accepted(), tuesday());
    assert_eq!((world.open(), world.context.enrollment.progress.stale), (vec!["it"], false));
    world.run(accepted(), world.due_at());
    assert_eq!(world.claims.last().unwrap().claim.effect, Effect::Sms);
}

#[test]
fn a_stale_lead_who_agreed_to_nothing_stays_stale() {
    let mut world = of("canned_sms");
    world.context.enrollment.progress.stale = true;
    world.context.lead.consent = ChannelConsent::default();
    world.run(accepted(), tuesday());
    assert!(world.context.enrollment.progress.stale);
}

#[test]
fn a_hold_counts_from_the_answer_and_the_next_wait_from_the_due_instant() {
    let mut world = of("ai_dial");
    claim(&mut world, tuesday() + minutes(1));
    world.settle(accepted(), tuesday() + minutes(1) + TimeDelta::milliseconds(30_200));
    assert_eq!(clock(world.due_at()), "Tue 10:16:31");
    world.run(accepted(), world.due_at());
    assert_eq!(world.next(), "Run after 1 at Tue 11:00:00");
}

#[test]
fn a_cap_counts_the_claim_that_was_sent() {
    let mut world = of("ai_dial");
    world.context.lead = touched(&[]);
    world.run(accepted(), tuesday());
    let again =
        World::of(crate::plan::StepContext { enrollment: of("ai_dial").0.context.enrollment, ..world.0.context });
    assert!(matches!(again.plan(tuesday()), Plan::Change(_)), "a second AI call on the same day waits");
}

#[test]
fn the_attempt_and_the_timeline_say_which_message_it_was() {
    for (action, expected) in [
        ("canned_sms", Some("sms/intro")),
        ("canned_email", Some("sms/intro")),
        ("dial", Some("sms/intro")),
        ("ai_dial", None),
    ] {
        let mut world = claimed(action);
        let said = settlement(&world, accepted()).attempt.message;
        assert_eq!(said.as_ref().map(|id| id.as_str()), expected, "{action}");
        world.settle(accepted(), tuesday());
        let entry = world.entries.last().unwrap();
        assert_eq!(entry.message.as_ref().map(|id| id.as_str()), expected, "{action}: {entry:?}");
    }
}
