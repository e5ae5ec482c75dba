//! What each call does: `cadence-store`'s transactions, and the handlers of the functions around them.

use std::mem;

use crate::{
    actions::Answer,
    broken::Broken,
    decisions::{Plan, Remedy, Report},
    protocol::{Protocol, Step},
    world::{Cause, Claim, Claimed, Delivery, Due, Enrollment, Scheduling, State, StepDue, Timer, Try, Worker, World},
};

impl Protocol {
    /// A channel's function begins with a message, or again after a lost race: `Store::load_step` reads the enrollment.
    pub(crate) fn receive(&self, world: &mut World, worker: usize, message: StepDue) {
        let enrollment = world.enrollment(message.enrollment).clone();
        // What becomes of a claim that is there, or of a message that is out of date, does not hang on the lead.
        world.workers[worker] = match self.plan(&enrollment, world.attempt_of(&enrollment), &world.lead, message) {
            Plan::Settle(delivery) => Worker::settle_expired(Cause::Message(message), enrollment, delivery),
            Plan::Skip | Plan::Busy => Worker::Idle,
            Plan::Send(_) | Plan::Change(_) => Worker::Load { message, enrollment },
        };
    }

    /// It reads the lead and plans: `plan_step`.
    fn load_lead(&self, world: &World, message: StepDue, enrollment: Enrollment) -> Worker {
        match self.plan(&enrollment, None, &world.lead, message) {
            Plan::Send(tried) => Worker::Claim { message, enrollment, revision: world.lead.revision, tried },
            Plan::Change(progress) => Worker::Commit { cause: Cause::Message(message), enrollment, progress },
            Plan::Settle(_) | Plan::Skip | Plan::Busy => Worker::Idle,
        }
    }

    /// `reconcile` looks at an enrollment of the index.
    pub(crate) fn look_at(&self, world: &mut World, worker: usize, id: u8) {
        let enrollment = world.enrollment(id).clone();
        let is_overdue = world.is_overdue(&enrollment);
        world.workers[worker] = match self.remedy(&enrollment, world.attempt_of(&enrollment), &world.lead, is_overdue) {
            _ if self.is(Broken::NoReconcile) => Worker::Idle,
            Remedy::Settle(delivery) => Worker::settle_expired(Cause::Reconcile, enrollment, delivery),
            Remedy::Release(progress) => Worker::Commit { cause: Cause::Reconcile, enrollment, progress },
            Remedy::Requeue => Worker::Requeue(enrollment.step_due()),
            Remedy::Leave => Worker::Idle,
        };
    }

    /// A worker's next call to the tables or the queue.
    pub(crate) fn call(&self, world: &mut World, worker: usize) {
        world.workers[worker] = match mem::replace(&mut world.workers[worker], Worker::Idle) {
            Worker::Load { message, enrollment } => self.load_lead(world, message, enrollment),
            Worker::Claim { message, enrollment, revision, tried } => {
                match self.claim(world, message, &enrollment, revision, tried) {
                    Some(claimed) => Worker::Deliver(claimed),
                    None => return self.receive(world, worker, message),
                }
            }
            Worker::Record(claimed, delivery) => {
                world.attempts.insert(claimed.claim.tried, delivery);
                if self.is(Broken::NoAttemptFirst) { Worker::Idle } else { Worker::Settle(claimed, delivery) }
            }
            Worker::Settle(claimed, delivery) => return self.settle_claim(world, worker, claimed, delivery),
            Worker::Commit { cause, enrollment, progress } => {
                let stored = world.enrollment(enrollment.id);
                let is_stale = stored.progress.generation != enrollment.progress.generation || stored.claim.is_some();
                match cause {
                    _ if !is_stale || self.is(Broken::CommitsWhatever) => {
                        let claim = stored.claim;
                        self.save(world, Enrollment { progress, claim, ..enrollment });
                        Worker::Idle
                    }
                    Cause::Message(message) => return self.receive(world, worker, message),
                    Cause::Reconcile => Worker::Idle,
                }
            }
            Worker::Requeue(message) => {
                world.queue.insert(message);
                Worker::Idle
            }
            at_work @ (Worker::Idle | Worker::Deliver(_)) => at_work,
        };
    }

    /// `Store::claim`: one transaction over the enrollment and the lead. `None` if it was refused.
    fn claim(
        &self,
        world: &mut World,
        message: StepDue,
        read: &Enrollment,
        revision: u8,
        tried: Try,
    ) -> Option<Claimed> {
        // A claim's id is its invocation's own; each that is stored bumps the revision, so that is as good.
        let id = world.lead.revision + 1;
        let claim = Claim { id, tried, generation: read.progress.generation, has_run_out: false };
        let claimed = Claimed { cause: Cause::Message(message), enrollment: read.with(claim), claim, is_own: true };
        let stored = world.enrollment(read.id);
        let is_there = stored.progress.generation == read.progress.generation && stored.progress.state == State::Active;
        let is_free = stored.claim.is_none();
        let lead_is_as_read = world.lead.revision == revision;
        let holds = match self.broken {
            Some(Broken::NoClaim) => return Some(claimed),
            Some(Broken::ClaimIgnoresGeneration) => is_free && lead_is_as_read,
            Some(Broken::ClaimOverClaim) => is_there && lead_is_as_read,
            Some(Broken::OptOutReadOutside) => is_there && is_free,
            Some(Broken::RevisionUnchecked) => is_there && is_free && !world.lead.opted_out,
            _ => is_there && is_free && lead_is_as_read,
        };
        if !holds {
            return None;
        }
        self.save(world, world.enrollment(read.id).with(claim));
        world.lead.revision += 1;
        world.lead.touches.insert(claim.id, read.id);
        Some(claimed)
    }

    /// A claim without an answer: `Store::is_mine` reads whose claim is there.
    pub(crate) fn claim_unanswered(&self, world: &mut World, worker: usize, arrives: bool) {
        world.left.mishaps -= 1;
        let Worker::Claim { message, enrollment, revision, tried } = world.workers[worker].clone() else { return };
        let claimed = match arrives {
            true => self.claim(world, message, &enrollment, revision, tried),
            false => None,
        };
        match (claimed, self.broken) {
            (Some(_), Some(Broken::LostAnswerIsRefusal)) => self.receive(world, worker, message),
            (Some(claimed), _) => world.workers[worker] = Worker::Deliver(claimed),
            (None, Some(Broken::LostAnswerIsClaim)) => {
                let claim = Claim { id: 0, tried, generation: enrollment.progress.generation, has_run_out: false };
                let enrollment = enrollment.with(claim);
                let claimed = Claimed { cause: Cause::Message(message), enrollment, claim, is_own: true };
                world.workers[worker] = Worker::Deliver(claimed);
            }
            (None, _) => world.fail(worker),
        }
    }

    /// Deliver, once.
    pub(crate) fn deliver(&self, world: &mut World, worker: usize, answer: Answer) {
        let Worker::Deliver(claimed) = world.workers[worker].clone() else { return };
        let tried = claimed.claim.tried;
        world.left.refusals -= u8::from(answer != Answer::Accepted);
        if answer.was_sent() && self.step(tried.key) != Step::Task {
            world.notice(tried);
            if answer == (Answer::Nothing { was_sent: true }) && self.is(Broken::SdkRetries) {
                world.notice(tried);
            }
        }
        let delivery = answer.delivery();
        world.workers[worker] = match self.is(Broken::NoAttemptFirst) {
            false => Worker::Record(claimed, delivery),
            true => Worker::Settle(claimed, delivery),
        };
    }

    /// `Store::settle`, and for a worker's own claim `Store::settle_claim`: on condition of the claim, moving on only if the generation is
    /// what it was.
    fn settle_claim(&self, world: &mut World, worker: usize, claimed: Claimed, delivery: Delivery) {
        let Claimed { cause, enrollment: read, claim, is_own } = &claimed;
        let stored = world.enrollment(read.id).clone();
        let is_held = stored.claim.is_some_and(|stored| stored.id == claim.id);
        let is_as_read = stored.progress.generation == read.progress.generation;
        let holds = match self.broken {
            Some(Broken::NoClaim) => is_as_read,
            Some(Broken::SettleByGeneration) => stored.progress.generation == claim.generation,
            _ => is_held && is_as_read,
        };
        if holds {
            self.settled(world, &claimed, delivery);
        }
        match cause {
            _ if holds && self.is(Broken::NoAttemptFirst) => world.workers[worker] = Worker::Record(claimed, delivery),
            // What rested behind the claim may go on.
            Cause::Reconcile if holds && !self.is(Broken::ReconcileLooksOnce) => self.look_at(world, worker, read.id),
            Cause::Message(message) if !holds && !is_own => self.receive(world, worker, *message),
            Cause::Message(_) if !holds && is_held && !self.is(Broken::SettleByGeneration) => {
                world.workers[worker] = Worker::Settle(Claimed { enrollment: stored, ..claimed }, delivery);
            }
            // Settled, or somebody else did it from its attempt.
            Cause::Message(_) | Cause::Reconcile => world.workers[worker] = Worker::Idle,
        }
    }

    fn settled(&self, world: &mut World, claimed: &Claimed, delivery: Delivery) {
        let Claimed { enrollment: read, claim, .. } = claimed;
        // It is written only if the channel is open still, and decided again until it is.
        let delivery = self.asked(&world.lead, claim, delivery);
        let progress = self.settle(read.progress, claim, delivery);
        let opens_task = self.step(claim.tried.key) == Step::Task && delivery == Delivery::Accepted;
        if progress.is_some() && opens_task {
            world.notice(claim.tried);
        }
        let was_not_sent = matches!(delivery, Delivery::Rejected | Delivery::Later)
            || delivery == Delivery::Unknown && self.is(Broken::SlotBackWhenUnsure);
        if was_not_sent {
            world.lead.touches.remove(&claim.id);
        }
        self.save(world, Enrollment { progress: progress.unwrap_or(read.progress), claim: None, ..read.clone() });
    }

    /// `apply_outcome`, committed: it is decided again until what it was decided on still holds, so it is one step.
    pub(crate) fn report(&self, world: &mut World, id: u8, report: Report) {
        let enrollment = world.enrollment(id).clone();
        if matches!(report, Report::NoAnswer(key) if !world.outcomes.insert(key)) {
            return;
        }
        world.left.reports -= 1;
        if let Some(progress) = self.apply(&enrollment, report) {
            let claim = enrollment.claim.filter(|_| !self.is(Broken::OutcomeDropsClaim));
            self.save(world, Enrollment { progress, claim, ..enrollment });
        }
    }

    /// `Store::opt_out`.
    pub(crate) fn opt_out(&self, world: &mut World) {
        world.left.opt_outs -= 1;
        world.lead.opted_out = true;
        world.lead.revision += u8::from(!self.is(Broken::OptOutKeepsRevision));
    }

    /// A lease is longer than a function may run, so it runs out only on a holder that is gone.
    pub(crate) fn run_out(&self, world: &mut World, id: u8) {
        let has_holder = world.enrollment(id).claim.is_some_and(|claim| world.has_holder(&claim));
        if (!has_holder || self.is(Broken::ShortLease))
            && let Some(claim) = &mut world.enrollments[usize::from(id)].claim
        {
            claim.has_run_out = true;
        }
    }

    /// Saves an enrollment. What `schedule` makes of the stream's record of it hangs on nothing but the two images.
    fn save(&self, world: &mut World, new: Enrollment) {
        let asked = self.scheduling(Some(world.enrollment(new.id)), &new);
        world.stream.extend((asked != Scheduling::default()).then_some(asked));
        let id = usize::from(new.id);
        world.enrollments[id] = new;
    }
}

impl World {
    /// `schedule`: onto the queue or into a timer, and the earlier generation's timer may go.
    pub(crate) fn schedule(&mut self, again: bool) {
        let Some(asked) = self.stream.first().copied() else { return };
        match again {
            true => self.left.mishaps -= 1,
            false => drop(self.stream.remove(0)),
        }
        match asked.set {
            Some((says, Due::Now)) => drop(self.queue.insert(says)),
            Some((says, due)) => drop(self.timers.insert(Timer { says, is_tomorrow: due == Due::Tomorrow })),
            None => {}
        }
        self.timers.retain(|timer| Some(timer.says) != asked.retire);
    }

    /// A timer fires. A day is longer than any function and lease, and after it today's touches no longer count.
    pub(crate) fn fire(&mut self, timer: Timer, again: bool) -> Option<()> {
        if timer.is_tomorrow {
            let is_idle = self.workers.iter().all(|worker| *worker == Worker::Idle);
            let mut claims = self.enrollments.iter().filter_map(|enrollment| enrollment.claim);
            if !is_idle || claims.any(|claim| !claim.has_run_out) {
                return None;
            }
            self.lead.touches.clear();
            self.effects_today = 0;
        }
        match again {
            true => self.left.mishaps -= 1,
            false => drop(self.timers.remove(&timer)),
        }
        self.queue.insert(timer.says);
        Some(())
    }

    /// The lead, or a user for a task, notices a try.
    fn notice(&mut self, tried: Try) {
        *self.effects.entry(tried).or_default() += 1;
        self.effects_today += 1;
    }
}
