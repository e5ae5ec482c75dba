use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    apply::{Applied, Completed, apply_outcome, complete_task},
    enrollment::End,
    fixtures::{World, accepted, cadence, minutes, tuesday},
    overdue::{Remedy, remedy},
    plan::Plan,
};

/// A call that a decline pauses, then a text and an email.
fn record(anytime: Value) -> World {
    let steps = json!([
        {"id": "dial", "do": "dial", "wait": "0m", "on": {"declined": "pause", "busy": "pause"}},
        {"id": "text", "do": "canned_sms", "wait": "30m", "message": "sms/intro"},
        {"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"}]);
    let record = json!({"anytime": anytime, "hours": {"sms": "daily 09:00-20:00"}, "steps": steps});
    World::new(cadence(record), tuesday())
}

fn tell(world: &mut World, step: &str, outcome: Outcome, now: DateTime<Utc>) {
    let report = world.report(step, 1, outcome, now);
    let Applied::Change(change) = apply_outcome(&world.context, &report, now) else { panic!("known") };
    world.commit(*change);
}

/// The call is made, and the lead declines.
fn paused(anytime: Value) -> World {
    let mut world = record(anytime);
    world.run(accepted(), tuesday());
    tell(&mut world, "dial", Outcome::Declined, tuesday() + minutes(5));
    world
}

fn task(world: &World) -> Task {
    world.context.asked_to_resume().next().unwrap().clone()
}

fn complete(world: &mut World, task: &Task, outcome: Outcome, now: DateTime<Utc>) {
    let Completed::Change(change) = complete_task(&world.context, task, &task.user, outcome, None, now) else {
        panic!()
    };
    world.commit(*change);
}

/// Who is asked says so.
fn answer(world: &mut World, said: Outcome, now: DateTime<Utc>) {
    let task = task(world);
    complete(world, &task, said, now);
}

const RESTS: State = State::Parked { why: Park::Outcome };

#[test]
fn what_an_outcome_pauses_is_its_owners_to_let_go_on() {
    let world = paused(json!({}));
    assert_eq!(world.state(), &RESTS);
    let task = task(&world);
    assert_eq!(
        (task.kind, task.user.as_str(), task.task_due_at),
        (TaskKind::Resume, "lo-riley", tuesday() + minutes(245))
    );
    let text = "Robin Example: the cadence test rests, because dial came to declined. \
                Once you complete this task the cadence goes on, unless what you say of it ends, moves or pauses it.";
    assert_eq!(task.text, text);
    let said = "an outcome asked for a pause, dial came to declined; lo-riley is asked to let it go on";
    assert_eq!(world.said(EntryKind::Parked), said);
    let entry = world.entries.iter().find(|entry| entry.kind == EntryKind::Parked).unwrap();
    assert_eq!(entry.to.as_deref(), Some("lo-riley"));
}

#[test]
fn a_step_that_comes_to_a_pause_by_itself_asks_the_owner_too() {
    let steps = json!([
        {"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro", "on": {"failed": "pause"}},
        {"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"}]);
    let mut world = World::new(cadence(json!({"steps": steps})), tuesday());
    world.run(crate::fixtures::rejected(), tuesday());
    assert_eq!(world.state(), &RESTS);
    answer(&mut world, Outcome::Skipped, tuesday() + minutes(5));
    assert_eq!(world.next(), "Run mail 1 at Tue 11:00:00");
}

#[rstest]
#[case::before_it_is_due(10, "Run text 1 at Tue 10:30:00")]
#[case::after_it_was_due(90, "Run text 1 at Tue 11:30:00")]
#[case::in_the_night(60 * 12, "Run text 1 at Wed 09:00:00")]
fn it_goes_on_at_the_next_opening_once_that_task_is_completed(#[case] after: i64, #[case] expected: &str) {
    let mut world = paused(json!({}));
    let generation = world.context.enrollment.progress.generation;
    answer(&mut world, Outcome::Skipped, tuesday() + minutes(after));
    assert_eq!((world.state(), world.next().as_str()), (&State::Active, expected));
    assert_eq!(world.context.enrollment.progress.generation, generation + 1, "one write");
    assert_eq!(world.context.asked_to_resume().count(), 0);
    let released = world.entries.iter().find(|entry| entry.kind == EntryKind::Released).unwrap();
    assert_eq!(released.until, Some(world.due_at()));
}

#[rstest]
#[case::ends(json!({"connected": "end"}), Outcome::Connected, Some(End::Outcome(Outcome::Connected)))]
#[case::wants_no_more(json!({}), Outcome::OptedOut, Some(End::Outcome(Outcome::OptedOut)))]
#[case::wants_no_more_and_the_record_goes_on(json!({"opted_out": "next"}), Outcome::OptedOut, None)]
#[case::goes_on(json!({"connected": "next"}), Outcome::Connected, None)]
fn what_the_user_says_of_it_may_lead_elsewhere(
    #[case] anytime: Value,
    #[case] said: Outcome,
    #[case] ends: Option<End>,
) {
    let mut world = paused(anytime);
    answer(&mut world, said, tuesday() + minutes(10));
    let expected = ends.map_or(State::Active, |why| State::Ended { why });
    assert_eq!(world.state(), &expected);
    assert_eq!(world.context.lead.opt_outs.is_empty(), said != Outcome::OptedOut);
}

#[test]
fn a_pause_again_asks_again() {
    let mut world = paused(json!({"declined": "pause"}));
    let first = task(&world);
    complete(&mut world, &first, Outcome::Declined, tuesday() + minutes(10));
    assert_eq!(world.state(), &RESTS);
    let second = task(&world);
    assert_ne!(first.id, second.id);
    complete(&mut world, &second, Outcome::Skipped, tuesday() + minutes(20));
    assert_eq!(world.state(), &State::Active);
}

#[test]
fn who_is_asked_is_not_asked_twice_and_every_such_task_is_closed_with_the_first() {
    let mut world = record(json!({}));
    world.run(accepted(), tuesday());
    tell(&mut world, "dial", Outcome::Busy, tuesday() + minutes(5));
    tell(&mut world, "dial", Outcome::Declined, tuesday() + minutes(6));
    assert_eq!(world.context.asked_to_resume().count(), 1);
    let first = task(&world);
    let mut other = first.clone();
    other.id.key.step = "lead~asked-again-1".into();
    world.context.open_tasks.push(other.clone());
    complete(&mut world, &other, Outcome::Skipped, tuesday() + minutes(10));
    assert_eq!((world.state(), world.context.asked_to_resume().count()), (&State::Active, 0));
}

#[test]
fn what_is_being_delivered_is_not_what_it_goes_on_with() {
    let mut world = record(json!({}));
    world.run(accepted(), tuesday());
    let now = world.due_at();
    let Plan::Send(plan) = world.plan(now) else { panic!() };
    let claim = world.claim(&plan, now);
    tell(&mut world, "dial", Outcome::Declined, now);
    answer(&mut world, Outcome::Skipped, now + minutes(1));
    assert_eq!(world.state(), &State::Parked { why: Park::Resumed });
    assert!(matches!(remedy(&world.context, now + minutes(1)), Remedy::Leave), "while it is being delivered");
    world.settle(accepted(), now + minutes(1));
    assert!(matches!(world.state(), State::Parked { .. }) && claim.step.as_str() == "text");
    assert!(world.reconcile(now + minutes(5)));
    assert_eq!(world.state(), &State::Active);
    assert!(world.next().starts_with("Run mail 1 at Tue 11:3"), "{}", world.next());
}

#[test]
fn where_nobody_may_act_for_the_lead_it_rests_and_says_so() {
    let mut world = record(json!({}));
    world.run(accepted(), tuesday());
    world.context.lead.owner = None;
    world.context.users.clear();
    tell(&mut world, "dial", Outcome::Declined, tuesday());
    assert_eq!((world.state(), world.context.asked_to_resume().count()), (&RESTS, 0));
    assert!(world.said(EntryKind::Parked).ends_with("nobody can be asked to let it go on"));
}

#[test]
fn nobody_is_asked_any_more_once_it_is_over_and_a_late_word_changes_nothing() {
    let mut world = paused(json!({"connected": "end"}));
    let task = task(&world);
    tell(&mut world, "dial", Outcome::Connected, tuesday() + minutes(9));
    assert_eq!((world.state(), world.open().len()), (&State::Ended { why: End::Outcome(Outcome::Connected) }, 0));
    // Somebody who completes it at that moment has read it as it was before.
    let said = complete_task(&world.context, &task, &task.user, Outcome::Skipped, None, tuesday() + minutes(10));
    assert!(matches!(said, Completed::Change(change) if change.progress.is_none()));

    let mut world = paused(json!({}));
    world.context.status = crate::records::Status::Archived;
    assert!(world.reconcile(tuesday() + minutes(600)));
    world.run(accepted(), world.due_at());
    assert_eq!((world.state(), world.open().len()), (&State::Ended { why: End::Archived }, 0));
}

#[test]
fn such_a_task_of_what_runs_lets_nothing_go() {
    let mut world = paused(json!({}));
    let task = task(&world);
    world.context.enrollment.progress.state = State::Active;
    let before = world.context.enrollment.progress.clone();
    complete(&mut world, &task, Outcome::Skipped, tuesday() + minutes(90));
    assert_eq!(world.context.enrollment.progress, before);
}
