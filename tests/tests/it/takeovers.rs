//! A lead that runs in one cadence arrives anew and moves to one that takes over from it.

use cadence_core::{
    Channel, LeadId,
    arrival::{self, Addresses, Arrival, Read},
    enrollment::{Claim, Effect, End, LEASE, State},
    intake,
    plan::{Stale, StepReport},
    records::Source,
    sources,
    timeline::EntryKind,
};
use cadence_store::{Committed, Refused, keys};
use cadence_tests::{Answer, Moment, Tested, World, local::faults::Fault, step};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::join;

use crate::about_to_text::{AboutToText, NOTICE, TEXT, THE_REST, texted};

/// What the new cadence sends, after an hour.
const HOT_MAIL: &str = "email lc-1@example.com";

/// A lead who is about to be texted by a cadence from which another takes over.
async fn start() -> Tested<AboutToText> {
    let world = World::start().await?;
    let record = json!({
        "pk": "CADENCE#hot", "sk": "CURRENT", "name": "Asked again", "status": "live", "priority": 50, "takes_over": ["zillow-purchase"],
        "for_leads": { "source": ["plain"] },
        "steps": [step("canned_email", "hot-mail", "1h"), step("custom_sms", "hot-text", "10m")],
    });
    let record = world.put_record(&record).await?;
    assert!(record["check"].as_str().is_some_and(|check| check.starts_with("ok")), "{record}");
    AboutToText::in_world(world, json!({}), step("canned_email", "mail", "20m"), |_| {}).await
}

/// The lead asks again.
async fn asks_again(world: &World, id: &str) -> Tested<Answer> {
    world.post_lead("plain", &json!({ "id": id, "phone": "415-555-0123" })).await
}

/// What runs, and what is over and why, the first one first.
async fn states(world: &World, lead: &LeadId) -> Tested<Vec<(String, State)>> {
    let mut enrollments = world.enrollments(lead).await?;
    enrollments.sort_by_key(|found| (found.enrolled_at, found.is_active()));
    Ok(enrollments.into_iter().map(|found| (found.cadence.to_string(), found.progress.state)).collect())
}

fn switched() -> [(String, State); 2] {
    let why = End::Switched("hot".into());
    [("zillow-purchase".to_owned(), State::Ended { why }), ("hot".to_owned(), State::Active)]
}

#[tokio::test]
async fn the_running_cadence_ends_with_its_tasks_and_the_new_one_begins() -> Tested {
    let about = start().await?;
    let (world, lead) = (&about.world, &about.lead);
    assert_eq!(world.open_tasks().await?.len(), 1);
    let revision = world.lead(lead).await?.revision;
    world.cloud.advance_to(world.cloud.now() + TimeDelta::minutes(1));
    let answer = asks_again(world, "P-1").await?;
    assert_eq!(answer.body["status"], "switched");
    assert_eq!(states(world, lead).await?, switched());
    assert_eq!((world.open_tasks().await?.len(), world.lead(lead).await?.revision), (0, revision + 1));
    assert_eq!(answer.taken()?, (lead.clone(), world.enrollments(lead).await?.remove(1).id));

    // What was on its way for the one that ended does nothing.
    assert_eq!(about.run().await?, StepReport::Skipped(Stale::Generation));
    world.pass(TimeDelta::minutes(71)).await?;
    assert_eq!(world.sent()?, [NOTICE, HOT_MAIL]);
    let told = world.told(lead).await?;
    let expected =
        ["lead_in - -", "ended - -", "enrolled - -", "sent hot-mail -", "task_opened hot-text -", "ended - -"];
    assert_eq!(told.get(3..), Some(expected.map(str::to_owned).as_slice()), "{told:?}");
    let why = world.timeline(lead).await?.into_iter().find(|entry| entry.kind == EntryKind::Ended);
    let expected = "moved to the cadence hot, because the lead asked again through plain; not run: text, mail";
    assert_eq!(why.and_then(|entry| entry.text).as_deref(), Some(expected));
    Ok(())
}

#[tokio::test]
async fn a_repeated_webhook_is_answered_the_same_and_moves_nothing() -> Tested {
    let about = start().await?;
    let answer = asks_again(&about.world, "P-1").await?;
    for passed in [TimeDelta::zero(), TimeDelta::minutes(90), TimeDelta::days(60)] {
        about.world.jump_to(about.world.cloud.now() + passed).await?;
        let before = about.world.items().await?;
        assert_eq!(asks_again(&about.world, "P-1").await?, answer, "{passed}");
        assert_eq!(about.world.items().await?, before, "{passed}");
    }
    Ok(())
}

#[tokio::test]
async fn another_webhook_finds_the_new_cadence_running() -> Tested {
    let about = start().await?;
    let first = asks_again(&about.world, "P-1").await?;
    let second = asks_again(&about.world, "P-2").await?;
    assert_eq!((second.taken()?, &second.body["status"]), (first.taken()?, &json!("running")));
    assert_eq!(states(&about.world, &about.lead).await?, switched());
    Ok(())
}

#[tokio::test]
async fn webhooks_at_once_move_the_lead_once() -> Tested {
    for ids in [["P-1", "P-1", "P-1"], ["P-1", "P-2", "P-3"]] {
        let about = start().await?;
        let world = &about.world;
        let (one, two, three) = join!(asks_again(world, ids[0]), asks_again(world, ids[1]), asks_again(world, ids[2]));
        let answers = [one?, two?, three?];
        assert_eq!(states(world, &about.lead).await?, switched(), "{ids:?}");
        let moved = answers.iter().filter(|answer| answer.body["status"] == "switched").count();
        assert_eq!(moved, if ids[0] == ids[1] { 3 } else { 1 }, "{answers:?}");
        for answer in &answers {
            assert_eq!(answer.taken()?, answers[0].taken()?);
        }
        let told = world.told(&about.lead).await?;
        assert_eq!(told.iter().filter(|told| told.starts_with("ended")).count(), 1, "{told:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_claim_in_mid_delivery_delivers_settles_and_finds_its_enrollment_ended() -> Tested {
    for moment in [
        Moment::After("TransactWriteItems"),
        Moment::Before("Publish"),
        Moment::After("Publish"),
        Moment::After("PutItem"),
    ] {
        let about = start().await?;
        let (world, lead, id) = (about.world.clone(), about.lead.clone(), about.id.clone());
        let arrives = async move {
            let claimed = world.enrollment(&lead, &id).await?;
            assert_eq!(asks_again(&world, "P-1").await?.body["status"], "switched");
            let ended = world.enrollment(&lead, &id).await?;
            assert!(ended.has_ended() && ended.claim.is_some(), "the claim stays: {ended:?}");
            assert_eq!(ended.claim, claimed.claim);
            assert_eq!(ended.progress.generation, claimed.progress.generation + 1);
            world.settle().await
        };
        let report = about.world.run_while(Channel::Sms, &about.due, moment, arrives).await??;
        assert_eq!(report, texted(), "{moment:?}: it had been claimed before");
        let after = about.world.enrollment(&about.lead, &about.id).await?;
        assert!(after.has_ended() && after.claim.is_none() && after.progress.next.is_none(), "{after:?}");
        assert_eq!(states(&about.world, &about.lead).await?, switched(), "{moment:?}");

        about.world.pass(THE_REST).await?;
        assert_eq!(about.world.sent()?, [NOTICE, TEXT], "{moment:?}: nothing after it");
        about.world.pass(TimeDelta::hours(1)).await?;
        assert_eq!(about.world.sent()?, [NOTICE, TEXT, HOT_MAIL], "{moment:?}: but what the new one sends");
        assert_eq!(about.told_of_text().await?, ["sent text -"], "{moment:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_claim_whose_holder_died_is_settled_though_its_enrollment_was_taken_over() -> Tested {
    for (moment, told) in
        [(Moment::After("TransactWriteItems"), "unsure text -"), (Moment::After("PutItem"), "sent text -")]
    {
        let about = start().await?;
        about.world.kill(Channel::Sms, &about.due, moment).await?;
        assert_eq!(asks_again(&about.world, "P-1").await?.body["status"], "switched");
        about.world.pass(TimeDelta::minutes(16)).await?;
        let after = about.world.enrollment(&about.lead, &about.id).await?;
        assert!(after.has_ended() && after.claim.is_none(), "{moment:?}: {after:?}");
        assert_eq!(about.told_of_text().await?, [told], "{moment:?}");
        assert_eq!(states(&about.world, &about.lead).await?, switched(), "{moment:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_take_over_before_the_claim_refuses_it() -> Tested {
    let about = start().await?;
    let world = about.world.clone();
    let arrives = async move {
        assert_eq!(asks_again(&world, "P-1").await?.body["status"], "switched");
        Ok(())
    };
    about.is_refused(Refused::Enrollment, arrives).await?;
    assert_eq!(about.run().await?, StepReport::Skipped(Stale::Generation));
    about.world.pass(THE_REST).await?;
    assert_eq!(about.world.sent()?, [NOTICE]);
    Ok(())
}

#[tokio::test]
async fn a_take_over_whose_answer_is_lost_happens_once() -> Tested {
    for all in [false, true] {
        let about = start().await?;
        match all {
            true => about.world.befall_all_attempts("TransactWriteItems", Fault::AnswerLost),
            false => about.world.befall("TransactWriteItems", Fault::AnswerLost),
        }
        let first = asks_again(&about.world, "P-1").await?;
        assert_eq!(first.status, if all { 503 } else { 202 });
        let again = asks_again(&about.world, "P-1").await?;
        assert_eq!((again.status, &again.body["status"]), (202, &json!("switched")));
        assert_eq!(states(&about.world, &about.lead).await?, switched(), "all attempts: {all}");
    }
    Ok(())
}

/// What `ingest` decides of the lead's asking again, on what is stored now.
async fn decided(about: &AboutToText) -> Tested<Arrival> {
    let (world, now) = (&about.world, about.world.cloud.now());
    let app = ingest::App::start(&world.boot()).await?;
    let source: Source = app.store.load_source(&"plain".into()).await?.ok_or("there is no such source")?;
    let body = json!({ "id": "P-1", "phone": "415-555-0123" }).to_string();
    let inbound = sources::parse(&source.format, None, body.as_bytes()).map_err(|problems| format!("{problems:?}"))?;
    let key = intake::idempotency_key(&source.id, &inbound, None, body.as_bytes());
    let hash = intake::address_hash(&app.address_key, "+14155550123");
    let address = app.store.load_address(&hash).await?.ok_or("nobody has the number")?;
    let addresses = Addresses { phone: Some((hash, address)), email: None };
    let known = app.store.load_lead(&about.lead).await?;
    let read = Read { source: &source, inbound: &inbound, key: &key };
    Ok(arrival::arrive(read, known.as_ref(), &addresses, &app.store.load_catalogue().await?, now))
}

#[tokio::test]
async fn each_condition_of_a_take_over_refuses_it_by_itself() -> Tested {
    let about = start().await?;
    assert_eq!(about.world.store.enroll(&decided(&about).await?).await?, Committed::Yes, "as long as they hold");

    let claim = Claim {
        id: "other".into(),
        step: "text".into(),
        round: 1,
        try_number: 1,
        claimed_at: about.world.cloud.now(),
        lease_until: about.world.cloud.now() + LEASE,
        step_due_at: about.world.cloud.now(),
        version: 1,
        generation: 2,
        effect: Effect::Sms,
        user: None,
    };
    let cases: [(&str, &str, &[&str], Value); 6] = [
        ("another generation", "", &["progress", "generation"], json!(7)),
        ("a claim taken meanwhile", "", &["claim"], json!(claim)),
        ("no enrollment", "", &[], Value::Null),
        ("another revision", keys::LEAD, &["revision"], json!(99)),
        ("no lead", keys::LEAD, &[], Value::Null),
        (
            "a task closed meanwhile",
            "TASK",
            &["closed"],
            json!({ "outcome": "voicemail", "at": about.world.cloud.now(), "by": "lo-riley" }),
        ),
    ];
    for (what, item, path, value) in cases {
        let about = start().await?;
        let arrival = decided(&about).await?;
        let sk = match item {
            "" => keys::enrollment_sk(&about.id),
            "TASK" => keys::task_sk(&about.world.open_tasks().await?.remove(0).id),
            sk => sk.to_owned(),
        };
        let change = |item: &mut Value| {
            *path.iter().fold(item, |item, name| &mut item[*name]) = value;
        };
        about.rewrite(&sk, change).await?;
        let before = about.world.items().await?;
        assert_eq!(about.world.store.enroll(&arrival).await?, Committed::Stale, "{what}");
        assert_eq!(about.world.items().await?, before, "{what}: all or nothing");
    }

    let about = start().await?;
    let arrival = decided(&about).await?;
    asks_again(&about.world, "P-1").await?;
    assert_eq!(about.world.store.enroll(&arrival).await?, Committed::Stale, "the webhook was taken");

    // The claim that the decision read was settled meanwhile.
    let about = start().await?;
    about.rewrite(&keys::enrollment_sk(&about.id), |item| item["claim"] = json!(claim)).await?;
    let arrival = decided(&about).await?;
    let settled = |item: &mut Value| drop(item.as_object_mut().and_then(|item| item.remove("claim")));
    about.rewrite(&keys::enrollment_sk(&about.id), settled).await?;
    assert_eq!(about.world.store.enroll(&arrival).await?, Committed::Stale);
    Ok(())
}
