//! The reference story, end to end.

use cadence_core::timeline::EntryKind;
use cadence_tests::{Tested, World, tuesday_morning};
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test]
async fn every_step_of_the_reference_cadence_runs_in_its_order_when_nobody_is_reached() -> Tested {
    let world = World::start().await?;
    let (lead, _) = world.enroll().await?;
    world.pass(TimeDelta::minutes(3)).await?;
    let tasks = world.open_tasks().await?;
    assert_eq!(world.complete(&tasks[0], "voicemail").await?.status, 200);
    world.pass(TimeDelta::hours(2)).await?;
    assert_eq!(
        world.told(&lead).await?,
        [
            "lead_in - -",
            "enrolled - -",
            "task_opened first-call -",
            "sent intro-text -",
            "outcome first-call voicemail",
            "call_placed robot-call -",
            "outcome robot-call no_answer",
            "sent intro-email -",
            "ended - -",
        ]
    );
    let owner = format!("{}@example.com", tasks[0].user.as_str().trim_start_matches("lo-"));
    let notice = format!("email {owner}");
    assert_eq!(world.sent()?, [notice.as_str(), "sms +14155550123", "ai_call +14155550123", "email lc-1@example.com"]);
    assert_eq!(world.open_tasks().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_lead_who_is_reached_gets_nothing_more() -> Tested {
    let world = World::start().await?;
    let (lead, _) = world.enroll().await?;
    world.pass(TimeDelta::minutes(5)).await?;
    let tasks = world.open_tasks().await?;
    assert_eq!(world.complete(&tasks[0], "connected").await?.status, 200);
    let sent = world.sent()?.len();
    world.pass(TimeDelta::hours(3)).await?;
    assert_eq!(world.sent()?.len(), sent);
    assert_eq!(world.told(&lead).await?.last().map(String::as_str), Some("ended - -"));
    Ok(())
}

#[tokio::test]
async fn a_lead_who_comes_in_between_two_seconds_is_contacted_at_once() -> Tested {
    let world = World::start_at(tuesday_morning() + TimeDelta::milliseconds(300)).await?;
    let (lead, _) = world.enroll().await?;
    world.pass(TimeDelta::seconds(3)).await?;
    let told = world.told(&lead).await?;
    assert_eq!(told, ["lead_in - -", "enrolled - -", "task_opened first-call -", "sent intro-text -"]);
    Ok(())
}

#[tokio::test]
async fn a_version_for_everyone_takes_running_leads_along_and_one_for_new_leads_does_not() -> Tested {
    for (apply_to, expected) in [("everyone", "told"), ("new_leads", "sent")] {
        let world = World::start().await?;
        let (lead, _) = world.enroll().await?;
        world.pass(TimeDelta::minutes(21)).await?;
        world
            .edit("CADENCE#zillow-purchase", |record| {
                record["apply_to"] = json!(apply_to);
                record["steps"][3]["do"] = json!("custom_email");
            })
            .await?;
        world.pass(TimeDelta::hours(1)).await?;
        let told = world.told(&lead).await?;
        let wrote = if told.contains(&"sent intro-email -".to_owned()) { "sent" } else { "told" };
        assert_eq!(wrote, expected, "{apply_to}: {told:?}");
        assert_eq!(told.contains(&"task_opened intro-email -".to_owned()), expected == "told", "{told:?}");
        let timeline = world.store.load_timeline(&lead).await?;
        let moved = timeline.iter().find(|entry| entry.kind == EntryKind::VersionChanged);
        let versions = moved.map(|entry| (entry.from.as_deref(), entry.to.as_deref()));
        assert_eq!(versions, (expected == "told").then_some((Some("version 1"), Some("version 2"))), "{timeline:?}");
        let touches = world.lead(&lead).await?.touches.len();
        assert_eq!(touches, 3 + usize::from(expected == "sent"), "only what was sent, or called, is one");
    }
    Ok(())
}
