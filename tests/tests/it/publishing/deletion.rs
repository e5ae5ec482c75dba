//! Ops delete a record.

use cadence_core::timeline::EntryKind;
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
    let all = [CADENCE, "MESSAGE#sms/intro", "USER#lo-riley", "SOURCE#zillow", "SETTINGS#company"];
    for pk in all {
        let record = world.record(pk).await?;
        let (summary, leads) = (record.get("summary").cloned(), record.get("leads").map(|_| json!("1 on version 1")));
        let before = cadence_store::Edited::content_of(record);
        let back = deleted(&world, pk).await?.ok_or_else(|| format!("{pk} is gone"))?;
        assert_eq!(back["check"], "NOT DELETED: version 1 is at work (see problems)", "{pk}");
        assert_eq!((&back["published_version"], back["problems"].as_array().map(Vec::len)), (&json!(1), Some(1)));
        assert_eq!((back.get("summary").cloned(), back.get("leads").cloned()), (summary, leads), "{pk}");
        assert_eq!(cadence_store::Edited::content_of(back), before, "{pk}: nothing of it is lost, notes neither");
    }
    for pk in all {
        let check = world.record(pk).await?["check"].to_string();
        assert!(check.starts_with("\"NOT DELETED"), "{pk} says it still, whatever else was deleted: {check}");
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

/// A cadence that names three records.
fn naming(message: &str, user: &str, cadence: &str) -> Value {
    json!({
        "pk": "CADENCE#spring", "sk": "CURRENT", "name": "Spring", "status": "live", "priority": 50,
        "for_leads": { "source": ["zillow"] }, "takes_over": [cadence],
        "steps": [
            { "id": "hello", "do": "canned_sms", "wait": "2h", "message": message, "on": { "replied": { "cadence": cadence } } },
            { "id": "call", "do": "dial", "wait": "1d", "assign": user },
        ],
    })
}

fn text(id: &str) -> Value {
    let text = "Hi from {{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }}. Reply STOP to opt out.";
    json!({ "pk": format!("MESSAGE#{id}"), "sk": "CURRENT", "text": text })
}

#[tokio::test]
async fn what_was_deleted_can_no_longer_be_named() -> Tested {
    let world = World::start().await?;
    world.put_record(&text("sms/unused")).await?;
    let used = json!({ "pk": "CADENCE#used", "sk": "CURRENT", "name": "Used", "status": "archived",
        "steps": [{ "id": "hello", "do": "canned_sms", "wait": "0m", "message": "sms/unused" }] });
    world.put_record(&used).await?;
    world.edit("CADENCE#new-lead", |cadence| cadence["status"] = json!("archived")).await?;
    world.edit("USER#lo-morgan", |user| user["active"] = json!(false)).await?;
    let gone = ["MESSAGE#sms/unused", "USER#lo-morgan", "CADENCE#new-lead"];
    for pk in gone {
        assert_eq!(deleted(&world, pk).await?, None, "{pk}");
    }
    let record = world.put_record(&naming("sms/unused", "lo-morgan", "new-lead")).await?;
    assert_eq!(record["check"], "NOT PUBLISHED: there is no version yet (see problems)", "{record}");
    let revived = world.edit("CADENCE#used", |cadence| cadence["status"] = json!("live")).await?;
    assert_eq!(revived["check"], "NOT PUBLISHED: version 1 goes on (see problems)", "{revived}");
    let problems = format!("{}{}", record["problems"], revived["problems"]);
    for (path, absent) in [
        ("takes_over", "There is no cadence \\\"new-lead\\\""),
        ("steps[0].message", "There is no message \\\"sms/unused\\\""),
        ("steps[0].on.replied", "There is no cadence \\\"new-lead\\\""),
        ("steps[1].assign", "There is no user \\\"lo-morgan\\\""),
    ] {
        assert!(problems.contains(path) && problems.contains(absent), "{path}: {problems}");
    }
    assert_eq!(problems.matches("There is no message").count(), 2, "{problems}");

    world.put_record(&text("sms/unused")).await?;
    let record = world.put_record(&naming("sms/unused", "lo-riley", "zillow-purchase")).await?;
    assert_eq!(record["published_version"], 1, "what is there again can be named: {record}");
    Ok(())
}

#[tokio::test]
async fn who_runs_with_a_message_that_was_deleted_since_still_gets_it() -> Tested {
    let world = World::start().await?;
    world.put_record(&text("sms/spring")).await?;
    world.put_record(&naming("sms/spring", "lo-riley", "zillow-purchase")).await?;
    let (lead, _) = enroll(&world, 1).await?;
    world.put_record(&naming("sms/intro", "lo-riley", "zillow-purchase")).await?;
    assert_eq!(deleted(&world, "MESSAGE#sms/spring").await?, None);
    world.pass(TimeDelta::hours(3)).await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "hello").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_a_refused_edit_names_is_told_to_be_missing_once_it_is_deleted() -> Tested {
    let world = World::start().await?;
    world.put_record(&text("sms/spring")).await?;
    let record = world.edit(CADENCE, |cadence| {
        cadence["steps"][1]["message"] = json!("sms/spring");
        cadence["steps"][2]["wait"] = json!("soon");
    });
    assert_eq!(record.await?["problems"].as_array().map(Vec::len), Some(1));
    assert_eq!(deleted(&world, "MESSAGE#sms/spring").await?, None);
    let problems = world.record(CADENCE).await?["problems"].to_string();
    assert!(problems.contains("There is no message \\\"sms/spring\\\""), "{problems}");
    Ok(())
}

#[tokio::test]
async fn an_edit_that_is_deleted_at_once_comes_back_with_what_is_wrong_with_it() -> Tested {
    for (broken, word) in [("soon", "steps[2].wait: "), ("1d at 22:00", "")] {
        let world = World::start().await?;
        let mut record = world.record(CADENCE).await?;
        record["steps"][2]["wait"] = json!(broken);
        record["steps"][1]["message"] = json!("sms/nowhere");
        world.save(&record).await?;
        let back = deleted(&world, CADENCE).await?.ok_or("it is gone")?;
        assert_eq!(back["steps"], record["steps"], "nothing of it is lost");
        assert_eq!(back["check"], "NOT PUBLISHED: version 1 goes on (see problems)");
        let problems: Vec<&str> = back["problems"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let why = "The record was deleted and is back, because the cadence is at work.";
        assert!(problems.first().is_some_and(|first| first.starts_with(why)), "{problems:?}");
        for word in [word, "steps[1].message: There is no message \"sms/nowhere\""] {
            assert!(problems.iter().any(|problem| problem.starts_with(word)), "{word}: {problems:?}");
        }
    }
    Ok(())
}
