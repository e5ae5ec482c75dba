//! Which cadence takes a lead, and which of them again, as records say.

use cadence_core::{LeadId, timeline::EntryKind};
use cadence_tests::{Answer, Tested, World, step};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Publishes a cadence of one call with those fields.
async fn publish(world: &World, id: &str, fields: Value) -> Tested {
    let mut record = json!({ "pk": format!("CADENCE#{id}"), "sk": "CURRENT", "name": id, "status": "live", "steps": [step("dial", "call", "1h")] });
    record.as_object_mut().ok_or("no map")?.extend(fields.as_object().cloned().unwrap_or_default());
    let record = world.put_record(&record).await?;
    assert!(record["check"].as_str().is_some_and(|check| check.starts_with("ok")), "{record}");
    Ok(())
}

/// Posts a lead of our own form with those fields besides.
async fn post(world: &World, phone: &str, fields: Value) -> Tested<Answer> {
    let mut body = json!({ "phone": phone, "state": "CA" });
    body.as_object_mut().ok_or("no map")?.extend(fields.as_object().cloned().unwrap_or_default());
    world.post_lead("plain", &body).await
}

/// The cadence that took the lead of that answer.
async fn cadence(world: &World, answer: &Answer) -> Tested<String> {
    let (lead, enrollment) = answer.taken()?;
    Ok(world.enrollment(&lead, &enrollment).await?.cadence.to_string())
}

/// What the timeline says of those kinds.
async fn said(world: &World, lead: &LeadId, kinds: &[EntryKind]) -> Tested<Vec<String>> {
    let entries = world.timeline(lead).await?.into_iter().filter(|entry| kinds.contains(&entry.kind));
    Ok(entries.filter_map(|entry| entry.text).collect())
}

#[tokio::test]
async fn a_cadence_takes_the_leads_whose_attributes_it_asks_for_however_a_source_spells_them() -> Tested {
    let world = World::start().await?;
    let wanted = json!({ "loanAmount": { "at_least": 100_000, "at_most": 766_550 }, "property type": ["TownHouse", "Modular"], "has_agent": true });
    publish(&world, "homes", json!({ "priority": 50, "for_leads": { "attributes": wanted } })).await?;
    let given = json!({ "loan_amount": 350_000, "propertyType": "townhouse", "hasAgent": true });
    for (number, (field, value, expected)) in [
        ("loan_amount", json!(350_000), "homes"),
        ("loan_amount", json!("$350,000"), "homes"),
        ("loan_amount", json!(99_999), "new-lead"),
        ("loan_amount", json!("a lot"), "new-lead"),
        ("loan_amount", Value::Null, "new-lead"),
        ("propertyType", json!("MODULAR"), "homes"),
        ("propertyType", json!("Condo"), "new-lead"),
        ("hasAgent", json!("true"), "homes"),
        ("hasAgent", json!(false), "new-lead"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut given = given.clone();
        given[field] = value;
        let answer = post(&world, &format!("415-555-01{number:02}"), json!({ "attributes": given })).await?;
        assert_eq!(cadence(&world, &answer).await?, expected, "{given}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_cadence_holds_out_is_the_nexts_and_the_timeline_says_so() -> Tested {
    let world = World::start().await?;
    publish(&world, "test", json!({ "priority": 50, "for_leads": { "hold_out": "50%" } })).await?;
    let (mut taken, mut left) = (0, 0);
    for number in 0..16 {
        let answer = post(&world, &format!("415-555-01{number:02}"), json!({})).await?;
        assert_eq!(answer.body["status"], "enrolled");
        let (lead, _) = answer.taken()?;
        let said = said(&world, &lead, &[EntryKind::HeldOut]).await?;
        match cadence(&world, &answer).await?.as_str() {
            "test" => (taken, _) = (taken + 1, assert_eq!(said, [""; 0])),
            "new-lead" => {
                left += 1;
                assert_eq!(said, ["held out of test, which leaves 50% of its leads to others"]);
            }
            other => return Err(format!("{other} took it").into()),
        }
    }
    assert!(taken >= 3 && left >= 3, "{taken} {left}");
    Ok(())
}

#[tokio::test]
async fn a_lead_that_is_held_out_of_the_only_cadence_for_it_is_kept_and_left_alone() -> Tested {
    let world = World::start().await?;
    world.edit("CADENCE#new-lead", |record| record["for_leads"] = json!({ "hold_out": 99 })).await?;
    let mut held_out = None;
    for number in 0..5 {
        let answer = post(&world, &format!("415-555-01{number:02}"), json!({})).await?;
        if answer.body["status"] == "no_cadence" {
            held_out = answer.body["lead"].as_str().map(LeadId::from);
        }
    }
    let lead = held_out.ok_or("nobody was held out")?;
    world.jump_to(world.cloud.now() + TimeDelta::days(3)).await?;
    assert_eq!(world.told(&lead).await?, ["lead_in - -", "held_out - -", "skipped - -"]);
    let why = said(&world, &lead, &[EntryKind::Skipped]).await?;
    assert_eq!(why, ["no other live cadence is for this lead"]);
    assert!(world.enrollments(&lead).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_record_says_when_a_lead_is_taken_again() -> Tested {
    for (reenroll, passed, status) in [
        ("30d", TimeDelta::days(30) - TimeDelta::seconds(1), "asked"),
        ("30d", TimeDelta::days(30), "enrolled"),
        ("2h", TimeDelta::hours(2), "enrolled"),
        ("0m", TimeDelta::minutes(1), "enrolled"),
        ("90d", TimeDelta::days(89), "asked"),
        ("never", TimeDelta::days(900), "asked"),
    ] {
        let world = World::start().await?;
        world.edit("CADENCE#new-lead", |record| record["reenroll"] = json!(reenroll)).await?;
        let begun = world.cloud.now();
        let (lead, enrollment) = post(&world, "415-555-0123", json!({ "id": "1" })).await?.taken()?;
        world.settle().await?;
        let task = world.open_tasks().await?.remove(0);
        assert_eq!(world.complete(&task, "connected").await?.status, 200);

        world.jump_to(begun + passed).await?;
        let answer = post(&world, "415-555-0123", json!({ "id": "2" })).await?;
        assert_eq!(answer.body["status"], status, "{reenroll}");
        assert_eq!(answer.taken()?.1 == enrollment, status == "asked", "{reenroll}");
        let asked = world.open_tasks().await?.iter().filter(|task| task.text.contains("asked again")).count();
        assert_eq!(asked, usize::from(status == "asked"), "{reenroll}");
        let before = world.items().await?;
        assert_eq!(post(&world, "415-555-0123", json!({ "id": "2" })).await?, answer, "and is answered the same again");
        assert_eq!(world.items().await?, before);
        assert_eq!(world.enrollments(&lead).await?.len(), if status == "asked" { 1 } else { 2 });
    }
    Ok(())
}
