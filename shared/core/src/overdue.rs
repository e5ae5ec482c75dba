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
    let mut change = Change::of(&context.enrollment);
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
