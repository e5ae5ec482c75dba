//! When leads may be reached, as the whole system keeps it.

use cadence_core::{LeadId, timeline::EntryKind};
use cadence_tests::{Tested, World};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

fn at(text: &str) -> Tested<DateTime<Utc>> {
    Ok(DateTime::parse_from_rfc3339(text)?.to_utc())
}

/// A Zillow lead who lives there, with a number of that area.
fn lead_in(world: &World, state: &str, zip: &str, phone: &str) -> Value {
    let mut lead = world.zillow_lead("LC-1", phone);
    lead["details"]["stateAbbreviation"] = json!(state);
    lead["details"]["zipCode"] = json!(zip);
    lead
}

/// Lets a cadence reach people whenever the law does.
async fn widen(world: &World) -> Tested {
    let any = json!({ "call": "any time", "sms": "any time", "email": "any time" });
    let record = world
        .edit("CADENCE#zillow-purchase", |cadence| {
            cadence["hours"] = any;
            cadence["skip_holidays"] = json!(false);
        })
        .await?;
    assert_eq!(record["published_version"], 2, "{record}");
    Ok(())
}

/// Runs a lead's cadence to where its first text is due, and gives when it went out.
async fn first_text(world: &World, lead: &LeadId) -> Tested<DateTime<Utc>> {
    world.settle().await?;
    for _ in 0..4 {
        if let Some(sent) = world.when(lead, EntryKind::Sent, "intro-text").await?.first() {
            return Ok(*sent);
        }
        let next = world.enrollments(lead).await?.pop().and_then(|enrollment| enrollment.progress.next);
        world.jump_to(next.ok_or("nothing is due")?.due_at).await?;
    }
    Err(format!("no text went out: {:?}", world.told(lead).await?).into())
}

#[tokio::test]
async fn a_lead_who_comes_in_outside_the_hours_is_reached_when_they_open_where_the_lead_is() -> Tested {
    for (state, zip, phone, arrives, reached) in [
        ("FL", "33101", "305-555-0123", "2026-12-01T20:30:00-05:00", "2026-12-02T09:00:00-05:00"),
        ("CA", "94607", "415-555-0123", "2026-12-01T05:00:00-08:00", "2026-12-01T09:00:00-08:00"),
        ("CA", "94607", "305-555-0123", "2026-12-01T06:30:00-08:00", "2026-12-01T09:00:00-08:00"),
        ("CA", "94607", "415-555-0123", "2026-12-05T22:00:00-08:00", "2026-12-07T09:00:00-08:00"),
        ("CA", "94607", "415-555-0123", "2026-12-24T22:00:00-08:00", "2026-12-26T09:00:00-08:00"),
        ("HI", "96801", "808-555-0123", "2026-12-01T10:00:00-08:00", "2026-12-01T09:00:00-10:00"),
    ] {
        let world = World::start_at(at(arrives)?).await?;
        let (lead, _) = world.enroll_as("zillow", &lead_in(&world, state, zip, phone)).await?;
        world.settle().await?;
        assert_eq!(world.sent()?, Vec::<String>::new(), "{state} {arrives}");
        assert_eq!(first_text(&world, &lead).await?, at(reached)?, "{state} {arrives}");
    }
    Ok(())
}

#[tokio::test]
async fn a_step_that_falls_due_after_the_hours_waits_for_the_morning() -> Tested {
    let world = World::start_at(at("2026-12-01T19:10:00-08:00")?).await?;
    let (lead, _) = world.enroll().await?;
    world.settle().await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "intro-text").await?.len(), 1);
    let due = world.enrollments(&lead).await?.pop().and_then(|enrollment| enrollment.progress.next);
    let morning = at("2026-12-02T09:00:00-08:00")?;
    assert_eq!(due.map(|next| next.due_at), Some(morning), "19:30 would be five minutes past the last call");
    world.jump_to(morning).await?;
    assert_eq!(world.when(&lead, EntryKind::CallPlaced, "robot-call").await?, [morning]);
    Ok(())
}

#[tokio::test]
async fn what_the_law_closes_no_record_opens() -> Tested {
    for (state, zip, phone, arrives, reached) in [
        ("OH", "44101", "216-555-0123", "2026-12-06T12:00:00-05:00", "2026-12-06T12:00:00-05:00"),
        ("AL", "35203", "205-555-0123", "2026-12-06T12:00:00-06:00", "2026-12-07T08:00:00-06:00"),
        ("AL", "35203", "205-555-0123", "2026-12-25T12:00:00-06:00", "2026-12-26T08:00:00-06:00"),
        ("FL", "33101", "305-555-0123", "2026-12-01T20:00:00-05:00", "2026-12-02T08:00:00-05:00"),
        ("TX", "75201", "214-555-0123", "2026-12-06T09:30:00-06:00", "2026-12-06T12:00:00-06:00"),
        ("OH", "44101", "216-555-0123", "2026-12-01T21:30:00-05:00", "2026-12-02T08:00:00-05:00"),
    ] {
        let world = World::start_at(at(arrives)?).await?;
        widen(&world).await?;
        let (lead, _) = world.enroll_as("zillow", &lead_in(&world, state, zip, phone)).await?;
        assert_eq!(first_text(&world, &lead).await?, at(reached)?, "{state} {arrives}");
    }
    Ok(())
}

#[tokio::test]
async fn a_lead_who_may_be_anywhere_is_reached_between_noon_and_eight_in_the_east() -> Tested {
    for (arrives, reached) in [
        ("2026-12-01T10:00:00-05:00", "2026-12-01T12:00:00-05:00"),
        ("2026-12-01T19:54:00-05:00", "2026-12-01T19:54:00-05:00"),
        ("2026-12-01T19:56:00-05:00", "2026-12-02T12:00:00-05:00"),
    ] {
        let world = World::start_at(at(arrives)?).await?;
        widen(&world).await?;
        let mut body = world.zillow_lead("LC-1", "800-555-0123");
        body["details"] = json!({ "loanPurpose": "Purchase" });
        body["recipient"] = json!({ "nmlsLicense": "1000001" });
        let (lead, _) = world.enroll_as("zillow", &body).await?;
        assert_eq!(world.lead(&lead).await?.zones, None);
        assert_eq!(first_text(&world, &lead).await?, at(reached)?, "{arrives}");
    }
    Ok(())
}

#[tokio::test]
async fn a_person_is_contacted_three_times_in_24_hours_whatever_cadences_they_are_in() -> Tested {
    let world = World::start().await?;
    let start = world.cloud.now();
    world
        .put_record(&json!({
            "pk": "CADENCE#second", "sk": "CURRENT", "name": "Second", "status": "live", "for_leads": { "source": ["gizmo"] },
            "priority": 99, "hours": { "call": "any time", "sms": "any time" },
            "steps": [
                { "id": "text-again", "do": "canned_sms", "wait": "10m", "message": "sms/follow-up" },
                { "id": "write", "do": "canned_email", "wait": "10m", "message": "email/intro" },
            ],
        }))
        .await?;
    let to_second = json!({ "no_answer": { "cadence": "second" } });
    let record = world.edit("CADENCE#zillow-purchase", |cadence| cadence["steps"][2]["on"] = to_second).await?;
    assert_eq!(record["published_version"], 2, "{record}");

    let (lead, first) = world.enroll().await?;
    world.pass(TimeDelta::hours(1)).await?;
    assert!(world.enrollment(&lead, &first).await?.has_ended());
    let runs = world.enrollments(&lead).await?;
    assert_eq!(runs.iter().map(|run| run.cadence.as_str()).collect::<Vec<_>>(), ["zillow-purchase", "second"]);
    let deferred: Vec<_> = world.timeline(&lead).await?;
    let deferred = deferred.iter().find(|entry| entry.kind == EntryKind::Deferred).ok_or("nothing was deferred")?;
    assert_eq!(deferred.until, Some(start + TimeDelta::hours(24)), "a call, a text and an AI call were enough");

    world.jump_to(start + TimeDelta::hours(24) - TimeDelta::seconds(1)).await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "text-again").await?.len(), 0);
    world.jump_to(start + TimeDelta::hours(24)).await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "text-again").await?, [start + TimeDelta::hours(24)]);
    Ok(())
}
