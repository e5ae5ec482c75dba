use chrono::TimeDelta;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    Outcome,
    apply::{Applied, apply_outcome},
    delivery::Delivery,
    fixtures::{World, accepted, at, lead, minutes, steps, tuesday, unknown, user},
    plan::{Action, Plan},
    records::user::Absence,
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
#[case::a_named_user(json!("jules"), vec![riley(), user("jules", "Jules", &[])], "jules", "")]
#[case::a_named_users_stand_in(json!("jules"), vec![riley(), away(user("jules", "Jules", &[]), Some("cas")), caller("cas")],
    "cas", "Jules Sample is out of office")]
#[case::a_named_user_who_left(json!("jules"), vec![riley()], "lo-riley", "jules takes no leads")]
#[case::a_named_user_who_left_while_the_owner_is_away(json!("jules"), vec![away(riley(), Some("cas")), caller("cas")],
    "cas", "jules takes no leads, and Riley Sample is out of office")]
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

#[test]
fn others_than_the_owner_are_read_only_where_they_may_be_asked() {
    let cases: [(Value, fn(&mut World), bool); 6] = [
        (json!("loan_officer"), |_| {}, true),
        (json!("jules"), |_| {}, false),
        (callers(), |_| {}, false),
        (json!("loan_officer"), |world| world.context.users = vec![away(riley(), Some("cas"))], false),
        (json!("loan_officer"), |world| world.context.users = vec![User { active: false, ..riley() }], false),
        (json!("loan_officer"), |world| world.context.enrollment.progress.next = None, true),
    ];
    for (number, (assign, change, expected)) in cases.into_iter().enumerate() {
        let mut world = dial(assign);
        world.context.users = vec![riley()];
        change(&mut world);
        let StepContext { enrollment, cadence, users, .. } = &world.context;
        assert_eq!(is_owners_alone(&users[0], &lead(), cadence, enrollment), expected, "case {number}");
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
