//! What a cadence's record is told of the leads that run through it.

use cadence_core::enrollment::Enrollment;
use cadence_store::{Committed, keys};
use cadence_tests::{Tested, World, local::deployment};
use chrono::TimeDelta;
use reconcile::Reconciled;
use serde_json::{Value, json};

use super::{CADENCE, enroll};

/// Runs `reconcile` once, and gives what the record says of the leads then.
async fn recounted(world: &World) -> Tested<Value> {
    let app = reconcile::App::start(&deployment::boot(&world.cloud)).await?;
    assert_eq!(reconcile::handle(&app).await?.failed, 0);
    assert_eq!(reconcile::handle(&app).await?, Reconciled::default(), "a second pass changes nothing");
    world.settle().await?;
    Ok(world.record(CADENCE).await?["leads"].clone())
}

/// Every enrollment stands in the index of running ones as it should.
async fn assert_indexed(world: &World) -> Tested {
    let items = world.lead_items("LEAD#").await?;
    let mut enrollments = 0;
    for item in items.iter().filter(|item| item["sk"].as_str().is_some_and(|sk| sk.starts_with("ENROLLMENT#"))) {
        let enrollment: Enrollment = serde_json::from_value(item.clone())?;
        let expected = keys::running_index(&enrollment).map(|(cadence, runs_as)| (json!(cadence), json!(runs_as)));
        let stored = item.get(keys::RUNS_IN).cloned().zip(item.get(keys::RUNS_AS).cloned());
        assert_eq!(stored, expected, "{enrollment:?}");
        enrollments += 1;
    }
    assert!(enrollments > 0);
    Ok(())
}

#[tokio::test]
async fn the_record_says_what_the_cadence_does_and_how_many_leads_run_through_it() -> Tested {
    let world = World::start().await?;
    let record = world.record(CADENCE).await?;
    assert_eq!(
        record["summary"],
        "call at once; text at once; AI call after 20m; email after 20m; ends on replied, connected, appointment_set"
    );
    assert_eq!(record["leads"], "none");

    for index in [1, 2] {
        enroll(&world, index).await?;
    }
    world.settle().await?;
    assert_eq!(recounted(&world).await?, "2 on version 1");
    let record = world.edit(CADENCE, |cadence| cadence["steps"][2]["wait"] = json!("40m")).await?;
    assert_eq!(record["leads"], "2 on version 1", "counted as it is published");
    assert!(record["summary"].as_str().is_some_and(|summary| summary.contains("AI call after 40m")), "{record}");

    enroll(&world, 3).await?;
    world.settle().await?;
    assert_eq!(recounted(&world).await?, "1 on version 2, 2 on version 1");
    let broken = world.edit(CADENCE, |cadence| cadence["steps"][2]["wait"] = json!("soon")).await?;
    assert!(broken["summary"].as_str().is_some_and(|summary| summary.contains("AI call after 40m")), "what is at work");
    assert_eq!(broken["leads"], "1 on version 2, 2 on version 1");

    world.pass(TimeDelta::hours(2)).await?;
    assert_eq!(recounted(&world).await?, "none");
    assert_indexed(&world).await
}

#[tokio::test]
async fn who_moves_with_everyone_and_who_stays_is_counted() -> Tested {
    let world = World::start().await?;
    enroll(&world, 1).await?;
    world.pass(TimeDelta::minutes(38)).await?;
    enroll(&world, 2).await?;
    world.pass(TimeDelta::minutes(1)).await?;
    // The first lead's email is due in a minute; the second's AI call, which is gone, in 19.
    let record = world
        .edit(CADENCE, |cadence| {
            cadence["apply_to"] = json!("everyone");
            cadence["steps"].as_array_mut().map(|steps| steps.remove(2));
            let late = json!({ "id": "late", "do": "canned_email", "wait": "1d", "message": "email/intro" });
            if let Some(steps) = cadence["steps"].as_array_mut() {
                steps.push(late);
            }
        })
        .await?;
    assert_eq!((&record["published_version"], &record["leads"]), (&json!(2), &json!("2 on version 1")));
    world.pass(TimeDelta::minutes(2)).await?;
    assert_eq!(recounted(&world).await?, "1 on version 2, 1 on version 1");
    assert_indexed(&world).await?;
    // Its email exists in both, so the second lead moves with that.
    world.pass(TimeDelta::hours(1)).await?;
    assert_eq!(recounted(&world).await?, "2 on version 2");
    assert_indexed(&world).await
}

#[tokio::test]
async fn what_rests_runs_and_what_moved_to_another_cadence_runs_there() -> Tested {
    let world = World::start().await?;
    world.edit(CADENCE, |cadence| cadence["steps"][0]["on"] = json!({ "declined": { "cadence": "new-lead" } })).await?;
    enroll(&world, 1).await?;
    world.settle().await?;
    let task = world.open_tasks().await?.pop().ok_or("nobody was asked")?;
    world.complete(&task, "declined").await?;
    enroll(&world, 2).await?;
    world.settle().await?;
    world.edit(CADENCE, |cadence| cadence["status"] = json!("paused")).await?;
    world.pass(TimeDelta::hours(1)).await?;
    assert_eq!(recounted(&world).await?, "1 on version 2", "it is parked");
    assert_eq!(world.record("CADENCE#new-lead").await?["leads"], "1 on version 1");
    assert_indexed(&world).await
}

#[tokio::test]
async fn counting_writes_nothing_but_the_count() -> Tested {
    let world = World::start().await?;
    enroll(&world, 1).await?;
    world.settle().await?;
    world.edit(CADENCE, |cadence| cadence["check"] = json!("looks good to me")).await?;
    let mut before = world.record(CADENCE).await?;
    assert_eq!(recounted(&world).await?, "1 on version 1");
    before["leads"] = json!("1 on version 1");
    assert_eq!(world.record(CADENCE).await?, before, "it was not checked again either");

    let gone = world.store.tell_leads(&"gone".into(), &cadence_core::records::Running::default()).await?;
    assert_eq!(gone, Committed::Stale);
    assert_eq!(world.config_item("CADENCE#gone", "CURRENT").await?, None, "a record that is gone has no ghost");
    Ok(())
}

#[tokio::test]
async fn a_lead_who_is_taken_over_runs_in_the_other_cadence() -> Tested {
    let world = World::start().await?;
    enroll(&world, 1).await?;
    world.settle().await?;
    let spring = json!({
        "pk": "CADENCE#spring", "sk": "CURRENT", "name": "Spring", "status": "live", "priority": 50, "takes_over": ["zillow-purchase"],
        "for_leads": { "source": ["zillow"] },
        "steps": [{ "id": "call", "do": "dial", "wait": "1h", "message": "script/intro" }],
    });
    assert_eq!(world.put_record(&spring).await?["published_version"], 1);
    let again = world.zillow_lead("LC-2", "415-555-0101");
    world.post_lead("zillow", &again).await?;
    world.settle().await?;
    assert_eq!(recounted(&world).await?, "none");
    assert_eq!(world.record("CADENCE#spring").await?["leads"], "1 on version 1");
    assert_indexed(&world).await
}
