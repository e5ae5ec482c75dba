//! Texts that the settings keep for messages.

use cadence_tests::{Tested, World, step};
use chrono::TimeDelta;
use serde_json::{Value, json};

const SETTINGS: &str = "SETTINGS#company";
const EMAIL: &str = "MESSAGE#email/signed";

fn snippets(footer: &str) -> impl FnOnce(&mut Value) {
    let snippets = json!({ "footer": footer });
    move |settings| settings["snippets"] = snippets
}

const FOOTER: &str = "{{ lo_first_name }} {{ lo_last_name }}, NMLS {{ lo_nmls_id }}\n{{ company }}, {{ postal_address }}\n{{ unsubscribe_url }}";

fn is_published(record: &Value) -> bool {
    record["check"].as_str().is_some_and(|check| check.starts_with("ok"))
}

#[tokio::test]
async fn a_message_says_its_snippets_as_last_published_for_its_own_lead() -> Tested {
    let world = World::start().await?;
    let early = json!({ "pk": EMAIL, "sk": "CURRENT", "subject": "Your loan", "body": "Hi {{ lead_first_name }}.\n\n{{ snippets.footer }}" });
    let refused = world.put_record(&early).await?;
    assert!(refused["problems"].to_string().contains("the snippet \\\"footer\\\", which does not exist"), "{refused}");
    assert!(is_published(&world.edit(SETTINGS, snippets(FOOTER)).await?));
    assert!(is_published(&world.record(EMAIL).await?), "what waited for it is published with it");

    let mut mail = step("canned_email", "mail", "1h");
    mail["message"] = json!("email/signed");
    world.give_steps([mail]).await?;
    world.enroll().await?;
    assert!(is_published(&world.edit(SETTINGS, snippets(&format!("Yours,\n{FOOTER}"))).await?));
    world.pass(TimeDelta::hours(2)).await?;
    let text = world.outbox()?.pop().ok_or("nothing was sent")?.text;
    assert!(
        text.starts_with("Hi Jordan.\n\nYours,\nRiley Example, NMLS 1000001\nExample Home Loans, 100 Example"),
        "{text}"
    );
    assert!(text.contains("/unsubscribe/"), "{text}");
    Ok(())
}

#[tokio::test]
async fn settings_that_would_break_a_message_are_refused_and_the_old_ones_go_on() -> Tested {
    let world = World::start().await?;
    world.edit(SETTINGS, snippets(FOOTER)).await?;
    let email = json!({ "pk": EMAIL, "sk": "CURRENT", "subject": "Your loan", "body": "Hi.\n{{ snippets.footer }}" });
    assert!(is_published(&world.put_record(&email).await?));
    let before = world.config_item("PUBLISHED#SETTINGS", "company").await?;
    for (footer, word) in [
        ("{{ company }}", "does not say how to unsubscribe"),
        ("{{ rate }}", "\\\"rate\\\", which does not exist"),
        ("{{ snippets.footer }}", "a snippet can't use snippets"),
    ] {
        let refused = world.edit(SETTINGS, snippets(footer)).await?;
        assert!(!is_published(&refused) && refused["problems"].to_string().contains(word), "{refused}");
    }
    let gone = world.edit(SETTINGS, |settings| settings["snippets"] = json!({})).await?;
    assert!(gone["problems"].to_string().contains("email/signed"), "{gone}");
    assert_eq!(world.config_item("PUBLISHED#SETTINGS", "company").await?, before);

    // Once the message does without it, what was refused is as good as any.
    world
        .edit(EMAIL, |email| email["body"] = json!("Hi.\n{{ company }}, {{ postal_address }}\n{{ unsubscribe_url }}"))
        .await?;
    assert!(is_published(&world.record(SETTINGS).await?));
    Ok(())
}
