//! What `reconcile` does about an enrollment that is overdue, unsettled or parked.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    change::{Change, Settlement},
    enrollment::{Enrollment, Park, State},
    gate,
    intake::{self, OwnerHints},
    plan::StepContext,
    records::Status,
    settle,
    timeline::{Entry, EntryKind},
};

/// How late something must be to count as lost: timers fire up to a minute late, queues redeliver after six minutes.
pub const OVERDUE_AFTER: TimeDelta = TimeDelta::minutes(10);
/// Over how long released enrollments are spread, so that a resumed cadence doesn't come as a burst.
pub const RELEASE_SPREAD: TimeDelta = TimeDelta::minutes(10);

/// What is done about it.
#[derive(Clone, Debug)]
pub enum Remedy {
    /// It is put back on its channel's queue.
    Requeue,
    /// The claim that ran out is settled.
    Settle(Box<Settlement>),
    /// It goes on.
    Release(Box<Change>),
    /// Nothing is wrong with it.
    Leave,
}

/// What is done about that enrollment.
pub fn remedy(context: &StepContext, now: DateTime<Utc>) -> Remedy {
    let enrollment = &context.enrollment;
    if let Some(claim) = &enrollment.claim {
        return match claim.lease_until <= now {
            true => Remedy::Settle(Box::new(settle::settle_expired(context, claim, now))),
            false => Remedy::Leave,
        };
    }
    match &enrollment.progress.state {
        State::Active => match &enrollment.progress.next {
            Some(next) if next.due_at + OVERDUE_AFTER <= now => Remedy::Requeue,
            Some(_) | None => Remedy::Leave,
        },
        State::Parked { why } => match may_release(context, *why) {
            true => release(context, now),
            false => Remedy::Leave,
        },
        State::Ended { .. } => Remedy::Leave,
    }
}

fn may_release(context: &StepContext, why: Park) -> bool {
    let lead = &context.lead;
    match why {
        // What is archived goes on only to end.
        _ if context.status == Status::Archived => true,
        Park::CadencePaused => matches!(context.status, Status::Live | Status::Off),
        Park::NoLicensedOwner => {
            context.owner().is_some_and(|owner| gate::may_act(owner, lead))
                || intake::pick_owner(&context.users, &lead.id, lead.state.as_deref(), &OwnerHints::default()).is_some()
        }
        Park::Outcome => false,
    }
}

fn release(context: &StepContext, now: DateTime<Utc>) -> Remedy {
    let Some(next) = &context.enrollment.progress.next else {
        return Remedy::Leave;
    };
    let mut next = next.clone();
    next.due_at = next.due_at.max(crate::calendar::ceil_to_second(now) + jitter(&context.enrollment));
    let mut change = Change::of(&context.enrollment, now);
    change.note(Entry { until: Some(next.due_at), ..next.entry(EntryKind::Released, &context.enrollment, now) });
    change.go(next);
    Remedy::Release(Box::new(change))
}

/// The same for the same enrollment, spread evenly over many.
fn jitter(enrollment: &Enrollment) -> TimeDelta {
    let sum: u64 =
        enrollment.id.as_str().bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let spread = RELEASE_SPREAD.num_seconds().unsigned_abs();
    TimeDelta::seconds(i64::try_from(sum % spread).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::{
        Outcome,
        apply::{Applied, apply_outcome},
        enrollment::{Act, End},
        fixtures::{World, accepted, later, minutes, reference, rejected, steps, tuesday},
        plan::Plan,
    };

    fn parked(why: Park) -> World {
        let mut world = World::new(reference(), tuesday());
        world.context.enrollment.progress.state = State::Parked { why };
        world
    }

    fn is_left(world: &World, now: DateTime<Utc>) -> bool {
        matches!(remedy(&world.context, now), Remedy::Leave)
    }

    fn is_requeued(world: &World, now: DateTime<Utc>) -> bool {
        matches!(remedy(&world.context, now), Remedy::Requeue)
    }

    #[test]
    fn only_what_is_ten_minutes_overdue_is_put_back() {
        let world = World::new(reference(), tuesday());
        for (seconds, requeues) in [(-3600, false), (0, false), (599, false), (600, true), (90_000, true)] {
            assert_eq!(is_requeued(&world, tuesday() + TimeDelta::seconds(seconds)), requeues, "{seconds} s");
        }
    }

    #[test]
    fn a_hold_that_was_never_ended_is_put_back_too() {
        let mut world = World::new(steps(json!([{"id": "a", "do": "ai_dial", "wait": "0m", "agent": "x"}])), tuesday());
        world.run(accepted(), tuesday());
        assert_eq!(world.context.enrollment.progress.next.as_ref().map(|next| next.act), Some(Act::ExpireHold));
        assert!(is_left(&world, tuesday() + minutes(24)));
        assert!(is_requeued(&world, tuesday() + minutes(25)));
    }

    #[test]
    fn what_is_over_is_left_alone() {
        let mut world = World::new(reference(), tuesday());
        world.context.enrollment.progress.state = State::Ended { why: End::Completed };
        world.context.enrollment.progress.next = None;
        assert!(is_left(&world, tuesday() + minutes(60)));
    }

    #[test]
    fn a_claim_is_left_to_its_holder_for_its_lease_and_then_settled_whatever_the_enrollment_is() {
        for ends in [false, true] {
            let mut world = World::new(reference(), tuesday());
            let Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
            let claim = world.claim(&plan, tuesday());
            if ends {
                world.context.enrollment.progress.state = State::Ended { why: End::Archived };
            }
            assert!(is_left(&world, claim.lease_until - TimeDelta::milliseconds(1)));
            assert!(matches!(remedy(&world.context, claim.lease_until), Remedy::Settle(_)), "ended: {ends}");
        }
    }

    #[test]
    fn a_parked_enrollment_is_released_once_what_parked_it_is_over() {
        let nobody: fn(&mut World) = |world| world.context.users.clear();
        let somebody_else: fn(&mut World) = |world| world.context.lead.owner = Some("lo-morgan".into());
        let no_state: fn(&mut World) = |world| world.context.lead.state = None;
        let same: fn(&mut World) = |_| {};
        let cases = [
            (Park::CadencePaused, Status::Paused, same, false),
            (Park::CadencePaused, Status::Live, same, true),
            (Park::CadencePaused, Status::Off, same, true),
            (Park::CadencePaused, Status::Archived, same, true),
            (Park::NoLicensedOwner, Status::Live, nobody, false),
            (Park::NoLicensedOwner, Status::Live, same, true),
            (Park::NoLicensedOwner, Status::Live, somebody_else, true),
            (Park::NoLicensedOwner, Status::Live, no_state, true),
            (Park::Outcome, Status::Live, same, false),
            (Park::Outcome, Status::Archived, same, true),
        ];
        for (number, (why, status, prepare, releases)) in cases.into_iter().enumerate() {
            let mut world = parked(why);
            world.context.status = status;
            prepare(&mut world);
            let released = matches!(remedy(&world.context, tuesday()), Remedy::Release(_));
            assert_eq!(released, releases, "case {number}: {why:?} {status:?}");
        }
        let mut world = parked(Park::NoLicensedOwner);
        (world.context.lead.state, world.context.lead.owner) = (None, None);
        assert!(is_left(&world, tuesday()), "without a state nobody is licensed in it");
    }

    #[test]
    fn a_release_goes_on_with_what_was_due_within_ten_minutes_and_never_early() {
        for (now, earliest) in
            [(tuesday() + minutes(600), tuesday() + minutes(600)), (tuesday() - minutes(60), tuesday())]
        {
            let mut world = parked(Park::CadencePaused);
            let before = world.context.enrollment.progress.clone();
            assert!(world.reconcile(now));
            let after = &world.context.enrollment.progress;
            assert_eq!((&after.state, after.generation), (&State::Active, before.generation + 1));
            let (was, is) = (before.next.unwrap(), after.next.clone().unwrap());
            assert_eq!(
                (is.step, is.round, is.try_number, is.step_due_at),
                (was.step, was.round, was.try_number, was.step_due_at)
            );
            assert!(is.due_at >= earliest && is.due_at < earliest + RELEASE_SPREAD, "{}", is.due_at);
            assert_eq!(
                world.entries.last().map(|entry| (entry.kind, entry.until)),
                Some((EntryKind::Released, Some(world.due_at())))
            );
        }
    }

    #[test]
    fn released_enrollments_are_spread_the_same_each_time() {
        let delays: BTreeSet<TimeDelta> = (0..200)
            .map(|number| {
                let mut enrollment = parked(Park::CadencePaused).0.context.enrollment;
                enrollment.id = format!("{number:032x}").as_str().into();
                assert_eq!(jitter(&enrollment), jitter(&enrollment));
                jitter(&enrollment)
            })
            .collect();
        assert!(delays.len() > 50, "{} different", delays.len());
        assert!(delays.first() >= Some(&TimeDelta::zero()) && delays.last() < Some(&RELEASE_SPREAD));
    }

    #[test]
    fn a_second_look_changes_nothing() {
        let now = tuesday() + minutes(120);
        let mut claimed = World::new(reference(), tuesday());
        let Plan::Send(plan) = claimed.plan(tuesday()) else { panic!() };
        claimed.claim(&plan, tuesday());
        for (what, mut world) in [("parked", parked(Park::CadencePaused)), ("claimed", claimed)] {
            assert!(world.reconcile(now), "{what}");
            // What it made due is run before the second look, as its queue would.
            if is_requeued(&world, now) {
                world.run(accepted(), now);
            }
            let before = world.context.enrollment.clone();
            assert!(!world.reconcile(now), "{what}");
            assert_eq!(world.context.enrollment, before);
        }
    }

    #[test]
    fn a_long_pause_is_not_caught_up_in_a_burst() {
        let mut world = World::new(reference(), tuesday());
        world.context.status = Status::Paused;
        world.run(accepted(), tuesday());
        world.context.status = Status::Live;
        let resumed = tuesday() + minutes(180);
        world.reconcile(resumed);
        let mut at = Vec::new();
        while world.context.enrollment.is_active() {
            at.push(world.due_at());
            let now = world.due_at();
            world.run(accepted(), now);
        }
        // Call and text at once, the AI call 20 minutes on, its hold, the email another 20 minutes on.
        assert_eq!(at.len(), 5);
        assert!(at[0] >= resumed && at[1] == at[0] && at[2] == at[1] + minutes(20) && at[4] == at[2] + minutes(20));
    }

    #[test]
    fn an_outcomes_pause_outlives_every_look() {
        let record = json!({"on": {"declined": "pause"}, "id": "a", "do": "dial", "wait": "0m"});
        let mut world = World::new(steps(json!([record, {"id": "b", "do": "dial", "wait": "1h"}])), tuesday());
        world.run(accepted(), tuesday());
        let report = world.report("a", 1, Outcome::Declined, tuesday());
        let Applied::Change(change) = apply_outcome(&world.context, &report, tuesday()) else { panic!() };
        world.commit(*change);
        for days in [0, 1, 400] {
            assert!(!world.reconcile(tuesday() + TimeDelta::days(days)));
        }
        assert!(!world.run(later(), tuesday()) && !world.run(rejected(), tuesday()));
    }
}
