//! A record that others refer to is published: they are checked again without an edit.

use cadence_core::timeline::EntryKind;
use cadence_tests::{Moment, Tested, World, local::faults::Fault};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{CADENCE, enroll};

const TEXT: &str =
    "Hi from {{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }}. Reply STOP to opt out.";

fn spring(moves_to: Option<&str>) -> Value {
    let on = moves_to.map(|cadence| json!({ "replied": { "cadence": cadence } })).unwrap_or_else(|| json!({}));
    json!({
        "pk": "CADENCE#spring", "sk": "CURRENT", "name": "Spring", "status": "live", "priority": 50,
        "for_leads": { "source": ["zillow"], "state": ["CA"] },
        "steps": [{ "id": "hello", "do": "canned_sms", "wait": "0m", "message": "sms/spring", "on": on }],
    })
}

fn is_refused(record: &Value) -> bool {
    record["check"].as_str().is_some_and(|check| check.starts_with("NOT PUBLISHED"))
}

#[tokio::test]
async fn what_waited_for_a_message_is_published_with_it() -> Tested {
    let world = World::start().await?;
    let refused = world.put_record(&spring(None)).await?;
    assert!(is_refused(&refused), "{refused}");
    assert!(world.config_item("UNPUBLISHED#CADENCE", "spring").await?.is_some());

    world.put_record(&json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": TEXT })).await?;
    let record = world.record("CADENCE#spring").await?;
    assert_eq!((&record["published_version"], record.get("problems")), (&json!(1), None), "{record}");
    assert_eq!(world.config_item("UNPUBLISHED#CADENCE", "spring").await?, None);
    let (lead, enrollment) = enroll(&world, 1).await?;
    assert_eq!(world.enrollment(&lead, &enrollment).await?.cadence.as_str(), "spring");
    Ok(())
}

#[tokio::test]
async fn what_names_a_refused_record_is_told_that_it_has_errors_for_as_long_as_it_does() -> Tested {
    let world = World::start().await?;
    let told = async || Ok::<_, Box<dyn std::error::Error + Send + Sync>>(world.record("CADENCE#spring").await?);
    let message = |text: &str| json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": text });
    world.put_record(&spring(None)).await?;
    let (missing, has_errors) = (
        "There is no message \\\"sms/spring\\\"",
        "The record of the message \\\"sms/spring\\\" has errors of its own",
    );
    for _ in 0..2 {
        assert!(told().await?["problems"].to_string().contains(missing));
        world.put_record(&message("Hi {{ lead_frist_name }}")).await?;
        assert!(told().await?["problems"].to_string().contains(has_errors));
        world.delete("MESSAGE#sms/spring").await?;
        world.settle().await?;
    }
    world.put_record(&message("Hi {{ lead_frist_name }}")).await?;
    world.put_record(&message(TEXT)).await?;
    assert_eq!(told().await?["check"], "ok: published as version 1");
    Ok(())
}

#[tokio::test]
async fn one_publication_leads_on_to_the_next() -> Tested {
    let world = World::start().await?;
    // In the order of their names, the first waits for the last one.
    let moves = |id: &str, to: &str| {
        let mut record = spring(Some(to));
        record["pk"] = json!(format!("CADENCE#{id}"));
        record
    };
    for record in [moves("a", "b"), moves("b", "spring"), spring(None)] {
        assert!(is_refused(&world.put_record(&record).await?));
    }
    world.put_record(&json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": TEXT })).await?;
    for pk in ["CADENCE#a", "CADENCE#b", "CADENCE#spring"] {
        assert_eq!(world.record(pk).await?["published_version"], 1, "{pk}");
    }
    let before = world.items().await?;
    world.pass(TimeDelta::minutes(1)).await?;
    assert_eq!(world.items().await?, before, "and then it is quiet");
    Ok(())
}

#[tokio::test]
async fn what_was_warned_because_of_another_record_is_not_once_that_is_mended() -> Tested {
    let world = World::start().await?;
    let text = TEXT.replace("{{ company }}", "Sample Lending");
    let warned = world.edit("MESSAGE#sms/intro", |message| message["text"] = json!(text)).await?;
    assert!(warned["problems"].to_string().contains("does not name the company"), "{warned}");
    let cadence = world.record(CADENCE).await?;
    assert!(cadence["problems"].to_string().contains("does not name the company"), "{cadence}");
    assert_eq!(cadence["published_version"], 1, "a warning is no new version");

    world.edit("SETTINGS#company", |settings| settings["company"] = json!("Sample Lending")).await?;
    for pk in ["MESSAGE#sms/intro", CADENCE] {
        let record = world.record(pk).await?;
        assert_eq!(record.get("problems"), None, "{record}");
        assert!(record["check"].as_str().is_some_and(|check| !check.contains("warning")), "{record}");
    }
    Ok(())
}

#[tokio::test]
async fn what_another_record_breaks_is_told_so_and_goes_on() -> Tested {
    let world = World::start().await?;
    let joins = |groups: &'static [&str]| move |user: &mut Value| user["groups"] = json!(groups);
    world.edit("USER#lo-riley", joins(&["team"])).await?;
    world.edit(CADENCE, |cadence| cadence["steps"][0]["assign"] = json!("round_robin: team")).await?;
    let (lead, _) = enroll(&world, 1).await?;
    world.edit("USER#lo-riley", joins(&[])).await?;
    let cadence = world.record(CADENCE).await?;
    let warned = |version: u32| format!("\"ok: published as version {version}, with ");
    assert!(cadence["check"].to_string().starts_with(&warned(2)), "{cadence}");
    assert!(cadence["problems"].to_string().contains("steps[0].assign: No user is in a group"), "{cadence}");
    // Whatever others broke, what is at work can be paused.
    for (version, status) in [(3, "paused"), (4, "live")] {
        let cadence = world.edit(CADENCE, |cadence| cadence["status"] = json!(status)).await?;
        assert!(cadence["check"].to_string().starts_with(&warned(version)), "{cadence}");
    }

    world.edit("USER#lo-riley", joins(&["team"])).await?;
    let check = world.record(CADENCE).await?["check"].to_string();
    assert!(check.starts_with("\"ok: published as version 4"), "{check}");
    world.pass(TimeDelta::hours(1)).await?;
    assert_eq!(world.told(&lead).await?.last().map(String::as_str), Some("ended - -"));
    Ok(())
}

#[tokio::test]
async fn a_message_that_a_step_at_work_could_not_use_goes_on_as_it_was() -> Tested {
    let world = World::start().await?;
    let email = format!("{TEXT} {{{{ postal_address }}}} {{{{ unsubscribe_url }}}}");
    let into_email = json!({ "pk": "MESSAGE#sms/intro", "sk": "CURRENT", "subject": "Hi", "body": email });
    let into_text = json!({ "pk": "MESSAGE#email/intro", "sk": "CURRENT", "text": TEXT });
    for (record, step) in [(into_email, "intro-text"), (into_text, "intro-email")] {
        let told = world.put_record(&record).await?;
        assert_eq!(told["check"], "NOT PUBLISHED: version 1 goes on (see problems)", "{told}");
        let uses = format!("the step \\\"{step}\\\" of the cadence \\\"zillow-purchase\\\" uses it");
        assert!(told["problems"].to_string().contains(&uses), "{told}");
        assert_eq!(world.record(CADENCE).await?["check"], "ok: published as version 1");
    }
    Ok(())
}

#[tokio::test]
async fn a_message_that_a_running_version_could_not_use_goes_on_as_it_was() -> Tested {
    let world = World::start().await?;
    let text = |id: &str| json!({ "pk": format!("MESSAGE#{id}"), "sk": "CURRENT", "text": TEXT });
    let email = json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "subject": "Hi",
        "body": format!("{TEXT} {{{{ postal_address }}}} {{{{ unsubscribe_url }}}}") });
    world.put_record(&text("sms/spring")).await?;
    let mut later = spring(None);
    later["steps"][0]["wait"] = json!("2h");
    world.put_record(&later).await?;
    let (lead, _) = enroll(&world, 1).await?;
    later["steps"][0]["message"] = json!("sms/intro");
    assert_eq!(world.put_record(&later).await?["published_version"], 2);

    let told = world.put_record(&email).await?;
    assert_eq!(told["check"], "NOT PUBLISHED: version 1 goes on (see problems)", "{told}");
    let why = "leads still run through a version of the cadence \\\"spring\\\" whose step \\\"hello\\\" uses it";
    assert!(told["problems"].to_string().contains(why), "{told}");
    world.pass(TimeDelta::hours(3)).await?;
    assert_eq!(world.when(&lead, EntryKind::Sent, "hello").await?.len(), 1);
    assert_eq!(world.put_record(&email).await?["published_version"], 2, "nobody needs it as a text now");
    Ok(())
}

#[tokio::test]
async fn a_cadence_that_another_leaves_no_lead_is_told_so() -> Tested {
    let world = World::start().await?;
    world.put_record(&json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": TEXT })).await?;
    let mut takes_all = spring(None);
    takes_all["for_leads"] = json!({ "source": ["zillow"] });
    let told = world.put_record(&takes_all).await?;
    assert!(
        told["problems"].to_string().contains("takes every lead that the cadence \\\"zillow-purchase\\\" is for"),
        "{told}"
    );
    let cadence = world.record(CADENCE).await?;
    assert_eq!(cadence["check"], "ok: published as version 1, with 1 warning (see problems)", "{cadence}");
    assert!(cadence["problems"].to_string().contains("\\\"spring\\\" takes every lead"), "{cadence}");
    world.edit("CADENCE#spring", |spring| spring["for_leads"]["hold_out"] = json!("50%")).await?;
    assert_eq!(world.record(CADENCE).await?["check"], "ok: published as version 1");
    Ok(())
}

#[tokio::test]
async fn a_failure_on_the_way_is_made_up_for() -> Tested {
    let world = World::start().await?;
    world.put_record(&spring(None)).await?;
    let message = json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": TEXT });
    world.save(&message).await?;
    let hands = world.clone();
    let breaks = async move {
        hands.befall_all_attempts("Query", Fault::Lost);
        Ok(())
    };
    // The message is published, and what waits for it can't be read.
    let published = world.interrupted(Moment::After("TransactWriteItems"), breaks, async |boot| {
        Ok(publish::handle(&publish::App::start(boot).await?, "MESSAGE#sms/spring", None, Some(&message)).await)
    });
    assert!(published.await?.is_err(), "so it is delivered again");
    assert_eq!(world.record("MESSAGE#sms/spring").await?["published_version"], 1);
    assert!(is_refused(&world.record("CADENCE#spring").await?));
    world.settle().await?;
    assert_eq!(world.record("CADENCE#spring").await?["published_version"], 1);
    Ok(())
}

#[tokio::test]
async fn what_an_edit_lost_is_said_though_others_are_published_after_it() -> Tested {
    let world = World::start().await?;
    let secret = |secret: &'static str| move |source: &mut Value| source["secret"] = json!(secret);
    world.edit("SOURCE#plain", secret("lead-portal")).await?;
    let source = world.edit("SOURCE#plain", secret("lead-portl")).await?;
    let loses = |cadence: &mut Value| cadence["for_leads"] = Value::Null;
    let cadence = world.edit(CADENCE, loses).await?;
    for (record, version, word) in [(&source, 3, "lead-portal"), (&cadence, 2, "though the version before had it")] {
        assert_eq!(record["published_version"], version, "{record}");
        assert!(record["problems"].to_string().contains(word), "{record}");
    }
    world.edit("SOURCE#gizmo", secret("gizmo-leads")).await?;
    world.edit("USER#lo-riley", |user| user["groups"] = json!(["team"])).await?;
    assert_eq!(world.record("SOURCE#plain").await?["problems"], source["problems"]);
    assert_eq!(world.record(CADENCE).await?["problems"], cadence["problems"]);
    Ok(())
}
