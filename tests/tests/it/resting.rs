//! What rests goes on once what it waits for is there, somebody is told, and it is in nobody's way.

use aws_sdk_dynamodb::types::AttributeValue;
use cadence_core::{EnrollmentId, LeadId, arrival::Taken, enrollment::State, task::TaskKind, timeline::EntryKind};
use cadence_tests::{Tested, World, local::deployment, step};
use chrono::TimeDelta;
use reconcile::Reconciled;
use serde_json::{Value, json};

/// A world whose first call may be declined, which pauses; an hour after it comes an email.
async fn may_pause() -> Tested<World> {
    let world = World::start().await?;
    let mut call = step("dial", "call", "0m");
    call["on"] = json!({ "declined": "pause" });
    world.give_steps([call, step("canned_email", "mail", "1h")]).await?;
    Ok(world)
}

fn zillow(world: &World, index: u32) -> Value {
    world.zillow_lead(&format!("LC-{index}"), &format!("415-555-010{index}"))
}

/// A lead who comes in, is called and declines.
async fn declines(world: &World, index: u32) -> Tested<(LeadId, EnrollmentId)> {
    let (lead, enrollment) = world.enroll_as("zillow", &zillow(world, index)).await?;
    world.settle().await?;
    let mut tasks = world.open_tasks().await?;
    tasks.retain(|task| task.id.lead == lead);
    let task = tasks.pop().ok_or("nobody was asked")?;
    world.complete(&task, "declined").await?;
    world.settle().await?;
    Ok((lead, enrollment))
}

async fn reconciles(world: &World) -> Tested<Reconciled> {
    let app = reconcile::App::start(&deployment::boot(&world.cloud)).await?;
    Ok(reconcile::handle(&app).await?)
}

#[tokio::test]
async fn what_an_outcome_pauses_goes_on_when_its_owner_says_so() -> Tested {
    let world = may_pause().await?;
    let (lead, enrollment) = declines(&world, 1).await?;
    world.pass(TimeDelta::hours(3)).await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "mail").await?.len(), 0, "nobody has said that it may go on");

    let task = world.open_tasks().await?.pop().ok_or("nobody was asked")?;
    assert_eq!((task.kind, task.user.as_str()), (TaskKind::Resume, "lo-riley"));
    assert_eq!(world.complete(&task, "skipped").await?.status, 200);
    assert_eq!(world.complete(&task, "skipped").await?.status, 200, "told twice");
    assert!(world.enrollment(&lead, &enrollment).await?.is_active(), "at once");
    world.settle().await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "mail").await?, [world.cloud.now()]);
    Ok(())
}

#[tokio::test]
async fn a_lead_who_asks_again_while_an_outcome_pauses_its_cadence_is_not_met_with_silence() -> Tested {
    let world = may_pause().await?;
    let (lead, enrollment) = declines(&world, 1).await?;
    world.pass(TimeDelta::hours(1)).await?;
    let mut again = zillow(&world, 1);
    again["id"] = json!("LC-1-again");
    let (same, _) = world.enroll_as("zillow", &again).await?;
    assert_eq!(same, lead);
    let tasks = world.open_tasks().await?;
    assert_eq!(tasks.iter().map(|task| task.kind).collect::<Vec<_>>(), [TaskKind::Resume; 2]);
    let asked = tasks.iter().find(|task| task.text.contains("asked again through zillow")).ok_or("nobody was told")?;
    world.complete(asked, "skipped").await?;
    world.settle().await?;
    assert!(!world.enrollment(&lead, &enrollment).await?.waits_for_person());
    assert_eq!(world.open_tasks().await?, [], "one word lets it go on");
    assert_eq!(world.when(&lead, EntryKind::Sent, "mail").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn one_that_may_go_on_does_while_others_rest_for_an_outcome_that_are_not_even_looked_at() -> Tested {
    let world = may_pause().await?;
    let dynamo = aws_sdk_dynamodb::Client::new(&world.aws());
    let mut paused = Vec::new();
    for index in 1..=3 {
        let (lead, enrollment) = declines(&world, index).await?;
        // Whoever looks at it fails.
        let key = |sk: &str| AttributeValue::S(sk.to_owned());
        let delete = dynamo.delete_item().table_name(deployment::LEADS);
        delete.key("pk", key(&format!("LEAD#{lead}"))).key("sk", key("FACTS")).send().await?;
        paused.push((lead, enrollment));
    }
    let (waits, enrollment) = world.enroll_as("zillow", &zillow(&world, 4)).await?;
    world.settle().await?;
    world.edit("CADENCE#zillow-purchase", |cadence| cadence["status"] = json!("paused")).await?;
    world.pass(TimeDelta::minutes(61)).await?;
    assert!(matches!(world.enrollment(&waits, &enrollment).await?.progress.state, State::Parked { .. }));
    assert_eq!(reconciles(&world).await?, Reconciled::default(), "its cadence is still paused");

    world.edit("CADENCE#zillow-purchase", |cadence| cadence["status"] = json!("live")).await?;
    let done = reconciles(&world).await?;
    assert_eq!((done.released, done.failed), (1, 0), "{done:?}");

    world.edit("CADENCE#zillow-purchase", |cadence| cadence["status"] = json!("archived")).await?;
    let done = reconciles(&world).await?;
    assert_eq!((done.released, done.failed), (0, 3), "what is archived ends, so those are looked at: {done:?}");
    Ok(())
}

#[tokio::test]
async fn archiving_its_cadence_ends_what_rests_for_an_outcome_and_nobody_is_asked_any_more() -> Tested {
    let world = may_pause().await?;
    let (lead, enrollment) = declines(&world, 1).await?;
    world.edit("CADENCE#zillow-purchase", |cadence| cadence["status"] = json!("archived")).await?;
    world.pass(TimeDelta::hours(2)).await?;
    assert!(world.enrollment(&lead, &enrollment).await?.has_ended());
    assert_eq!(world.open_tasks().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_lead_whose_state_nobody_knows_goes_on_once_a_webhook_names_its_loan_officer() -> Tested {
    let world = World::start().await?;
    let mut lead_in = zillow(&world, 1);
    for field in ["city", "stateAbbreviation", "zipCode"] {
        lead_in["details"].as_object_mut().ok_or("no details")?.remove(field);
    }
    let (lead, enrollment) = world.enroll_as("zillow", &lead_in).await?;
    world.pass(TimeDelta::minutes(20)).await?;
    assert_eq!(world.told(&lead).await?, ["lead_in - -", "enrolled - -", "parked - -"]);

    lead_in["id"] = json!("LC-1-again");
    lead_in["recipient"] = json!({ "emailAddress": world.record("USER#lo-riley").await?["email"] });
    let answer = world.post_lead("zillow", &lead_in).await?;
    assert_eq!(answer.body["status"], json!(Taken::Running), "{:?}", answer.body);
    assert_eq!(world.lead(&lead).await?.owner.map(|owner| owner.to_string()).as_deref(), Some("lo-riley"));
    world.pass(TimeDelta::minutes(16)).await?;
    assert!(world.enrollment(&lead, &enrollment).await?.is_active());
    let told = world.told(&lead).await?;
    assert_eq!(
        told[3..7],
        ["lead_in - -", "assigned - -", "released first-call -", "task_opened first-call -"],
        "{told:?}"
    );
    Ok(())
}
