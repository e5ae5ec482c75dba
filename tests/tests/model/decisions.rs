//! What the code decides, on one reading: `plan_step`, `settle_step`, `apply_outcome`, `scheduling`, `remedy` of `cadence-core`.

use crate::{
    broken::Broken,
    protocol::{Protocol, Step},
    world::{Act, Claim, Delivery, Due, Enrollment, Key, Lead, Next, Progress, Scheduling, State, StepDue, Try},
};

/// How often a step that certainly was not sent is tried. Six in the code; two are as good for a model.
pub(crate) const MAX_TRIES: u8 = 2;
/// How often a call is placed that nobody answers: the step's `attempts`.
pub(crate) const ROUNDS: u8 = 2;

/// What a due step comes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plan {
    /// Claim that try, deliver it, settle it.
    Send(Try),
    /// Nothing is delivered; this is written.
    Change(Progress),
    /// A claim that ran out is settled so.
    Settle(Delivery),
    /// The message is of an earlier generation, or the enrollment is not active.
    Skip,
    /// Somebody is delivering right now.
    Busy,
}

/// What `reconcile` does about an enrollment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Remedy {
    Requeue,
    Settle(Delivery),
    Release(Progress),
    Leave,
}

/// What a report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Report {
    /// A lead replies, or is reached by a user: the cadence ends, whatever the step.
    Ends,
    /// A user's word on an earlier step asks for a pause, whatever the step.
    Pauses,
    /// The vendor says that nobody answered that call.
    NoAnswer(Key),
}

impl Protocol {
    /// `plan_step`, through `gate`.
    pub(crate) fn plan(&self, enrollment: &Enrollment, attempt: Option<Delivery>, lead: &Lead, due: StepDue) -> Plan {
        let progress = enrollment.progress;
        if let Some(claim) = &enrollment.claim {
            return match claim.has_run_out {
                false => Plan::Busy,
                true => Plan::Settle(self.asked(lead, claim, self.settle_expired(claim, attempt))),
            };
        }
        let (State::Active, Some(next)) = (progress.state, progress.next) else { return Plan::Skip };
        if progress.generation != due.generation {
            return Plan::Skip;
        }
        match next.act {
            Act::ExpireHold => Plan::Change(self.move_on(progress, next.tried.key, false)),
            Act::Run if lead.opted_out => Plan::Change(self.move_on(progress, next.tried.key, false)),
            Act::Run if self.touches(lead, enrollment.id) >= self.scene.cap => {
                Plan::Change(progress.go(Next { due: Due::Tomorrow, ..next }))
            }
            Act::Run => Plan::Send(next.tried),
        }
    }

    /// `gate::next_slot`: how many touches count.
    fn touches(&self, lead: &Lead, enrollment: u8) -> usize {
        match self.is(Broken::CapPerEnrollment) {
            false => lead.touches.len(),
            true => lead.touches.values().filter(|of| **of == enrollment).count(),
        }
    }

    /// `settle_expired`: what a claim that ran out comes to.
    fn settle_expired(&self, claim: &Claim, attempt: Option<Delivery>) -> Delivery {
        let is_task = self.step(claim.tried.key) == Step::Task;
        match attempt {
            Some(delivery) => delivery,
            None if is_task => Delivery::Accepted,
            None if self.is(Broken::ResendOnLeaseExpiry) => Delivery::Later,
            None => Delivery::Unknown,
        }
    }

    /// `settle_step`: a user is not asked to call whoever opted out since the claim was taken.
    pub(crate) fn asked(&self, lead: &Lead, claim: &Claim, delivery: Delivery) -> Delivery {
        let is_task = self.step(claim.tried.key) == Step::Task;
        match is_task && lead.opted_out && !self.is(Broken::TaskWhateverTheLead) {
            true => Delivery::Rejected,
            false => delivery,
        }
    }

    /// `settle_step`: where the enrollment goes; `None` if it moved on while the claim lived.
    pub(crate) fn settle(&self, progress: Progress, claim: &Claim, delivery: Delivery) -> Option<Progress> {
        let rests_at_this = progress.state == State::Parked
            && progress.next.is_some_and(|next| next.act == Act::Run && next.tried == claim.tried)
            && !self.is(Broken::RestForgetsClaim);
        let is_still_next = claim.generation == progress.generation || rests_at_this;
        if !is_still_next && !self.is(Broken::SettleIgnoresGeneration) {
            return None;
        }
        let Try { key, number } = claim.tried;
        let next = Next { act: Act::Run, tried: claim.tried, due: Due::Later };
        let settled = match delivery {
            Delivery::Accepted if self.step(key) == Step::Call => progress.go(Next { act: Act::ExpireHold, ..next }),
            Delivery::Unknown if self.is(Broken::UnknownIsLater) => progress.go(next),
            Delivery::Later if number < MAX_TRIES => {
                progress.go(Next { tried: Try { number: number + 1, ..claim.tried }, ..next })
            }
            Delivery::Accepted | Delivery::Rejected | Delivery::Later | Delivery::Unknown => {
                self.move_on(progress, key, false)
            }
        };
        Some(settled.stay_parked(progress))
    }

    /// `apply_outcome`: where a report takes the enrollment; `None` if nowhere.
    pub(crate) fn apply(&self, enrollment: &Enrollment, report: Report) -> Option<Progress> {
        let progress = enrollment.progress;
        match (progress.state, report) {
            (State::Ended, _) => None,
            (State::Active | State::Parked, Report::Ends) => match self.is(Broken::StopKeepsGeneration) {
                false => Some(progress.end()),
                true => Some(Progress { generation: progress.generation, ..progress.end() }),
            },
            (State::Active | State::Parked, Report::Pauses) => Some(progress.park()),
            (State::Active | State::Parked, Report::NoAnswer(key)) => {
                let next = progress.next.filter(|next| next.tried.key == key)?;
                let is_claimed = enrollment.claim.is_some_and(|claim| claim.tried.key == key);
                let is_current = next.act == Act::ExpireHold || is_claimed;
                is_current.then(|| self.move_on(progress, key, true).stay_parked(progress))
            }
        }
    }

    /// `course::onward`: after a step's round, the next round of an unanswered call, or the next step, or the end.
    fn move_on(&self, progress: Progress, from: Key, was_unanswered: bool) -> Progress {
        let is_last = usize::from(from.step) + 1 == self.scene.cadence.len();
        let key = match (was_unanswered && from.round < ROUNDS, is_last) {
            (true, _) => Key { round: from.round + 1, ..from },
            (false, false) => Key { step: from.step + 1, round: 1, ..from },
            (false, true) => return progress.end(),
        };
        progress.go(Next { act: Act::Run, tried: Try { key, number: 1 }, due: Due::Now })
    }

    /// `scheduling`: what `schedule` makes of a change.
    pub(crate) fn scheduling(&self, old: Option<&Enrollment>, new: &Enrollment) -> Scheduling {
        let is_new_generation = old.is_none_or(|old| old.progress.generation != new.progress.generation);
        let claim_was_cleared = old.is_some_and(|old| old.claim.is_some()) && new.claim.is_none();
        if !is_new_generation && (!claim_was_cleared || self.is(Broken::ScheduleIgnoresClearedClaim)) {
            return Scheduling { set: None, retire: None };
        }
        let next = new.progress.next.filter(|_| new.progress.state == State::Active);
        let retired = old.filter(|old| is_new_generation && old.progress.next.is_some());
        Scheduling { set: next.map(|next| (new.step_due(), next.due)), retire: retired.map(Enrollment::step_due) }
    }

    /// `remedy`: what `reconcile` does about it. What is due is overdue once nothing but its message could still bring it up.
    pub(crate) fn remedy(
        &self,
        enrollment: &Enrollment,
        attempt: Option<Delivery>,
        lead: &Lead,
        is_overdue: bool,
    ) -> Remedy {
        let progress = enrollment.progress;
        match (&enrollment.claim, progress.state, progress.next) {
            (Some(claim), _, _) if claim.has_run_out => {
                Remedy::Settle(self.asked(lead, claim, self.settle_expired(claim, attempt)))
            }
            (None, State::Active, Some(_)) if is_overdue => Remedy::Requeue,
            (None, State::Parked, Some(next)) => {
                Remedy::Release(progress.go(Next { due: next.due.max(Due::Later), ..next }))
            }
            (Some(_) | None, State::Active | State::Parked | State::Ended, _) => Remedy::Leave,
        }
    }
}

/// The changes of progress, each one generation on: `Change::go`, `park`, `end` and `stay_parked`.
impl Progress {
    pub(crate) fn go(self, next: Next) -> Self {
        Self { state: State::Active, generation: self.generation + 1, next: Some(next) }
    }

    fn park(self) -> Self {
        Self { state: State::Parked, generation: self.generation + 1, next: self.next }
    }

    fn end(self) -> Self {
        Self { state: State::Ended, generation: self.generation + 1, next: None }
    }

    /// What moves on while it rests goes on resting.
    fn stay_parked(self, read: Self) -> Self {
        match (read.state, self.state) {
            (State::Parked, State::Active) => Self { state: State::Parked, ..self },
            (State::Active | State::Parked | State::Ended, _) => self,
        }
    }
}
