//! Who is asked: by turns, by name, or whoever stands in.

use cadence_core::{
    Channel, EnrollmentId, LeadId, Outcome, UserId,
    plan::{Plan, plan_step},
    task::Task,
    timeline::EntryKind,
};
use cadence_store::{Claimed, Refused};
use cadence_tests::{Moment, Tested, World, step};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A call that is assigned so.
fn call(assign: Value) -> Value {
    let mut call = step("dial", "call", "0m");
    (call["assign"], call["due"]) = (assign, json!("10m"));
    call
}

/// A world in which Casey, Deb and Morgan are callers who may act in California, and leads are called so.
async fn with_callers(assign: Value) -> Tested<World> {
    let world = World::start().await?;
    for name in ["casey", "deb"] {
        let user = json!({ "pk": format!("USER#{name}"), "sk": "CURRENT", "first_name": name, "last_name": "Sample",
            "email": format!("{name}@example.com"), "phone": "+14155550160", "sms_number": "+14155550161", "nmls_id": "1000003",
            "licences": ["CA"], "groups": ["callers"] });
        assert_eq!(world.put_record(&user).await?["published_version"], 1);
    }
    let morgan = world.edit("USER#lo-morgan", |morgan| {
        (morgan["licences"], morgan["groups"]) = (json!(["CA"]), json!("callers"));
    });
    morgan.await?;
    world.give_steps([call(assign)]).await?;
    Ok(world)
}

fn callers() -> Value {
    json!({ "round_robin": "callers" })
}

/// Enrolls a lead whom Zillow sent to Riley.
async fn enroll(world: &World, index: usize) -> Tested<(LeadId, EnrollmentId)> {
    let mut lead = world.zillow_lead(&format!("LC-{index}"), &format!("415-555-01{index:02}"));
    lead["recipient"] = json!({ "emailAddress": "riley@example.com" });
    world.enroll_as("zillow", &lead).await
}

/// The open tasks of each of those users.
async fn tasks(world: &World) -> Tested<Vec<Task>> {
    let mut tasks = Vec::new();
    for user in ["lo-riley", "casey", "deb", "lo-morgan"] {
        tasks.extend(world.store.load_open_tasks(&UserId::new(user)).await?);
    }
    Ok(tasks)
}

/// Whom the lead's call was given to, as the timeline says, and why.
async fn asked(world: &World, lead: &LeadId) -> Tested<(String, String)> {
    let timeline = world.timeline(lead).await?;
    let entry = timeline.into_iter().find(|entry| entry.kind == EntryKind::TaskOpened).ok_or("nobody was asked")?;
    Ok((entry.to.unwrap_or_default(), entry.text.unwrap_or_default()))
}

#[tokio::test]
async fn leads_who_come_at_once_are_given_to_the_members_of_a_group_in_turn() -> Tested {
    let world = with_callers(callers()).await?;
    let mut leads = Vec::new();
    for index in 0..6 {
        leads.push(enroll(&world, index).await?.0);
    }
    world.settle().await?;
    let mut given = Vec::new();
    for lead in &leads {
        given.push(asked(&world, lead).await?.0);
    }
    given.sort();
    assert_eq!(given, ["casey", "casey", "deb", "deb", "lo-morgan", "lo-morgan"]);

    let mut told: Vec<String> = world.outbox()?.into_iter().map(|sent| sent.to).collect();
    told.sort();
    assert_eq!(told, ["casey", "casey", "deb", "deb", "morgan", "morgan"].map(|name| format!("{name}@example.com")));
    assert_eq!(tasks(&world).await?.len(), 6, "each is told of a task that is theirs");

    let turns = world.lead_items("TURNS#callers").await?;
    assert_eq!(turns.len(), 3);
    assert!(turns.iter().all(|turn| turn.to_string().len() < 1024), "{turns:?}");
    Ok(())
}

#[tokio::test]
async fn the_same_turn_is_not_taken_twice_and_whoever_loses_it_asks_the_next() -> Tested {
    let world = with_callers(callers()).await?;
    let (one, other) = (enroll(&world, 1).await?, enroll(&world, 2).await?);
    let (first, second) = (world.step_due(&one.0, &one.1).await?, world.step_due(&other.0, &other.1).await?);
    let context = world.store.load_step(&one.0, &one.1).await?;
    let Plan::Send(plan) = plan_step(&context, &first, world.cloud.now()) else { return Err("it is not due".into()) };

    let (rival, due) = (world.clone(), second.clone());
    let happening = async move {
        rival.run(Channel::Call, &due).await??;
        Ok(())
    };
    let ran = world.run_while(Channel::Call, &first, Moment::Before("TransactWriteItems"), happening).await??;
    assert_eq!(ran, cadence_core::plan::StepReport::Replan);
    assert_eq!(world.outbox()?.len(), 1, "nobody is told of a task that another lead's is");
    let late = world.store.claim(&plan, "late".into(), world.cloud.now()).await?;
    assert!(matches!(late, Claimed::Refused(Refused::Race)), "{late:?}");

    world.run(Channel::Call, &first).await??;
    assert_eq!((asked(&world, &other.0).await?.0, asked(&world, &one.0).await?.0), ("casey".into(), "deb".into()));
    Ok(())
}

#[tokio::test]
async fn a_claim_that_died_is_settled_for_whom_it_had_asked_and_takes_no_second_turn() -> Tested {
    let world = with_callers(callers()).await?;
    let (lead, enrollment) = enroll(&world, 1).await?;
    let due = world.step_due(&lead, &enrollment).await?;
    world.kill(Channel::Call, &due, Moment::Before("PutItem")).await?;
    assert_eq!(world.sent()?, ["email casey@example.com"]);
    world.pass(TimeDelta::minutes(20)).await?;
    assert_eq!(tasks(&world).await?.iter().map(|task| task.user.as_str()).collect::<Vec<_>>(), ["casey"]);
    assert_eq!(world.sent()?.len(), 1);
    assert_eq!(world.lead_items("TURNS#callers").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn where_nobody_in_the_group_may_act_the_owner_is_asked_and_the_timeline_says_why() -> Tested {
    let world = with_callers(callers()).await?;
    for user in ["casey", "deb", "lo-morgan"] {
        world.edit(&format!("USER#{user}"), |user| user["active"] = json!(false)).await?;
    }
    let (lead, _) = enroll(&world, 1).await?;
    world.settle().await?;
    let (user, text) = asked(&world, &lead).await?;
    assert_eq!(user, "lo-riley");
    let why = "Yours to do, because nobody in the group callers may act for this lead.";
    assert!(text.starts_with(why), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_step_may_name_a_user_who_is_not_the_owner() -> Tested {
    let world = with_callers(json!("deb")).await?;
    let (lead, _) = enroll(&world, 1).await?;
    world.settle().await?;
    assert_eq!(asked(&world, &lead).await?.0, "deb");
    assert_eq!(world.sent()?, ["email deb@example.com"]);
    Ok(())
}

#[tokio::test]
async fn while_the_owner_is_away_the_stand_in_is_asked_and_the_owner_still_writes() -> Tested {
    let world = with_callers(json!("loan_officer")).await?;
    world.give_steps([call(json!("loan_officer")), step("canned_sms", "text", "0m")]).await?;
    let away = json!({ "from": "2026-12-01", "until": "2026-12-02", "stand_in": "lo-morgan" });
    let riley = world.edit("USER#lo-riley", |riley| {
        (riley["time_zone"], riley["out_of_office"]) = (json!("America/Los_Angeles"), away);
    });
    assert_eq!(riley.await?["check"], "ok: published as version 2");
    let (lead, _) = enroll(&world, 1).await?;
    world.settle().await?;
    let (user, text) = asked(&world, &lead).await?;
    assert_eq!(user, "lo-morgan");
    assert!(text.starts_with("Yours to do, because Riley Example is out of office."), "{text}");
    assert_eq!(world.lead(&lead).await?.owner, Some("lo-riley".into()), "whose the lead stays");
    let sent = world.outbox()?;
    assert_eq!((sent[0].to.as_str(), sent[1].from.as_str()), ("morgan@example.com", "+14155550141"));
    assert!(sent[1].text.contains("Riley Example"), "{}", sent[1].text);

    world.jump_to(world.cloud.now() + TimeDelta::days(2)).await?;
    let (back, _) = enroll(&world, 2).await?;
    world.settle().await?;
    assert_eq!(asked(&world, &back).await?.0, "lo-riley", "who is back");
    Ok(())
}

/// A world in which Riley has ten minutes to call, and then a caller is asked; an email follows.
async fn with_ten_minutes() -> Tested<World> {
    let world = with_callers(json!("loan_officer")).await?;
    let mut call = call(json!("loan_officer"));
    call["on_overdue"] = json!({ "assign": callers() });
    world.give_steps([call, step("canned_email", "mail", "1h")]).await?;
    Ok(world)
}

#[tokio::test]
async fn what_is_not_done_in_time_is_another_users_once_and_then_the_cadence_goes_on() -> Tested {
    let world = with_ten_minutes().await?;
    let start = world.cloud.now();
    let (lead, enrollment) = enroll(&world, 1).await?;
    world.pass(TimeDelta::minutes(9)).await?;
    assert_eq!(tasks(&world).await?.iter().map(|task| task.user.as_str()).collect::<Vec<_>>(), ["lo-riley"]);
    world.pass(TimeDelta::minutes(2)).await?;
    let again = tasks(&world).await?;
    assert_eq!(again.iter().map(|task| (task.user.as_str(), task.id.key.round)).collect::<Vec<_>>(), [("casey", 2)]);
    assert_eq!(world.sent()?, ["email riley@example.com", "email casey@example.com"]);
    assert!(
        again[0].text.starts_with("Yours to do, because Riley Example did not do it in time."),
        "{}",
        again[0].text
    );
    world.pass(TimeDelta::hours(2)).await?;
    assert_eq!(
        world.told(&lead).await?[2..],
        [
            "task_opened call -",
            "outcome call expired",
            "task_opened call -",
            "outcome call expired",
            "sent mail -",
            "ended - -"
        ]
    );
    let mailed = world.when(&lead, EntryKind::Sent, "mail").await?;
    assert_eq!(mailed, [start + TimeDelta::minutes(70)], "an hour after the second was due");
    assert!(world.enrollment(&lead, &enrollment).await?.has_ended());
    Ok(())
}

#[tokio::test]
async fn a_task_done_just_in_time_is_nobody_elses() -> Tested {
    let world = with_ten_minutes().await?;
    let (lead, _) = enroll(&world, 1).await?;
    world.pass(TimeDelta::minutes(9)).await?;
    let task = tasks(&world).await?.pop().ok_or("nobody was asked")?;
    assert_eq!(world.complete(&task, "voicemail").await?.status, 200);
    world.pass(TimeDelta::hours(2)).await?;
    let told = world.told(&lead).await?;
    assert_eq!(told.iter().filter(|told| told.starts_with("task_opened")).count(), 1, "{told:?}");
    Ok(())
}

#[tokio::test]
async fn who_was_late_may_still_report_that_the_lead_was_reached() -> Tested {
    let world = with_ten_minutes().await?;
    let (lead, enrollment) = enroll(&world, 1).await?;
    world.pass(TimeDelta::minutes(9)).await?;
    let late = tasks(&world).await?.pop().ok_or("nobody was asked")?;
    world.pass(TimeDelta::minutes(2)).await?;
    let closed = world.store.load_task(&late.id).await?.and_then(|task| task.closed).ok_or("it is open")?;
    assert_eq!((closed.outcome, closed.by), (Outcome::Expired, None));

    let done = world.complete(&late, "connected").await?;
    assert_eq!((done.status, &done.body["closed"]["by"]), (200, &json!("lo-riley")), "{done:?}");
    assert!(world.enrollment(&lead, &enrollment).await?.has_ended());
    assert_eq!(tasks(&world).await?, [], "and nobody else has to call");
    let before = world.items().await?;
    assert_eq!(world.complete(&late, "connected").await?.status, 200, "twice is once");
    assert_eq!(world.complete(&late, "busy").await?.status, 409);
    assert_eq!(world.items().await?, before);
    world.pass(TimeDelta::hours(2)).await?;
    assert_eq!(world.sent()?.len(), 2, "the notices");
    Ok(())
}
