use serde_json::{Value, json};

use super::*;
use crate::{
    Do, enroll,
    enrollment::State,
    fixtures::{
        World, accepted, at, cadence, context, later, minutes, reference, settings, steps, tuesday, user, zones,
    },
    lead::{ChannelConsent, OptOut},
    records::message::Copy,
    task::TaskKind,
};

fn dial(rest: Value) -> World {
    let mut step = json!({"id": "it", "do": "dial", "wait": "0m"});
    step.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    World::new(
        steps(json!([step, {"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"}])),
        tuesday(),
    )
}

fn one(step: Value) -> World {
    World::new(steps(json!([step, {"id": "after", "do": "dial", "wait": "1h"}])), tuesday())
}

fn text() -> World {
    one(json!({"id": "it", "do": "canned_sms", "wait": "0m", "message": "sms/intro"}))
}

fn sent(world: &World, now: DateTime<Utc>) -> StepPlan {
    match world.plan(now) {
        Plan::Send(plan) => *plan,
        other => panic!("{other:?}"),
    }
}

fn skipped(world: &World, due: &StepDue, now: DateTime<Utc>) -> Stale {
    match plan_step(&world.context, due, now) {
        Plan::Skip(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_of_another_generation_does_nothing() {
    let world = text();
    for generation in [0, 2, u64::MAX] {
        let due = StepDue { generation, ..world.due() };
        assert_eq!(skipped(&world, &due, tuesday()), Stale::Generation, "{generation}");
    }
}

#[test]
fn a_message_that_comes_early_waits_for_its_timer_and_one_that_comes_five_seconds_early_does_not() {
    let world = text();
    let early = |seconds| tuesday() - TimeDelta::seconds(seconds);
    assert_eq!(skipped(&world, &world.due(), early(6)), Stale::NotYet);
    assert!(matches!(world.plan(early(5)), Plan::Send(_)));
}

#[test]
fn an_enrollment_that_rests_or_is_over_does_nothing() {
    for state in [State::Parked { why: Park::CadencePaused }, State::Ended { why: End::Completed }] {
        let mut world = text();
        world.context.enrollment.progress.state = state;
        assert_eq!(skipped(&world, &world.due(), tuesday()), Stale::NotActive);
    }
}

#[test]
fn a_live_claim_makes_everybody_wait_whatever_message_they_hold() {
    let mut world = text();
    let plan = sent(&world, tuesday());
    let claim = world.claim(&plan, tuesday());
    let old = StepDue { generation: 0, ..world.due() };
    let last_moment = claim.lease_until - TimeDelta::milliseconds(1);
    for (due, now) in [(world.due(), tuesday()), (world.due(), last_moment), (old, tuesday())] {
        assert!(matches!(plan_step(&world.context, &due, now), Plan::Busy), "{now}");
    }
    world.context.enrollment.progress.state = State::Ended { why: End::Completed };
    assert!(matches!(world.plan(tuesday()), Plan::Busy), "its end does not end the claim");
    assert!(matches!(world.plan(claim.lease_until), Plan::Settle(_)), "a claim that ran out is settled first");
}

#[test]
fn a_paused_cadence_parks_what_is_due_and_an_archived_one_ends_it() {
    for (status, expected) in [
        (Status::Live, None),
        (Status::Off, None),
        (Status::Paused, Some(State::Parked { why: Park::CadencePaused })),
        (Status::Archived, Some(State::Ended { why: End::Archived })),
    ] {
        let mut world = text();
        world.context.status = status;
        let sends = world.run(accepted(), tuesday());
        assert_eq!(sends, expected.is_none(), "{status:?}");
        if let Some(state) = expected {
            assert_eq!(world.state(), &state);
            assert_eq!(world.context.enrollment.progress.generation, 2);
        }
    }
}

#[test]
fn pausing_keeps_what_was_due_and_archiving_says_what_will_not_run() {
    let mut paused = World::new(reference(), tuesday());
    paused.context.status = Status::Paused;
    let before = paused.next();
    paused.run(accepted(), tuesday());
    assert_eq!(paused.next(), before);

    let mut archived = World::new(reference(), tuesday());
    archived.run(accepted(), tuesday());
    archived.context.status = Status::Archived;
    archived.run(accepted(), tuesday());
    assert_eq!(
        archived.said(EntryKind::Ended),
        "the cadence was archived; not run: intro-text, robot-call, intro-email"
    );
    assert_eq!(archived.open(), [""; 0], "its tasks close");
}

#[test]
fn a_step_that_is_not_in_the_cadence_ends_the_enrollment() {
    let mut world = text();
    world.context.cadence.steps.remove(0);
    world.run(accepted(), tuesday());
    assert_eq!(world.state(), &State::Ended { why: End::Completed });
}

#[test]
fn a_hold_that_is_over_goes_on_as_expired() {
    let mut world = dial(json!({"hold": "30m", "on": {"expired": "it"}}));
    world.run(accepted(), tuesday());
    assert_eq!(world.next(), "ExpireHold it 1 at Tue 10:30:00");
    world.run(accepted(), tuesday() + minutes(30));
    assert_eq!(world.next(), "Run it 2 at Tue 10:30:00");
    assert_eq!(world.entries.last().unwrap().outcome, Some(Outcome::Expired));
}

#[test]
fn a_step_out_of_hours_is_deferred_and_what_follows_counts_from_there() {
    let mut world = text();
    world.context.enrollment.progress.next.as_mut().unwrap().due_at = at("2026-12-01T21:00:00-08:00");
    world.run(accepted(), at("2026-12-01T21:00:00-08:00"));
    assert_eq!(world.next(), "Run it 1 at Wed 09:00:00");
    let entry = world.entries.last().unwrap();
    assert_eq!((entry.kind, entry.until), (EntryKind::Deferred, Some(world.due_at())));
    assert_eq!(entry.text.as_deref(), Some("outside the hours for this lead"));
    world.run(accepted(), world.due_at());
    assert_eq!(world.next(), "Run after 1 at Wed 10:00:00");
}

#[test]
fn a_step_that_may_never_run_is_skipped_with_its_reason_and_its_own_word_on_it() {
    let mut world = one(json!({"id": "it", "do": "canned_sms", "wait": "0m", "message": "sms/intro"}));
    world.context.lead.opt_outs.insert(OptOut::Phone, tuesday());
    assert!(!world.run(accepted(), tuesday()));
    assert_eq!(world.next(), "Run after 1 at Tue 11:00:00");
    let entry = world.entries.last().unwrap();
    assert_eq!((entry.kind, entry.outcome), (EntryKind::Skipped, Some(Outcome::Skipped)));
    assert_eq!(entry.text.as_deref(), Some("the lead opted out"));

    let ends = json!({"id": "it", "do": "canned_sms", "wait": "0m", "message": "sms/intro", "on": {"skipped": "end"}});
    let mut world = one(ends);
    world.context.lead.phone = None;
    world.run(accepted(), tuesday());
    assert_eq!(world.state(), &State::Ended { why: End::Outcome(Outcome::Skipped) });
    assert_eq!(world.said(EntryKind::Ended), "ended by skipped; not run: after");
}

#[test]
fn a_lead_without_a_licensed_owner_gets_one_or_rests() {
    let mut world = text();
    world.context.lead.owner = Some("lo-morgan".into());
    let before = world.next();
    world.run(accepted(), tuesday());
    assert_eq!(world.context.lead.owner, Some("lo-riley".into()));
    assert_eq!(world.next(), before, "what is due stays");
    assert!(world.run(accepted(), tuesday()));

    let mut world = text();
    world.context.users.retain(|user| user.id.as_str() != "lo-riley");
    world.run(accepted(), tuesday());
    assert_eq!(world.state(), &State::Parked { why: Park::NoLicensedOwner });
}

#[test]
fn a_message_that_cannot_be_rendered_fails_the_step_and_tells_the_owner() {
    let broken = Message { id: "sms/intro".into(), copy: Copy::Text("Hi {{ lead_frist_name }}".to_owned()) };
    for message in [None, Some(broken)] {
        let mut world = text();
        world.context.message = message;
        assert!(!world.run(accepted(), tuesday()));
        assert_eq!(world.kinds(), [EntryKind::Failed]);
        assert_eq!(world.next(), "Run after 1 at Tue 11:00:00");
        assert_eq!(world.open(), ["it~review"]);
        assert!(world.task("it~review").text.contains("did not reach Robin Example"));
    }
}

#[test]
fn a_message_that_became_one_of_another_kind_is_not_sent_and_the_owner_gets_to_know() {
    for (action, other, words) in [
        ("canned_sms", Do::CannedEmail, "the message sms/intro is an email now, but the step sends a text"),
        ("canned_email", Do::CannedSms, "the message sms/intro is a text now, but the step sends an email"),
    ] {
        let mut world = one(json!({"id": "it", "do": action, "wait": "0m", "message": "sms/intro"}));
        world.context.message = Some(crate::fixtures::message(other));
        let context = &world.context;
        let Plan::Change(change) = plan_step(context, &world.due(), tuesday()) else { panic!("it would be sent") };
        world.commit(*change);
        assert_eq!(world.kinds(), [EntryKind::Failed], "{action}");
        assert!(world.said(EntryKind::Failed).starts_with(words), "{}", world.said(EntryKind::Failed));
        assert!(world.task("it~review").text.contains(words), "{}", world.task("it~review").text);
        assert_eq!(world.next(), "Run after 1 at Tue 11:00:00");
    }
}

#[test]
fn a_plan_to_send_carries_what_the_claim_checks() {
    let mut world = text();
    world.context.lead = crate::fixtures::touched(&[
        (TouchKind::Sms, tuesday() - TimeDelta::days(7) - TimeDelta::seconds(1)),
        (TouchKind::Sms, tuesday() - TimeDelta::days(7)),
    ]);
    let plan = sent(&world, tuesday());
    assert_eq!((plan.revision, plan.touch, plan.lead()), (1, Some(TouchKind::Sms), &world.context.lead.id));
    assert_eq!(plan.send_by, at("2026-12-01T19:55:00-08:00"));
    assert_eq!(plan.drops_touches, [ClaimId::from("claim-0")], "only touches that no cap counts");
    let Action::Sms(sms) = &plan.action else { panic!("{:?}", plan.action) };
    assert_eq!((sms.from.as_str(), sms.to.as_str()), ("+14155550141", "+14155550123"));
    assert_eq!(sms.text, "Hi Robin, Riley here.");
    assert_eq!(sms.key, world.key("it", 1));
}

#[test]
fn each_kind_of_step_is_delivered_as_what_it_is() {
    let agreed = ChannelConsent::default();
    for (step, consent, effect, touch) in [
        (json!({"do": "dial"}), None, Effect::Task, Some(TouchKind::Dial)),
        (json!({"do": "custom_sms"}), None, Effect::Task, None),
        (json!({"do": "custom_email"}), None, Effect::Task, None),
        (json!({"do": "ai_sms"}), None, Effect::Task, None),
        (json!({"do": "ai_email"}), None, Effect::Task, None),
        (json!({"do": "canned_sms", "message": "sms/intro"}), None, Effect::Sms, Some(TouchKind::Sms)),
        (json!({"do": "canned_sms", "message": "sms/intro"}), Some(agreed), Effect::Task, None),
        (json!({"do": "canned_email", "message": "sms/intro"}), None, Effect::Email, Some(TouchKind::Email)),
        (json!({"do": "ai_dial", "agent": "x"}), None, Effect::AiCall, Some(TouchKind::AiCall)),
        (json!({"do": "ai_dial", "agent": "x"}), Some(agreed), Effect::Task, Some(TouchKind::Dial)),
    ] {
        let mut record = step.clone();
        record["id"] = json!("it");
        record["wait"] = json!("0m");
        let mut world = one(record);
        world.context.lead.consent = consent.unwrap_or(world.context.lead.consent);
        let plan = sent(&world, tuesday());
        assert_eq!((plan.action.effect(), plan.touch), (effect, touch), "{step}");
    }
}

#[test]
fn an_email_goes_from_the_owner_and_an_ai_call_may_be_transferred_to_them() {
    let mut world = one(json!({"id": "it", "do": "canned_email", "wait": "0m", "message": "sms/intro"}));
    world.context.users[0].last_name = "Sam\"ple\r\nBcc: x".to_owned();
    let Action::Email(email) = sent(&world, tuesday()).action else { panic!() };
    assert_eq!(email.from, "\"Riley SampleBcc: x\" <lo-riley@example.com>", "no header can be smuggled in");
    assert_eq!((email.to.as_str(), email.subject.as_str()), ("robin@example.com", "For Robin"));

    let world = one(json!({"id": "it", "do": "ai_dial", "wait": "0m", "agent": "first-touch"}));
    let Action::AiCall(call) = sent(&world, tuesday()).action else { panic!() };
    assert_eq!((call.to.as_str(), call.transfer_to.as_str()), ("+14155550123", "+14155550140"));
    assert_eq!((call.agent.as_str(), call.variables["loan_officer"].as_str()), ("first-touch", "Riley Sample"));
}

#[test]
fn a_dial_step_prompts_its_user_with_script_and_notice() {
    let mut world = dial(json!({"due": "10m", "message": "sms/intro"}));
    let Action::Task(Some(notice)) = sent(&world, tuesday()).action else { panic!() };
    assert_eq!(notice.to, "lo-riley@example.com");
    assert_eq!(notice.from, "\"Example Home Loans\" <notices@example.com>");
    assert_eq!(notice.subject, "Call Robin Example now");
    assert!(notice.text.contains("+14155550123") && notice.text.contains("Hi Robin, Riley here."));
    world.run(accepted(), tuesday());
    let task = world.task("it");
    assert_eq!(
        (task.kind, task.task_due_at, task.user.as_str()),
        (TaskKind::Dial, tuesday() + minutes(10), "lo-riley")
    );
    assert_eq!(task.reach.as_deref(), Some("+14155550123"));
}

#[test]
fn only_calls_are_urgent_enough_for_a_notice() {
    for action in ["custom_sms", "custom_email", "ai_sms", "ai_email"] {
        let world = one(json!({"id": "it", "do": action, "wait": "0m"}));
        assert!(matches!(sent(&world, tuesday()).action, Action::Task(None)), "{action}");
    }
}

#[test]
fn a_task_says_why_it_is_a_users() {
    let mut world = text();
    world.context.lead.consent = ChannelConsent::default();
    world.run(accepted(), tuesday());
    let text = &world.task("it").text;
    assert!(text.starts_with("Yours to do, because the lead has not agreed in writing"), "{text}");
    assert!(text.ends_with("Hi Robin, Riley here."), "{text}");
    assert_eq!(world.task("it").kind, TaskKind::Sms);
}

/// Both may act for the lead.
fn riley_and_jules() -> Vec<User> {
    vec![user("lo-riley", "Riley", &["CA"]), user("jules", "Jules", &["CA"])]
}

#[test]
fn a_step_that_names_a_user_prompts_that_user_in_their_own_words() {
    let mut world = dial(json!({"assign": "jules", "message": "sms/intro"}));
    world.context.users = riley_and_jules();
    let Action::Task(Some(notice)) = sent(&world, tuesday()).action else { panic!() };
    assert_eq!(notice.to, "jules@example.com");
    assert!(notice.text.contains("Hi Robin, Jules here."), "{}", notice.text);
    world.run(accepted(), tuesday());
    assert_eq!(world.task("it").user.as_str(), "jules");
    assert!(world.task("it").text.contains("Jules here"));
    assert_eq!(world.entries.last().unwrap().to.as_deref(), Some("jules"));
}

#[test]
fn a_named_user_who_is_away_or_gone_leaves_the_task_to_the_owner() {
    for users in [
        vec![user("lo-riley", "Riley", &["CA"])],
        vec![user("lo-riley", "Riley", &["CA"]), User { active: false, ..user("jules", "Jules", &["CA"]) }],
    ] {
        let mut world = dial(json!({"assign": "jules", "message": "sms/intro"}));
        world.context.users = users;
        world.run(accepted(), tuesday());
        assert_eq!(world.task("it").user.as_str(), "lo-riley");
    }
}

#[test]
fn a_canned_message_is_the_owners_whoever_a_step_names() {
    let named = json!({"id": "it", "do": "canned_sms", "wait": "0m", "message": "sms/intro", "assign": "jules"});
    let mut world = one(named.clone());
    let Action::Sms(sms) = sent(&world, tuesday()).action else { panic!() };
    assert_eq!(sms.text, "Hi Robin, Riley here.");
    world.context.lead.consent = ChannelConsent::default();
    world.context.users = riley_and_jules();
    world.run(accepted(), tuesday());
    assert_eq!(world.task("it").user.as_str(), "jules", "but what a user does in its place is theirs");
}

#[test]
fn an_outcome_that_pauses_rests_before_the_step_that_follows() {
    let paused = State::Parked { why: Park::Outcome };
    let record = json!({"anytime": {"failed": "pause"}, "hours": {"sms": "daily 09:00-20:00"}, "steps": [
        {"id": "it", "do": "canned_sms", "wait": "0m", "message": "sms/intro"},
        {"id": "after", "do": "dial", "wait": "1h"}]});
    let mut world = World::new(cadence(record.clone()), tuesday());
    world.run(crate::fixtures::rejected(), tuesday());
    assert_eq!((world.state(), world.next().as_str()), (&paused, "Run after 1 at Tue 11:00:00"));

    let mut world = World::new(cadence(record), tuesday());
    world.context.cadence.steps.truncate(1);
    world.run(crate::fixtures::rejected(), tuesday());
    assert_eq!((world.state(), world.next().as_str()), (&paused, "ExpireHold it 1 at Tue 10:00:00"));
}

#[test]
fn the_reference_story_runs_in_its_order_and_ends() {
    let mut world = World::new(reference(), tuesday());
    world.run_all();
    let ran: Vec<String> = world
        .claims
        .iter()
        .map(|taken| format!("{:?} {}", taken.claim.effect, crate::fixtures::clock(taken.claim.claimed_at)))
        .collect();
    assert_eq!(ran, ["Task Tue 10:00:00", "Sms Tue 10:00:00", "AiCall Tue 10:20:00", "Email Tue 10:40:00"]);
    assert_eq!(world.state(), &State::Ended { why: End::Completed });
    assert_eq!(world.next(), "nothing");
}

#[test]
fn a_try_that_was_not_sent_is_the_same_step_key_again() {
    let mut world = text();
    world.run(later(), tuesday());
    let next = world.context.enrollment.progress.next.clone().unwrap();
    assert_eq!((next.round, next.try_number, next.act), (1, 2, Act::Run));
    assert_eq!(world.context.enrollment.next_key(), Some(world.key("it", 1)));
}

#[test]
fn a_step_whose_hours_are_never_open_is_left_out_at_once() {
    let steps = json!([{"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro"}, {"id": "call", "do": "dial", "wait": "1h"}]);
    let narrow = cadence(json!({"hours": {"sms": "daily 10:00-11:00"}, "steps": steps}));
    let mut context = context(narrow.clone(), tuesday());
    context.lead.zones = Some(zones(&["America/Los_Angeles", "America/Denver"]));
    context.enrollment = enroll::begin("e".into(), &context.lead, (&narrow, 1), &settings(), false, tuesday());
    let mut world = World::of(context);
    assert_eq!(world.due_at(), tuesday(), "there is nothing to wait for");
    world.run(accepted(), tuesday());
    assert!(world.said(EntryKind::Skipped).contains("never open at once"), "{}", world.said(EntryKind::Skipped));
    assert_eq!(world.next(), "Run call 1 at Tue 11:00:00");
}
