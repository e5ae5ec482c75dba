use chrono::TimeDelta;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    Outcome,
    apply::{Applied, Completed, apply_outcome, complete_task},
    delivery::Delivery,
    enrollment::State,
    fixtures::{World, accepted, at, cadence, later, lead, minutes, steps, tuesday, unknown, user},
    plan::{Action, Plan},
    records::{Status, user::Absence},
    task::{Closed, Task},
    time::{Day, Zone, parse_hours},
    timeline::EntryKind,
};

/// A dial that is assigned so, and an email an hour on.
fn dial(assign: Value) -> World {
    let dial = json!({"id": "it", "do": "dial", "wait": "0m", "due": "10m", "assign": assign, "message": "sms/intro"});
    let mail = json!({"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"});
    World::new(steps(json!([dial, mail])), tuesday())
}

fn callers() -> Value {
    json!({"round_robin": "callers"})
}

/// A caller, licensed in California, where they work too.
fn caller(id: &str) -> User {
    User { groups: vec!["callers".into()], time_zone: Zone::parse("America/Los_Angeles"), ..user(id, id, &["CA"]) }
}

fn away(user: User, stand_in: Option<&str>) -> User {
    let day = Day::parse("2026-12-01").unwrap();
    let absence = Absence { from: day, until: day, stand_in: stand_in.map(UserId::from) };
    User { time_zone: Zone::parse("America/Los_Angeles"), out_of_office: vec![absence], ..user }
}

fn riley() -> User {
    user("lo-riley", "Riley", &["CA"])
}

/// The number of that caller's last turn.
fn waited(world: &World, name: &str) -> Option<u64> {
    world.context.turns.get(&GroupId::from("callers"))?.get(&UserId::from(name)).copied()
}

fn take(world: &mut World, turn: &Turn) {
    let turns = world.context.turns.entry(turn.group.clone()).or_default();
    turns.insert(turn.user.clone(), turn.number);
}

/// Who is asked on Tuesday, and why.
fn asked(world: &World) -> (String, String) {
    let asked = world.context.asked(world.step("it"), tuesday()).unwrap();
    (asked.user.id.to_string(), asked.why.join(", and "))
}

#[rstest]
#[case::the_owner(json!("loan_officer"), vec![riley()], "lo-riley", "")]
#[case::the_owners_stand_in(json!("loan_officer"), vec![away(riley(), Some("cas")), caller("cas")],
    "cas", "Riley Sample is out of office")]
#[case::a_stand_in_licensed_elsewhere(json!("loan_officer"), vec![away(riley(), Some("ny")), user("ny", "Morgan", &["NY"])],
    "lo-riley", "nobody who may act for this lead stands in for you")]
#[case::a_stand_in_who_is_away_too(json!("loan_officer"), vec![away(riley(), Some("cas")), away(caller("cas"), Some("deb")), caller("deb")],
    "lo-riley", "nobody who may act for this lead stands in for you")]
#[case::a_stand_in_who_left(json!("loan_officer"), vec![away(riley(), Some("gone"))],
    "lo-riley", "nobody who may act for this lead stands in for you")]
#[case::nobody_stands_in(json!("loan_officer"), vec![away(riley(), None)],
    "lo-riley", "nobody who may act for this lead stands in for you")]
#[case::a_named_user(json!("jules"), vec![riley(), user("jules", "Jules", &["CA"])], "jules", "")]
#[case::a_named_users_stand_in(json!("jules"), vec![riley(), away(user("jules", "Jules", &["CA"]), Some("cas")), caller("cas")],
    "cas", "Jules Sample is out of office")]
#[case::a_named_user_who_left(json!("jules"), vec![riley()], "lo-riley", "jules may not act for this lead")]
#[case::a_named_user_licensed_elsewhere(json!("jules"), vec![riley(), user("jules", "Jules", &["NY"])],
    "lo-riley", "jules may not act for this lead")]
#[case::a_named_user_who_left_while_the_owner_is_away(json!("jules"), vec![away(riley(), Some("cas")), caller("cas")],
    "cas", "jules may not act for this lead, and Riley Sample is out of office")]
#[case::a_member(callers(), vec![riley(), caller("cas")], "cas", "")]
#[case::an_empty_group(callers(), vec![riley()], "lo-riley", "nobody in the group callers may act for this lead")]
#[case::a_group_licensed_elsewhere(callers(), vec![riley(), User { licences: vec!["NY".to_owned()], ..caller("cas") }],
    "lo-riley", "nobody in the group callers may act for this lead")]
#[case::a_member_who_is_away_has_no_turn_and_needs_no_stand_in(callers(), vec![riley(), away(caller("cas"), Some("lo-riley")), caller("deb")],
    "deb", "")]
#[case::a_member_who_takes_no_leads(callers(), vec![riley(), User { active: false, ..caller("cas") }],
    "lo-riley", "nobody in the group callers may act for this lead")]
fn who_is_asked_and_why(#[case] assign: Value, #[case] users: Vec<User>, #[case] user: &str, #[case] why: &str) {
    let mut world = dial(assign);
    world.context.users = users;
    assert_eq!(asked(&world), (user.to_owned(), why.to_owned()));
    world.run(accepted(), tuesday());
    let task = world.task("it").clone();
    assert_eq!(task.user.as_str(), user);
    let reason = format!("Yours to do, because {why}.");
    assert_eq!(task.text.starts_with(&reason), !why.is_empty(), "{}", task.text);
    assert_eq!(world.said(EntryKind::TaskOpened), task.text, "the timeline says it too");
}

#[test]
fn nobody_may_act_for_a_lead_of_unknown_state_but_its_owner() {
    for (assign, users) in [
        (callers(), vec![riley(), caller("cas")]),
        (json!("loan_officer"), vec![away(riley(), Some("cas")), caller("cas")]),
    ] {
        let mut world = dial(assign);
        (world.context.lead.state, world.context.users) = (None, users);
        assert_eq!(asked(&world).0, "lo-riley");
    }
}

#[test]
fn members_take_turns_and_one_who_was_passed_over_is_next() {
    let mut world = dial(callers());
    world.context.users = vec![riley(), caller("cas"), caller("deb"), caller("eli")];
    let mut told = Vec::new();
    for round in 0..8 {
        let deb_is_away = (1..4).contains(&round);
        world.context.users[2] = if deb_is_away { away(caller("deb"), None) } else { caller("deb") };
        let turn = world.context.asked(world.step("it"), tuesday()).unwrap().turn.unwrap();
        assert_eq!(turn.number, round + 1, "turns are counted");
        assert_eq!(turn.last, waited(&world, turn.user.as_str()));
        take(&mut world, &turn);
        told.push(turn.user.to_string());
    }
    assert_eq!(
        told,
        ["cas", "eli", "cas", "eli", "deb", "cas", "eli", "deb"],
        "who comes back has one turn, not three"
    );
}

#[test]
fn who_is_at_work_is_asked_before_who_is_not_and_all_the_same_if_nobody_is() {
    let works = |id: &str, hours: &str| User { hours: Some(parse_hours(hours).unwrap()), ..caller(id) };
    for (cas, deb, turns, expected) in [
        ("Tue 13:00-17:00", "Tue 09:00-17:00", &[("deb", 7)][..], "deb"),
        ("Tue 09:00-17:00", "Tue 09:00-17:00", &[("cas", 7)], "deb"),
        ("Wed 09:00-17:00", "Wed 09:00-17:00", &[("cas", 7)], "deb"),
    ] {
        let mut world = dial(callers());
        world.context.users = vec![riley(), works("cas", cas), works("deb", deb)];
        let turns = turns.iter().map(|(id, number)| (UserId::from(*id), *number)).collect();
        world.context.turns.insert("callers".into(), turns);
        assert_eq!(asked(&world).0, expected, "{cas}, {deb}");
    }
}

#[test]
fn a_task_is_due_so_long_after_its_user_is_next_at_work() {
    let works = |hours: &str| User { hours: Some(parse_hours(hours).unwrap()), ..caller("lo-riley") };
    for (due, hours, expected) in [
        ("10m", "Tue 09:00-17:00", "2026-12-01T10:10:00-08:00"),
        ("10m", "Tue 13:00-17:00", "2026-12-01T13:10:00-08:00"),
        ("1d at 10:15", "Thu 09:00-17:00", "2026-12-04T10:15:00-08:00"),
    ] {
        let mut world = dial(json!("loan_officer"));
        world.context.cadence.steps[0].due = Some(crate::time::Wait::parse(due).unwrap());
        world.context.users = vec![works(hours)];
        world.run(accepted(), tuesday());
        assert_eq!(world.task("it").task_due_at, at(expected), "{due} {hours}");
        assert_eq!(world.next(), "Run mail 1 at Tue 11:00:00", "hours never delay the cadence");
    }
}

#[test]
fn whoever_comes_or_goes_after_the_claim_the_task_is_theirs_whom_the_notice_told() {
    for dies in [false, true] {
        let mut world = dial(callers());
        world.context.users = vec![riley(), caller("cas"), caller("deb")];
        let Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
        let Action::Task(Some(notice)) = &plan.action else { panic!() };
        assert_eq!(notice.to, "cas@example.com");
        let claim = world.claim(&plan, tuesday());
        assert_eq!(claim.user, Some("cas".into()));
        world.context.users[1] = away(caller("cas"), Some("deb"));
        match dies {
            false => world.settle(accepted(), tuesday()),
            true => assert!(world.reconcile(claim.lease_until)),
        }
        assert_eq!(world.task("it").user.as_str(), "cas", "dies: {dies}");
        assert_eq!(world.context.turns, [("callers".into(), [("cas".into(), 1)].into())].into(), "one turn");
    }
}

#[test]
fn a_message_is_the_owners_while_the_owner_is_away_and_a_live_call_is_the_stand_ins() {
    let robot = json!([{"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro"},
        {"id": "robot", "do": "ai_dial", "wait": "0m", "agent": "x"}]);
    let mut world = World::new(steps(robot), tuesday());
    let cas = User { phone: "+14155550199".to_owned(), ..caller("cas") };
    world.context.users = vec![away(riley(), Some("cas")), cas];
    let Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
    let Action::Sms(sms) = &plan.action else { panic!() };
    assert_eq!((sms.text.as_str(), sms.from.as_str()), ("Hi Robin, Riley here.", "+14155550141"));
    assert_eq!((plan.user.clone(), plan.turn.clone()), (None, None));
    world.run(accepted(), tuesday());
    let Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
    let Action::AiCall(call) = &plan.action else { panic!() };
    assert_eq!((call.transfer_to.as_str(), call.variables["loan_officer"].as_str()), ("+14155550199", "Riley Sample"));
}

#[test]
fn what_comes_up_while_the_owner_is_away_is_the_stand_ins_to_see_to() {
    let text = json!([{"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro"}]);
    let come_up = |delivery: Delivery, outcome: Option<Outcome>| {
        let mut world = World::new(steps(text.clone()), tuesday());
        world.context.users = vec![away(riley(), Some("cas")), caller("cas")];
        world.run(delivery, tuesday());
        if let Some(outcome) = outcome {
            let report = world.report("text", 1, outcome, tuesday() + minutes(5));
            let Applied::Change(change) = apply_outcome(&world.context, &report, tuesday() + minutes(5)) else {
                panic!()
            };
            world.commit(*change);
        }
        world
    };
    for (world, task) in
        [(come_up(unknown(), None), "text~review"), (come_up(accepted(), Some(Outcome::Replied)), "text~replied")]
    {
        let task = world.task(task);
        assert_eq!(task.user.as_str(), "cas");
        assert!(task.text.starts_with("Yours to do, because Riley Sample is out of office.\n\n"), "{}", task.text);
    }
}

#[rstest]
#[case::at_work(Some("lo-riley"), &[], "lo-riley", &[])]
#[case::left(Some("lo-riley"), &["lo-riley"], "lo-morgan", &["lo-riley Sample may no longer act for this lead"])]
#[case::gone(Some("lo-nobody"), &[], "lo-morgan", &["this lead is nobody's"])]
#[case::none(None, &["lo-riley"], "lo-morgan", &["this lead is nobody's"])]
#[case::all_left(Some("lo-riley"), &["lo-riley", "lo-morgan"], "lo-riley", &[])]
fn what_is_the_owners_to_take_up_is_whose_the_lead_would_be_once_the_owner_left(
    #[case] owner: Option<&str>,
    #[case] left: &[&str],
    #[case] expected: &str,
    #[case] why: &[&str],
) {
    let licensed = ["lo-riley", "lo-morgan"].map(|id| user(id, id, &["CA"]));
    let users = licensed.map(|user| User { active: !left.contains(&user.id.as_str()), ..user });
    let lead = Lead { owner: owner.map(Into::into), ..lead() };
    let asked = super::asked_owner(&lead, &users, tuesday()).unwrap();
    assert_eq!(
        (asked.user.id.as_str(), asked.why.iter().map(String::as_str).collect::<Vec<_>>()),
        (expected, why.to_vec())
    );
}

#[test]
fn others_than_the_owner_are_read_only_where_they_may_be_asked() {
    for (assign, owner, expected) in [
        (json!("loan_officer"), riley(), true),
        (json!("jules"), riley(), false),
        (callers(), riley(), false),
        (json!("loan_officer"), away(riley(), Some("cas")), false),
        (json!("loan_officer"), User { active: false, ..riley() }, false),
    ] {
        let StepContext { cadence, mut enrollment, .. } = dial(assign.clone()).0.context;
        assert_eq!(is_owners_alone(&owner, &lead(), &cadence, &enrollment), expected, "{assign} {owner:?}");
        if let Some(next) = &mut enrollment.progress.next {
            next.overdue_for = Some("lo-riley".into());
        }
        assert!(!is_owners_alone(&owner, &lead(), &cadence, &enrollment), "{assign}: somebody else is asked");
    }
    let mut world = dial(json!("loan_officer"));
    let Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
    world.claim(&plan, tuesday());
    for (asked, expected) in [("lo-riley", true), ("cas", false)] {
        let mut enrollment = world.context.enrollment.clone();
        enrollment.claim.as_mut().unwrap().user = Some(asked.into());
        assert_eq!(is_owners_alone(&riley(), &lead(), &world.context.cadence, &enrollment), expected, "{asked}");
    }
}

#[test]
fn turns_are_read_only_for_a_step_that_takes_them() {
    for (assign, group) in [(json!("loan_officer"), None), (json!("jules"), None), (callers(), Some("callers"))] {
        let mut world = dial(assign);
        let in_hand =
            |world: &World| group_in_hand(&world.context.cadence, &world.context.enrollment).map(ToString::to_string);
        assert_eq!(in_hand(&world).as_deref(), group);
        world.run(accepted(), tuesday());
        assert_eq!(in_hand(&world), None, "the email takes none");
    }
}

proptest! {
    #[test]
    fn whoever_comes_and_goes_the_turn_is_of_who_waited_longest(days in prop::collection::vec(any::<[bool; 4]>(), 1..40)) {
        let names = ["cas", "deb", "eli", "fin"];
        let mut world = dial(callers());
        for there in days {
            let users = names.iter().zip(there);
            let users = users.map(|(name, there)| if there { caller(name) } else { away(caller(name), None) });
            world.context.users = users.chain([riley()]).collect();
            let asked = world.context.asked(world.step("it"), tuesday() + TimeDelta::minutes(1)).unwrap();
            let Some(turn) = asked.turn else {
                prop_assert!(there.iter().all(|there| !there) && asked.user.id.as_str() == "lo-riley");
                continue;
            };
            for (name, _) in names.iter().zip(there).filter(|(_, there)| *there) {
                prop_assert!(waited(&world, turn.user.as_str()) <= waited(&world, name), "{name} waited longer");
            }
            take(&mut world, &turn);
        }
    }

    #[test]
    fn while_everybody_is_there_nobody_has_two_turns_more_than_another(members in 1_usize..6, leads in 1_usize..40) {
        let mut world = dial(callers());
        world.context.users = (0..members).map(|number| caller(&format!("c{number}"))).collect();
        world.context.users.push(riley());
        let mut counts = vec![0; members];
        for _ in 0..leads {
            let turn = world.context.asked(world.step("it"), tuesday()).unwrap().turn.unwrap();
            let place = world.context.users.iter().position(|user| user.id == turn.user).unwrap();
            counts[place] += 1;
            take(&mut world, &turn);
        }
        prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
    }
}

/// A dial of the owner's that leads so when it is overdue, and an email an hour on.
fn overdue(on_overdue: Value) -> World {
    overdue_for(json!("loan_officer"), on_overdue)
}

fn overdue_for(first: Value, on_overdue: Value) -> World {
    let dial = json!({"id": "it", "do": "dial", "wait": "0m", "assign": first, "due": "10m", "on_overdue": on_overdue,
        "message": "sms/intro"});
    let mail = json!({"id": "mail", "do": "canned_email", "wait": "1h", "message": "sms/intro"});
    let mut world = World::new(cadence_of(dial, mail), tuesday());
    world.context.users = vec![riley(), caller("cas"), caller("deb")];
    world
}

fn cadence_of(dial: Value, mail: Value) -> crate::records::Cadence {
    let hours = json!({"call": "daily 09:00-20:00", "email": "any time"});
    cadence(json!({"steps": [dial, mail], "hours": hours, "skip_holidays": false, "anytime": {"connected": "end"}}))
}

/// Runs what is due when it is due.
fn run_next(world: &mut World) {
    let now = world.due_at();
    world.run(accepted(), now);
}

#[test]
fn what_is_not_done_in_time_is_asked_of_somebody_else_once() {
    let mut world = overdue(json!({"assign": "round_robin: callers"}));
    run_next(&mut world);
    assert_eq!(
        (world.task("it").user.as_str(), world.next().as_str()),
        ("lo-riley", "ExpireHold it 1 at Tue 10:10:00")
    );
    run_next(&mut world);
    assert_eq!((world.open(), world.next().as_str()), (vec![], "Run it 2 at Tue 10:10:00"));
    assert_eq!(world.said(EntryKind::Outcome), "lo-riley did not do it in time, so somebody else is asked");
    let Plan::Send(plan) = world.plan(world.due_at()) else { panic!() };
    let Action::Task(Some(notice)) = &plan.action else { panic!() };
    assert_eq!(notice.to, "cas@example.com", "through gate, claim and notice as the first");
    run_next(&mut world);
    let task = world.task("it");
    assert_eq!((task.user.as_str(), task.id.key.round), ("cas", 2));
    assert!(task.text.starts_with("Yours to do, because Riley Sample did not do it in time.\n\n"), "{}", task.text);
    assert_eq!(world.next(), "ExpireHold it 2 at Tue 10:20:00");
    run_next(&mut world);
    assert_eq!(world.next(), "Run mail 1 at Tue 11:10:00", "nobody is asked a third time");
    assert_eq!(world.open(), ["it"], "it may still be done");
}

#[test]
fn whatever_becomes_of_the_second_claim_nobody_is_asked_a_third_time() {
    let again = || {
        let mut world = overdue(json!({"assign": "round_robin: callers"}));
        run_next(&mut world);
        run_next(&mut world);
        world
    };
    let mut dies = again();
    let now = dies.due_at();
    let Plan::Send(plan) = dies.plan(now) else { panic!() };
    let until = dies.claim(&plan, now).lease_until;
    assert!(dies.reconcile(until));
    let mut fails = again();
    let now = fails.due_at();
    fails.run(later(), now);
    run_next(&mut fails);
    let mut waits = again();
    waits.context.status = Status::Paused;
    run_next(&mut waits);
    waits.context.status = Status::Live;
    assert!(waits.reconcile(tuesday() + minutes(60)));
    run_next(&mut waits);
    for (what, mut world) in [("dies", dies), ("fails", fails), ("waits", waits)] {
        // Nobody was told of a try that failed, so the next may be anybody's.
        let task = world.task("it");
        assert!(["cas", "deb"].contains(&task.user.as_str()) && task.id.key.round == 2, "{what}: {task:?}");
        assert!(world.next().starts_with("ExpireHold it 2"), "{what}: {}", world.next());
        run_next(&mut world);
        assert!(world.next().starts_with("Run mail"), "{what}: {}", world.next());
    }
}

#[rstest]
#[case::another_member(json!("round_robin: callers"), json!("round_robin: callers"), &["cas", "deb"], "deb")]
#[case::the_only_member(json!("round_robin: callers"), json!("round_robin: callers"), &["cas"], "lo-riley")]
#[case::the_owner(json!("cas"), json!("loan_officer"), &["cas"], "lo-riley")]
#[case::a_named_user(json!("loan_officer"), json!("deb"), &["deb"], "deb")]
#[case::a_named_user_who_left(json!("cas"), json!("gone"), &["cas"], "lo-riley")]
fn who_is_asked_instead(#[case] first: Value, #[case] then: Value, #[case] callers: &[&str], #[case] expected: &str) {
    let mut world = overdue_for(first, json!({"assign": then}));
    world.context.users = callers.iter().map(|name| caller(name)).chain([riley()]).collect();
    for _ in 0..3 {
        run_next(&mut world);
    }
    assert_eq!(world.task("it").user.as_str(), expected);
    assert!(world.task("it").text.contains("did not do it in time"), "{}", world.task("it").text);
}

#[test]
fn where_nobody_else_may_act_the_same_user_is_asked_once_more_and_told_why() {
    let mut world = overdue(json!({"assign": "round_robin: callers"}));
    world.context.users = vec![riley()];
    for _ in 0..3 {
        run_next(&mut world);
    }
    let text = &world.task("it").text;
    let why = "Yours to do, because nobody else may act for this lead, and nobody in the group callers may act for this lead.";
    assert!(text.starts_with(why), "{text}");
}

#[rstest]
#[case(json!("next"), "Run mail 1 at Tue 11:00:00")]
#[case(json!("mail"), "Run mail 1 at Tue 11:00:00")]
#[case(json!("it"), "Run it 2 at Tue 10:10:00")]
#[case(json!("end"), "nothing")]
#[case(json!({"cadence": "nurture"}), "nothing")]
#[case(json!("pause"), "Run mail 1 at Tue 11:00:00")]
fn what_is_not_done_in_time_may_lead_anywhere(#[case] on_overdue: Value, #[case] expected: &str) {
    let mut world = overdue(on_overdue.clone());
    run_next(&mut world);
    assert_eq!(world.next(), "ExpireHold it 1 at Tue 10:10:00");
    run_next(&mut world);
    assert_eq!(world.next(), expected);
    assert_eq!(matches!(world.state(), State::Parked { .. }), on_overdue == "pause");
    let is_over = world.context.enrollment.has_ended();
    let left: Vec<&str> = world.open().into_iter().filter(|task| *task == "it").collect();
    assert_eq!(left.is_empty(), is_over, "it stays with its user while the cadence goes on");
}

#[test]
fn what_is_done_in_time_leads_where_its_outcome_does() {
    let mut world = overdue(json!({"assign": "cas"}));
    run_next(&mut world);
    let (task, now) = (world.task("it").clone(), tuesday() + minutes(9));
    let done = complete_task(&world.context, &task, &task.user, Outcome::Voicemail, None, now);
    let Completed::Change(change) = done else { panic!("{done:?}") };
    world.commit(*change);
    assert_eq!((world.open(), world.next().as_str()), (vec![], "Run mail 1 at Tue 11:00:00"));
}

#[test]
fn a_task_that_the_lead_closed_is_not_asked_of_somebody_else() {
    let mut world = overdue(json!({"assign": "cas"}));
    run_next(&mut world);
    world.context.open_tasks.clear();
    run_next(&mut world);
    assert_eq!(world.next(), "Run mail 1 at Tue 11:00:00");
}

#[test]
fn a_step_holds_until_its_task_is_due_in_its_users_hours() {
    let mut world = overdue(json!("end"));
    let hours = parse_hours("Tue 13:00-17:00").unwrap();
    world.context.users = vec![User { hours: Some(hours), ..caller("lo-riley") }];
    run_next(&mut world);
    assert_eq!(world.next(), "ExpireHold it 1 at Tue 13:10:00");
    assert_eq!(world.due_at(), world.task("it").task_due_at);
}

#[test]
fn who_was_late_may_still_say_what_came_of_it() {
    for (outcome, ends) in [(Outcome::Connected, true), (Outcome::Voicemail, false)] {
        let mut world = overdue(json!({"assign": "cas"}));
        run_next(&mut world);
        let first = world.task("it").clone();
        let Plan::Change(change) = world.plan(world.due_at()) else { panic!() };
        let closed = change.close[0].1.clone();
        assert_eq!((closed.outcome, closed.by.clone()), (Outcome::Expired, None));
        world.commit(*change);
        run_next(&mut world);
        let (late, now) = (Task { closed: Some(closed), ..first.clone() }, tuesday() + minutes(12));
        let done = complete_task(&world.context, &late, &late.user, outcome, None, now);
        let Completed::Change(change) = done else { panic!("{done:?}") };
        let mut closes: Vec<_> = change.close.iter().map(|(id, closed)| (id.key.round, closed.outcome)).collect();
        closes.sort();
        let second = ends.then_some((2, Outcome::Skipped));
        assert_eq!(closes, [(1, outcome)].into_iter().chain(second).collect::<Vec<_>>());
        let is_over = change.progress.is_some_and(|progress| matches!(progress.state, State::Ended { .. }));
        assert_eq!(is_over, ends, "{outcome:?}");

        let closed = Closed { outcome, at: now, by: Some(late.user.clone()) };
        let told = Task { closed: Some(closed), ..late };
        let again = complete_task(&world.context, &told, &told.user, outcome, None, now);
        assert!(matches!(again, Completed::Known), "{again:?}");
        let other = complete_task(&world.context, &told, &told.user, Outcome::Busy, None, now);
        assert!(matches!(other, Completed::Conflict(_)), "{other:?}");
    }
}
