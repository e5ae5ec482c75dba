//! The first door: lead vendors' webhooks.

mod mapped;
mod people;
mod refusals;

use cadence_core::{Channel, LeadId, lead::Consent, timeline::EntryKind};
use cadence_tests::{Tested, World, local::deployment::SOURCE_SECRET};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A lead as our own form would send it: no id, and no consent beyond what its source declares.
fn plain_lead(phone: &str) -> Value {
    json!({
        "first_name": "Avery", "last_name": "Sample", "phone": phone, "email": "avery@example.com", "state": "CA",
        "zip": "94607", "purpose": "Refinance",
    })
}

#[tokio::test]
async fn a_sources_secret_is_taken_from_the_path_the_header_or_as_a_bearer_token() -> Tested {
    let world = World::start().await?;
    let body = plain_lead("415-555-0123").to_string();
    let by_path = format!("/leads/plain/{SOURCE_SECRET}");
    let bearer = format!("Bearer {SOURCE_SECRET}");
    for (path, headers) in [
        (by_path.as_str(), vec![]),
        ("/leads/plain", vec![("x-cadence-secret", SOURCE_SECRET)]),
        ("/leads/plain", vec![("authorization", bearer.as_str())]),
    ] {
        let answer = world.ask("POST", path, &headers, body.as_bytes()).await?;
        assert_eq!(answer.status, 202, "{path} {headers:?}: {answer:?}");
    }
    assert_eq!(world.count_leads().await?, 1);
    Ok(())
}

#[tokio::test]
async fn each_source_is_read_as_its_vendor_writes() -> Tested {
    let world = World::start().await?;
    let zillow = json!({
        "id": "LC-EXAMPLE", "created": world.cloud.now().to_rfc3339(), "type": "longForm", "source": "Zillow", "brand": "zillow",
        "channel": "web", "price": 55.0,
        "recipient": { "firstName": "Morgan", "lastName": "Sample", "emailAddress": "morgan@example.com",
            "phoneNumber": "212-555-0150", "nmlsLicense": "1000002" },
        "sender": { "firstName": "John", "lastName": "Doe", "emailAddress": "John@Example.com", "phoneNumber": "212-555-0123" },
        "details": { "loanPurpose": "Purchase", "loanAmount": 350_000, "downPayment": 50_000, "propertyValue": 400_000,
            "city": "Albany", "stateAbbreviation": "NY", "zipCode": "12207", "county": "Albany", "creditScoreLow": 720,
            "creditScoreHigh": 750, "hasBankruptcy": false, "hasAgent": true, "unheardOf": "kept" },
    });
    let gizmo = json!({
        "crmId": "12345", "firstName": "Jane", "lastName": "Doe", "email": "jane@example.com", "phone": "+14155550124",
        "streetAddress": null, "city": "Oakland", "state": "ca", "zip": "94607", "leadProviderSlug": "zillow",
    });
    let (written, given) = (Consent::ExpressWritten, Consent::Express);
    for (source, body, phone, email, state, owner, cadence, consent) in [
        (
            "zillow",
            zillow,
            "+12125550123",
            "john@example.com",
            "NY",
            "lo-morgan",
            "zillow-purchase",
            (written, written),
        ),
        ("gizmo", gizmo, "+14155550124", "jane@example.com", "CA", "lo-riley", "new-lead", (given, given)),
        (
            "plain",
            plain_lead("(415) 555-0125"),
            "+14155550125",
            "avery@example.com",
            "CA",
            "lo-riley",
            "new-lead",
            (Consent::None, Consent::None),
        ),
    ] {
        let answer = world.post_lead(source, &body).await?;
        let (id, enrollment) = answer.taken()?;
        assert_eq!(answer.body["status"], "enrolled", "{source}");
        let reference = answer.body.get("externalContactReference").and_then(Value::as_str);
        assert_eq!(reference, (source == "zillow").then_some(id.as_str()), "what Zillow stores, {source}");
        let lead = world.lead(&id).await?;
        assert_eq!(lead.phone.as_deref(), Some(phone), "{source}");
        assert_eq!(lead.email.as_deref(), Some(email), "{source}");
        assert_eq!(lead.state.as_deref(), Some(state), "{source}");
        assert_eq!(lead.owner.as_ref().map(|owner| owner.as_str()), Some(owner), "{source}");
        assert_eq!((lead.consent.call, lead.consent.sms), consent, "{source}");
        assert_eq!(lead.consent.email, Consent::Express, "{source}");
        assert_eq!(world.enrollment(&id, &enrollment).await?.cadence.as_str(), cadence, "{source}");
    }
    Ok(())
}

#[tokio::test]
async fn the_same_webhook_again_creates_nothing_and_is_answered_the_same_even_when_the_cadence_is_over() -> Tested {
    let world = World::start().await?;
    let body = world.zillow_lead("LC-1", "415-555-0123");
    let answer = world.post_lead("zillow", &body).await?;
    for passed in [TimeDelta::zero(), TimeDelta::minutes(10), TimeDelta::days(2), TimeDelta::days(60)] {
        world.jump_to(world.cloud.now() + passed).await?;
        let before = world.items().await?;
        assert_eq!(world.post_lead("zillow", &body).await?, answer, "{passed}");
        assert_eq!(world.items().await?, before, "{passed}");
    }
    Ok(())
}

#[tokio::test]
async fn an_idempotency_key_tells_webhooks_apart_where_the_vendor_gives_no_id() -> Tested {
    let world = World::start().await?;
    let post = async |key: &str, body: &Value| {
        let headers = [("x-cadence-secret", SOURCE_SECRET), ("idempotency-key", key)];
        world.ask("POST", "/leads/plain", &headers, body.to_string().as_bytes()).await
    };
    let body = plain_lead("415-555-0123");
    let first = post("one", &body).await?;
    assert_eq!(first.body["status"], "enrolled");
    world.settle().await?;
    let before = world.items().await?;
    let changed = json!({ "first_name": "Blake", "phone": "415-555-0199" });
    for body in [&body, &changed] {
        assert_eq!(post("one", body).await?, first);
        assert_eq!(world.items().await?, before);
    }
    assert_eq!(post("two", &body).await?.body["status"], "running", "the same body is another event under another key");
    Ok(())
}

#[tokio::test]
async fn a_body_that_carries_no_id_is_known_for_a_day_and_not_longer() -> Tested {
    let world = World::start().await?;
    let body = plain_lead("415-555-0123");
    let first = world.post_lead("plain", &body).await?;
    assert_eq!(first.body["status"], "enrolled");
    let day_after = world.cloud.now() + TimeDelta::hours(24);

    world.jump_to(day_after - TimeDelta::seconds(1)).await?;
    let before = world.items().await?;
    assert_eq!(world.post_lead("plain", &body).await?, first);
    assert_eq!(world.items().await?, before);

    world.jump_to(day_after).await?;
    assert_eq!(world.post_lead("plain", &body).await?.body["status"], "running");
    let (lead, _) = first.taken()?;
    let told = world.told(&lead).await?;
    assert_eq!(told.iter().filter(|told| told.starts_with("lead_in")).count(), 2, "{told:?}");
    assert_eq!(world.enrollments(&lead).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_lead_that_is_two_hours_old_is_not_texted_out_of_the_blue() -> Tested {
    let world = World::start().await?;
    for (index, age, is_texted) in
        [(0, TimeDelta::hours(2), true), (1, TimeDelta::hours(2) + TimeDelta::seconds(1), false)]
    {
        let mut body = world.zillow_lead(&format!("LC-{index}"), &format!("415-555-012{index}"));
        body["created"] = json!((world.cloud.now() - age).to_rfc3339());
        let (lead, _) = world.enroll_as("zillow", &body).await?;
        world.settle().await?;
        let texts = world.when(&lead, EntryKind::Sent, "intro-text").await?.len();
        let tasks = world.when(&lead, EntryKind::TaskOpened, "intro-text").await?.len();
        assert_eq!((texts, tasks), if is_texted { (1, 0) } else { (0, 1) }, "{age}");
    }
    world.pass(TimeDelta::minutes(21)).await?;
    let calls = world.outbox()?.into_iter().filter(|sent| sent.kind == "ai_call").count();
    assert_eq!(calls, 2, "a task in the first one's place makes the lead as good as new");
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_came_in_long_ago_and_says_nothing_of_it_is_of_a_lead_that_old() -> Tested {
    let world = World::start().await?;
    let now = world.cloud.now();
    let hours = |hours| (now - TimeDelta::hours(hours)).to_rfc3339();
    let mut expected = Vec::new();
    for (index, came_at, created_at, is_texted) in [
        (0, None, None, true),
        (1, Some(hours(1)), None, true),
        (2, Some(hours(3)), None, false),
        (3, Some(hours(-3)), None, true),
        (4, Some("yesterday".to_owned()), None, true),
        (5, Some(hours(3)), Some(hours(1)), true),
        (6, Some(hours(1)), Some(hours(3)), false),
        (7, Some(hours(3)), Some("yesterday".to_owned()), false),
    ] {
        let mut body = plain_lead(&format!("415-555-012{index}"));
        body["email"] = json!(format!("avery{index}@example.com"));
        body["consent"] = json!({ "sms": "express_written", "text": "Text me about my loan." });
        body["created_at"] = json!(created_at);
        let mut headers = vec![("x-cadence-secret", SOURCE_SECRET)];
        headers.extend(came_at.as_deref().map(|came_at| ("x-cadence-came-at", came_at)));
        let answer = world.ask("POST", "/leads/plain", &headers, body.to_string().as_bytes()).await?;
        expected.push((answer.taken()?.0, is_texted));
    }
    world.pass(TimeDelta::minutes(6)).await?;
    for (index, (lead, is_texted)) in expected.iter().enumerate() {
        let texts = world.when(lead, EntryKind::Sent, "intro-text").await?.len();
        let tasks = world.when(lead, EntryKind::TaskOpened, "intro-text").await?.len();
        assert_eq!((texts, tasks), if *is_texted { (1, 0) } else { (0, 1) }, "{index}");
    }
    Ok(())
}

#[tokio::test]
async fn without_consent_in_writing_texts_and_ai_calls_become_tasks() -> Tested {
    let world = World::start().await?;
    let (lead, _) = world.enroll_as("plain", &plain_lead("415-555-0123")).await?;
    world.pass(TimeDelta::hours(3)).await?;
    for step in ["first-call", "intro-text", "robot-call"] {
        assert_eq!(world.when(&lead, EntryKind::TaskOpened, step).await?.len(), 1, "{step}");
    }
    assert_eq!(world.when(&lead, EntryKind::Sent, "intro-email").await?.len(), 1, "an email asks for less");
    let to_lead = world.outbox()?.into_iter().filter(|sent| !sent.to.starts_with("riley")).map(|sent| sent.kind);
    assert_eq!(to_lead.collect::<Vec<_>>(), ["email"]);
    Ok(())
}

#[tokio::test]
async fn the_leads_own_consent_counts_before_what_its_source_declares() -> Tested {
    let world = World::start().await?;
    let mut body = plain_lead("415-555-0123");
    body["consent"] = json!({ "sms": "express_written", "email": "express", "text": "Text me about my loan." });
    let (lead, _) = world.enroll_as("plain", &body).await?;
    world.pass(TimeDelta::hours(3)).await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "intro-text").await?.len(), 1);
    assert_eq!(world.when(&lead, EntryKind::TaskOpened, "robot-call").await?.len(), 1, "of calls it says nothing");
    Ok(())
}

#[tokio::test]
async fn a_lead_whose_state_nobody_is_licensed_in_rests_until_somebody_is() -> Tested {
    let world = World::start().await?;
    world.edit("USER#lo-riley", |user| user["licences"] = json!(["OR", "WA"])).await?;
    let (lead, enrollment) = world.enroll().await?;
    world.pass(TimeDelta::minutes(30)).await?;
    assert_eq!(world.told(&lead).await?, ["lead_in - -", "enrolled - -", "parked - -"]);
    assert_eq!(world.sent()?, Vec::<String>::new());

    let mut avery = world.record("USER#lo-riley").await?;
    avery["pk"] = json!("USER#lo-avery");
    avery["email"] = json!("avery.lo@example.com");
    avery["licences"] = json!(["CA"]);
    world.put_record(&avery).await?;
    world.pass(TimeDelta::minutes(16)).await?;
    let told = world.told(&lead).await?;
    assert_eq!(told[3..6], ["released first-call -", "assigned - -", "task_opened first-call -"], "{told:?}");
    assert_eq!(world.lead(&lead).await?.owner.map(|owner| owner.to_string()).as_deref(), Some("lo-avery"));
    let text = world.outbox()?.into_iter().find(|sent| sent.kind == "sms").map(|sent| sent.to);
    assert_eq!(text.as_deref(), Some("+14155550123"));
    assert!(world.enrollment(&lead, &enrollment).await?.is_active());
    Ok(())
}

/// What the timeline of a lead says on arrivals, as text.
async fn arrivals(world: &World, lead: &LeadId) -> Tested<Vec<String>> {
    let entries = world.timeline(lead).await?.into_iter().filter(|entry| entry.kind == EntryKind::LeadIn);
    Ok(entries.filter_map(|entry| entry.text).collect())
}

/// How many things were sent to a lead on a channel, or are a user's to do there.
async fn reached(world: &World, lead: &LeadId, channel: Channel) -> Tested<usize> {
    let kinds = [EntryKind::Sent, EntryKind::CallPlaced, EntryKind::TaskOpened];
    let entries = world.timeline(lead).await?;
    Ok(entries.iter().filter(|entry| kinds.contains(&entry.kind) && entry.channel == Some(channel)).count())
}
