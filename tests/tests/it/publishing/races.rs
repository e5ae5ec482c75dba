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
