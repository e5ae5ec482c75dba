//! One person is one lead.

use aws_sdk_dynamodb::types::AttributeValue;
use cadence_core::{Channel, LeadId, lead::OptOut};
use cadence_tests::{Tested, World, local::deployment::LEADS};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::join;

use super::{arrivals, reached};

#[tokio::test]
async fn another_sources_webhook_updates_the_lead_whose_phone_it_is_and_begins_nothing() -> Tested {
    let world = World::start().await?;
    let (lead, enrollment) = world.enroll().await?;
    let again = json!({ "crmId": "9", "firstName": "Jordana", "phone": "+1 (415) 555-0123", "email": "new@example.com", "state": "CA" });
    let answer = world.post_lead("gizmo", &again).await?;
    assert_eq!(answer.taken()?, (lead.clone(), enrollment));
    assert_eq!(answer.body["status"], "running");
    assert_eq!((world.count_leads().await?, world.enrollments(&lead).await?.len()), (1, 1));
    assert_eq!(arrivals(&world, &lead).await?, ["from zillow", "from gizmo"]);
    let known = world.store.load_lead(&lead).await?.ok_or("the lead is gone")?;
    assert_eq!((known.facts.first_name.as_str(), known.facts.last_name.as_str()), ("Jordana", "Sample"));
    assert_eq!(known.lead.email.as_deref(), Some("lc-1@example.com"), "an address is not replaced by a newer one");
    Ok(())
}

#[tokio::test]
async fn a_lead_gains_the_address_that_it_lacked_and_is_known_by_it() -> Tested {
    let world = World::start().await?;
    let (lead, _) = world.enroll_as("plain", &json!({ "phone": "415-555-0123", "state": "CA" })).await?;
    let both = json!({ "phone": "415-555-0123", "email": "Avery@example.com" });
    assert_eq!(world.enroll_as("plain", &both).await?.0, lead);
    assert_eq!(world.lead(&lead).await?.email.as_deref(), Some("avery@example.com"));
    assert_eq!(world.enroll_as("plain", &json!({ "email": "avery@example.com" })).await?.0, lead);
    assert_eq!(world.count_leads().await?, 1);
    Ok(())
}

#[tokio::test]
async fn where_phone_and_email_are_two_leads_the_phones_wins_and_both_timelines_say_so() -> Tested {
    let world = World::start().await?;
    let (by_phone, _) = world.enroll_as("plain", &json!({ "phone": "415-555-0123", "state": "CA" })).await?;
    let (by_email, _) = world.enroll_as("plain", &json!({ "email": "avery@example.com", "state": "CA" })).await?;
    assert_ne!(by_phone, by_email);
    let both = json!({ "phone": "415-555-0123", "email": "avery@example.com" });
    assert_eq!(world.enroll_as("plain", &both).await?.0, by_phone);
    assert_eq!(world.lead(&by_phone).await?.email, None, "the email address stays where it was");
    assert_eq!(world.lead(&by_email).await?.email.as_deref(), Some("avery@example.com"));
    assert_eq!(world.enroll_as("plain", &json!({ "email": "avery@example.com" })).await?.0, by_email);
    for (lead, other) in [(&by_phone, &by_email), (&by_email, &by_phone)] {
        let told = arrivals(&world, lead).await?;
        assert!(told.iter().any(|text| text.contains(other.as_str())), "{told:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_an_address_has_closed_stays_closed_for_the_lead_who_gains_it() -> Tested {
    let world = World::start().await?;
    let (erased, _) = world.enroll().await?;
    world.store.opt_out(&erased, OptOut::Phone, world.cloud.now()).await?;
    erase(&world, &erased).await?;

    world.jump_to(world.cloud.now() + TimeDelta::hours(1)).await?;
    let body = world.zillow_lead("LC-2", "415-555-0123");
    let (lead, _) = world.enroll_as("zillow", &body).await?;
    assert_ne!(lead, erased);
    assert_eq!(world.lead(&lead).await?.opt_outs.keys().collect::<Vec<_>>(), [&OptOut::Phone]);
    world.pass(TimeDelta::hours(2)).await?;
    assert_eq!((reached(&world, &lead, Channel::Call).await?, reached(&world, &lead, Channel::Sms).await?), (0, 0));
    assert_eq!(world.sent()?, ["email lc-2@example.com"]);
    Ok(())
}

/// Leaves of a lead what erasing leaves: its addresses' suppressions.
async fn erase(world: &World, lead: &LeadId) -> Tested {
    let key = |item: &Value, name: &str| AttributeValue::S(item[name].as_str().unwrap_or_default().to_owned());
    for item in world.lead_items(&format!("LEAD#{lead}")).await? {
        let delete = world.dynamo().delete_item().table_name(LEADS);
        delete.key("pk", key(&item, "pk")).key("sk", key(&item, "sk")).send().await?;
    }
    for item in world.lead_items("ADDRESS#").await? {
        let forget = world.dynamo().update_item().table_name(LEADS).update_expression("REMOVE #lead");
        let forget = forget.expression_attribute_names("#lead", "lead");
        forget.key("pk", key(&item, "pk")).key("sk", key(&item, "sk")).send().await?;
    }
    world.settle().await
}

#[tokio::test]
async fn a_lead_who_asks_again_after_a_cadence_gets_a_person_and_after_a_month_a_cadence() -> Tested {
    let world = World::start().await?;
    let (lead, enrollment) = world.enroll().await?;
    world.settle().await?;
    let tasks = world.open_tasks().await?;
    assert_eq!(world.complete(&tasks[0], "connected").await?.status, 200);

    let answer = world.post_lead("zillow", &world.zillow_lead("LC-2", "415-555-0123")).await?;
    assert_eq!(answer.taken()?, (lead.clone(), enrollment));
    assert_eq!(answer.body["status"], "asked");
    assert_eq!(world.enrollments(&lead).await?.len(), 1);
    let asked = world.open_tasks().await?;
    let asked: Vec<_> = asked.iter().map(|task| (json!(task.kind), task.user.as_str())).collect();
    assert_eq!(asked, [(json!("follow_up"), "lo-riley")]);

    world.jump_to(world.cloud.now() + TimeDelta::days(30)).await?;
    let answer = world.post_lead("zillow", &world.zillow_lead("LC-3", "415-555-0123")).await?;
    assert_eq!(answer.body["status"], "enrolled");
    assert_eq!(world.enrollments(&lead).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_comes_twice_at_once_makes_one_lead() -> Tested {
    let world = World::start().await?;
    let body = world.zillow_lead("LC-1", "415-555-0123");
    let post = || world.post_lead("zillow", &body);
    let (one, two, three) = join!(post(), post(), post());
    let one = one?;
    assert_eq!((one.status, &two?, &three?), (202, &one, &one));
    assert_eq!(world.count_leads().await?, 1);
    world.settle().await?;
    let (lead, _) = one.taken()?;
    assert_eq!(
        world.told(&lead).await?,
        ["lead_in - -", "enrolled - -", "task_opened first-call -", "sent intro-text -"]
    );
    Ok(())
}

#[tokio::test]
async fn two_webhooks_of_one_person_at_once_make_one_lead_that_both_told_of() -> Tested {
    let world = World::start().await?;
    let zillow = world.zillow_lead("LC-1", "415-555-0123");
    let gizmo = json!({ "crmId": "9", "firstName": "Jordan", "phone": "4155550123", "email": "other@example.com", "state": "CA" });
    let (one, two) = join!(world.post_lead("zillow", &zillow), world.post_lead("gizmo", &gizmo));
    let (one, two) = (one?, two?);
    assert_eq!(one.taken()?, two.taken()?);
    let statuses = [&one.body["status"], &two.body["status"]];
    assert!(statuses.contains(&&json!("enrolled")) && statuses.contains(&&json!("running")), "{statuses:?}");
    let (lead, _) = one.taken()?;
    assert_eq!((world.count_leads().await?, world.enrollments(&lead).await?.len()), (1, 1));
    assert_eq!(arrivals(&world, &lead).await?.len(), 2);
    Ok(())
}
