//! A claim is taken only if all that it was planned on still holds; what came between is planned on next.

use cadence_core::{
    Channel, ClaimId, Outcome,
    delivery::Delivery,
    enrollment::{Claim, Effect, LEASE, State},
    failure::Class,
    lead::OptOut,
    plan::{Stale, StepReport},
};
use cadence_store::{Claimed, Refused, StepError, keys};
use cadence_tests::{Moment, Tested, World, local::faults::Fault, step, tuesday_morning};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::about_to_text::{AboutToText, MAIL, NOTICE, TEXT, THE_REST, texted};

/// What changes, why that refuses the claim, where it stands in its item, what it becomes, and what the message comes to then.
type Case<'a> = (&'a str, Refused, &'a [&'a str], Value, Option<StepReport>);

#[tokio::test]
async fn each_condition_of_a_claim_refuses_it_by_itself() -> Tested {
    let now = tuesday_morning();
    let (parked, ended) = (json!({ "is": "parked", "why": "outcome" }), json!({ "is": "ended", "why": "completed" }));
    let skipped = |why| Some(StepReport::Skipped(why));
    let cases: [Case<'_>; 7] = [
        ("another generation", Refused::Enrollment, &["progress", "generation"], json!(7), skipped(Stale::Generation)),
        ("a parked enrollment", Refused::Enrollment, &["progress", "state"], parked, skipped(Stale::NotActive)),
        ("an ended enrollment", Refused::Enrollment, &["progress", "state"], ended, skipped(Stale::NotActive)),
        ("a live claim", Refused::Enrollment, &["claim"], json!(others_claim(now)), Some(StepReport::Busy)),
        ("no enrollment", Refused::Enrollment, &[], Value::Null, None),
        ("another revision", Refused::Lead, &["revision"], json!(99), Some(texted())),
        ("no lead", Refused::Lead, &[], Value::Null, None),
    ];
    for (what, because, path, value, then) in cases {
        let about = AboutToText::start().await?;
        let plan = about.plan().await?;
        let sk = match because {
            Refused::Lead => keys::LEAD.to_owned(),
            Refused::Enrollment | Refused::Race => keys::enrollment_sk(&about.id),
        };
        let change = |item: &mut Value| {
            *path.iter().fold(item, |item, name| &mut item[*name]) = value;
        };
        about.rewrite(&sk, change).await?;
        let claimed = about.world.store.claim(&plan, ClaimId::new("mine"), now).await?;
        assert!(matches!(claimed, Claimed::Refused(refused) if refused == because), "{what}: {claimed:?}");
        assert_eq!(about.world.sent()?, [NOTICE], "{what}");

        let ran = about.world.run(Channel::Sms, &about.due).await?;
        match then {
            Some(report) => assert_eq!(ran?, report, "{what}"),
            // It is gone for good: no later try can help.
            None => assert_eq!(ran.unwrap_err().class(), Class::Permanent, "{what}"),
        }
    }
    Ok(())
}

/// What another invocation's claim looks like.
fn others_claim(now: DateTime<Utc>) -> Claim {
    Claim {
        id: ClaimId::new("other"),
        step: "text".into(),
        round: 1,
        try_number: 1,
        claimed_at: now,
        lease_until: now + LEASE,
        step_due_at: now,
        version: 1,
        generation: 2,
        effect: Effect::Sms,
        user: None,
    }
}

#[tokio::test]
async fn an_enrollment_that_ends_before_the_claim_sends_nothing_more() -> Tested {
    let about = AboutToText::start().await?;
    about.is_refused(Refused::Enrollment, about.calls("connected")).await?;
    assert_eq!(about.run().await?, StepReport::Skipped(Stale::Generation));
    about.world.pass(THE_REST).await?;
    assert_eq!(about.world.sent()?, [NOTICE]);
    assert!(about.world.enrollment(&about.lead, &about.id).await?.has_ended());
    Ok(())
}

#[tokio::test]
async fn an_enrollment_that_moves_on_before_the_claim_runs_what_it_moved_to() -> Tested {
    let about = AboutToText::start().await?;
    about.is_refused(Refused::Enrollment, about.calls("bad_number")).await?;
    assert_eq!(about.run().await?, StepReport::Skipped(Stale::Generation));
    about.world.pass(THE_REST).await?;
    assert_eq!(about.world.sent()?, [NOTICE, MAIL]);
    Ok(())
}

#[tokio::test]
async fn an_enrollment_that_is_paused_before_the_claim_rests() -> Tested {
    let about = AboutToText::start().await?;
    about.is_refused(Refused::Enrollment, about.calls("declined")).await?;
    assert_eq!(about.run().await?, StepReport::Skipped(Stale::Generation));
    about.world.pass(THE_REST).await?;
    assert_eq!(about.world.sent()?, [NOTICE]);
    let enrollment = about.world.enrollment(&about.lead, &about.id).await?;
    assert!(matches!(enrollment.progress.state, State::Parked { .. }), "{enrollment:?}");
    Ok(())
}

#[tokio::test]
async fn a_claim_that_another_invocation_took_first_is_left_to_it() -> Tested {
    let about = AboutToText::start().await?;
    let (store, plan, now) = (about.world.store.clone(), about.plan().await?, about.world.cloud.now());
    let other = async move {
        assert!(matches!(store.claim(&plan, ClaimId::new("other"), now).await?, Claimed::Yes(_)));
        Ok(())
    };
    about.is_refused(Refused::Enrollment, other).await?;
    assert_eq!(about.run().await?, StepReport::Busy);
    assert_eq!(about.world.sent()?, [NOTICE]);
    let held = about.world.enrollment(&about.lead, &about.id).await?.claim.map(|claim| claim.id);
    assert_eq!(held, Some(ClaimId::new("other")));
    Ok(())
}

#[tokio::test]
async fn a_lead_who_opts_out_before_the_claim_is_not_texted() -> Tested {
    let about = AboutToText::start().await?;
    about.is_refused(Refused::Lead, about.calls("opted_out")).await?;
    assert_eq!(about.run().await?, StepReport::Changed);
    about.world.pass(THE_REST).await?;
    assert_eq!(about.world.sent()?, [NOTICE, MAIL]);
    assert!(about.world.told(&about.lead).await?.contains(&"skipped text skipped".to_owned()));
    Ok(())
}

#[tokio::test]
async fn an_opt_out_that_comes_by_itself_refuses_the_claim_too() -> Tested {
    for closes in [OptOut::Phone, OptOut::Email] {
        let about = AboutToText::start().await?;
        let (store, lead, now) = (about.world.store.clone(), about.lead.clone(), about.world.cloud.now());
        let opt_out = async move {
            store.opt_out(&lead, closes, now).await?;
            Ok(())
        };
        about.is_refused(Refused::Lead, opt_out).await?;
        about.run().await?;
        about.world.pass(THE_REST).await?;
        let still_open = if closes == OptOut::Phone { MAIL } else { TEXT };
        assert_eq!(about.world.sent()?, [NOTICE, still_open]);
    }
    Ok(())
}

#[tokio::test]
async fn a_lead_who_takes_consent_back_before_the_claim_is_not_texted_by_a_machine() -> Tested {
    let about = AboutToText::start().await?;
    let consent = json!({ "sms": "revoked", "call": "none", "email": "express", "text": "Please write to me only." });
    about.is_refused(Refused::Lead, about.tells(json!({ "id": "P-1", "consent": consent }))).await?;
    assert!(matches!(about.run().await?, StepReport::Settled(_)));
    assert_eq!(about.world.sent()?, [NOTICE]);
    let asked = |told: &String| told == "task_opened text -";
    assert!(about.world.told(&about.lead).await?.iter().any(asked), "a person does it instead");
    Ok(())
}

#[tokio::test]
async fn a_lead_who_gains_an_address_before_the_claim_is_texted_once_and_emailed_there() -> Tested {
    let no_email = |body: &mut Value| {
        body["sender"].as_object_mut().unwrap().remove("emailAddress");
    };
    let about =
        AboutToText::in_world(World::start().await?, json!({}), step("canned_email", "mail", "20m"), no_email).await?;
    let gains = about.tells(json!({ "id": "P-1", "email": "jordan@example.com" }));
    about.is_refused(Refused::Lead, gains).await?;
    assert_eq!(about.run().await?, texted());
    about.world.pass(THE_REST).await?;
    assert_eq!(about.world.sent()?, [NOTICE, TEXT, "email jordan@example.com"]);
    Ok(())
}

#[tokio::test]
async fn another_touch_before_the_claim_counts_for_the_caps() -> Tested {
    let world = World::start().await?;
    world.edit("SETTINGS#company", |record| record["caps"] = json!({ "sms_per_day": 1 })).await?;
    let about = AboutToText::in_world(world, json!({}), step("canned_email", "mail", "20m"), |_| {}).await?;
    let (world, twin) = (about.world.clone(), about.twin().await?);
    let touch = async move {
        assert_eq!(world.run(Channel::Sms, &twin).await??, texted());
        Ok(())
    };
    about.is_refused(Refused::Lead, touch).await?;
    assert_eq!(about.run().await?, StepReport::Changed);
    assert_eq!(about.world.sent()?, [NOTICE, TEXT]);
    let next = about.world.next(&about.lead, &about.id).await?;
    assert_eq!((next.step.as_str(), next.try_number), ("text", 1));
    assert!(next.due_at >= about.world.cloud.now() + TimeDelta::hours(24), "{next:?}");
    Ok(())
}

#[tokio::test]
async fn a_new_enrollment_before_the_claim_is_planned_with() -> Tested {
    let (world, on) = (World::start().await?, json!({ "bad_number": { "cadence": "new-lead" } }));
    let mut about = AboutToText::in_world(world, on, step("canned_email", "mail", "20m"), |_| {}).await?;
    about.due = about.twin().await?;
    about.is_refused(Refused::Lead, about.calls("bad_number")).await?;
    assert!(about.world.enrollment(&about.lead, &about.id).await?.has_ended());
    assert_eq!(about.run().await?, texted());
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_changes_nothing_refuses_the_claim_and_the_text_is_sent_once() -> Tested {
    let about = AboutToText::start().await?;
    let (world, body) = (about.world.clone(), about.world.zillow_lead("LC-2", "415-555-0123"));
    let same = async move {
        assert_eq!(world.post_lead("zillow", &body).await?.status, 202);
        Ok(())
    };
    about.is_refused(Refused::Lead, same).await?;
    assert_eq!(about.run().await?, texted());
    about.world.settle().await?;
    assert_eq!(about.world.sent()?, [NOTICE, TEXT]);
    Ok(())
}

#[tokio::test]
async fn nothing_is_claimed_with_less_time_left_than_the_vendor_may_take_and_settling_needs() -> Tested {
    for (action, channel, needs_seconds) in [
        ("canned_sms", Channel::Sms, 15),
        ("canned_email", Channel::Email, 20),
        ("ai_dial", Channel::Call, 20),
        ("dial", Channel::Call, 20),
    ] {
        let (world, lead, id) = World::with_lead_in([step(action, "first", "0m")]).await?;
        let (due, needs) = (world.step_due(&lead, &id).await?, TimeDelta::seconds(needs_seconds));
        let before = world.everything(&lead, &id).await?;
        let short = world.invocation_until(world.cloud.now() + needs - TimeDelta::milliseconds(1));
        let error = world.run_as(channel, &due, &short).await?.unwrap_err();
        assert!(matches!(error, StepError::NoTime), "{action}: {error:?}");
        assert_eq!(error.class(), Class::Retryable);
        assert_eq!(world.everything(&lead, &id).await?, before, "{action}");

        let enough = world.invocation_until(world.cloud.now() + needs);
        assert!(matches!(world.run_as(channel, &due, &enough).await??, StepReport::Settled(_)), "{action}");
        assert_eq!(world.sent()?.len(), 1, "{action}");
    }
    Ok(())
}

#[tokio::test]
async fn a_text_whose_hours_end_between_its_claim_and_its_sending_is_not_sent_and_its_slot_is_given_back() -> Tested {
    // Texts may begin until 19:55, five minutes before their hours end.
    let closing = tuesday_morning() + TimeDelta::minutes(9 * 60 + 55);
    for (late, is_sent) in [(TimeDelta::zero(), true), (TimeDelta::milliseconds(1), false)] {
        let (world, lead, id) = World::with_lead_in([step("canned_sms", "text", "9h")]).await?;
        let due = world.step_due(&lead, &id).await?;
        world.cloud.advance_to(closing - TimeDelta::seconds(1));
        let cloud = world.cloud.clone();
        let passes = async move {
            cloud.advance_to(closing + late);
            Ok(())
        };
        let report = world.run_while(Channel::Sms, &due, Moment::Before("TransactWriteItems"), passes).await??;
        let touches = world.lead_now(&lead).await?.touches.len();
        assert_eq!((world.sent()?.len(), touches), if is_sent { (1, 1) } else { (0, 0) });
        if !is_sent {
            assert!(matches!(report, StepReport::Settled(Delivery::Later { .. })), "{report:?}");
            let next = world.next(&lead, &id).await?;
            assert_eq!((next.step.as_str(), next.try_number), ("text", 2));
            assert_eq!(next.due_at, tuesday_morning() + TimeDelta::hours(23), "Wednesday at 09:00");
            world.settle().await?;
            world.cloud.advance_to(next.due_at);
            world.settle().await?;
            assert_eq!(world.sent()?, [TEXT], "in the morning, once");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_touch_is_given_back_only_if_certainly_nothing_was_sent() -> Tested {
    // The vendor takes it.
    let about = AboutToText::start().await?;
    assert_eq!((about.run().await?, about.touches().await?), (texted(), 2));

    // The vendor refuses it: the number is none.
    let about = AboutToText::start().await?;
    about.rewrite(keys::LEAD, |item| item["phone"] = json!("+12")).await?;
    let report = about.run().await?;
    assert!(matches!(report, StepReport::Settled(Delivery::Rejected { .. })), "{report:?}");
    assert_eq!(about.touches().await?, 1);
    assert!(about.world.told(&about.lead).await?.contains(&"failed text -".to_owned()));

    // It came on the wrong queue, so nobody was asked to send it.
    let about = AboutToText::start().await?;
    let report = about.world.run(Channel::Email, &about.due).await??;
    assert!(matches!(report, StepReport::Settled(Delivery::Later { .. })), "{report:?}");
    assert_eq!(about.touches().await?, 1);
    let next = about.world.next(&about.lead, &about.id).await?;
    assert_eq!((next.step.as_str(), next.round, next.try_number), ("text", 1, 2));

    // Nobody knows, whether the request got lost or its answer.
    for fault in [Fault::Lost, Fault::AnswerLost] {
        let about = AboutToText::start().await?;
        about.world.befall("Publish", fault);
        let report = about.run().await?;
        assert!(matches!(report, StepReport::Settled(Delivery::Unknown { .. })), "{report:?}");
        assert_eq!(about.touches().await?, 2, "{fault:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_task_that_a_refused_claim_would_have_opened_is_not_opened() -> Tested {
    let (world, lead, id) = World::with_lead_in([step("dial", "call", "0m")]).await?;
    let (due, store, closed, now) =
        (world.step_due(&lead, &id).await?, world.store.clone(), lead.clone(), world.cloud.now());
    let opt_out = async move {
        store.opt_out(&closed, OptOut::Phone, now).await?;
        Ok(())
    };
    let report = world.run_while(Channel::Call, &due, Moment::Before("TransactWriteItems"), opt_out).await??;
    assert_eq!(report, StepReport::Replan);
    assert_eq!(world.run(Channel::Call, &due).await??, StepReport::Changed);
    assert_eq!((world.sent()?.len(), world.open_tasks().await?.len()), (0, 0));
    let skipped = world.timeline(&lead).await?.into_iter().any(|entry| entry.outcome == Some(Outcome::Skipped));
    assert!(skipped);
    Ok(())
}
