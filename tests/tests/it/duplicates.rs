//! Whatever comes twice, late, early or out of date does nothing more.

use cadence_boot::Secrets;
use cadence_core::{
    Channel, EnrollmentId, LeadId,
    enrollment::{Act, StepDue},
    plan::{Stale, StepReport},
};
use cadence_tests::{Answer, Tested, World, step};
use chrono::TimeDelta;
use serde_json::json;

/// Each way to reach somebody: the step, its channel, and what lands in the outbox.
const WAYS: [(&str, Channel, &str); 4] = [
    ("dial", Channel::Call, "email riley@example.com"),
    ("canned_sms", Channel::Sms, "sms +14155550123"),
    ("ai_dial", Channel::Call, "ai_call +14155550123"),
    ("canned_email", Channel::Email, "email lc-1@example.com"),
];

#[tokio::test]
async fn a_message_that_is_delivered_more_than_once_is_sent_once() -> Tested {
    for (action, channel, sent) in WAYS {
        let (world, lead, id) =
            World::with_lead_in([step(action, "first", "0m"), step("custom_sms", "then", "20m")]).await?;
        let due = world.step_due(&lead, &id).await?;
        world.enqueue(channel, &due).await?;
        world.enqueue(channel, &due).await?;
        world.settle().await?;
        assert_eq!(world.sent()?, [sent], "{action}: three messages at once");

        let before = world.everything(&lead, &id).await?;
        world.deliver(channel, &due).await?;
        assert_eq!(world.everything(&lead, &id).await?, before, "{action}: one more later");
        assert_eq!(world.run(channel, &due).await??, StepReport::Skipped(Stale::Generation), "{action}");
        assert_eq!(world.queued().await?, 0, "{action}: all of them are acknowledged");
    }
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_an_hour_late_is_sent_once_and_what_follows_counts_from_its_claim() -> Tested {
    for (late, action, channel, sent) in
        WAYS.into_iter().flat_map(|(action, channel, sent)| [60, 1].map(|late| (late, action, channel, sent)))
    {
        let (world, lead, id) =
            World::with_lead_in([step(action, "first", "0m"), step("custom_sms", "then", "20m")]).await?;
        let due = world.step_due(&lead, &id).await?;
        let due_at = world.next(&lead, &id).await?.due_at;
        let claimed_at = due_at + TimeDelta::minutes(late);
        world.cloud.advance_to(claimed_at);
        world.deliver(channel, &due).await?;
        assert_eq!(world.sent()?, [sent], "{action}");
        assert_eq!(world.outbox()?[0].at, claimed_at, "{action}");

        // The end of an AI call is reported within a minute.
        world.pass(TimeDelta::minutes(1)).await?;
        let next = world.next(&lead, &id).await?;
        let counts_from = if late > 2 { claimed_at } else { due_at };
        assert_eq!((next.step.as_str(), next.act), ("then", Act::Run), "{action}");
        assert_eq!(next.due_at, counts_from + TimeDelta::minutes(20), "{action}, {late} minutes late");

        world.deliver(channel, &due).await?;
        assert_eq!(world.sent()?, [sent], "{action}: and again");
        assert_eq!(world.next(&lead, &id).await?, next, "{action}");
    }
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_early_does_nothing_and_the_step_still_runs_when_it_is_due() -> Tested {
    for (action, channel, sent) in WAYS {
        let (world, lead, id) =
            World::with_lead_in([step("custom_sms", "first", "0m"), step(action, "then", "20m")]).await?;
        world.settle().await?;
        let due = world.step_due(&lead, &id).await?;
        let before = world.everything(&lead, &id).await?;
        for _ in 0..2 {
            assert_eq!(world.run(channel, &due).await??, StepReport::Skipped(Stale::NotYet), "{action}");
            world.deliver(channel, &due).await?;
            assert_eq!(world.everything(&lead, &id).await?, before, "{action}");
            world.pass(TimeDelta::minutes(9)).await?;
        }
        world.pass(TimeDelta::minutes(3)).await?;
        assert_eq!(world.sent()?, [sent], "{action}: at its own time, once");
    }
    Ok(())
}

#[tokio::test]
async fn a_message_of_an_old_generation_does_nothing_even_when_it_would_be_due() -> Tested {
    for (action, channel, _) in WAYS {
        let mut first = step("dial", "first", "0m");
        first["on"] = json!({ "bad_number": "last" });
        let steps = [first, step(action, "then", "20m"), step("custom_sms", "last", "2h")];
        let (world, lead, id) = World::with_lead_in(steps).await?;
        world.settle().await?;
        let old = world.step_due(&lead, &id).await?;
        let task = world.open_tasks().await?.remove(0);
        assert_eq!(world.complete(&task, "bad_number").await?.status, 200);
        world.pass(TimeDelta::minutes(25)).await?;
        assert_eq!(world.next(&lead, &id).await?.step.as_str(), "last", "{action}");

        let before = world.everything(&lead, &id).await?;
        for generation in 0..=old.generation {
            let old = StepDue { generation, ..old.clone() };
            assert_eq!(world.run(channel, &old).await??, StepReport::Skipped(Stale::Generation), "{action}");
            world.deliver(channel, &old).await?;
        }
        assert_eq!(world.everything(&lead, &id).await?, before, "{action}");
        assert_eq!(world.queued().await?, 0, "{action}");
    }
    Ok(())
}

#[tokio::test]
async fn a_change_of_an_enrollment_that_is_delivered_twice_is_scheduled_once() -> Tested {
    // Due at once, the step goes onto its queue; due later, it gets a timer.
    for (wait, passes) in [("0m", 0), ("20m", 20)] {
        let (world, lead, id) = World::with_lead_in([step("canned_sms", "first", wait)]).await?;
        let enrollment = world.enrollment(&lead, &id).await?;
        let app = schedule::App::start(&world.boot()).await?;
        for _ in 0..2 {
            schedule::handle(&app, None, Some(&enrollment)).await?;
        }
        let timers =
            || app.scheduler.get_schedule().group_name(&app.timers.group).name(enrollment.step_due().timer_name());
        assert_eq!(timers().send().await.is_ok(), passes > 0, "{wait}");
        let on_queue = world.queued().await?;
        assert_eq!(on_queue, if passes > 0 { 0 } else { 2 }, "{wait}: one timer, or a message each time");

        world.pass(TimeDelta::minutes(passes)).await?;
        assert_eq!(world.sent()?, ["sms +14155550123"], "{wait}");
        assert!(timers().send().await.is_err(), "{wait}: the timer is gone");
        let over = world.enrollment(&lead, &id).await?;
        for _ in 0..2 {
            schedule::handle(&app, Some(&enrollment), Some(&over)).await?;
        }
        assert_eq!((world.queued().await?, world.sent()?.len()), (0, 1), "{wait}: the end is delivered again");
    }
    Ok(())
}

#[tokio::test]
async fn an_edit_that_is_delivered_twice_is_published_once() -> Tested {
    let world = World::start().await?;
    let app = publish::App::start(&world.boot()).await?;
    let pk = "MESSAGE#sms/intro";
    let old = world.record(pk).await?;
    let text = format!("{} Thank you.", old["text"].as_str().unwrap_or_default());
    let new = world.edit(pk, |record| record["text"] = json!(text)).await?;
    let check = new["check"].clone();
    assert!(check.as_str().is_some_and(|check| check.starts_with("ok: published as version 2")), "{check}");

    let mut edited = new.clone();
    for written_back in ["check", "problems", "published_version"] {
        edited.as_object_mut().unwrap().remove(written_back);
    }
    for (old, new) in [(&old, &edited), (&old, &edited), (&edited, &new)] {
        let published = publish::handle(&app, pk, Some(old), Some(new)).await?;
        assert!(!matches!(published, publish::Published::Version(_)), "{published:?}");
        world.settle().await?;
    }
    assert_eq!(world.record(pk).await?, new);
    Ok(())
}

/// Posts the voice agent's report of how the first call of a step ended.
pub(crate) async fn report(world: &World, lead: &LeadId, id: &EnrollmentId, step: &str, ended: &str) -> Tested<Answer> {
    let secret = Secrets::load(&world.boot()).await?.voice_agent_webhook_secret;
    let metadata = json!({ "lead": lead, "step_key": format!("{id}.{step}.1") });
    let call = json!({ "id": "call-1", "metadata": metadata });
    let body = json!({ "message": { "type": "end-of-call-report", "endedReason": ended, "call": call } });
    world.ask("POST", "/events/voice-agent", &[("x-vapi-secret", &secret)], body.to_string().as_bytes()).await
}

#[tokio::test]
async fn an_end_of_call_report_that_is_delivered_twice_counts_once() -> Tested {
    for (ended, next) in [("customer-did-not-answer", Some("then")), ("customer-ended-call", None)] {
        let (world, lead, id) =
            World::with_lead_in([step("ai_dial", "first", "0m"), step("custom_sms", "then", "20m")]).await?;
        world.settle().await?;
        assert_eq!(world.next(&lead, &id).await?.act, Act::ExpireHold);
        assert_eq!(report(&world, &lead, &id, "first", ended).await?.status, 200);
        let now_next = world.enrollment(&lead, &id).await?.progress.next;
        assert_eq!(now_next.as_ref().map(|next| next.step.as_str()), next, "{ended}");

        let before = world.everything(&lead, &id).await?;
        assert_eq!(report(&world, &lead, &id, "first", ended).await?.status, 200);
        assert_eq!(world.everything(&lead, &id).await?, before, "{ended}");
        // A weaker word that comes later says nothing new either.
        assert_eq!(report(&world, &lead, &id, "first", "an-unknown-reason").await?.status, 200);
        assert_eq!(world.everything(&lead, &id).await?, before, "{ended}");
    }
    Ok(())
}

#[tokio::test]
async fn a_task_s_outcome_that_is_sent_twice_counts_once() -> Tested {
    for outcome in ["voicemail", "bad_number", "connected", "appointment_set", "opted_out"] {
        let mut first = step("dial", "first", "0m");
        first["on"] = json!({ "bad_number": "last" });
        let steps = [first, step("canned_sms", "then", "20m"), step("custom_email", "last", "20m")];
        let (world, lead, id) = World::with_lead_in(steps).await?;
        world.settle().await?;
        let task = world.open_tasks().await?.remove(0);
        let first = world.complete(&task, outcome).await?;
        let before = world.everything(&lead, &id).await?;
        let again = world.complete(&task, outcome).await?;
        assert_eq!((first.status, again.status, again.body), (200, 200, first.body), "{outcome}");
        assert_eq!(world.everything(&lead, &id).await?, before, "{outcome}");
    }
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_is_delivered_twice_makes_one_lead_and_is_answered_alike() -> Tested {
    let world = World::start().await?;
    let body = world.zillow_lead("LC-1", "415-555-0123");
    let first = world.post_lead("zillow", &body).await?;
    let (lead, id) = world.enroll().await?;
    let before = world.everything(&lead, &id).await?;
    world.cloud.advance_to(world.cloud.now() + TimeDelta::seconds(30));
    let again = world.post_lead("zillow", &body).await?;
    assert_eq!((first.status, again.status, &again.body), (202, 202, &first.body));
    assert_eq!(world.everything(&lead, &id).await?, before);

    world.pass(TimeDelta::hours(1)).await?;
    let (sent, told) = (world.sent()?, world.told(&lead).await?);
    assert_eq!(world.post_lead("zillow", &body).await?.body, first.body, "after the cadence");
    world.pass(TimeDelta::hours(1)).await?;
    assert_eq!((world.sent()?, world.told(&lead).await?), (sent, told));
    Ok(())
}
