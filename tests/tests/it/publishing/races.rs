//! Ops edit a record while it is checked, counted or put back.

use cadence_tests::{Moment, Tested, World};
use publish::Published;
use serde_json::{Value, json};

use super::{CADENCE, enroll};

/// The record with another wait for its AI call, as ops save it.
fn waits(record: &Value, wait: &str) -> Value {
    let mut record = record.clone();
    record["steps"][2]["wait"] = json!(wait);
    record
}

#[tokio::test]
async fn what_was_edited_meanwhile_is_what_is_published() -> Tested {
    for moment in [Moment::Before("Query"), Moment::Before("TransactWriteItems")] {
        let world = World::start().await?;
        let old = world.record(CADENCE).await?;
        let first = waits(&old, "40m");
        world.save(&first).await?;
        let (hands, second) = (world.clone(), waits(&old, "50m"));
        let edits = async move { hands.save(&second).await };
        let published = world.interrupted(moment, edits, async |boot| {
            Ok(publish::handle(&publish::App::start(boot).await?, CADENCE, Some(&old), Some(&first)).await?)
        });
        assert_eq!(published.await?, Published::Version(2), "{moment:?}");
        world.settle().await?;
        let record = world.record(CADENCE).await?;
        assert_eq!((&record["steps"][2]["wait"], &record["published_version"]), (&json!("50m"), &json!(2)));
        let version = world.config_item(CADENCE, "VERSION#0002").await?.ok_or("there is no second version")?;
        assert_eq!(version["record"]["steps"][2]["wait"], "50m", "{moment:?}");
        assert_eq!(version["content"]["steps"][2]["wait"], "50m", "{moment:?}");
        assert_eq!(world.config_item(CADENCE, "VERSION#0003").await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn a_count_leaves_an_edit_made_meanwhile_alone() -> Tested {
    let world = World::start().await?;
    enroll(&world, 1).await?;
    world.settle().await?;
    let (hands, edited) = (world.clone(), waits(&world.record(CADENCE).await?, "soon"));
    let edits = async move { hands.save(&edited).await };
    let counting = world.interrupted(Moment::Before("TransactWriteItems"), edits, async |boot| {
        Ok(reconcile::handle(&reconcile::App::start(boot).await?).await?.recounted)
    });
    assert_eq!(counting.await?, 1);
    world.settle().await?;
    let record = world.record(CADENCE).await?;
    assert_eq!(record["steps"][2]["wait"], "soon");
    assert_eq!(
        (&record["check"], &record["leads"]),
        (&json!("NOT PUBLISHED: version 1 goes on (see problems)"), &json!("1 on version 1"))
    );
    Ok(())
}

#[tokio::test]
async fn a_record_that_is_written_anew_is_not_put_back() -> Tested {
    let world = World::start().await?;
    let old = world.record(CADENCE).await?;
    world.delete(CADENCE).await?;
    let (hands, anew) = (world.clone(), waits(&old, "45m"));
    let writes = async move { hands.save(&anew).await };
    let undone = world.interrupted(Moment::Before("TransactWriteItems"), writes, async |boot| {
        Ok(publish::handle(&publish::App::start(boot).await?, CADENCE, Some(&old), None).await?)
    });
    assert_eq!(undone.await?, Published::Nothing);
    world.settle().await?;
    let record = world.record(CADENCE).await?;
    assert_eq!((&record["steps"][2]["wait"], &record["published_version"]), (&json!("45m"), &json!(2)));
    Ok(())
}

/// A cadence whose text is a message that nothing else uses, which is published already.
async fn with_a_message_of_its_own(world: &World) -> Tested<Value> {
    let text =
        json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": "Hi from {{ company }}. Reply STOP to opt out." });
    world.put_record(&text).await?;
    let mut cadence = world.record(CADENCE).await?;
    cadence["steps"][1]["message"] = json!("sms/spring");
    world.save(&cadence).await?;
    Ok(cadence)
}

#[tokio::test]
async fn a_message_that_is_deleted_while_its_cadence_is_published_is_missing_or_comes_back() -> Tested {
    for (moment, published) in [
        (Moment::Before("Query"), Published::Refused),
        (Moment::Before("TransactWriteItems"), Published::Refused),
        (Moment::After("TransactWriteItems"), Published::Version(2)),
    ] {
        let world = World::start().await?;
        let old = world.record(CADENCE).await?;
        let new = with_a_message_of_its_own(&world).await?;
        let hands = world.clone();
        let deletes = async move { hands.delete("MESSAGE#sms/spring").await };
        let done = world.interrupted(moment, deletes, async |boot| {
            Ok(publish::handle(&publish::App::start(boot).await?, CADENCE, Some(&old), Some(&new)).await?)
        });
        assert_eq!(done.await?, published, "{moment:?}");
        world.settle().await?;
        let (message, cadence) =
            (world.config_item("MESSAGE#sms/spring", "CURRENT").await?, world.record(CADENCE).await?);
        let is_published = cadence["published_version"] == 2;
        assert_eq!(is_published, published == Published::Version(2), "{moment:?}: {cadence}");
        assert_eq!(message.is_some(), is_published, "{moment:?}");
        if !is_published {
            assert!(cadence["problems"].to_string().contains("There is no message"), "{moment:?}: {cadence}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_was_refused_for_a_message_that_was_about_to_come_back_is_published() -> Tested {
    let world = World::start().await?;
    let mut spring = world.record(CADENCE).await?;
    spring["pk"] = json!("CADENCE#spring");
    world.save(&spring).await?;
    let hands = world.clone();
    let deletes = async move { hands.delete("MESSAGE#sms/intro").await };
    let done = world.interrupted(Moment::Before("Query"), deletes, async |boot| {
        Ok(publish::handle(&publish::App::start(boot).await?, "CADENCE#spring", None, Some(&spring)).await?)
    });
    assert_eq!(done.await?, Published::Refused);
    world.settle().await?;
    let back = world.record("MESSAGE#sms/intro").await?;
    assert_eq!(back["check"], "NOT DELETED: version 1 is at work (see problems)");
    assert_eq!(world.record("CADENCE#spring").await?["published_version"], 1);
    Ok(())
}
