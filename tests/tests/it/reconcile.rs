//! What is saved is what is scheduled, and what was lost comes back.

use aws_sdk_sqs::types::QueueAttributeName;
use cadence_core::{
    ClaimId, EnrollmentId, LeadId,
    enrollment::StepDue,
    plan::{Plan, plan_step},
    timeline::EntryKind,
};
use cadence_store::Claimed;
use cadence_tests::{Tested, World, local::deployment};
use chrono::TimeDelta;
use reconcile::Reconciled;
use serde_json::json;

/// The timers: when, and for whose message.
async fn timers(world: &World) -> Tested<Vec<(String, StepDue)>> {
    let scheduler = aws_sdk_scheduler::Client::new(&world.aws());
    let listed = scheduler.list_schedules().group_name("cadence").send().await?;
    let mut timers = Vec::new();
    for name in listed.schedules().iter().filter_map(|schedule| schedule.name()) {
        let timer = scheduler.get_schedule().group_name("cadence").name(name).send().await?;
        let due: StepDue = serde_json::from_str(timer.target().and_then(|target| target.input()).unwrap_or_default())?;
        assert_eq!(name, due.timer_name());
        timers.push((timer.schedule_expression.unwrap_or_default(), due));
    }
    Ok(timers)
}

/// How many messages a queue holds, waiting or not.
async fn held(world: &World, queue: &str) -> Tested<i32> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let sqs = aws_sdk_sqs::Client::new(&world.aws());
    let get = sqs.get_queue_attributes().queue_url(world.cloud.account().queue_url(queue));
    let found = get.set_attribute_names(Some(names.to_vec())).send().await?.attributes.unwrap_or_default();
    Ok(names.iter().filter_map(|name| found.get(name)?.parse::<i32>().ok()).sum())
}

async fn purge(world: &World, queue: &str) -> Tested {
    let sqs = aws_sdk_sqs::Client::new(&world.aws());
    sqs.purge_queue().queue_url(world.cloud.account().queue_url(queue)).send().await?;
    Ok(())
}

/// A world whose first text waits so long after the first call.
async fn text_waits(wait: &str) -> Tested<(World, (LeadId, EnrollmentId))> {
    let world = World::start().await?;
    world.edit("CADENCE#zillow-purchase", |cadence| cadence["steps"][1]["wait"] = json!(wait)).await?;
    let run = world.enroll().await?;
    world.settle().await?;
    Ok((world, run))
}

#[tokio::test]
async fn what_is_due_within_a_minute_goes_straight_to_its_queue_and_what_is_later_gets_a_timer() -> Tested {
    let (world, _) = text_waits("1m").await?;
    assert_eq!((held(&world, "sms").await?, timers(&world).await?), (1, vec![]));

    let (world, (lead, enrollment)) = text_waits("2m").await?;
    let due = world.step_due(&lead, &enrollment).await?;
    assert_eq!(held(&world, "sms").await?, 0);
    assert_eq!(timers(&world).await?, [("at(2026-12-01T18:02:00)".to_owned(), due)]);

    world.pass(TimeDelta::minutes(2)).await?;
    let due = world.step_due(&lead, &enrollment).await?;
    assert_eq!(timers(&world).await?, [("at(2026-12-01T18:22:00)".to_owned(), due)], "one, and it is the next one's");
    let task = world.open_tasks().await?.pop().ok_or("nobody was asked")?;
    world.complete(&task, "connected").await?;
    world.settle().await?;
    assert_eq!(timers(&world).await?, [], "an enrollment that ended leaves none behind");
    Ok(())
}

#[tokio::test]
async fn a_message_that_was_lost_comes_back_ten_minutes_after_it_was_due() -> Tested {
    let (world, (lead, _)) = text_waits("1m").await?;
    let due_at = world.cloud.now() + TimeDelta::minutes(1);
    purge(&world, "sms").await?;
    world.pass(due_at + TimeDelta::minutes(9) - world.cloud.now()).await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "intro-text").await?.len(), 0, "it may still be on its way");
    world.pass(TimeDelta::minutes(6)).await?;
    let sent = world.when(&lead, EntryKind::Sent, "intro-text").await?;
    assert!(sent.len() == 1 && sent[0] >= due_at + TimeDelta::minutes(10), "{sent:?}");

    world.pass(TimeDelta::minutes(60)).await?;
    let called = world.when(&lead, EntryKind::CallPlaced, "robot-call").await?;
    assert_eq!(called, [sent[0] + TimeDelta::minutes(20)], "what follows counts from when it was sent");
    assert_eq!(world.when(&lead, EntryKind::Sent, "intro-text").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_timer_that_was_lost_is_made_up_for() -> Tested {
    let (world, (lead, enrollment)) = text_waits("20m").await?;
    let name = world.step_due(&lead, &enrollment).await?.timer_name();
    let scheduler = aws_sdk_scheduler::Client::new(&world.aws());
    scheduler.delete_schedule().group_name("cadence").name(name).send().await?;
    world.pass(TimeDelta::minutes(36)).await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "intro-text").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_second_pass_changes_no_item() -> Tested {
    let world = World::start().await?;
    let zillow = |index: u32| world.zillow_lead(&format!("LC-{index}"), &format!("415-555-010{index}"));
    // One has ended, one waits for its call, one's claim is left behind, one's message is lost, one is parked.
    let (ended, _) = world.enroll_as("zillow", &zillow(1)).await?;
    world.settle().await?;
    let task = world.open_tasks().await?.pop().ok_or("nobody was asked")?;
    world.complete(&task, "connected").await?;
    let (claimed, claimed_run) = world.enroll_as("zillow", &zillow(2)).await?;
    world.settle().await?;
    let due = world.step_due(&claimed, &claimed_run).await?;
    world.cloud.advance_to(world.cloud.now() + TimeDelta::minutes(20));
    purge(&world, "call").await?;
    let context = world.store.load_step(&claimed, &claimed_run).await?;
    let Plan::Send(plan) = plan_step(&context, &due, world.cloud.now()) else { return Err("it is not due".into()) };
    let claim = world.store.claim(&plan, ClaimId::new("left-behind"), world.cloud.now()).await?;
    assert!(matches!(claim, Claimed::Yes(_)));
    let (_waits, _) = world.enroll_as("zillow", &zillow(3)).await?;
    world.settle().await?;
    world.edit("USER#lo-riley", |user| user["licences"] = json!(["OR"])).await?;
    let (parked, _) = world.enroll_as("zillow", &zillow(4)).await?;
    world.settle().await?;
    world.cloud.advance_to(world.cloud.now() + TimeDelta::minutes(12));

    let app = reconcile::App::start(&deployment::boot(&world.cloud)).await?;
    let first = reconcile::handle(&app).await?;
    assert_eq!((first.settled, first.failed), (1, 0), "{first:?}");
    world.settle().await?;
    let told = world.told(&claimed).await?;
    assert!(told.contains(&"unsure robot-call -".to_owned()), "{told:?}");

    let before = world.items().await?;
    let second = reconcile::handle(&app).await?;
    assert_eq!(second, Reconciled::default());
    world.settle().await?;
    assert_eq!(world.items().await?, before);
    assert_eq!(world.told(&ended).await?.last().map(String::as_str), Some("ended - -"));
    assert_eq!(world.told(&parked).await?.last().map(String::as_str), Some("parked - -"));
    Ok(())
}
