//! The unsubscribe link of every email.

use cadence_core::{LeadId, lead::OptOut, task::TaskKind, timeline::EntryKind};
use cadence_tests::{Tested, World};
use chrono::TimeDelta;
use serde_json::json;

/// A lead who got their first email, and what follows the last slash of the link in it.
async fn emailed() -> Tested<(World, LeadId, String)> {
    let world = World::start().await?;
    let more = [
        json!({ "id": "own-email", "do": "custom_email", "wait": "0m" }),
        json!({ "id": "next-email", "do": "canned_email", "wait": "1d", "message": "email/follow-up" }),
        json!({ "id": "next-text", "do": "canned_sms", "wait": "10m", "message": "sms/follow-up" }),
    ];
    world
        .edit("CADENCE#zillow-purchase", |cadence| {
            if let Some(steps) = cadence["steps"].as_array_mut() {
                steps.extend(more);
            }
        })
        .await?;
    let (lead, _) = world.enroll().await?;
    world.pass(TimeDelta::minutes(41)).await?;
    let email = world.outbox()?.pop().ok_or("nothing was sent")?;
    let token = email.text.split_once("/unsubscribe/").ok_or("the email has no link")?.1.trim().to_owned();
    assert!(email.carried.to_string().contains(&token), "mail programs find it in a header too: {}", email.carried);
    Ok((world, lead, token))
}

#[tokio::test]
async fn following_the_link_changes_nothing_and_confirming_closes_email_only() -> Tested {
    let (world, lead, token) = emailed().await?;
    let path = format!("/unsubscribe/{token}");
    let asked_to_email = async || {
        let tasks = world.open_tasks().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
            tasks.iter().filter(|task| task.kind == TaskKind::Email).count(),
        )
    };
    assert_eq!(asked_to_email().await?, 1);
    let before = world.items().await?;
    assert_eq!(world.ask("GET", &path, &[], b"").await?.status, 200);
    assert_eq!(world.items().await?, before, "scanners follow links");

    for _ in 0..2 {
        assert_eq!(world.ask("POST", &path, &[], b"List-Unsubscribe=One-Click").await?.status, 200);
    }
    assert_eq!(asked_to_email().await?, 0, "nobody is asked to email them by hand either");
    assert_eq!(world.lead(&lead).await?.opt_outs.keys().collect::<Vec<_>>(), [&OptOut::Email]);
    world.jump_to(world.cloud.now() + TimeDelta::hours(24)).await?;
    world.pass(TimeDelta::hours(1)).await?;
    assert_eq!(world.when(&lead, EntryKind::Skipped, "next-email").await?.len(), 1);
    assert_eq!(world.when(&lead, EntryKind::Sent, "next-email").await?.len(), 0);
    assert_eq!(world.when(&lead, EntryKind::Sent, "next-text").await?.len(), 1, "texts are another matter");
    let told = world.told(&lead).await?;
    assert_eq!(told.iter().filter(|told| told.starts_with("opted_out")).count(), 1, "told once: {told:?}");
    Ok(())
}

#[tokio::test]
async fn a_link_that_is_not_ours_is_refused() -> Tested {
    let (world, lead, token) = emailed().await?;
    let before = world.items().await?;
    let signature = token.split_once('.').ok_or("the token has no signature")?.1;
    let cut = &token[..token.len() - 2];
    for forged in
        [format!("{lead}."), format!("{lead}.{}", "0".repeat(32)), format!("other.{signature}"), cut.to_owned()]
    {
        for method in ["GET", "POST"] {
            let answer = world.ask(method, &format!("/unsubscribe/{forged}"), &[], b"").await?;
            assert_eq!(answer.status, 404, "{method} {forged}");
        }
    }
    assert_eq!(world.items().await?, before);
    Ok(())
}
