//! Webhooks that are not taken.

use cadence_core::StepId;
use cadence_store::{Committed, Dismissed};
use cadence_tests::{
    Tested, World,
    local::{deployment::SOURCE_SECRET, faults::Fault},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::plain_lead;

/// The longest body that is taken, in bytes.
const LIMIT: usize = 256 * 1024;

#[tokio::test]
async fn every_failure_to_authenticate_gets_the_same_answer_and_leaves_nothing() -> Tested {
    let world = World::start().await?;
    // Its record is published, but nobody gave its secret a value.
    let secretless = json!({ "pk": "SOURCE#new", "sk": "CURRENT", "format": "plain", "secret": "new",
        "consent": { "call": "none", "sms": "none", "email": "express", "proof": "Yes." } });
    assert_eq!(world.put_record(&secretless).await?["published_version"], 1);
    let before = world.items().await?;
    let wrong_path = format!("/leads/plain/{SOURCE_SECRET}x");
    let mut answers = Vec::new();
    for (path, headers) in [
        ("/leads/nobody", vec![("x-cadence-secret", SOURCE_SECRET)]),
        ("/leads/plain", vec![("x-cadence-secret", "wrong")]),
        ("/leads/plain", vec![("x-cadence-secret", "")]),
        ("/leads/plain", vec![("authorization", "Bearer ")]),
        ("/leads/plain", vec![("authorization", SOURCE_SECRET)]),
        ("/leads/plain", vec![]),
        ("/leads/new", vec![("x-cadence-secret", "")]),
        ("/leads/new", vec![]),
        (wrong_path.as_str(), vec![]),
        // A secret in the path is the one that counts.
        (wrong_path.as_str(), vec![("x-cadence-secret", SOURCE_SECRET)]),
    ] {
        for body in [plain_lead("415-555-0123").to_string(), "{".to_owned(), " ".repeat(LIMIT + 1)] {
            answers.push(world.ask("POST", path, &headers, body.as_bytes()).await?);
        }
    }
    assert_eq!(answers[0].status, 401);
    assert_eq!(answers[0].content_type, "application/problem+json");
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(world.items().await?, before);
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_put_or_changed_while_functions_run_is_known_within_a_minute() -> Tested {
    let world = World::start().await?;
    let aws = world.aws();
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let post = async |secret: &str| {
        let body = plain_lead("415-555-0123").to_string();
        Tested::Ok(world.ask("POST", "/leads/plain", &[("x-cadence-secret", secret)], body.as_bytes()).await?.status)
    };
    assert_eq!(post("changed").await?, 401);
    let stored = secrets.get_secret_value().secret_id("cadence").send().await?.secret_string.ok_or("no secret")?;
    let mut changed: Value = serde_json::from_str(&stored)?;
    changed["sources"]["plain"] = json!("changed");
    secrets.put_secret_value().secret_id("cadence").secret_string(changed.to_string()).send().await?;
    world.pass(TimeDelta::minutes(1)).await?;

    world.befall_all_attempts("GetSecretValue", Fault::Lost);
    assert_eq!(post("changed").await?, 503, "nobody knows, so it is to be sent again");
    assert_eq!(post("changed").await?, 202);
    assert_eq!(post("guessed").await?, 401);
    assert_eq!(post(SOURCE_SECRET).await?, 401, "it was changed");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_by_field_and_kept_once() -> Tested {
    let world = World::start().await?;
    let deep = format!("{}{}", "{\"a\":".repeat(33), "1").to_owned() + &"}".repeat(33);
    let nobody = json!({ "id": "LC-2", "sender": { "firstName": "Nobody" }, "details": { "stateAbbreviation": "CA" } });
    let unreachable = json!({ "phone": "123", "email": "not an address" });
    let unproven = json!({ "phone": "415-555-0123", "consent": { "sms": "express_written" } });
    let misread = json!({ "phone": "415-555-0123", "consent": { "sms": "sure", "text": "Yes." } });
    let cases: Vec<(&str, String, Vec<&str>)> = vec![
        ("plain", "{\"phone\": ".to_owned(), vec![""]),
        ("plain", String::new(), vec![""]),
        ("plain", "[]".to_owned(), vec![""]),
        ("plain", deep, vec![""]),
        ("zillow", nobody.to_string(), vec!["/sender/phoneNumber", "/sender/emailAddress"]),
        ("gizmo", "{}".to_owned(), vec!["/phone", "/email"]),
        ("plain", unreachable.to_string(), vec!["/phone", "/email"]),
        ("plain", unproven.to_string(), vec!["/consent/text"]),
        ("plain", misread.to_string(), vec!["/consent/sms"]),
    ];
    for (count, (source, body, named)) in cases.iter().enumerate() {
        for _ in 0..2 {
            let path = format!("/leads/{source}/{SOURCE_SECRET}");
            let answer = world.ask("POST", &path, &[], body.as_bytes()).await?;
            assert_eq!((answer.status, answer.content_type.as_str()), (422, "application/problem+json"), "{body}");
            let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
            let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap_or("none")).collect();
            assert_eq!(pointers, *named, "{body}");
            assert!(errors.iter().all(|error| error["detail"].as_str().is_some_and(|text| text.ends_with('.'))));
            assert!(!answer.body.to_string().contains("not an address"), "values are not echoed");
        }
        let kept = world.lead_items("QUARANTINE#").await?;
        assert_eq!(kept.len(), count + 1, "{body}");
        let mine = kept.iter().find(|kept| kept["source"] == *source && kept["body"] == **body);
        let problems = mine.and_then(|kept| kept["problems"].as_array());
        assert_eq!(problems.map(Vec::len), Some(named.len()), "{body}");
        assert!(mine.is_some_and(|kept| kept["expires_at"].is_number()), "kept for a time");
    }
    assert_eq!(world.count_leads().await?, 0);
    Ok(())
}

#[tokio::test]
async fn the_deepest_body_that_is_taken_has_32_levels() -> Tested {
    let world = World::start().await?;
    let mut nested = json!(1);
    for _ in 0..31 {
        nested = json!({ "a": nested });
    }
    let mut body = plain_lead("415-555-0123");
    body["nested"] = nested.clone();
    assert_eq!(world.post_lead("plain", &body).await?.status, 202);
    body["nested"] = json!({ "a": nested });
    assert_eq!(world.post_lead("plain", &body).await?.status, 422);
    Ok(())
}

#[tokio::test]
async fn a_body_of_256_kib_is_taken_and_one_byte_more_is_not_even_kept() -> Tested {
    let world = World::start().await?;
    let lead = plain_lead("415-555-0123").to_string();
    let padded = |length: usize| format!("{lead}{}", " ".repeat(length - lead.len()));
    let before = world.items().await?;
    let path = format!("/leads/plain/{SOURCE_SECRET}");
    let refused = world.ask("POST", &path, &[], padded(LIMIT + 1).as_bytes()).await?;
    assert_eq!((refused.status, refused.content_type.as_str()), (413, "application/problem+json"));
    assert_eq!(world.items().await?, before);
    assert_eq!(world.ask("POST", &path, &[], padded(LIMIT).as_bytes()).await?.status, 202);
    Ok(())
}

#[tokio::test]
async fn what_a_vendor_adds_or_gets_wrong_beside_the_address_never_fails_a_lead() -> Tested {
    let world = World::start().await?;
    let odd: Value = json!({
        "id": 77, "created": "yesterday", "type": "brandNew", "price": "55", "quote": [],
        "sender": { "firstName": null, "lastName": 5, "phoneNumber": 4_155_550_123_u64, "emailAddress": "nobody" },
        "details": { "loanPurpose": "Castle", "stateAbbreviation": "XX", "zipCode": 94607, "desiredPrograms": "Fixed30Year" },
    });
    let (lead, enrollment) = world.enroll_as("zillow", &odd).await?;
    let found = world.lead(&lead).await?;
    assert_eq!((found.phone.as_deref(), found.email, found.state.as_deref()), (Some("+14155550123"), None, Some("CA")));
    let told = super::arrivals(&world, &lead).await?.concat();
    for noted in ["the email address can't be used", "the state is none", "created is not an instant"] {
        assert!(told.contains(noted), "{told}");
    }
    let next = world.enrollment(&lead, &enrollment).await?.progress.next;
    assert_eq!(next.map(|next| next.step), Some(StepId::new("first-call")));
    Ok(())
}

#[tokio::test]
async fn what_is_kept_is_dismissed_once_and_as_long_as_it_is_kept() -> Tested {
    let world = World::start().await?;
    assert_eq!(world.post_lead("plain", &json!([])).await?.status, 422);
    let before = world.lead_items("QUARANTINE#").await?;
    let kept = world.store.load_quarantined(&"plain".into()).await?;
    let kept = kept.first().ok_or("nothing is kept")?;
    let dismiss = async |reason: &str| {
        let dismissed = Dismissed { at: world.cloud.now(), reason: reason.to_owned() };
        world.store.dismiss_quarantined(kept, &dismissed).await
    };
    assert_eq!(dismiss("a test").await?, Committed::Yes);
    assert_eq!(dismiss("another").await?, Committed::Stale);
    assert_eq!(world.post_lead("plain", &json!([])).await?.status, 422);
    let mut after = world.lead_items("QUARANTINE#").await?;
    assert_eq!(after[0]["dismissed"]["reason"], "a test", "the same body, too, is what somebody looked at");
    after[0].as_object_mut().map(|fields| fields.remove("dismissed"));
    assert_eq!(after, before, "nothing else of it changed, nor how long it is kept");
    world.store.release_quarantined(kept).await?;
    assert_eq!(dismiss("gone").await?, Committed::Stale);
    assert_eq!(world.lead_items("QUARANTINE#").await?.len(), 0);
    Ok(())
}
