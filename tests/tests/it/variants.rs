//! Two texts compared: which lead gets which, and where it stands.

use std::collections::BTreeSet;

use cadence_core::{LeadId, timeline::EntryKind};
use cadence_tests::{Tested, World, step};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A text of two variants, half of the leads each.
fn text(id: &str, wait: &str) -> Value {
    let mut text = step("canned_sms", id, wait);
    text["message"] = json!({ "sms/intro": 50, "sms/short": "50%" });
    text
}

const SHORT: &str =
    "{{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }}. Reply STOP to opt out.";

/// What a lead was texted at a step, as its timeline names it.
async fn said(world: &World, lead: &LeadId, step: &str) -> Tested<String> {
    let entries = world.timeline(lead).await?.into_iter();
    let mut sent = entries.filter(|entry| entry.kind == EntryKind::Sent && entry.step == Some(step.into()));
    let message = sent.next().ok_or("nothing was sent")?.message.ok_or("it does not say what")?;
    Ok(message.to_string())
}

#[tokio::test]
async fn each_lead_gets_the_variant_that_its_timeline_and_its_attempt_name() -> Tested {
    let world = World::start().await?;
    world.put_record(&json!({ "pk": "MESSAGE#sms/short", "sk": "CURRENT", "text": SHORT })).await?;
    world.give_steps([text("text", "0m")]).await?;
    let mut given = BTreeSet::new();
    for index in 0..10 {
        let body = world.zillow_lead(&format!("LC-{index}"), &format!("415-555-01{index:02}"));
        let (lead, _) = world.enroll_as("zillow", &body).await?;
        world.settle().await?;
        let said = said(&world, &lead, "text").await?;
        let sent = world.outbox()?.pop().ok_or("nothing was sent")?.text;
        assert_eq!(sent.starts_with("Hi Jordan"), said == "sms/intro", "{said}: {sent}");
        let attempts = world.lead_items(&format!("LEAD#{lead}")).await?;
        let attempt = attempts.iter().find(|item| item["sk"].to_string().contains("ATTEMPT#")).ok_or("no attempt")?;
        assert_eq!(attempt["message"], json!(said));
        given.insert(said);
    }
    assert_eq!(given.len(), 2, "both are given: {given:?}");
    Ok(())
}

#[tokio::test]
async fn editing_a_text_or_adding_a_step_moves_no_lead_to_the_other_variant() -> Tested {
    let world = World::start().await?;
    world.put_record(&json!({ "pk": "MESSAGE#sms/short", "sk": "CURRENT", "text": SHORT })).await?;
    world.give_steps([step("canned_email", "mail", "0m"), text("text", "1h")]).await?;
    let (lead, _) = world.enroll().await?;
    world.settle().await?;
    let known = world.store.load_lead(&lead).await?.ok_or("there is no such lead")?.enrollments.remove(0);
    let before = world.store.load_step(&lead, &known.id).await?.message.ok_or("there is no message")?.id;

    world.edit("MESSAGE#sms/short", |message| message["text"] = json!(format!("{SHORT} Thanks."))).await?;
    let edited = world.edit("CADENCE#zillow-purchase", |record| {
        record["apply_to"] = json!("everyone");
        record["steps"] = json!([step("canned_email", "mail", "0m"), step("dial", "call", "0m"), text("text", "1h")]);
    });
    assert_eq!(edited.await?["published_version"], json!(3));
    world.pass(TimeDelta::hours(2)).await?;
    assert_eq!(said(&world, &lead, "text").await?, before.to_string());
    Ok(())
}
