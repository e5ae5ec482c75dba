//! Scheduling: what a change of an enrollment asks of queues and timers. What is saved is what is scheduled.

use chrono::{DateTime, TimeDelta, Utc};

use crate::enrollment::{Enrollment, Next, StepDue};

/// What one change asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scheduling {
    /// What is due next, onto its queue or into a timer.
    pub set: Option<Set>,
    /// The earlier generation's timer, which may go. Housekeeping: one that fires all the same is skipped.
    pub retire: Option<StepDue>,
}

/// How what is due next comes to its function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Set {
    /// Straight onto its queue, with its delay.
    Message {
        /// What the message says.
        due: StepDue,
        /// What is due.
        next: Next,
    },
    /// By a one-shot timer.
    Timer {
        /// What the timer's message says.
        due: StepDue,
        /// What is due.
        next: Next,
    },
}

/// EventBridge fires up to a minute late, so what is due sooner goes straight onto its queue.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
const STRAIGHT_TO_QUEUE: TimeDelta = TimeDelta::seconds(60);

/// What a change asks for: only a new generation or a cleared claim asks for anything.
pub fn scheduling(old: Option<&Enrollment>, new: Option<&Enrollment>, now: DateTime<Utc>) -> Scheduling {
    let Some(new) = new else {
        return Scheduling { set: None, retire: old.map(Enrollment::step_due) };
    };
    let is_new_generation = old.is_none_or(|old| old.progress.generation != new.progress.generation);
    let claim_was_cleared = old.is_some_and(|old| old.claim.is_some()) && new.claim.is_none();
    if !is_new_generation && !claim_was_cleared {
        return Scheduling::default();
    }
    let retired = old.filter(|old| is_new_generation && old.progress.next.is_some());
    let due = new.step_due();
    let set = new.progress.next.clone().filter(|_| new.is_active()).map(|next| match next.due_at - now {
        ahead if ahead <= STRAIGHT_TO_QUEUE => Set::Message { due, next },
        _ => Set::Timer { due, next },
    });
    Scheduling { set, retire: retired.map(Enrollment::step_due) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Channel, StepId,
        enrollment::{Claim, Effect, End, Progress, State},
    };

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn enrollment(generation: u64, ahead: i64) -> Enrollment {
        let next = Next::run(&StepId::new("text"), Channel::Sms, 1, NOW + TimeDelta::seconds(ahead));
        Enrollment {
            id: "e1".into(),
            lead: "l1".into(),
            cadence: "c1".into(),
            enrolled_at: NOW,
            progress: Progress {
                version: 1,
                state: State::Active,
                generation,
                next: Some(next),
                rounds: Default::default(),
                stale: false,
            },
            claim: None,
            stored_version: None,
        }
    }

    fn claimed(enrollment: Enrollment) -> Enrollment {
        let claim = Claim {
            id: "i1".into(),
            step: "text".into(),
            round: 1,
            try_number: 1,
            claimed_at: NOW,
            lease_until: NOW,
            step_due_at: NOW,
            version: enrollment.progress.version,
            generation: enrollment.progress.generation,
            effect: Effect::Sms,
            user: None,
        };
        Enrollment { claim: Some(claim), ..enrollment }
    }

    fn ended(mut enrollment: Enrollment) -> Enrollment {
        enrollment.progress.state = State::Ended { why: End::Completed };
        enrollment.progress.next = None;
        enrollment
    }

    /// `set/retire`, each by its generation.
    fn asked(old: Option<&Enrollment>, new: Option<&Enrollment>) -> String {
        let Scheduling { set, retire } = scheduling(old, new, NOW);
        let set = match set {
            Some(Set::Message { due, .. }) => format!("message {}", due.generation),
            Some(Set::Timer { due, .. }) => format!("timer {}", due.generation),
            None => "-".to_owned(),
        };
        format!("{set}/{}", retire.map_or("-".to_owned(), |due| due.generation.to_string()))
    }

    #[test]
    fn only_a_new_generation_or_a_cleared_claim_asks_for_anything() {
        let (first, second) = (enrollment(1, 600), enrollment(2, 600));
        for (old, new, expected) in [
            (None, Some(&first), "timer 1/-"),
            (Some(&first), Some(&first), "-/-"),
            (Some(&first), Some(&second), "timer 2/1"),
            (Some(&first), Some(&claimed(first.clone())), "-/-"),
            (Some(&claimed(first.clone())), Some(&first), "timer 1/-"),
            (Some(&claimed(first.clone())), Some(&second), "timer 2/1"),
            (Some(&first), Some(&claimed(second.clone())), "timer 2/1"),
            (Some(&first), Some(&ended(second.clone())), "-/1"),
            (Some(&ended(first.clone())), Some(&ended(second.clone())), "-/-"),
            (Some(&first), None, "-/1"),
            (None, None, "-/-"),
        ] {
            assert_eq!(asked(old, new), expected, "{old:?} -> {new:?}");
        }
    }

    #[test]
    fn what_is_due_within_a_minute_goes_straight_onto_its_queue() {
        for (ahead, expected) in [(-5, "message 1/-"), (0, "message 1/-"), (60, "message 1/-"), (61, "timer 1/-")] {
            assert_eq!(asked(None, Some(&enrollment(1, ahead))), expected, "{ahead} s ahead");
        }
    }
}
