//! Ops delete a record.

use cadence_tests::{Tested, World};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{CADENCE, MORNING, called, enroll};

/// Deletes a record, and gives what is there once that was noticed.
async fn deleted(world: &World, pk: &str) -> Tested<Option<Value>> {
    world.delete(pk).await?;
    world.settle().await?;
    world.config_item(pk, "CURRENT").await
}

#[tokio::test]
async fn what_is_at_work_comes_back_with_the_reason_on_it() -> Tested {
    let world = World::start().await?;
    let (lead, _) = enroll(&world, 1).await?;
    world.settle().await?;
    for pk in [CADENCE, "MESSAGE#sms/intro", "USER#lo-riley", "SOURCE#zillow", "SETTINGS#company"] {
        let record = world.record(pk).await?;
        let (summary, leads) = (record.get("summary").cloned(), record.get("leads").map(|_| json!("1 on version 1")));
        let before = cadence_store::Edited::content_of(record);
        let back = deleted(&world, pk).await?.ok_or_else(|| format!("{pk} is gone"))?;
        assert_eq!(back["check"], "NOT DELETED: version 1 is at work (see problems)", "{pk}");
        assert_eq!((&back["published_version"], back["problems"].as_array().map(Vec::len)), (&json!(1), Some(1)));
        assert_eq!((back.get("summary").cloned(), back.get("leads").cloned()), (summary, leads), "{pk}");
        assert_eq!(cadence_store::Edited::content_of(back), before, "{pk}: nothing of it is lost, notes neither");
    }
    world.pass(MORNING).await?;
    assert_eq!(called(&world, &lead).await?.len(), 1, "and nothing stopped");

    let record = world.edit(CADENCE, |cadence| cadence["steps"][2]["wait"] = json!("40m")).await?;
    assert_eq!(
        (&record["check"], record.get("problems")),
        (&json!("ok: published as version 2"), None),
        "it can be edited"
    );
    Ok(())
}

#[tokio::test]
async fn what_was_taken_out_of_use_can_be_deleted() -> Tested {
    let world = World::start().await?;
    world.edit(CADENCE, |cadence| cadence["status"] = json!("archived")).await?;
    world.edit("USER#lo-morgan", |user| user["active"] = json!(false)).await?;
    for pk in [CADENCE, "USER#lo-morgan"] {
        assert_eq!(deleted(&world, pk).await?, None, "{pk}");
    }
    let unused =
        json!({ "pk": "MESSAGE#sms/unused", "sk": "CURRENT", "text": "Hi from {{ company }}. Reply STOP to opt out." });
    world.put_record(&unused).await?;
    assert_eq!(deleted(&world, "MESSAGE#sms/unused").await?, None);

    world.pass(TimeDelta::minutes(6)).await?;
    assert_eq!(world.config_item(CADENCE, "CURRENT").await?, None, "and stays so");
    let again = world.put_record(&unused).await?;
    assert_eq!(again["published_version"], 1, "it may come back: {again}");
    Ok(())
}

#[tokio::test]
async fn what_never_was_published_is_forgotten() -> Tested {
    let world = World::start().await?;
    world.put_record(&json!({ "pk": "CADENCE#never", "sk": "CURRENT", "name": "Never" })).await?;
    assert!(world.config_item("UNPUBLISHED#CADENCE", "never").await?.is_some());
    assert_eq!(deleted(&world, "CADENCE#never").await?, None);
    assert_eq!(world.config_item("UNPUBLISHED#CADENCE", "never").await?, None);
    Ok(())
}

#[tokio::test]
async fn what_functions_read_comes_back_and_leads_go_on() -> Tested {
    let world = World::start().await?;
    let (lead, _) = enroll(&world, 1).await?;
    world.settle().await?;
    for (pk, sk) in
        [("PUBLISHED#SETTINGS", "company"), ("PUBLISHED#CADENCE", "zillow-purchase"), (CADENCE, "VERSION#0001")]
    {
        let before = world.config_item(pk, sk).await?;
        assert!(before.is_some(), "{pk} {sk}");
        world.delete_item(pk, sk).await?;
        world.settle().await?;
        assert_eq!(world.config_item(pk, sk).await?, before, "{pk} {sk}");
    }
    enroll(&world, 2).await?;
    world.pass(MORNING).await?;
    assert_eq!(called(&world, &lead).await?.len(), 1, "nothing stopped");
    let record = world.edit(CADENCE, |cadence| cadence["steps"][2]["wait"] = json!("40m")).await?;
    assert_eq!(record["check"], "ok: published as version 2");
    Ok(())
}

#[tokio::test]
async fn what_an_editor_writes_over_what_was_written_back_is_put_right() -> Tested {
    let world = World::start().await?;
    let before = world.edit(CADENCE, |cadence| cadence["steps"][2]["wait"] = json!("40m")).await?;
    let spoilt: [fn(&mut Value); 3] = [
        |record| record["check"] = json!("looks fine to me"),
        |record| record["published_version"] = json!(1),
        |record| record["problems"] = json!(7),
    ];
    for spoil in spoilt {
        assert_eq!(world.edit(CADENCE, spoil).await?, before);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_deleted_in_the_same_moment_in_which_it_is_archived_is_archived() -> Tested {
    let world = World::start().await?;
    let (lead, _) = enroll(&world, 1).await?;
    world.settle().await?;
    let mut record = world.record(CADENCE).await?;
    record["status"] = json!("archived");
    world.save(&record).await?;
    let back = deleted(&world, CADENCE).await?.ok_or("it is gone, and what is at work is not archived")?;
    assert_eq!((&back["status"], &back["check"]), (&json!("archived"), &json!("ok: published as version 2")));
    world.pass(MORNING).await?;
    assert_eq!(called(&world, &lead).await?.len(), 0, "whoever archived it wants it to stop");
    assert_eq!(deleted(&world, CADENCE).await?, None, "and now it may go");
    Ok(())
}
