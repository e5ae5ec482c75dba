//! The fourth door: ops edit records.

mod by_hand;
mod counts;
mod deletion;
mod dependents;
mod edits;
mod races;

use cadence_core::{EnrollmentId, LeadId, timeline::EntryKind};
use cadence_tests::{Tested, World};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

const CADENCE: &str = "CADENCE#zillow-purchase";
const MORNING: TimeDelta = TimeDelta::hours(1);

/// Enrolls a Zillow lead of its own.
async fn enroll(world: &World, index: u32) -> Tested<(LeadId, EnrollmentId)> {
    world.enroll_as("zillow", &world.zillow_lead(&format!("LC-{index}"), &format!("415-555-01{index:02}"))).await
}

async fn called(world: &World, lead: &LeadId) -> Tested<Vec<DateTime<Utc>>> {
    world.when(lead, EntryKind::CallPlaced, "robot-call").await
}

fn set_status(status: &'static str) -> impl FnOnce(&mut Value) {
    move |record| record["status"] = json!(status)
}

#[tokio::test]
async fn a_good_edit_is_a_new_version_for_new_leads_while_running_ones_keep_theirs() -> Tested {
    let world = World::start().await?;
    let start = world.cloud.now();
    let (running, first_run) = enroll(&world, 1).await?;
    world.settle().await?;
    let first = world.config_item(CADENCE, "VERSION#0001").await?;

    let record = world.edit(CADENCE, |cadence| cadence["steps"][2]["wait"] = json!("40m")).await?;
    assert_eq!(record["check"], "ok: published as version 2");
    assert_eq!((&record["published_version"], record.get("problems")), (&json!(2), None));
    assert_eq!(world.config_item(CADENCE, "VERSION#0001").await?, first, "a version never changes");
    let second = world.config_item(CADENCE, "VERSION#0002").await?.ok_or("there is no second version")?;
    assert_ne!(first.as_ref().map(|first| &first["record"]), Some(&second["record"]));

    let (new, second_run) = enroll(&world, 2).await?;
    world.pass(MORNING).await?;
    assert_eq!(called(&world, &running).await?, [start + TimeDelta::minutes(20)]);
    assert_eq!(called(&world, &new).await?, [start + TimeDelta::minutes(40)]);
    assert_eq!(world.enrollment(&running, &first_run).await?.progress.version, 1);
    assert_eq!(world.enrollment(&new, &second_run).await?.progress.version, 2);
    Ok(())
}

#[tokio::test]
async fn what_messages_say_is_taken_as_last_published() -> Tested {
    let world = World::start().await?;
    enroll(&world, 1).await?;
    world.pass(TimeDelta::minutes(30)).await?;
    let text = "Hello {{ lead_first_name or 'there' }}.\n\n{{ lo_first_name }}, NMLS {{ lo_nmls_id }}, {{ company }}\n{{ postal_address }}\n{{ unsubscribe_url }}";
    let record = world.edit("MESSAGE#email/intro", |message| message["body"] = json!(text)).await?;
    assert_eq!(record["published_version"], 2, "{record}");
    world.pass(MORNING).await?;
    let email = world.outbox()?.pop().ok_or("nothing was sent")?;
    assert!(email.text.starts_with("Hello Jordan."), "{}", email.text);
    Ok(())
}

#[tokio::test]
async fn a_broken_edit_is_refused_in_words_and_the_old_version_goes_on() -> Tested {
    let world = World::start().await?;
    let (running, _) = enroll(&world, 1).await?;
    let record = world
        .edit(CADENCE, |cadence| {
            cadence["steps"][1]["do"] = json!("canned_smss");
            cadence["steps"][2]["wait"] = json!("twenty minutes");
            cadence["stepps"] = json!([]);
        })
        .await?;
    assert_eq!(record["check"], "NOT PUBLISHED: version 1 goes on (see problems)");
    assert_eq!(record["published_version"], 1);
    let problems: Vec<&str> = record["problems"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert_eq!(problems.len(), 3, "all of them at once: {problems:?}");
    for (path, word) in [
        ("steps[1].do", "Did you mean \"canned_sms\"?"),
        ("steps[2].wait", "Write it like 20m"),
        ("stepps", "There is no field"),
    ] {
        let problem = problems.iter().find(|problem| problem.starts_with(&format!("{path}: ")));
        assert!(problem.is_some_and(|problem| problem.contains(word)), "{path}: {problems:?}");
    }
    assert_eq!(world.config_item(CADENCE, "VERSION#0002").await?, None);

    let (new, _) = enroll(&world, 2).await?;
    world.pass(MORNING).await?;
    for lead in [&running, &new] {
        assert_eq!(world.told(lead).await?.last().map(String::as_str), Some("ended - -"));
        assert_eq!(called(&world, lead).await?.len(), 1);
    }

    let mended = world
        .edit(CADENCE, |cadence| {
            cadence["steps"][1]["do"] = json!("canned_sms");
            cadence["steps"][2]["wait"] = json!("25m");
            cadence.as_object_mut().map(|fields| fields.remove("stepps"));
        })
        .await?;
    assert_eq!((&mended["check"], mended.get("problems")), (&json!("ok: published as version 2"), None));
    Ok(())
}

#[tokio::test]
async fn a_record_that_never_was_good_has_no_version() -> Tested {
    let world = World::start().await?;
    let record = world.put_record(&json!({ "pk": "CADENCE#new", "sk": "CURRENT", "name": "New" })).await?;
    assert_eq!(record["check"], "NOT PUBLISHED: there is no version yet (see problems)");
    assert_eq!(record.get("published_version"), None);
    assert_eq!(world.config_item("PUBLISHED#CADENCE", "new").await?, None);
    Ok(())
}

#[tokio::test]
async fn an_edit_that_says_nothing_new_publishes_nothing() -> Tested {
    let world = World::start().await?;
    let before = world.items().await?;
    let tampered = world.edit(CADENCE, |cadence| cadence["check"] = json!("looks good to me")).await?;
    assert_eq!(tampered["check"], "ok: published as version 1", "what is written back is no edit, and is put right");
    assert_eq!(world.items().await?, before);

    let noted = world.edit(CADENCE, |cadence| cadence["note"] = json!("Ask Sam before you change this.")).await?;
    assert_eq!(noted["published_version"], 1, "a note is for people");
    assert_eq!(world.config_item(CADENCE, "VERSION#0002").await?, None);
    Ok(())
}

#[tokio::test]
async fn a_paused_cadence_parks_what_falls_due_until_it_is_live_again() -> Tested {
    let world = World::start().await?;
    let start = world.cloud.now();
    let (lead, enrollment) = enroll(&world, 1).await?;
    world.pass(TimeDelta::minutes(5)).await?;
    world.edit(CADENCE, set_status("paused")).await?;
    let sent = world.sent()?;
    world.pass(TimeDelta::hours(2)).await?;
    assert_eq!(world.sent()?, sent, "nothing is sent while it is paused");
    let told = world.told(&lead).await?;
    assert_eq!(told.last().map(String::as_str), Some("parked - -"));

    world.edit(CADENCE, set_status("live")).await?;
    let live = world.cloud.now();
    world.pass(TimeDelta::minutes(16)).await?;
    let calls = called(&world, &lead).await?;
    assert_eq!(calls.len(), 1, "nothing is lost: {:?}", world.told(&lead).await?);
    assert!(
        calls[0] > live && calls[0] <= live + TimeDelta::minutes(15),
        "within the run that finds it and the spread"
    );
    world.pass(TimeDelta::minutes(30)).await?;
    let emailed = world.when(&lead, EntryKind::Sent, "intro-email").await?;
    assert_eq!(emailed, [calls[0] + TimeDelta::minutes(20)], "nothing catches up in a burst");
    assert_eq!(world.enrollment(&lead, &enrollment).await?.progress.version, 1);
    assert!(emailed[0] > start + TimeDelta::hours(2));
    Ok(())
}

#[tokio::test]
async fn a_cadence_that_is_off_takes_no_new_leads_and_finishes_with_those_it_has() -> Tested {
    let world = World::start().await?;
    let (running, _) = enroll(&world, 1).await?;
    world.settle().await?;
    world.edit(CADENCE, set_status("off")).await?;
    let (new, enrollment) = enroll(&world, 2).await?;
    assert_eq!(world.enrollment(&new, &enrollment).await?.cadence.as_str(), "new-lead", "the next that is for it");
    world.pass(MORNING).await?;
    assert_eq!(world.when(&running, EntryKind::Sent, "intro-email").await?.len(), 1);

    world.edit("CADENCE#new-lead", set_status("off")).await?;
    let answer = world.post_lead("zillow", &world.zillow_lead("LC-3", "415-555-0103")).await?;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("no_cadence")), "the lead is kept all the same");
    assert_eq!(world.count_leads().await?, 3);
    Ok(())
}

#[tokio::test]
async fn an_archived_cadence_ends_for_everybody() -> Tested {
    let world = World::start().await?;
    let (lead, enrollment) = enroll(&world, 1).await?;
    world.pass(TimeDelta::minutes(5)).await?;
    world.edit(CADENCE, set_status("archived")).await?;
    let sent = world.sent()?;
    world.pass(MORNING).await?;
    assert!(world.enrollment(&lead, &enrollment).await?.has_ended());
    assert_eq!((world.sent()?, world.open_tasks().await?), (sent, vec![]));
    Ok(())
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_is_refused_and_taken_once_it_leads_somewhere() -> Tested {
    let world = World::start().await?;
    let cadence = json!({
        "pk": "CADENCE#spring", "sk": "CURRENT", "name": "Spring", "status": "live", "priority": 50,
        "for_leads": { "source": ["zilow"] },
        "steps": [{ "id": "hello", "do": "canned_sms", "wait": "0m", "message": "sms/spring", "on": { "replied": { "cadence": "summer" } } }],
    });
    let record = world.put_record(&cadence).await?;
    let problems = record["problems"].to_string();
    assert!(record["check"].as_str().is_some_and(|check| check.starts_with("NOT PUBLISHED")), "{record}");
    for named in ["sms/spring", "zilow", "summer"] {
        assert!(problems.contains(named), "{named}: {problems}");
    }
    let text = "Hi from {{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }}. Reply STOP to opt out.";
    world.put_record(&json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": text })).await?;
    let record = world
        .edit("CADENCE#spring", |cadence| {
            cadence["for_leads"] = json!({ "source": ["zillow"] });
            cadence["steps"][0]["on"] = json!({ "replied": { "cadence": "new-lead" } });
        })
        .await?;
    assert_eq!(record["published_version"], 1, "{record}");
    let (lead, enrollment) = enroll(&world, 1).await?;
    assert_eq!(world.enrollment(&lead, &enrollment).await?.cadence.as_str(), "spring");
    Ok(())
}

#[tokio::test]
async fn a_record_whose_key_names_nothing_is_refused_and_holds_nobody_up() -> Tested {
    let world = World::start().await?;
    for pk in ["CADENCE#", "CADENCE", "#", "NONSENSE#x"] {
        let refused = world.put_record(&json!({ "pk": pk, "sk": "CURRENT", "name": "x" })).await?;
        assert!(refused["check"].as_str().is_some_and(|check| check.starts_with("NOT PUBLISHED")), "{pk}: {refused}");
    }
    let edited = world.edit("CADENCE#new-lead", |record| record["priority"] = json!(1)).await?;
    assert_eq!(edited["published_version"], json!(2), "{edited}");
    Ok(())
}
