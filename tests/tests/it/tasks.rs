//! The second door: users and their tasks.

use cadence_core::{
    Outcome,
    change::Change,
    enrollment::End,
    lead::OptOut,
    task::{Task, TaskKind},
};
use cadence_store::Committed;
use cadence_tests::{Answer, Tested, World};
use chrono::TimeDelta;
use serde_json::json;

/// Asks as that user.
async fn ask_as(world: &World, user: &str, method: &str, path: &str, body: &str) -> Tested<Answer> {
    let token = world.users.iter().find(|found| found.user == user).ok_or("there is no such user")?;
    let bearer = format!("Bearer {}", token.token);
    world.ask(method, path, &[("authorization", &bearer)], body.as_bytes()).await
}

/// A world in which Riley has a call to make, and that task.
async fn asked() -> Tested<(World, Task)> {
    let world = World::start().await?;
    world.enroll().await?;
    world.settle().await?;
    let task = world.open_tasks().await?.pop().ok_or("nobody was asked")?;
    assert_eq!((task.user.as_str(), task.kind), ("lo-riley", TaskKind::Dial));
    Ok((world, task))
}

#[tokio::test]
async fn a_user_sees_their_own_tasks_with_what_they_may_report() -> Tested {
    let (world, task) = asked().await?;
    let listed = ask_as(&world, "lo-riley", "GET", "/tasks", "").await?;
    assert_eq!(listed.status, 200);
    let mine = listed.body["tasks"].as_array().cloned().unwrap_or_default();
    assert_eq!(mine.len(), 1);
    assert_eq!(mine[0]["id"], task.id.to_string());
    assert_eq!(mine[0]["reach"], "+14155550123");
    assert_eq!(mine[0]["outcomes"], json!(task.kind.outcomes()));
    let one = ask_as(&world, "lo-riley", "GET", &format!("/tasks/{}", task.id), "").await?;
    assert_eq!((one.status, &one.body), (200, &mine[0]));
    Ok(())
}

#[tokio::test]
async fn nobody_sees_or_completes_what_is_not_theirs() -> Tested {
    let (world, task) = asked().await?;
    let before = world.items().await?;
    let (one, outcome) = (format!("/tasks/{}", task.id), format!("/tasks/{}/outcome", task.id));
    let connected = r#"{"outcome":"connected"}"#;

    let others = ask_as(&world, "lo-morgan", "GET", "/tasks", "").await?;
    assert_eq!((others.status, &others.body["tasks"]), (200, &json!([])));
    let foreign = ask_as(&world, "lo-morgan", "GET", &one, "").await?;
    let unknown = ask_as(&world, "lo-morgan", "GET", "/tasks/a.b.first-call.1", "").await?;
    assert_eq!(foreign, unknown, "somebody else's task is as good as none");
    assert_eq!((foreign.status, foreign.content_type.as_str()), (404, "application/problem+json"));
    for path in [outcome.as_str(), "/tasks/a.b.first-call.1/outcome", "/tasks/nonsense/outcome"] {
        assert_eq!(ask_as(&world, "lo-morgan", "POST", path, connected).await?.status, 404, "{path}");
    }

    let mut forged = world.users[0].token.clone();
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    for token in [None, Some(String::new()), Some("nonsense".to_owned()), Some(forged)] {
        let headers: Vec<_> = token.iter().map(|token| ("authorization", format!("Bearer {token}"))).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (method, path) in [("GET", "/tasks"), ("GET", one.as_str()), ("POST", outcome.as_str())] {
            let answer = world.ask(method, path, &headers, connected.as_bytes()).await?;
            assert_eq!(answer.status, 401, "{method} {path} {headers:?}");
        }
    }
    assert_eq!(world.items().await?, before);
    Ok(())
}

#[tokio::test]
async fn an_outcome_that_does_not_fit_is_refused_with_what_does() -> Tested {
    let (world, task) = asked().await?;
    let before = world.items().await?;
    let path = format!("/tasks/{}/outcome", task.id);
    for body in [r#"{"outcome":"delivered"}"#, r#"{"outcome":"transferred"}"#, r#"{"outcome":"expired"}"#] {
        let answer = ask_as(&world, "lo-riley", "POST", &path, body).await?;
        assert_eq!((answer.status, answer.content_type.as_str()), (422, "application/problem+json"), "{body}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/outcome", "{body}");
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        let allowed = task.kind.outcomes();
        assert!(allowed.iter().all(|outcome| detail.contains(outcome.as_str())), "{detail}");
    }
    for body in ["", "{", "{}", r#"{"outcome":"conected"}"#, r#"{"outcome":"connected","notes":"x"}"#] {
        assert_eq!(ask_as(&world, "lo-riley", "POST", &path, body).await?.status, 422, "{body}");
    }
    assert_eq!(world.items().await?, before);
    Ok(())
}

#[tokio::test]
async fn completing_a_task_again_changes_nothing_and_otherwise_conflicts() -> Tested {
    let (world, task) = asked().await?;
    let path = format!("/tasks/{}/outcome", task.id);
    let body = r#"{"outcome":"voicemail","note":"left the custom voicemail"}"#;
    let first = ask_as(&world, "lo-riley", "POST", &path, body).await?;
    assert_eq!((first.status, &first.body["closed"]["outcome"]), (200, &json!("voicemail")));
    world.settle().await?;
    let before = world.items().await?;
    assert_eq!(ask_as(&world, "lo-riley", "POST", &path, body).await?, first);
    let conflict = ask_as(&world, "lo-riley", "POST", &path, r#"{"outcome":"connected"}"#).await?;
    assert_eq!(conflict.status, 409);
    assert!(conflict.body["detail"].as_str().is_some_and(|detail| detail.contains("voicemail")), "{conflict:?}");
    assert_eq!(world.items().await?, before);
    Ok(())
}

#[tokio::test]
async fn opted_out_closes_the_phone_at_once_and_keeps_the_email() -> Tested {
    let (world, task) = asked().await?;
    assert_eq!(world.complete(&task, "opted_out").await?.status, 200);
    let sent = world.sent()?;
    world.pass(TimeDelta::hours(2)).await?;
    assert_eq!(world.sent()?[sent.len()..], ["email lc-1@example.com"], "no AI call after it");
    let lead = world.lead(&task.id.lead).await?;
    assert_eq!(lead.opt_outs.keys().collect::<Vec<_>>(), [&OptOut::Phone]);
    let told = world.told(&task.id.lead).await?;
    assert!(told.contains(&"opted_out - opted_out".to_owned()), "{told:?}");
    assert!(told.contains(&"skipped robot-call skipped".to_owned()), "{told:?}");

    let hash = lead.phone_hash.ok_or("the lead has no phone")?;
    let address = world.store.load_address(&hash).await?.ok_or("the address is not known")?;
    assert!(address.suppressed_at.is_some(), "it outlives the lead");
    Ok(())
}

#[tokio::test]
async fn nobody_is_left_with_a_call_to_make_to_a_lead_who_opted_out() -> Tested {
    let world = World::start().await?;
    let body = json!({ "first_name": "Avery", "phone": "415-555-0123", "state": "CA" });
    world.enroll_as("plain", &body).await?;
    world.pass(TimeDelta::minutes(6)).await?;
    let tasks = world.open_tasks().await?;
    assert_eq!(tasks.iter().map(|task| task.kind).collect::<Vec<_>>(), [TaskKind::Dial, TaskKind::Sms]);
    assert_eq!(world.complete(&tasks[1], "opted_out").await?.status, 200);
    assert_eq!(world.open_tasks().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_task_that_is_skipped_lets_the_cadence_go_on() -> Tested {
    let (world, task) = asked().await?;
    assert_eq!(world.complete(&task, "skipped").await?.status, 200);
    world.pass(TimeDelta::hours(1)).await?;
    let told = world.told(&task.id.lead).await?;
    for step in ["outcome first-call skipped", "call_placed robot-call -", "sent intro-email -"] {
        assert!(told.contains(&step.to_owned()), "{step}: {told:?}");
    }
    Ok(())
}

#[tokio::test]
async fn tasks_close_when_their_enrollment_ends() -> Tested {
    let world = World::start().await?;
    let body = json!({ "first_name": "Avery", "phone": "415-555-0123", "state": "CA" });
    let (lead, enrollment) = world.enroll_as("plain", &body).await?;
    world.pass(TimeDelta::minutes(6)).await?;
    let tasks = world.open_tasks().await?;
    let kinds: Vec<_> = tasks.iter().map(|task| task.kind).collect();
    assert_eq!(kinds, [TaskKind::Dial, TaskKind::Sms]);

    assert_eq!(world.complete(&tasks[0], "connected").await?.status, 200);
    let ended = world.enrollment(&lead, &enrollment).await?.progress;
    assert_eq!(json!(ended.state)["why"], json!(End::Outcome(Outcome::Connected)));
    assert_eq!(world.open_tasks().await?, []);
    let closed = world.store.load_task(&tasks[1].id).await?.and_then(|task| task.closed).ok_or("it is open")?;
    assert_eq!((closed.outcome, closed.by), (Outcome::Skipped, None), "nobody did it");
    assert_eq!(world.complete(&tasks[0], "voicemail").await?.status, 409, "what somebody said stands");
    Ok(())
}

/// Whoever was on the phone as the cadence ended hears what the lead says, and no other task may be there to say it of.
#[tokio::test]
async fn a_task_that_closed_by_itself_can_still_be_told_of() -> Tested {
    let world = World::start().await?;
    let body = json!({ "first_name": "Avery", "phone": "415-555-0123", "state": "CA" });
    let (lead, _) = world.enroll_as("plain", &body).await?;
    world.pass(TimeDelta::minutes(6)).await?;
    let tasks = world.open_tasks().await?;
    assert_eq!(world.complete(&tasks[0], "connected").await?.status, 200);
    assert_eq!(world.open_tasks().await?, []);

    assert_eq!(world.complete(&tasks[1], "opted_out").await?.status, 200);
    let closed = world.store.load_task(&tasks[1].id).await?.and_then(|task| task.closed).ok_or("it is open")?;
    assert_eq!((closed.outcome, closed.by.as_ref()), (Outcome::OptedOut, Some(&tasks[1].user)));
    assert_eq!(world.lead(&lead).await?.opt_outs.keys().collect::<Vec<_>>(), [&OptOut::Phone]);
    assert_eq!(world.complete(&tasks[1], "replied").await?.status, 409, "it was told");
    Ok(())
}

/// A world whose lead has more open tasks than one transaction can close: a cadence went round for months, and nobody worked.
async fn asked_for_months() -> Tested<(World, Task)> {
    let (world, task) = asked().await?;
    let enrollment = world.enrollment(&task.id.lead, &task.id.key.enrollment).await?;
    let rounds: Vec<u32> = (2..=250).collect();
    for rounds in rounds.chunks(90) {
        let mut change = Change::of(&enrollment, world.cloud.now());
        change.open.extend(rounds.iter().map(|round| {
            let mut again = task.clone();
            again.id.key.round = *round;
            again
        }));
        assert_eq!(world.store.commit(&change).await?, Committed::Yes);
    }
    assert_eq!(world.open_tasks().await?.len(), 250);
    Ok((world, task))
}

#[tokio::test]
async fn an_end_closes_hundreds_of_tasks() -> Tested {
    let (world, task) = asked_for_months().await?;
    assert_eq!(world.complete(&task, "connected").await?.status, 200);
    assert_eq!(world.open_tasks().await?, []);
    assert!(world.enrollment(&task.id.lead, &task.id.key.enrollment).await?.has_ended());
    Ok(())
}

#[tokio::test]
async fn an_opt_out_closes_hundreds_of_tasks() -> Tested {
    let (world, task) = asked_for_months().await?;
    assert!(world.store.opt_out(&task.id.lead, OptOut::Phone, world.cloud.now()).await?);
    assert_eq!(world.open_tasks().await?, []);
    let told = world.told(&task.id.lead).await?;
    assert_eq!(told.iter().filter(|entry| entry.starts_with("opted_out")).count(), 1, "{told:?}");
    Ok(())
}
