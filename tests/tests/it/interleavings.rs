//! What happens when outcomes, stops, duplicates and timers meet a live claim, and when an answer is lost.

use cadence_core::{
    Channel, ClaimId,
    delivery::Delivery,
    enrollment::Act,
    failure::Class,
    plan::{Stale, StepReport},
    task::TaskKind,
};
use cadence_store::{Claimed, StepError};
use cadence_tests::{Moment, Tested, World, local::faults::Fault, step};
use chrono::TimeDelta;

use crate::{
    about_to_text::{AboutToText, MAIL, NOTICE, TEXT, THE_REST, texted},
    duplicates::report,
};

/// The moments at which a text is claimed and not settled yet.
const CLAIMED: [Moment; 4] = [
    Moment::After("TransactWriteItems"),
    Moment::Before("Publish"),
    Moment::After("Publish"),
    Moment::After("PutItem"),
];

#[tokio::test]
async fn an_outcome_during_a_live_claim_stands_and_the_claim_s_settling_moves_nothing() -> Tested {
    for moment in CLAIMED {
        let about = AboutToText::start().await?;
        let (world, lead, id, calls) =
            (about.world.clone(), about.lead.clone(), about.id.clone(), about.calls("connected"));
        let connects = async move {
            let claimed = world.enrollment(&lead, &id).await?;
            calls.await?;
            let ended = world.enrollment(&lead, &id).await?;
            assert!(ended.has_ended() && ended.claim.is_some(), "the claim stays: {ended:?}");
            assert_eq!(ended.claim, claimed.claim);
            assert_eq!(ended.progress.generation, claimed.progress.generation + 1);
            world.settle().await
        };
        let report = about.world.run_while(Channel::Sms, &about.due, moment, connects).await??;
        assert_eq!(report, texted(), "{moment:?}: it had been claimed before");
        let after = about.world.enrollment(&about.lead, &about.id).await?;
        assert!(after.has_ended() && after.claim.is_none() && after.progress.next.is_none(), "{after:?}");
        assert_eq!(after.progress.generation, about.due.generation + 1, "{moment:?}");

        about.world.pass(THE_REST).await?;
        assert_eq!(about.world.sent()?, [NOTICE, TEXT], "{moment:?}");
        assert_eq!(about.told_of_text().await?, ["sent text -"], "{moment:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_duplicate_that_meets_a_live_claim_is_acknowledged_and_does_nothing() -> Tested {
    for moment in CLAIMED {
        let about = AboutToText::start().await?;
        let (world, due) = (about.world.clone(), about.due.clone());
        let comes_again = async move {
            let before = world.everything(&due.lead, &due.enrollment).await?;
            assert_eq!(world.run(Channel::Sms, &due).await??, StepReport::Busy);
            world.deliver(Channel::Sms, &due).await?;
            assert_eq!(world.queued().await?, 0);
            assert_eq!(world.everything(&due.lead, &due.enrollment).await?, before);
            Ok(())
        };
        let report = about.world.run_while(Channel::Sms, &about.due, moment, comes_again).await??;
        assert_eq!(report, texted(), "{moment:?}");
        about.world.pass(THE_REST).await?;
        assert_eq!(about.world.sent()?, [NOTICE, TEXT, MAIL], "{moment:?}: the cadence goes on");
    }
    Ok(())
}

#[tokio::test]
async fn several_invocations_at_once_send_once() -> Tested {
    let about = AboutToText::start().await?;
    let (world, due) = (&about.world, &about.due);
    let run = || world.run(Channel::Sms, due);
    let reports = tokio::join!(run(), run(), run());
    let reports = [reports.0??, reports.1??, reports.2??];
    assert_eq!(reports.iter().filter(|report| **report == texted()).count(), 1, "{reports:?}");
    world.pass(THE_REST).await?;
    assert_eq!(world.sent()?, [NOTICE, TEXT, MAIL]);
    Ok(())
}

#[tokio::test]
async fn a_stop_that_meets_a_claim_lets_it_deliver_and_nothing_after_it() -> Tested {
    for moment in CLAIMED {
        let about = AboutToText::followed_by(step("ai_dial", "mail", "20m")).await?;
        let stops = about.calls("opted_out");
        let report = about.world.run_while(Channel::Sms, &about.due, moment, stops).await??;
        assert_eq!(report, texted(), "{moment:?}");
        about.world.pass(THE_REST).await?;
        assert_eq!(about.world.sent()?, [NOTICE, TEXT], "{moment:?}: no call after the stop");
        let told = about.world.told(&about.lead).await?;
        assert!(told.contains(&"skipped mail skipped".to_owned()), "{moment:?}: {told:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_timer_that_fires_while_a_claim_lives_is_made_up_for_when_the_claim_is_settled() -> Tested {
    // What is due within a minute goes straight onto the queue; the other gets a timer.
    for wait in ["0m", "1m"] {
        let about = AboutToText::followed_by(step("canned_email", "mail", wait)).await?;
        let (world, lead, id) = (about.world.clone(), about.lead.clone(), about.id.clone());
        let jumps = about.calls("bad_number");
        let fires = async move {
            world.cloud.advance_to(world.cloud.now() + TimeDelta::milliseconds(300));
            jumps.await?;
            world.pass(TimeDelta::seconds(65)).await?;
            assert!(world.next(&lead, &id).await?.due_at < world.cloud.now(), "it is due by now");
            assert_eq!((world.sent()?, world.queued().await?), (vec![NOTICE.to_owned()], 0), "and came to nothing");
            Ok(())
        };
        let report = about.world.run_while(Channel::Sms, &about.due, Moment::Before("Publish"), fires).await??;
        assert_eq!(report, texted());
        assert_eq!(about.world.next(&about.lead, &about.id).await?.step.as_str(), "mail");
        about.world.settle().await?;
        assert_eq!(about.world.sent()?, [NOTICE, TEXT, MAIL], "{wait}");
        about.world.pass(THE_REST).await?;
        assert_eq!(about.world.sent()?.len(), 3, "{wait}");
    }
    Ok(())
}

#[tokio::test]
async fn a_report_that_comes_before_its_call_is_settled_moves_the_cadence_on() -> Tested {
    for moment in [Moment::After("CreateCall"), Moment::After("PutItem")] {
        let steps = [step("ai_dial", "robot", "0m"), step("custom_sms", "then", "20m")];
        let (world, lead, id) = World::with_lead_in(steps).await?;
        let due = world.step_due(&lead, &id).await?;
        let due_at = world.next(&lead, &id).await?.due_at;
        let reports = {
            let (world, lead, id) = (world.clone(), lead.clone(), id.clone());
            async move {
                let answer = report(&world, &lead, &id, "robot", "customer-did-not-answer").await?;
                assert_eq!(answer.status, 200);
                Ok(())
            }
        };
        let ran = world.run_while(Channel::Call, &due, moment, reports).await??;
        assert!(matches!(ran, StepReport::Settled(Delivery::Accepted { .. })), "{ran:?}");
        let next = world.next(&lead, &id).await?;
        assert_eq!((next.step.as_str(), next.act), ("then", Act::Run), "{moment:?}: there is no hold to wait out");
        assert_eq!(next.due_at, due_at + TimeDelta::minutes(20));
        assert!(world.enrollment(&lead, &id).await?.claim.is_none());
        world.pass(THE_REST).await?;
        assert_eq!(world.sent()?.len(), 1, "{moment:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_told_by_its_id_and_sends_once() -> Tested {
    for all in [false, true] {
        let about = AboutToText::start().await?;
        match all {
            true => about.world.befall_all_attempts("TransactWriteItems", Fault::AnswerLost),
            false => about.world.befall("TransactWriteItems", Fault::AnswerLost),
        }
        assert_eq!(about.run().await?, texted(), "all attempts: {all}");
        assert_eq!(about.run().await?, StepReport::Skipped(Stale::Generation));
        about.world.pass(THE_REST).await?;
        assert_eq!(about.world.sent()?, [NOTICE, TEXT, MAIL], "all attempts: {all}");
        assert_eq!(about.told_of_text().await?, ["sent text -"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_claim_that_nobody_answered_is_not_taken_for_somebody_else_s() -> Tested {
    let about = AboutToText::start().await?;
    let (world, plan, due) = (about.world.clone(), about.plan().await?, about.due.clone());
    let other_claims = async move {
        let claimed = world.store.claim(&plan, ClaimId::new("other"), world.cloud.now()).await?;
        assert!(matches!(claimed, Claimed::Yes(_)));
        world.befall_all_attempts("TransactWriteItems", Fault::Lost);
        Ok(())
    };
    let before = Moment::Before("TransactWriteItems");
    let error = about.world.run_while(Channel::Sms, &due, before, other_claims).await?.unwrap_err();
    assert!(matches!(error, StepError::Before(_)), "{error:?}");
    assert_eq!(about.world.sent()?, [NOTICE]);
    Ok(())
}

#[tokio::test]
async fn a_claim_that_is_lost_on_its_way_sends_nothing_and_is_tried_again() -> Tested {
    let about = AboutToText::start().await?;
    about.world.befall_all_attempts("TransactWriteItems", Fault::Lost);
    let error = about.world.run(Channel::Sms, &about.due).await?.unwrap_err();
    assert!(matches!(error, StepError::Before(_)), "{error:?}");
    assert_eq!(error.class(), Class::Retryable);
    assert_eq!((about.world.sent()?, about.touches().await?), (vec![NOTICE.to_owned()], 1));
    assert!(!about.is_claimed().await?);

    about.world.pass(THE_REST).await?;
    assert_eq!(about.world.sent()?, [NOTICE, TEXT, MAIL]);
    Ok(())
}

#[tokio::test]
async fn a_send_that_nobody_answered_is_unsure_on_every_channel_and_never_sent_again() -> Tested {
    for (action, channel, operation) in [
        ("canned_sms", Channel::Sms, "Publish"),
        ("canned_email", Channel::Email, "SendEmail"),
        ("ai_dial", Channel::Call, "CreateCall"),
    ] {
        for (fault, sent) in [(Fault::AnswerLost, 1), (Fault::Lost, 0)] {
            let steps = [step(action, "first", "0m"), step("custom_sms", "then", "20m")];
            let (world, lead, id) = World::with_lead_in(steps).await?;
            let due = world.step_due(&lead, &id).await?;
            world.befall(operation, fault);
            let report = world.run(channel, &due).await??;
            assert!(matches!(report, StepReport::Settled(Delivery::Unknown { .. })), "{action}: {report:?}");
            assert_eq!(world.run(channel, &due).await??, StepReport::Skipped(Stale::Generation));
            let kinds: Vec<_> = world.open_tasks().await?.iter().map(|task| task.kind).collect();
            assert_eq!(kinds, [TaskKind::Review], "{action}: a person looks at it");

            world.pass(THE_REST).await?;
            world.deliver(channel, &due).await?;
            assert_eq!(world.sent()?.len(), sent, "{action}: {fault:?}");
            let told = world.told(&lead).await?;
            assert!(told.contains(&"unsure first -".to_owned()), "{action}: {told:?}");
            assert!(told.contains(&"task_opened then -".to_owned()), "{action}: the cadence goes on: {told:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_notice_that_nobody_answered_changes_nothing_about_the_task() -> Tested {
    for fault in [Fault::AnswerLost, Fault::Lost] {
        let (world, lead, id) = World::with_lead_in([step("dial", "call", "0m")]).await?;
        let due = world.step_due(&lead, &id).await?;
        world.befall("SendEmail", fault);
        assert!(matches!(world.run(Channel::Call, &due).await??, StepReport::Settled(Delivery::Accepted { .. })));
        let kinds: Vec<_> = world.open_tasks().await?.iter().map(|task| task.kind).collect();
        assert_eq!(kinds, [TaskKind::Dial], "{fault:?}");
    }
    Ok(())
}
