//! Records are edited through the store, as the command does.

use cadence_store::{Committed, Edited};
use cadence_tests::{Tested, World};
use serde_json::{Value, json};

use super::CADENCE;

async fn read(world: &World, pk: &str) -> Tested<Edited> {
    Ok(world.store.load_edited(pk).await?.ok_or("there is no such record")?)
}

fn waits(edited: &Edited, wait: &str) -> Value {
    let mut content = edited.content.clone();
    content["steps"][2]["wait"] = json!(wait);
    content
}

#[tokio::test]
async fn a_saved_record_is_published_and_says_nothing_of_the_check_before() -> Tested {
    let world = World::start().await?;
    let before = read(&world, CADENCE).await?;
    let mut content = waits(&before, "40m");
    content.as_object_mut().map(|fields| fields.remove("skip_holidays"));
    assert_eq!(world.store.save(CADENCE, &content, Some(&before)).await?, Committed::Yes);
    let saved = read(&world, CADENCE).await?;
    assert_eq!((&saved.content, saved.told), (&content, None), "nobody takes an earlier verdict for this one's");
    world.settle().await?;
    let published = read(&world, CADENCE).await?;
    let told = published.told.ok_or("it was not checked")?;
    assert_eq!((told.check.as_str(), told.published_version), ("ok: published as version 2", Some(2)));

    let kept = world.store.load_versions(CADENCE).await?;
    let numbers: Vec<u32> = kept.iter().map(|kept| kept.version).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!((kept[0].written(CADENCE), kept[1].written(CADENCE)), (content, before.content));
    assert_eq!(kept[0].published_at, Some(world.cloud.now()));
    Ok(())
}

/// Whoever has a record open saves it twice: the second time writes the check of before over what was written back.
#[tokio::test]
async fn a_refused_edit_that_is_saved_again_is_refused_again() -> Tested {
    let world = World::start().await?;
    let mut broken = world.record(CADENCE).await?;
    assert_eq!(broken["check"], "ok: published as version 1");
    broken["status"] = json!("paused");
    broken["wait"] = json!("soon");
    let refused = world.put_record(&broken).await?;
    assert_eq!(refused["check"], "NOT PUBLISHED: version 1 goes on (see problems)");
    assert_eq!(world.put_record(&broken).await?, refused);
    Ok(())
}

#[tokio::test]
async fn what_others_made_of_a_record_meanwhile_stays() -> Tested {
    let world = World::start().await?;
    let before = read(&world, CADENCE).await?;
    let mut mine = waits(&before, "40m");
    mine["note"] = json!("Mine.");
    for (name, value) in
        [("note", json!("Theirs.")), ("priority", json!(11)), ("steps", json!([])), ("hours", Value::Null)]
    {
        let mut theirs = world.record(CADENCE).await?;
        theirs[name] = value;
        if theirs[name].is_null() {
            theirs.as_object_mut().map(|fields| fields.remove(name));
        }
        world.save(&theirs).await?;
        let saved = world.store.save(CADENCE, &mine, Some(&before)).await?;
        assert_eq!((saved, world.record(CADENCE).await?), (Committed::Stale, theirs), "{name}");
        let mut again = before.content.clone();
        again["pk"] = json!(CADENCE);
        again["sk"] = json!("CURRENT");
        world.save(&again).await?;
    }
    // What is no part of either edit is kept beside them.
    let mut theirs = world.record(CADENCE).await?;
    theirs["owner"] = json!("Sam");
    world.save(&theirs).await?;
    assert_eq!(world.store.save(CADENCE, &mine, Some(&before)).await?, Committed::Yes);
    let record = world.record(CADENCE).await?;
    assert_eq!((&record["owner"], &record["note"]), (&json!("Sam"), &json!("Mine.")));

    world.delete(CADENCE).await?;
    assert_eq!(world.store.save(CADENCE, &before.content, Some(&before)).await?, Committed::Stale, "deleted");
    Ok(())
}

#[tokio::test]
async fn a_new_record_is_not_written_over_another() -> Tested {
    let world = World::start().await?;
    let text = json!({ "text": "Hi from {{ company }}. Reply STOP to opt out." });
    assert_eq!(world.store.save("MESSAGE#sms/spring", &text, None).await?, Committed::Yes);
    assert_eq!(world.store.save("MESSAGE#sms/spring", &json!({ "text": "Ho" }), None).await?, Committed::Stale);
    world.settle().await?;
    assert_eq!(world.record("MESSAGE#sms/spring").await?["published_version"], 1);

    let keys: Vec<String> = world.store.load_edited_all().await?.into_iter().map(|edited| edited.pk).collect();
    assert_eq!(keys.len(), 15, "versions and published copies are none: {keys:?}");
    assert!(keys.is_sorted() && keys.contains(&"MESSAGE#sms/spring".to_owned()));
    Ok(())
}
