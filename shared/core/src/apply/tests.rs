use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    enrollment::Park,
    fixtures::{World, accepted, cadence, clock, context, minutes, reference, rejected, tuesday},
    plan::Plan,
    records::{Cadence, Status},
};

const HOURS: &str = "daily 08:00-21:00";

fn of(anytime: Value, steps: Value) -> Cadence {
    cadence(json!({"anytime": anytime, "steps": steps, "hours": {"call": HOURS, "sms": HOURS, "email": "any time"},
        "skip_holidays": false}))
}

/// A held dial, a text, an AI call and an email, an hour apart.
fn four(anytime: Value, first_on: Value) -> Cadence {
    of(
        anytime,
        json!([
            {"id": "dial", "do": "dial", "wait": "0m", "hold": "30m", "on": first_on},
            {"id": "text", "do": "canned_sms", "wait": "1h", "message": "sms/intro"},
            {"id": "robot", "do": "ai_dial", "wait": "1h", "agent": "x"},
            {"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"}]),
    )
}

fn ends() -> Value {
    json!({"replied": "end", "connected": "end", "appointment_set": "end", "called_back": "end"})
}

/// Applies a report; false if it was known.
fn tell(world: &mut World, step: &str, outcome: Outcome, now: DateTime<Utc>) -> bool {
    tell_round(world, (step, 1), outcome, now)
}

fn tell_round(world: &mut World, (step, round): (&str, u32), outcome: Outcome, now: DateTime<Utc>) -> bool {
    match apply_outcome(&world.context, &world.report(step, round, outcome, now), now) {
        Applied::Change(change) => world.commit(*change),
        Applied::Known => return false,
    }
    true
}

fn ended_by(outcome: Outcome) -> State {
    State::Ended { why: End::Outcome(outcome) }
}

/// The world after its first step has run.
fn begun(cadence: Cadence) -> World {
    let mut world = World::new(cadence, tuesday());
    world.run(accepted(), tuesday());
    world
}

#[test]
fn the_outcome_of_the_step_that_is_held_leads_on_as_the_step_says() {
    for (outcome, on, expected) in [
        (Outcome::Voicemail, json!({}), "Run text 1 at Tue 11:00:00"),
        (Outcome::BadNumber, json!({"bad_number": "mail"}), "Run mail 1 at Tue 11:00:00"),
        (Outcome::Busy, json!({"busy": "dial"}), "Run dial 2 at Tue 10:05:00"),
        (Outcome::Connected, json!({"connected": "robot"}), "Run robot 1 at Tue 11:00:00"),
        (Outcome::Connected, json!({}), "nothing"),
    ] {
        let mut world = begun(four(ends(), on.clone()));
        assert!(tell(&mut world, "dial", outcome, tuesday() + minutes(5)));
        assert_eq!(world.next(), expected, "{outcome:?} {on}");
    }
}

#[test]
fn an_end_says_which_steps_will_not_run() {
    for (step, outcome, expected) in [
        ("dial", Outcome::Connected, "ended by connected; not run: text, robot, mail"),
        ("dial", Outcome::AppointmentSet, "ended by appointment_set; not run: text, robot, mail"),
    ] {
        let mut world = begun(four(ends(), json!({})));
        tell(&mut world, step, outcome, tuesday() + minutes(5));
        assert_eq!(world.said(EntryKind::Ended), expected);
    }

    // What is due next has not run; what is being delivered or held has.
    let mut world = begun(reference());
    tell(&mut world, "first-call", Outcome::Connected, tuesday());
    assert_eq!(world.said(EntryKind::Ended), "ended by connected; not run: intro-text, robot-call, intro-email");

    let mut world = begun(reference());
    let Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
    world.claim(&plan, tuesday());
    tell(&mut world, "first-call", Outcome::Connected, tuesday());
    assert_eq!(world.said(EntryKind::Ended), "ended by connected; not run: robot-call, intro-email");

    let mut world = begun(reference());
    world.run(accepted(), tuesday());
    world.run(accepted(), world.due_at());
    tell(&mut world, "first-call", Outcome::Connected, tuesday() + minutes(20));
    assert_eq!(world.said(EntryKind::Ended), "ended by connected; not run: intro-email");

    let mut world = begun(of(ends(), json!([{"id": "dial", "do": "dial", "wait": "0m", "hold": "1h"}])));
    tell(&mut world, "dial", Outcome::Connected, tuesday());
    assert_eq!(world.said(EntryKind::Ended), "ended by connected");
}

/// The dial's outcome arrives when the text is due next.
#[rstest]
#[case::next(json!({"voicemail": "next"}), "Run text 1 at Tue 10:30:00")]
#[case::not_listed(json!({}), "Run text 1 at Tue 10:30:00")]
#[case::back(json!({"voicemail": "dial"}), "Run text 1 at Tue 10:30:00")]
#[case::where_it_is(json!({"voicemail": "text"}), "Run text 1 at Tue 10:30:00")]
#[case::forward(json!({"voicemail": "mail"}), "Run mail 1 at Tue 11:15:00")]
#[case::end(json!({"voicemail": "end"}), "nothing")]
#[case::switch(json!({"voicemail": {"cadence": "nurture"}}), "nothing")]
fn the_outcome_of_an_earlier_step_may_only_end_pause_switch_or_jump_forward(#[case] on: Value, #[case] expected: &str) {
    let steps = json!([
        {"id": "dial", "do": "dial", "wait": "0m", "on": on},
        {"id": "text", "do": "canned_sms", "wait": "30m", "message": "sms/intro"},
        {"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"}]);
    let mut world = begun(of(json!({}), steps));
    let generation = world.context.enrollment.progress.generation;
    tell(&mut world, "dial", Outcome::Voicemail, tuesday() + minutes(15));
    assert_eq!(world.next(), expected);
    let moved = world.context.enrollment.progress.generation > generation;
    assert_eq!(moved, expected != "Run text 1 at Tue 10:30:00", "it retires timers only if it moves");
}

#[test]
fn an_earlier_step_may_pause_what_is_due_and_leaves_it_due() {
    let steps = json!([
        {"id": "dial", "do": "dial", "wait": "0m", "on": {"declined": "pause"}},
        {"id": "text", "do": "canned_sms", "wait": "30m", "message": "sms/intro"}]);
    let mut world = begun(of(json!({}), steps));
    tell(&mut world, "dial", Outcome::Declined, tuesday());
    assert_eq!(world.state(), &State::Parked { why: Park::Outcome });
    assert_eq!(world.next(), "Run text 1 at Tue 10:30:00");
    assert!(!world.reconcile(tuesday() + minutes(600)), "only a person resumes it");
}

#[test]
fn an_enrollment_that_rests_goes_on_resting_whatever_is_reported() {
    for why in [Park::Outcome, Park::CadencePaused] {
        let mut world = begun(four(ends(), json!({"bad_number": "mail"})));
        world.context.enrollment.progress.state = State::Parked { why };
        tell(&mut world, "dial", Outcome::Voicemail, tuesday());
        assert_eq!((world.state(), world.next().as_str()), (&State::Parked { why }, "Run text 1 at Tue 11:00:00"));
        tell(&mut world, "dial", Outcome::BadNumber, tuesday());
        assert_eq!((world.state(), world.next().as_str()), (&State::Parked { why }, "Run text 1 at Tue 11:00:00"));
        tell(&mut world, "dial", Outcome::Connected, tuesday());
        assert_eq!(world.state(), &ended_by(Outcome::Connected), "but it may end");
    }
}

#[test]
fn an_outcome_during_a_live_claim_moves_the_enrollment_and_leaves_the_claim() {
    // The text's function is at work when the lead picks up the phone.
    let mut world = begun(reference());
    let Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
    world.claim(&plan, tuesday());
    tell(&mut world, "first-call", Outcome::Connected, tuesday());
    assert_eq!(world.state(), &ended_by(Outcome::Connected));
    assert!(world.context.enrollment.claim.is_some());
    world.settle(accepted(), tuesday());
    assert_eq!((world.state(), world.next().as_str()), (&ended_by(Outcome::Connected), "nothing"));
}

#[test]
fn an_ai_calls_outcome_may_arrive_before_the_answer_to_placing_it() {
    let mut world = World::new(
        of(
            json!({}),
            json!([
        {"id": "robot", "do": "ai_dial", "wait": "0m", "agent": "x"},
        {"id": "text", "do": "canned_sms", "wait": "1h", "message": "sms/intro"}]),
        ),
        tuesday(),
    );
    let Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
    world.claim(&plan, tuesday());
    tell(&mut world, "robot", Outcome::NoAnswer, tuesday() + minutes(1));
    assert_eq!(world.next(), "Run text 1 at Tue 11:00:00");
    world.settle(accepted(), tuesday() + minutes(1));
    assert_eq!(world.next(), "Run text 1 at Tue 11:00:00", "settling holds nothing any more");
}

#[test]
fn the_outcome_of_a_late_call_counts_from_its_claim_whether_or_not_that_was_settled() {
    for settles_first in [true, false] {
        let mut world = World::new(four(json!({}), json!({})), tuesday());
        world.context.cadence.steps.remove(0);
        let robot = world.step("robot").clone();
        world.context.cadence.steps = vec![robot, world.step("mail").clone()];
        world.context.enrollment = crate::fixtures::begun(&world.context.cadence, tuesday() - minutes(60));
        let late = tuesday() + minutes(60);
        let Plan::Send(plan) = world.plan(late) else { panic!() };
        world.claim(&plan, late);
        if settles_first {
            world.settle(accepted(), late);
        }
        tell(&mut world, "robot", Outcome::NoAnswer, late + minutes(1));
        assert_eq!(world.next(), "Run mail 1 at Tue 12:00:00", "settled first: {settles_first}");
    }
}

#[test]
fn a_round_that_is_to_be_redialled_does_not_yet_do_what_on_says() {
    let steps = json!([
        {"id": "dial", "do": "dial", "wait": "0m", "attempts": 3, "every": "2h", "on": {"busy": "end"}},
        {"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"}]);
    let mut world = begun(of(json!({}), steps.clone()));
    tell(&mut world, "dial", Outcome::Busy, tuesday() + minutes(1));
    assert_eq!(world.next(), "Run dial 2 at Tue 12:00:00");
    assert!(!tell(&mut world, "dial", Outcome::Busy, tuesday() + minutes(2)), "twice is once");

    // The hold of the first round expired; its outcome comes when the email is due next.
    let mut world = begun(of(json!({}), steps));
    world.run(accepted(), world.due_at());
    let before = world.next();
    assert!(before.starts_with("Run mail"));
    tell(&mut world, "dial", Outcome::Busy, tuesday() + minutes(500));
    assert_eq!(world.next(), before);
    tell_round(&mut world, ("dial", 3), Outcome::Busy, tuesday() + minutes(500));
    assert_eq!(world.state(), &ended_by(Outcome::Busy), "the last round's counts");
}

#[test]
fn the_strongest_report_stands_and_the_same_twice_is_known() {
    let mut world = begun(four(json!({}), json!({})));
    for (outcome, is_news, stands) in [
        (Outcome::NoAnswer, true, Outcome::NoAnswer),
        (Outcome::NoAnswer, false, Outcome::NoAnswer),
        (Outcome::Voicemail, true, Outcome::Voicemail),
        (Outcome::NoAnswer, false, Outcome::Voicemail),
        (Outcome::Connected, true, Outcome::Connected),
        (Outcome::Voicemail, false, Outcome::Connected),
    ] {
        assert_eq!(tell(&mut world, "dial", outcome, tuesday()), is_news, "{outcome:?}");
        assert_eq!(world.outcome(&world.key("dial", 1)).unwrap().outcome, stands);
    }
    assert_eq!(world.context.outcomes.len(), 1);
}

#[test]
fn whether_the_cadence_is_over_does_not_hang_on_the_order_of_reports() {
    for (one, other) in [(Outcome::Connected, Outcome::OptedOut), (Outcome::Replied, Outcome::Transferred)] {
        for order in [[one, other], [other, one]] {
            let mut world = begun(four(ends(), json!({})));
            for outcome in order {
                tell(&mut world, "dial", outcome, tuesday());
            }
            assert!(world.context.enrollment.has_ended(), "{order:?}");
            assert!(!tell(&mut world, "dial", one, tuesday()), "{order:?} and again");
        }
    }
}

#[rstest]
#[case(Outcome::OptedOut, OptOut::Phone, "phone-hash")]
#[case(Outcome::Unsubscribed, OptOut::Email, "email-hash")]
#[case(Outcome::Complained, OptOut::Email, "email-hash")]
fn an_opt_out_always_closes_its_channel_and_its_address(
    #[case] outcome: Outcome,
    #[case] closes: OptOut,
    #[case] hash: &str,
) {
    for on in [json!({}), json!({"opted_out": "next", "unsubscribed": "next", "complained": "end"})] {
        let mut world = begun(four(json!({}), on));
        let revision = world.context.lead.revision;
        let Applied::Change(change) =
            apply_outcome(&world.context, &world.report("dial", 1, outcome, tuesday()), tuesday())
        else {
            panic!()
        };
        let expected = LeadChange::OptOut { revision, closes, address_hash: Some(hash.to_owned()), at: tuesday() };
        assert_eq!(change.lead, Some(expected));
        world.commit(*change);
        assert_eq!(world.context.lead.opt_outs.keys().collect::<Vec<_>>(), [&closes]);
        assert!(world.kinds().contains(&EntryKind::OptedOut));
        assert!(!tell(&mut world, "dial", outcome, tuesday()), "twice is once");
    }
}

#[test]
fn an_opt_out_counts_after_a_stronger_one_and_after_the_end() {
    for order in [[Outcome::Unsubscribed, Outcome::OptedOut], [Outcome::OptedOut, Outcome::Unsubscribed]] {
        let mut world = begun(four(json!({}), json!({})));
        for outcome in order {
            tell(&mut world, "dial", outcome, tuesday());
        }
        assert_eq!(world.context.lead.opt_outs.len(), 2, "{order:?}");
    }
    let mut world = begun(four(ends(), json!({})));
    tell(&mut world, "dial", Outcome::Connected, tuesday());
    let generation = world.context.enrollment.progress.generation;
    assert!(tell(&mut world, "mail", Outcome::Unsubscribed, tuesday()));
    assert_eq!(world.context.lead.opt_outs.len(), 1);
    assert_eq!(world.context.enrollment.progress.generation, generation, "what is over emits nothing");
}

#[test]
fn an_opt_out_closes_the_tasks_to_do_what_the_lead_no_longer_wants() {
    let steps = json!([
        {"id": "call", "do": "dial", "wait": "0m"},
        {"id": "text", "do": "custom_sms", "wait": "0m"},
        {"id": "write", "do": "custom_email", "wait": "0m"},
        {"id": "robot", "do": "ai_dial", "wait": "0m", "agent": "x"}]);
    for (outcome, left) in [(Outcome::OptedOut, &["write"][..]), (Outcome::Unsubscribed, &["call", "text"])] {
        let mut world = begun(of(json!({}), steps.clone()));
        world.run(accepted(), tuesday());
        world.run(accepted(), tuesday());
        world.run(accepted(), tuesday());
        assert_eq!(world.open(), ["call", "text", "write"]);
        tell(&mut world, "text", outcome, tuesday());
        assert_eq!(world.open(), left, "{outcome:?}");
    }
}

#[rstest]
#[case(Outcome::Replied, "Robin Example replied. what was said")]
#[case(Outcome::AppointmentSet, "Robin Example appointment set. what was said")]
#[case(Outcome::CalledBack, "Robin Example called back. what was said")]
fn a_lead_who_did_something_is_handed_to_the_owner(#[case] outcome: Outcome, #[case] text: &str) {
    let mut world = begun(four(ends(), json!({})));
    world.run(accepted(), world.due_at());
    world.run(accepted(), world.due_at());
    tell(&mut world, "text", outcome, tuesday() + minutes(90));
    let id = format!("text~{}", outcome.as_str());
    assert_eq!(world.open(), [id.as_str()], "the cadence's own tasks are closed");
    let task = world.task(&id);
    assert_eq!((task.kind, task.user.as_str(), task.text.as_str()), (TaskKind::FollowUp, "lo-riley", text));
    assert_eq!(task.task_due_at, tuesday() + minutes(90 + 240));
    assert_eq!(crate::TaskId::parse(&task.id.to_string()).as_ref(), Some(&task.id));
}

#[test]
fn a_reply_after_the_end_is_not_dropped_in_silence() {
    let mut world = World::new(reference(), tuesday());
    world.run_all();
    assert!(world.context.enrollment.has_ended());
    tell(&mut world, "intro-text", Outcome::Replied, tuesday() + minutes(300));
    assert!(world.open().contains(&"intro-text~replied"), "{:?}", world.open());
    assert!(!tell(&mut world, "intro-text", Outcome::Replied, tuesday() + minutes(301)), "twice is once");
}

#[test]
fn what_a_user_says_of_a_follow_up_asks_for_no_other() {
    let mut world = begun(four(ends(), json!({})));
    tell(&mut world, "dial", Outcome::Replied, tuesday());
    let task = world.task("dial~replied").clone();
    let done = complete_task(&world.context, &task, &task.user, Outcome::AppointmentSet, None, tuesday());
    let Completed::Change(change) = done else { panic!("{done:?}") };
    world.commit(*change);
    assert_eq!(world.open(), [""; 0]);
}

#[test]
fn an_outcome_may_move_the_lead_to_another_cadence_once() {
    let other = Cadence { id: "nurture".into(), ..reference() };
    for (status, moves) in
        [(Status::Live, true), (Status::Paused, true), (Status::Off, false), (Status::Archived, false)]
    {
        let mut world = begun(four(json!({}), json!({"declined": {"cadence": "nurture"}})));
        world.context.enrollment.progress.stale = true;
        world.context.targets = vec![(Cadence { status, ..other.clone() }, 7)];
        tell(&mut world, "dial", Outcome::Declined, tuesday() + minutes(5));
        assert!(world.context.enrollment.has_ended());
        match moves {
            true => {
                let begun = world.enrolled.clone().unwrap();
                assert_eq!(world.state(), &State::Ended { why: End::Switched("nurture".into()) });
                assert_eq!((begun.cadence.as_str(), begun.progress.version), ("nurture", 7));
                assert!(begun.progress.stale, "who asked long ago did so in any cadence");
                assert_eq!(clock(begun.progress.next.unwrap().due_at), "Tue 10:05:00");
                assert_eq!(begun.id, crate::enroll::switched_id(&world.context.enrollment.id, &begun.cadence));
                assert_eq!(
                    world.said(EntryKind::Ended),
                    "moved to the cadence nurture by declined; not run: text, robot, mail"
                );
            }
            false => {
                assert_eq!(world.enrolled, None);
                assert_eq!(world.state(), &ended_by(Outcome::Declined));
                assert_eq!(
                    world.said(EntryKind::Ended),
                    "ended by declined, because the cadence nurture takes no leads; not run: text, robot, mail"
                );
                assert_eq!(world.open(), ["lead~nurture"], "the owner takes it up");
            }
        }
    }
}

#[test]
fn a_report_on_no_step_of_the_cadence_counts_as_anytime_says() {
    let mut world = begun(four(ends(), json!({})));
    assert!(tell(&mut world, "gone", Outcome::Voicemail, tuesday()));
    assert!(!world.context.enrollment.has_ended());
    tell(&mut world, "gone", Outcome::Connected, tuesday());
    assert_eq!(world.state(), &ended_by(Outcome::Connected));
}

#[test]
fn a_step_that_failed_may_end_the_cadence() {
    let mut world = World::new(four(json!({"failed": "end"}), json!({})), tuesday());
    world.context.cadence.steps.remove(0);
    world.context.enrollment = crate::fixtures::begun(&world.context.cadence, tuesday() - minutes(60));
    world.run(rejected(), tuesday());
    assert_eq!(world.state(), &ended_by(Outcome::Failed));
    assert_eq!(world.said(EntryKind::Ended), "ended by failed; not run: robot, mail");
}

fn completed(world: &World, task: &Task, by: &str, outcome: Outcome) -> Completed {
    complete_task(&world.context, task, &by.into(), outcome, Some("left a message".to_owned()), tuesday())
}

#[test]
fn completing_a_task_closes_it_and_moves_the_enrollment() {
    let mut world = begun(four(json!({}), json!({})));
    let task = world.task("dial").clone();
    let Completed::Change(change) = completed(&world, &task, "lo-riley", Outcome::Voicemail) else { panic!() };
    let by = Some("lo-riley".into());
    assert_eq!(change.close, [(task.id.clone(), Closed { outcome: Outcome::Voicemail, at: tuesday(), by })]);
    world.commit(*change);
    assert_eq!(world.next(), "Run text 1 at Tue 11:00:00");
    assert_eq!(world.outcome(&task.id.key).unwrap().note.as_deref(), Some("left a message"));
}

#[test]
fn a_task_that_ends_its_enrollment_is_closed_once_and_by_its_user() {
    for (outcome, anytime) in [(Outcome::Connected, ends()), (Outcome::OptedOut, json!({"opted_out": "end"}))] {
        let mut world = begun(four(anytime, json!({})));
        let task = world.task("dial").clone();
        let Completed::Change(change) = completed(&world, &task, "lo-riley", outcome) else { panic!() };
        assert_eq!(change.close.len(), 1, "{outcome:?}");
        assert_eq!((&change.close[0].1.outcome, change.close[0].1.by.is_some()), (&outcome, true));
        world.commit(*change);
        assert_eq!(world.state(), &ended_by(outcome));
    }
}

#[test]
fn a_task_completed_twice_is_known_and_otherwise_than_before_a_conflict() {
    let world = begun(four(json!({}), json!({})));
    let closed = Closed { outcome: Outcome::Voicemail, at: tuesday(), by: Some("lo-riley".into()) };
    let task = Task { closed: Some(closed.clone()), ..world.task("dial").clone() };
    assert!(matches!(completed(&world, &task, "lo-riley", Outcome::Voicemail), Completed::Known));
    for (by, outcome) in [("lo-riley", Outcome::Connected), ("lo-morgan", Outcome::Voicemail)] {
        let Completed::Conflict(before) = completed(&world, &task, by, outcome) else { panic!("{by}") };
        assert_eq!(before, closed);
    }
}

#[test]
fn a_task_ends_only_as_its_kind_can() {
    let world = begun(four(json!({}), json!({})));
    for outcome in Outcome::BY_STRENGTH {
        let task = world.task("dial").clone();
        let allowed = task.kind.outcomes().contains(&outcome);
        let refused = matches!(completed(&world, &task, "lo-riley", outcome), Completed::NotAnOutcome);
        assert_eq!(refused, !allowed, "{outcome:?}");
    }
}

#[test]
fn a_task_whose_outcome_was_known_is_closed_all_the_same() {
    let mut world = begun(four(json!({}), json!({})));
    tell(&mut world, "dial", Outcome::Voicemail, tuesday());
    let task = world.task("dial").clone();
    let Completed::Change(change) = completed(&world, &task, "lo-riley", Outcome::NoAnswer) else { panic!() };
    assert_eq!((change.outcome.clone(), change.progress.clone(), change.close.len()), (None, None, 1));
    world.commit(*change);
    assert_eq!(world.open(), [""; 0]);
}

#[test]
fn the_last_steps_own_task_outlives_the_cadence_and_earlier_ones_do_not() {
    let steps = json!([{"id": "one", "do": "dial", "wait": "0m"}, {"id": "two", "do": "dial", "wait": "0m"}]);
    let mut world = World::of(context(of(json!({}), steps), tuesday()));
    world.run(accepted(), tuesday());
    world.run(accepted(), tuesday());
    assert_eq!(world.state(), &State::Ended { why: End::Completed });
    assert_eq!(world.open(), ["two"]);
    let task = world.task("two").clone();
    assert!(matches!(completed(&world, &task, "lo-riley", Outcome::Connected), Completed::Change(_)));
}
