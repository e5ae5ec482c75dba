//! The third door: the voice agent's reports, and unsubscribe links.

mod order;
mod unsubscribe;

use cadence_core::{Outcome, enrollment::Act, timeline::EntryKind};
use cadence_tests::{Tested, World, end_of_call, local::deployment::VOICE_AGENT_SECRET};
use chrono::TimeDelta;
use serde_json::{Value, json};

const PHONE: &str = "+14155550123";

#[tokio::test]
async fn a_report_without_the_agents_secret_changes_nothing() -> Tested {
    let world = World::start().await?;
    world.let_calls_go_on(PHONE)?;
    let run = world.enroll().await?;
    world.pass(TimeDelta::minutes(21)).await?;
    let before = world.items().await?;
    let body = end_of_call(&run, "robot-call", "customer-ended-call", None).to_string();
    for (path, headers) in [
        ("/events/voice-agent", vec![]),
        ("/events/voice-agent", vec![("x-vapi-secret", "")]),
        ("/events/voice-agent", vec![("x-vapi-secret", "wrong")]),
        ("/events/voice-agent", vec![("authorization", VOICE_AGENT_SECRET)]),
        ("/events/nobody", vec![("x-vapi-secret", VOICE_AGENT_SECRET)]),
    ] {
        assert_eq!(world.ask("POST", path, &headers, body.as_bytes()).await?.status, 401, "{path} {headers:?}");
        assert_eq!(world.items().await?, before);
    }
    assert_eq!(world.report(&serde_json::from_str(&body)?).await?.status, 200);
    assert_ne!(world.items().await?, before);
    Ok(())
}

#[tokio::test]
async fn what_is_no_report_on_a_call_of_ours_changes_nothing() -> Tested {
    let world = World::start().await?;
    let run = world.enroll().await?;
    world.settle().await?;
    let before = world.items().await?;
    let mut update = end_of_call(&run, "robot-call", "customer-ended-call", None);
    update["message"]["type"] = json!("status-update");
    let mut unknown = end_of_call(&run, "robot-call", "customer-ended-call", None);
    unknown["message"]["call"]["metadata"]["lead"] = json!("nobody");
    let mut foreign = end_of_call(&run, "robot-call", "customer-ended-call", None);
    foreign["message"]["call"]["metadata"] = json!({});
    for body in [update, unknown, foreign] {
        assert_eq!(world.report(&body).await?.status, 200, "the agent is not to send it again: {body}");
    }
    assert_eq!(world.report(&json!({ "message": "hello" })).await?.status, 400);
    assert_eq!(world.items().await?, before);
    Ok(())
}

#[tokio::test]
async fn a_call_that_reached_the_lead_ends_the_cadence() -> Tested {
    for (ended, told, outcome, is_asked) in [
        ("customer-ended-call", None, "connected", false),
        ("assistant-forwarded-call", None, "transferred", false),
        ("customer-ended-call", Some(Outcome::AppointmentSet), "appointment_set", true),
    ] {
        let world = World::start().await?;
        world.let_calls_end(PHONE, ended, told)?;
        let (lead, enrollment) = world.enroll().await?;
        world.pass(TimeDelta::hours(1)).await?;
        let last = world.told(&lead).await?;
        assert_eq!(last[last.len() - 2..], [format!("outcome robot-call {outcome}"), "ended - -".to_owned()]);
        assert!(world.enrollment(&lead, &enrollment).await?.has_ended());
        assert_eq!(world.when(&lead, EntryKind::Sent, "intro-email").await?.len(), 0, "{outcome}");
        let asked: Vec<_> = world.open_tasks().await?.iter().map(|task| json!(task.kind)).collect();
        assert_eq!(asked, if is_asked { vec![json!("follow_up")] } else { vec![] }, "{outcome}");
    }
    Ok(())
}

#[tokio::test]
async fn a_call_that_reached_nobody_lets_the_cadence_go_on() -> Tested {
    for (ended, outcome) in
        [("customer-did-not-answer", "no_answer"), ("voicemail", "voicemail"), ("customer-busy", "busy")]
    {
        let world = World::start().await?;
        world.let_calls_end(PHONE, ended, None)?;
        let (lead, _) = world.enroll().await?;
        world.pass(TimeDelta::hours(1)).await?;
        let told = world.told(&lead).await?;
        let last = [format!("outcome robot-call {outcome}"), "sent intro-email -".to_owned(), "ended - -".to_owned()];
        assert_eq!(told[told.len() - 3..], last);
    }
    Ok(())
}

#[tokio::test]
async fn an_ai_call_is_redialled_as_often_as_its_step_says_and_never_more_often_than_once_a_day() -> Tested {
    let world = World::start().await?;
    let record = world
        .edit("CADENCE#zillow-purchase", |cadence| {
            cadence["steps"][2]["attempts"] = json!(2);
            cadence["steps"][2]["every"] = json!("1h");
        })
        .await?;
    assert_eq!(record["published_version"], 2, "{record}");
    let (lead, _) = world.enroll().await?;
    let start = world.cloud.now();
    world.pass(TimeDelta::hours(2)).await?;
    let deferred = world.when(&lead, EntryKind::Deferred, "robot-call").await?;
    assert_eq!(deferred, [start + TimeDelta::minutes(80)], "an hour after the first call was due");
    world.jump_to(start + TimeDelta::hours(24)).await?;
    world.pass(TimeDelta::hours(2)).await?;

    let called = world.when(&lead, EntryKind::CallPlaced, "robot-call").await?;
    let first = start + TimeDelta::minutes(20);
    assert_eq!(called, [first, first + TimeDelta::hours(24)], "one AI call in any 24 hours is all that a person gets");
    let emailed = world.when(&lead, EntryKind::Sent, "intro-email").await?;
    assert_eq!(emailed, [first + TimeDelta::hours(24) + TimeDelta::minutes(20)], "its wait counts from the last round");
    Ok(())
}

#[tokio::test]
async fn a_users_dial_is_asked_for_again_after_each_no_answer_and_its_on_counts_after_the_last() -> Tested {
    let world = World::start().await?;
    world
        .edit("CADENCE#zillow-purchase", |cadence| {
            cadence["steps"] = json!([
                { "id": "first-call", "do": "dial", "wait": "0m", "attempts": 2, "every": "1h", "on": { "no_answer": "last" } },
                { "id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro" },
                { "id": "last", "do": "canned_email", "wait": "5m", "message": "email/intro" },
            ]);
        })
        .await?;
    let (lead, _) = world.enroll().await?;
    let start = world.cloud.now();
    for _ in 0..2 {
        world.pass(TimeDelta::minutes(2)).await?;
        let task = world.open_tasks().await?.pop().ok_or("nobody was asked")?;
        world.complete(&task, "no_answer").await?;
        world.pass(TimeDelta::minutes(58)).await?;
    }
    let asked = world.when(&lead, EntryKind::TaskOpened, "first-call").await?;
    assert_eq!(asked, [start, start + TimeDelta::hours(1)]);
    assert_eq!(world.when(&lead, EntryKind::Sent, "last").await?, [start + TimeDelta::minutes(65)]);
    assert_eq!(world.when(&lead, EntryKind::Sent, "text").await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_hold_expires_where_no_report_comes() -> Tested {
    let world = World::start().await?;
    world.let_calls_go_on(PHONE)?;
    let run = world.enroll().await?;
    let start = world.cloud.now();
    world.pass(TimeDelta::minutes(34)).await?;
    let waits = world.enrollment(&run.0, &run.1).await?.progress.next.ok_or("nothing is due")?;
    assert_eq!((waits.act, waits.due_at), (Act::ExpireHold, start + TimeDelta::minutes(35)));
    world.pass(TimeDelta::minutes(2)).await?;
    assert_eq!(world.told(&run.0).await?.last().map(String::as_str), Some("outcome robot-call expired"));
    world.pass(TimeDelta::minutes(4)).await?;
    let emailed = world.when(&run.0, EntryKind::Sent, "intro-email").await?;
    assert_eq!(emailed, [start + TimeDelta::minutes(40)], "waits count from the call's due instant");

    let late = end_of_call(&run, "robot-call", "customer-ended-call", None);
    assert_eq!(world.report(&late).await?.status, 200);
    let told = world.told(&run.0).await?;
    assert_eq!(told.last().map(String::as_str), Some("outcome robot-call connected"), "it is known all the same");
    Ok(())
}

#[tokio::test]
async fn the_outcome_of_a_step_that_is_past_may_only_end_or_jump_forward() -> Tested {
    for (outcome, target, expected) in [
        ("bad_number", "intro-email", "sent intro-email -"),
        ("voicemail", "intro-text", "call_placed robot-call -"),
        ("busy", "next", "call_placed robot-call -"),
        ("no_answer", "end", "ended - -"),
        ("declined", "first-call", "call_placed robot-call -"),
    ] {
        let world = World::start().await?;
        let mut on = serde_json::Map::new();
        on.insert(outcome.to_owned(), json!(target));
        world.edit("CADENCE#zillow-purchase", |cadence| cadence["steps"][0]["on"] = Value::Object(on)).await?;
        let (lead, enrollment) = world.enroll().await?;
        world.pass(TimeDelta::minutes(3)).await?;
        let before = world.enrollment(&lead, &enrollment).await?.progress;
        let task = world.open_tasks().await?.pop().ok_or("nobody was asked")?;
        world.complete(&task, outcome).await?;
        let after = world.enrollment(&lead, &enrollment).await?.progress;
        assert_eq!(after == before, expected.starts_with("call_placed"), "{outcome} leads to {target}");
        world.pass(TimeDelta::minutes(30)).await?;
        let told = world.told(&lead).await?;
        let then = told.iter().skip_while(|told| !told.starts_with("outcome first-call")).nth(1);
        assert_eq!(then.map(String::as_str), Some(expected), "{outcome} leads to {target}: {told:?}");
        assert_eq!(world.when(&lead, EntryKind::Sent, "intro-text").await?.len(), 1, "nothing is sent twice");
    }
    Ok(())
}
