//! Claims that were not settled: their answers were lost, or their invocations died.

use cadence_core::{
    Channel, ClaimId, Outcome,
    apply::{Applied, apply_outcome},
    delivery::{Delivery, Report},
    enrollment::LEASE,
    failure::Class,
    plan::{Stale, StepReport},
    task::TaskKind,
};
use cadence_store::{Claimed, Committed};
use cadence_tests::{Moment, Ran, Tested, World, local::faults::Fault, step};
use chrono::TimeDelta;
use serde_json::json;

use crate::about_to_text::{AboutToText, MAIL, NOTICE, TEXT, THE_REST, texted};

/// Runs the text while a fault befalls what settles it.
async fn settled_with(about: &AboutToText, fault: Fault, operation: &'static str, all: bool) -> Tested<Ran> {
    let world = about.world.clone();
    let befalls = async move {
        match all {
            true => world.befall_all_attempts(operation, fault),
            false => world.befall(operation, fault),
        }
        Ok(())
    };
    about.world.run_while(Channel::Sms, &about.due, Moment::Before("Publish"), befalls).await
}

#[tokio::test]
async fn a_settlement_whose_answer_is_lost_is_written_once() -> Tested {
    for all in [false, true] {
        let about = AboutToText::start().await?;
        let ran = settled_with(&about, Fault::AnswerLost, "TransactWriteItems", all).await?;
        match all {
            false => assert_eq!(ran?, texted(), "the same transaction again changes nothing"),
            true => assert_eq!(ran.unwrap_err().class(), Class::Ambiguous),
        }
        assert!(!about.is_claimed().await?, "it is settled all the same");
        assert_eq!(about.run().await?, StepReport::Skipped(Stale::Generation));
        about.world.pass(THE_REST).await?;
        assert_eq!(about.world.sent()?, [NOTICE, TEXT, MAIL]);
        assert_eq!(about.told_of_text().await?, ["sent text -"]);
    }
    Ok(())
}

/// Who comes upon a claim whose lease ran out.
#[derive(Clone, Copy, Debug)]
enum Finder {
    Message,
    Reconcile,
}

/// Lets the lease run out and the claim be found; until then nobody touches it.
async fn found_by(about: &AboutToText, finder: Finder) -> Tested {
    let world = &about.world;
    let app = reconcile::App::start(&world.boot()).await?;
    let claim = world.enrollment(&about.lead, &about.id).await?.claim.ok_or("the text is not claimed")?;
    assert_eq!(claim.lease_until, claim.claimed_at + LEASE);
    world.cloud.advance_to(claim.lease_until - TimeDelta::milliseconds(1));
    let before = world.everything(&about.lead, &about.id).await?;
    assert_eq!(world.run(Channel::Sms, &about.due).await??, StepReport::Busy, "{finder:?}");
    assert_eq!(moved(&app).await?, reconcile::Reconciled::default(), "{finder:?}");
    assert_eq!(world.everything(&about.lead, &about.id).await?, before, "{finder:?}");

    world.cloud.advance_to(claim.lease_until);
    match finder {
        Finder::Message => assert_eq!(world.run(Channel::Sms, &about.due).await??, StepReport::Changed),
        Finder::Reconcile => assert_eq!(reconcile::handle(&app).await?.settled, 1),
    }
    assert!(!about.is_claimed().await?, "{finder:?}");
    let after = world.everything(&about.lead, &about.id).await?;
    assert_eq!(moved(&app).await?, reconcile::Reconciled::default(), "{finder:?}: a second pass");
    assert_eq!(world.everything(&about.lead, &about.id).await?, after, "{finder:?}");
    Ok(())
}

/// What a pass made of enrollments; that cadences' records are told of those is another matter.
async fn moved(app: &reconcile::App) -> Tested<reconcile::Reconciled> {
    Ok(reconcile::Reconciled { recounted: 0, ..reconcile::handle(app).await? })
}

#[tokio::test]
async fn a_claim_whose_lease_ran_out_with_its_attempt_is_settled_from_it() -> Tested {
    for finder in [Finder::Message, Finder::Reconcile] {
        for is_killed in [true, false] {
            let about = AboutToText::start().await?;
            match is_killed {
                true => about.world.kill(Channel::Sms, &about.due, Moment::After("PutItem")).await?,
                false => {
                    let ran = settled_with(&about, Fault::Lost, "TransactWriteItems", true).await?;
                    assert_eq!(ran.unwrap_err().class(), Class::Ambiguous);
                }
            }
            found_by(&about, finder).await?;
            assert_eq!(about.told_of_text().await?, ["sent text -"], "{finder:?}");
            assert_eq!(about.review_tasks().await?, 0, "{finder:?}: there is nothing to look at");
            about.world.pass(THE_REST).await?;
            assert_eq!(about.world.sent()?, [NOTICE, TEXT, MAIL], "{finder:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_claim_whose_lease_ran_out_without_its_attempt_is_unsure_and_never_sent_again() -> Tested {
    for finder in [Finder::Message, Finder::Reconcile] {
        for moment in [Moment::After("TransactWriteItems"), Moment::Before("Publish"), Moment::After("Publish")] {
            let about = AboutToText::start().await?;
            about.world.kill(Channel::Sms, &about.due, moment).await?;
            let sent = about.world.sent()?;
            found_by(&about, finder).await?;
            assert_eq!(about.told_of_text().await?, ["unsure text -"], "{finder:?} {moment:?}");
            assert_eq!(about.review_tasks().await?, 1, "{finder:?} {moment:?}: a person looks at it");
            assert_eq!(about.touches().await?, 2, "{finder:?} {moment:?}: it may have been sent");

            about.world.pass(THE_REST).await?;
            about.world.deliver(Channel::Sms, &about.due).await?;
            let expected = [sent, vec![MAIL.to_owned()]].concat();
            assert_eq!(about.world.sent()?, expected, "{finder:?} {moment:?}: the cadence goes on");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_try_whose_attempt_could_not_be_written_is_unsure() -> Tested {
    let about = AboutToText::start().await?;
    let ran = settled_with(&about, Fault::Lost, "PutItem", true).await?;
    assert_eq!(ran.unwrap_err().class(), Class::Ambiguous);
    found_by(&about, Finder::Reconcile).await?;
    assert_eq!(about.told_of_text().await?, ["unsure text -"]);
    about.world.pass(THE_REST).await?;
    assert_eq!(about.world.sent()?, [NOTICE, TEXT, MAIL]);
    Ok(())
}

#[tokio::test]
async fn an_outcome_that_comes_before_a_dead_claim_is_settled_stands() -> Tested {
    for finder in [Finder::Message, Finder::Reconcile] {
        for moment in [Moment::After("TransactWriteItems"), Moment::After("PutItem")] {
            let about = AboutToText::start().await?;
            about.world.kill(Channel::Sms, &about.due, moment).await?;
            about.calls("connected").await?;
            let sent = about.world.sent()?;
            found_by(&about, finder).await?;
            let after = about.world.enrollment(&about.lead, &about.id).await?;
            assert!(after.has_ended() && after.progress.next.is_none(), "{after:?}");
            about.world.pass(THE_REST).await?;
            assert_eq!(about.world.sent()?, sent, "{finder:?} {moment:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn one_run_settles_a_dead_claim_and_lets_go_what_rests_behind_it() -> Tested {
    let about = AboutToText::start().await?;
    let world = &about.world;
    world.kill(Channel::Sms, &about.due, Moment::After("PutItem")).await?;
    about.calls("declined").await?;
    // What is archived goes on only to end.
    world.edit("CADENCE#zillow-purchase", |cadence| cadence["status"] = json!("archived")).await?;
    assert!(!world.enrollment(&about.lead, &about.id).await?.is_active(), "the decline asked for a rest");

    world.cloud.advance_to(world.cloud.now() + LEASE);
    let app = reconcile::App::start(&world.boot()).await?;
    let first = reconcile::handle(&app).await?;
    assert_eq!((first.settled, first.released), (1, 1), "{first:?}");
    world.settle().await?;
    assert_eq!(reconcile::handle(&app).await?, reconcile::Reconciled::default());
    Ok(())
}

#[tokio::test]
async fn a_task_whose_claim_died_is_opened_once_the_lease_ran_out() -> Tested {
    for moment in [Moment::After("TransactWriteItems"), Moment::After("SendEmail"), Moment::After("PutItem")] {
        let (world, lead, id) = World::with_lead_in([step("dial", "call", "0m")]).await?;
        let due = world.step_due(&lead, &id).await?;
        world.kill(Channel::Call, &due, moment).await?;
        assert_eq!(world.open_tasks().await?, []);
        world.cloud.advance_to(world.cloud.now() + LEASE);
        let sent = world.sent()?;
        assert_eq!(world.run(Channel::Call, &due).await??, StepReport::Changed);
        world.deliver(Channel::Call, &due).await?;
        let kinds: Vec<_> = world.open_tasks().await?.iter().map(|task| task.kind).collect();
        assert_eq!(kinds, [TaskKind::Dial], "{moment:?}");
        assert_eq!(world.sent()?, sent, "{moment:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_was_decided_before_a_claim_is_not_written_over_it() -> Tested {
    let about = AboutToText::start().await?;
    let (store, plan, now) = (&about.world.store, about.plan().await?, about.world.cloud.now());
    let context = store.load_step(&about.lead, &about.id).await?;
    let key = context.enrollment.key(&"call".into(), 1);
    let report = Report { lead: about.lead.clone(), key, outcome: Outcome::Connected, note: None, at: now };
    let Applied::Change(ends) = apply_outcome(&context, &report, now) else {
        return Err("the outcome says nothing new".into());
    };
    let claimed = store.claim(&plan, ClaimId::new("mine"), now).await?;
    assert!(matches!(claimed, Claimed::Yes(_)), "{claimed:?}");
    let before = about.world.everything(&about.lead, &about.id).await?;
    assert_eq!(store.commit(&ends).await?, Committed::Stale);
    assert_eq!(about.world.everything(&about.lead, &about.id).await?, before);

    about.calls("connected").await?;
    assert!(about.is_claimed().await?, "decided again, it leaves the claim");
    found_by(&about, Finder::Reconcile).await
}

#[tokio::test]
async fn who_comes_too_late_to_settle_a_claim_changes_nothing() -> Tested {
    let about = AboutToText::start().await?;
    let (store, plan) = (&about.world.store, about.plan().await?);
    let Claimed::Yes(claim) = store.claim(&plan, ClaimId::new("mine"), about.world.cloud.now()).await? else {
        return Err("the claim was refused".into());
    };
    about.calls("bad_number").await?;
    found_by(&about, Finder::Message).await?;
    let before = about.world.everything(&about.lead, &about.id).await?;

    let context = store.load_step(&about.lead, &about.id).await?;
    let (delivery, clock) = (Delivery::Accepted { vendor_id: "sms-2".to_owned() }, about.world.cloud.clock());
    let settled = store.settle_claim(context, &claim, &plan.action, &delivery, &clock).await?;
    assert_eq!(settled, Committed::Yes, "it was settled already");
    assert_eq!(about.world.everything(&about.lead, &about.id).await?, before);
    Ok(())
}
