//! Ops write items of the config table that are not theirs to write, or that nothing reads.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use cadence_local::deployment::CONFIG;
use cadence_tests::{Tested, World};
use serde_json::{Value, json};

use super::{CADENCE, MORNING, called, enroll};

/// Changes an item by hand, and gives what is there once that was noticed.
async fn edited(world: &World, (pk, sk): (&str, &str), edit: impl FnOnce(&mut Value)) -> Tested<Option<Value>> {
    let mut item = world.config_item(pk, sk).await?.unwrap_or_else(|| json!({ "pk": pk, "sk": sk }));
    edit(&mut item);
    world.save(&item).await?;
    world.settle().await?;
    world.config_item(pk, sk).await
}

fn without(name: &'static str) -> impl Fn(&mut Value) {
    move |item| drop(item.as_object_mut().map(|fields| fields.remove(name)))
}

#[tokio::test]
async fn what_functions_read_says_what_was_published_whatever_is_made_of_it() -> Tested {
    let world = World::start().await?;
    let (lead, _) = enroll(&world, 1).await?;
    world.settle().await?;
    let edits: [&dyn Fn(&mut Value); 6] = [
        &|item| item["record"]["name"] = json!("Mine"),
        &|item| item["content"] = json!({ "name": "Mine" }),
        &|item| item["version"] = json!(99),
        &|item| item["note"] = json!("mine"),
        &without("record"),
        &without("seal"),
    ];
    for key in [(CADENCE, "VERSION#0001"), ("PUBLISHED#CADENCE", "zillow-purchase"), ("PUBLISHED#SETTINGS", "company")]
    {
        let before = world.config_item(key.0, key.1).await?;
        for edit in edits {
            assert_eq!(edited(&world, key, edit).await?, before, "{key:?}");
        }
        // Two edits before the first is noticed, and one that is deleted at once.
        let mut item = before.clone().ok_or("there is no such item")?;
        for name in ["record", "seal"] {
            item[name] = json!("mine");
            world.save(&item).await?;
        }
        world.settle().await?;
        assert_eq!(world.config_item(key.0, key.1).await?, before, "{key:?}");
        world.save(&item).await?;
        world.delete_item(key.0, key.1).await?;
        world.settle().await?;
        assert_eq!(world.config_item(key.0, key.1).await?, before, "{key:?}");
    }
    let record = world.edit(CADENCE, |cadence| cadence["steps"][2]["wait"] = json!("40m")).await?;
    assert_eq!(record["check"], "ok: published as version 2");
    world.pass(MORNING).await?;
    assert_eq!(called(&world, &lead).await?.len(), 1, "nothing stopped");
    Ok(())
}

#[tokio::test]
async fn what_was_never_published_is_neither_a_version_nor_at_work() -> Tested {
    let world = World::start().await?;
    let copy = world.config_item(CADENCE, "VERSION#0001").await?.ok_or("there is no version")?;
    let mine = edited(&world, (CADENCE, "VERSION#0002"), |item| {
        *item = copy;
        item["sk"] = json!("VERSION#0002");
    });
    let mine = mine.await?.ok_or("it is gone")?;
    assert_eq!(mine["check"], "NOT READ: see problems");
    assert!(mine["problems"].to_string().contains("written by the system alone"), "{mine}");
    assert_eq!(world.store.load_versions(CADENCE).await?.len(), 1);
    let record = world.edit(CADENCE, |cadence| cadence["steps"][2]["wait"] = json!("40m")).await?;
    assert_eq!(record["check"], "ok: published as version 2", "it is in nobody's way");
    let second = world.config_item(CADENCE, "VERSION#0002").await?.ok_or("there is no second version")?;
    assert_eq!((second.get("check"), &second["content"]["steps"][2]["wait"]), (None, &json!("40m")));

    let at_work = edited(&world, ("PUBLISHED#CADENCE", "mine"), |item| item["record"] = json!({ "id": "mine" }));
    assert_eq!(at_work.await?, None);
    Ok(())
}

#[tokio::test]
async fn an_item_that_nothing_reads_is_told_so() -> Tested {
    let world = World::start().await?;
    let mut record = world.record(CADENCE).await?;
    record["sk"] = json!("Current");
    record["check"] = json!("ok: published as version 1");
    world.save(&record).await?;
    world.settle().await?;
    let told = world.config_item(CADENCE, "Current").await?.ok_or("it is gone")?;
    assert_eq!(told["check"], "NOT READ: see problems");
    assert!(told["problems"].to_string().contains("Did you mean \\\"CURRENT\\\"?"), "{told}");
    assert_eq!(told["steps"], record["steps"]);
    world.delete_item(CADENCE, "Current").await?;
    world.settle().await?;
    assert_eq!(world.config_item(CADENCE, "Current").await?, None, "it can be deleted");
    Ok(())
}

#[tokio::test]
async fn bytes_in_a_record_are_refused_and_hold_up_nothing() -> Tested {
    let world = World::start().await?;
    let dynamo = aws_sdk_dynamodb::Client::new(&world.aws());
    let bytes = || AttributeValue::B(Blob::new(b"hello"));
    let set = |pk: &str, sk: &str, name: &str| {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let update = dynamo.update_item().table_name(CONFIG).key("pk", key(pk)).key("sk", key(sk));
        update
            .update_expression("SET #n = :b")
            .expression_attribute_names("#n", name)
            .expression_attribute_values(":b", bytes())
    };
    let before = world.config_item("PUBLISHED#CADENCE", "zillow-purchase").await?;
    for (pk, sk, name) in [
        (CADENCE, "CURRENT", "name"),
        (CADENCE, "VERSION#0001", "record"),
        ("PUBLISHED#CADENCE", "zillow-purchase", "record"),
        ("PUBLISHED#CADENCE", "zillow-purchase", "version"),
    ] {
        set(pk, sk, name).send().await?;
        world.settle().await?;
    }
    assert_eq!(world.config_item("PUBLISHED#CADENCE", "zillow-purchase").await?, before);
    let edited = world.store.load_edited_all().await?;
    let told = edited.iter().find(|edited| edited.pk == CADENCE).and_then(|edited| edited.told.clone());
    let told = told.ok_or("nothing is told")?;
    assert!(told.check.starts_with("NOT PUBLISHED"), "{told:?}");
    assert!(told.problems[0].contains("name: This must be text, but it is of the type Binary."), "{told:?}");

    let other = world.edit("SETTINGS#company", |settings| settings["company"] = json!("Sample Loans")).await?;
    assert_eq!(other["check"], "ok: published as version 2");
    Ok(())
}
