//! What `reconcile` does about an enrollment that is overdue, unsettled or parked.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    CadenceId, EnrollmentId, LeadId,
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

/// Something that rests, as an index tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Whose.
    pub lead: LeadId,
    /// Which.
    pub enrollment: EnrollmentId,
    /// In what.
    pub cadence: CadenceId,
    /// Why it rests.
    pub why: Park,
}

/// How many of what rests one run looks at: about a minute's worth, so that what comes after that has its time too.
pub const MOST_LOOKED_AT: usize = 1_000;
/// How often `reconcile` runs.
const RUNS_EVERY: TimeDelta = TimeDelta::minutes(5);

/// What of all that rests is to be looked at in the run of that instant, because it may be let go by what its cadence's status is. If that is more
/// than one run can look at, each has its turn in one of the next.
pub fn worth_a_look(
    resting: Vec<Resting>,
    statuses: &BTreeMap<CadenceId, Status>,
    now: DateTime<Utc>,
) -> Vec<(LeadId, EnrollmentId)> {
    // A cadence that isn't published any more counts as archived, as it does when it is loaded.
    let status = |cadence: &CadenceId| statuses.get(cadence).copied().unwrap_or(Status::Archived);
    let mut may_go: Vec<Resting> =
        resting.into_iter().filter(|rests| may_go_on(rests.why, status(&rests.cadence))).collect();
    let run = now.timestamp().div_euclid(RUNS_EVERY.num_seconds()).unsigned_abs();
    let turns = may_go.len().div_ceil(MOST_LOOKED_AT).max(1);
    let turn = usize::try_from(run).unwrap_or(0) % turns;
    // In an order that stays, however many come and go.
    may_go.sort_by(|one, other| one.enrollment.cmp(&other.enrollment));
    let skipped = (turn * MOST_LOOKED_AT).min(may_go.len());
    may_go.rotate_left(skipped);
    may_go.truncate(MOST_LOOKED_AT);
    may_go.into_iter().map(|rests| (rests.lead, rests.enrollment)).collect()
}

/// Whether what rests for that reason may be let go while its cadence's status is that, as far as these two tell.
fn may_go_on(why: Park, status: Status) -> bool {
    match (why, status) {
        // What is archived goes on only to end.
        (_, Status::Archived) => true,
        (Park::CadencePaused | Park::Resumed, Status::Live | Status::Off) => true,
        (Park::CadencePaused | Park::Resumed, Status::Paused) => false,
        (Park::NoLicensedOwner, Status::Live | Status::Off | Status::Paused) => true,
        // A user lets it go on.
        (Park::Outcome, Status::Live | Status::Off | Status::Paused) => false,
    }
}

fn may_release(context: &StepContext, why: Park) -> bool {
    let lead = &context.lead;
    let is_there = || {
        context.owner().is_some_and(|owner| gate::may_act(owner, lead))
            || intake::pick_owner(&context.users, &lead.id, lead.state.as_deref(), &OwnerHints::default()).is_some()
    };
    let waits_for_owner = why == Park::NoLicensedOwner && context.status != Status::Archived;
    may_go_on(why, context.status) && (!waits_for_owner || is_there())
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
            (Park::Resumed, Status::Live, same, true),
            (Park::Resumed, Status::Paused, same, false),
            (Park::Outcome, Status::Live, same, false),
            (Park::Outcome, Status::Archived, same, true),
            (Park::NoLicensedOwner, Status::Archived, nobody, true),
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

    /// So many that rest, the first ones for an outcome.
    fn resting(count: usize, paused_by_outcome: usize) -> Vec<Resting> {
        let rests = |number: usize| Resting {
            lead: format!("lead-{number}").as_str().into(),
            enrollment: format!("{number:06}").as_str().into(),
            cadence: "live".into(),
            why: if number < paused_by_outcome { Park::Outcome } else { Park::NoLicensedOwner },
        };
        (0..count).map(rests).collect()
    }

    #[test]
    fn one_that_may_go_on_is_looked_at_however_many_others_rest() {
        let statuses = BTreeMap::from([("live".into(), Status::Live), ("paused".into(), Status::Paused)]);
        let mut rests = resting(20_000, 20_000);
        for (number, (why, cadence)) in [
            (Park::CadencePaused, "paused"),
            (Park::Resumed, "paused"),
            (Park::CadencePaused, "live"),
            (Park::NoLicensedOwner, "live"),
            (Park::Resumed, "live"),
            (Park::Outcome, "archived"),
        ]
        .into_iter()
        .enumerate()
        {
            let enrollment = format!("x{number}").as_str().into();
            rests.push(Resting { lead: "lead".into(), enrollment, cadence: cadence.into(), why });
        }
        let looked_at = worth_a_look(rests, &statuses, tuesday());
        let looked_at: Vec<&str> = looked_at.iter().map(|(_, enrollment)| enrollment.as_str()).collect();
        assert_eq!(looked_at, ["x2", "x3", "x4", "x5"]);
    }

    #[test]
    fn where_more_rest_than_one_run_looks_at_each_has_its_turn() {
        let statuses = BTreeMap::from([("live".into(), Status::Live)]);
        for count in [0, 1, MOST_LOOKED_AT, MOST_LOOKED_AT + 1, 5 * MOST_LOOKED_AT - 1] {
            let mut seen = BTreeSet::new();
            for run in 0..5 {
                let looked_at = worth_a_look(resting(count, 0), &statuses, tuesday() + minutes(5 * run));
                assert_eq!(looked_at.len(), count.min(MOST_LOOKED_AT));
                seen.extend(looked_at);
            }
            assert_eq!(seen.len(), count, "in five runs");
        }
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
