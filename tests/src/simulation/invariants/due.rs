//! What must hold of the instant at which something is due: not before its wait is over, and no later than at the first opening after that.

use std::collections::BTreeSet;

use cadence_core::{
    course::REBASE_AFTER,
    enrollment::{Act, Effect, Enrollment, Next},
    lead::Lead,
    records::{Cadence, Step},
    time::Wait,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{course::broken, progress::may_follow};
use crate::simulation::{civil, seen::Seen, violation::Held};

/// By how much the clocks of functions, of timers and of the checker may differ.
pub(super) const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(10);
/// For how long caps put something off: the longest span that they count in.
const CAPS_PUT_OFF: TimeDelta = TimeDelta::days(7);
/// How long a step is put off that was not sent: the longest pause between two tries.
const RETRIED_WITHIN: TimeDelta = TimeDelta::hours(4);
/// How long a user who is asked may be off: over a weekend, and then until they begin.
const USERS_ARE_OFF: TimeDelta = TimeDelta::days(4);
/// An opening is looked for at instants so far apart; one that is shorter may be missed.
const GRID: TimeDelta = TimeDelta::minutes(20);
/// How long before a window closes the last may begin, and a little more.
const MARGIN: TimeDelta = TimeDelta::minutes(6);

/// What is due next is due when its wait, its hold, hours and caps would have it.
pub(crate) fn in_bounds(
    seen: &Seen,
    lead: Option<&Lead>,
    before: Option<&Enrollment>,
    after: &Enrollment,
    now: DateTime<Utc>,
) -> Held {
    let Some(is) = &after.progress.next else { return Ok(()) };
    let was = before.and_then(|before| before.progress.next.as_ref());
    if was == Some(is) || is.overdue_for.is_some() {
        return Ok(());
    }
    let bounds: Vec<Bound> = may_follow(seen, &after.cadence, after.progress.version)
        .filter_map(|cadence| Bound::of(seen, cadence, before, after, is, now))
        .collect();
    let Some(earliest) = bounds.iter().map(|bound| bound.earliest).min() else { return Ok(()) };
    if is.due_at + CLOCKS_DIFFER < earliest {
        return broken(format!("{} is due at {}, before its wait is over at {earliest}", after.id, is.due_at));
    }
    match lead.filter(|lead| bounds.iter().all(|bound| bound.is_late(lead, is.due_at))) {
        Some(_) => broken(format!(
            "{} is due at {} only, though it could be before: {is:?}; it was {was:?}, ready at {:?} of {now}",
            after.id,
            is.due_at,
            bounds.iter().map(|bound| bound.ready).max()
        )),
        None => Ok(()),
    }
}

/// Within what something is due, by one version of its cadence.
struct Bound<'a> {
    cadence: &'a Cadence,
    step: &'a Step,
    /// The company's own holidays.
    rests: &'a BTreeSet<NaiveDate>,
    earliest: DateTime<Utc>,
    /// From when on it may run at the first opening.
    ready: DateTime<Utc>,
    is_hold: bool,
}

impl<'a> Bound<'a> {
    fn of(
        seen: &'a Seen,
        cadence: &'a Cadence,
        before: Option<&Enrollment>,
        after: &Enrollment,
        is: &Next,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let step = cadence.step(&is.step)?;
        let bound =
            |earliest, ready, is_hold| Some(Self { cadence, step, rests: &seen.holidays, earliest, ready, is_hold });
        let Some(was) = before.and_then(|before| before.progress.next.as_ref()) else {
            let from = after.enrolled_at;
            return bound(from + at_least(&step.wait), from + at_most(&step.wait), false);
        };
        let is_same = (&was.step, was.round) == (&is.step, is.round);
        if is.act == Act::ExpireHold {
            // What rests after its last step waits for nothing but to be let go.
            let hold = step.hold().filter(|_| after.is_active() && was.act == Act::Run && is_same)?;
            let claim = before.and_then(|before| before.claim.as_ref())?;
            let off_hours = if claim.effect == Effect::Task { USERS_ARE_OFF } else { TimeDelta::zero() };
            return bound(claim.claimed_at + at_least(&hold), now + at_most(&hold) + off_hours, true);
        }
        if is_same {
            let put_off = if is.try_number > was.try_number { RETRIED_WITHIN } else { CAPS_PUT_OFF };
            return bound(DateTime::<Utc>::MIN_UTC, now.max(was.due_at) + put_off, false);
        }
        let base = before.map_or(was.step_due_at, |before| counts_from(before, was)).min(now);
        let again = step.every.as_ref().filter(|_| was.step == is.step);
        let waits = || [Some(&step.wait), again].into_iter().flatten();
        let (shortest, longest) = (waits().map(at_least).min()?, waits().map(at_most).max()?);
        bound(base + shortest, base.max(now) + longest, false)
    }

    /// Whether there was an opening well before that instant and after it was ready.
    fn is_late(&self, lead: &Lead, due_at: DateTime<Utc>) -> bool {
        if self.is_hold {
            return due_at > self.ready + CLOCKS_DIFFER;
        }
        let is_open = |at| civil::forbids(self.step.action, lead, self.cadence, self.rests, at).is_none();
        let mut at = self.ready;
        while at + GRID < due_at {
            if is_open(at) && is_open(at + MARGIN) {
                return true;
            }
            at += GRID;
        }
        false
    }
}

/// When the step was due that an enrollment moves on from, or when it was claimed, if that was too late for the rest to catch up.
fn counts_from(before: &Enrollment, was: &Next) -> DateTime<Utc> {
    let claim = before.claim.as_ref().filter(|claim| was.act == Act::Run && claim.step == was.step);
    claim.map_or(was.step_due_at, |claim| {
        let is_late = claim.claimed_at - claim.step_due_at > REBASE_AFTER;
        if is_late { claim.claimed_at } else { claim.step_due_at }
    })
}

/// The shortest time that a wait can come to before hours count: a clock that is put forward takes an hour away.
pub(super) fn at_least(wait: &Wait) -> TimeDelta {
    match Parts::of(wait) {
        Parts::Exact(time) => time,
        Parts::Days { count, at } => {
            (TimeDelta::days(if at { count - 1 } else { count }) - TimeDelta::hours(1)).max(TimeDelta::zero())
        }
        Parts::BusinessDays { count } => (TimeDelta::days(count - 1) - TimeDelta::hours(1)).max(TimeDelta::zero()),
    }
}

/// The longest time that a wait can come to before hours count: a business day may be a holiday week away.
pub(super) fn at_most(wait: &Wait) -> TimeDelta {
    match Parts::of(wait) {
        Parts::Exact(time) => time,
        Parts::Days { count, .. } => TimeDelta::days(count + 1),
        Parts::BusinessDays { count } => TimeDelta::days(count * 2 + 7),
    }
}

/// What a wait says, read apart from the engine.
enum Parts {
    Exact(TimeDelta),
    Days { count: i64, at: bool },
    BusinessDays { count: i64 },
}

impl Parts {
    fn of(wait: &Wait) -> Self {
        let text = wait.to_string();
        let digits = text.chars().take_while(char::is_ascii_digit).count();
        let (count, rest) = text.split_at(digits);
        let count: i64 = count.parse().unwrap_or(i64::from(u16::MAX));
        match rest.chars().next() {
            Some('m') => Self::Exact(TimeDelta::minutes(count)),
            Some('h') => Self::Exact(TimeDelta::hours(count)),
            Some('b') => Self::BusinessDays { count },
            _ => Self::Days { count, at: rest.contains("at") },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_comes_to_no_less_and_no_more_than_that() {
        for (wait, least, most) in [
            ("20m", 20, 20),
            ("2h", 120, 120),
            ("1d", 23 * 60, 48 * 60),
            ("1d at 10:15", 0, 48 * 60),
            ("2d at 10:15", 23 * 60, 72 * 60),
            ("3bd", 47 * 60, 13 * 24 * 60),
        ] {
            let wait = Wait::parse(wait).unwrap();
            assert_eq!((at_least(&wait).num_minutes(), at_most(&wait).num_minutes()), (least, most), "{wait}");
        }
    }
}
