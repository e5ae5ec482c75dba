//! What there is: the two items, what waits to be delivered, who is at work, and what the lead has noticed.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{promises::Promise, protocol::Chances};

/// All of it at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The lead's item.
    pub(crate) lead: Lead,
    /// The lead's enrollments, an item each.
    pub(crate) enrollments: Vec<Enrollment>,
    /// The attempts, an item each.
    pub(crate) attempts: BTreeMap<Try, Delivery>,
    /// What came of steps, an item each: the calls that nobody answered.
    pub(crate) outcomes: BTreeSet<Key>,
    /// The table stream's records that `schedule` has yet to handle, in order.
    pub(crate) stream: Vec<Scheduling>,
    /// The timers that have yet to fire.
    pub(crate) timers: BTreeSet<Timer>,
    /// The channel's queue. The same message twice is one: a worker that takes it may leave it there.
    pub(crate) queue: BTreeSet<StepDue>,
    /// Lambda's invocations that run side by side.
    pub(crate) workers: [Worker; 2],
    /// How often the lead, or a user for a task, noticed each try.
    pub(crate) effects: BTreeMap<Try, u8>,
    /// How much of that was since the day began, over all cadences.
    pub(crate) effects_today: u8,
    /// What may still go wrong, or arrive.
    pub(crate) left: Chances,
    /// The promise that was broken on the way here.
    pub(crate) broken: Option<Promise>,
}

/// The lead's item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lead {
    /// Grows with every change that a decision may rest on.
    pub(crate) revision: u8,
    /// Whether the lead said STOP.
    pub(crate) opted_out: bool,
    /// What caps count today, by claim and its enrollment.
    pub(crate) touches: BTreeMap<u8, u8>,
}

/// An enrollment's item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Enrollment {
    pub(crate) id: u8,
    pub(crate) progress: Progress,
    /// Written and cleared apart from `progress`.
    pub(crate) claim: Option<Claim>,
}

/// Where an enrollment stands. Replaced as a whole, on condition of the generation it was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Progress {
    pub(crate) state: State,
    /// Grows with every change of progress.
    pub(crate) generation: u8,
    pub(crate) next: Option<Next>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    Active,
    Parked,
    Ended,
}

/// What is due next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Next {
    pub(crate) act: Act,
    pub(crate) tried: Try,
    pub(crate) due: Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Act {
    Run,
    ExpireHold,
}

/// When something is due, as far as it matters how it is brought up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Due {
    /// Within a minute: straight onto the queue.
    Now,
    /// Later today: by a timer.
    Later,
    /// When today's touches no longer count: by a timer.
    Tomorrow,
}

/// The step key: at most one effect comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) enrollment: u8,
    /// The step's place in the cadence.
    pub(crate) step: u8,
    pub(crate) round: u8,
}

/// One try of a step's round; its attempt's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Try {
    pub(crate) key: Key,
    pub(crate) number: u8,
}

/// One invocation's exclusive right to deliver one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claim {
    pub(crate) id: u8,
    pub(crate) tried: Try,
    /// The generation that it was taken on.
    pub(crate) generation: u8,
    /// Whether its 90 seconds are over.
    pub(crate) has_run_out: bool,
}

/// What the vendor said, as an attempt records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Delivery {
    Accepted,
    Rejected,
    /// Certainly not sent; another try may be.
    Later,
    /// Nobody knows.
    Unknown,
}

/// What a timer or a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StepDue {
    pub(crate) enrollment: u8,
    pub(crate) generation: u8,
}

/// A timer that has yet to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timer {
    pub(crate) says: StepDue,
    /// Whether it is for when today's touches no longer count.
    pub(crate) is_tomorrow: bool,
}

/// What `schedule` makes of one stream record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Scheduling {
    pub(crate) set: Option<(StepDue, Due)>,
    pub(crate) retire: Option<StepDue>,
}

/// One invocation, by the call that it is about to make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Worker {
    /// None; it is free.
    Idle,
    /// It has read the enrollment, and the attempt of its claim if there is one; now it reads the lead.
    Load { message: StepDue, enrollment: Enrollment },
    /// It claims that try, if enrollment and lead are still as it read them.
    Claim { message: StepDue, enrollment: Enrollment, revision: u8, tried: Try },
    /// It asks the vendor.
    Deliver(Claimed),
    /// It records the attempt.
    Record(Claimed, Delivery),
    /// It clears the claim and moves the enrollment on.
    Settle(Claimed, Delivery),
    /// It writes where the enrollment goes without anything being delivered.
    Commit { cause: Cause, enrollment: Enrollment, progress: Progress },
    /// It puts what is overdue back on its queue.
    Requeue(StepDue),
}

/// A claim in a worker's hand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claimed {
    pub(crate) cause: Cause,
    /// The enrollment as it was read, with the claim.
    pub(crate) enrollment: Enrollment,
    pub(crate) claim: Claim,
    /// Whether the worker took it; else it found it run out.
    pub(crate) is_own: bool,
}

/// Why an invocation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Cause {
    /// A channel's function, with that message.
    Message(StepDue),
    /// `reconcile`, which looks again in five minutes anyway.
    Reconcile,
}

impl Cause {
    pub(crate) fn message(self) -> Option<StepDue> {
        match self {
            Self::Message(message) => Some(message),
            Self::Reconcile => None,
        }
    }
}

impl Worker {
    /// Whether it is the one that holds that claim.
    pub(crate) fn holds(&self, held: &Claim) -> bool {
        match self {
            Self::Deliver(claimed) | Self::Record(claimed, _) | Self::Settle(claimed, _) => {
                claimed.is_own && claimed.claim.id == held.id
            }
            Self::Idle | Self::Load { .. } | Self::Claim { .. } | Self::Commit { .. } | Self::Requeue(_) => false,
        }
    }

    /// It has found a claim that ran out, and records and settles how that ended.
    pub(crate) fn settle_expired(cause: Cause, enrollment: Enrollment, delivery: Delivery) -> Self {
        match enrollment.claim {
            Some(claim) => Self::Record(Claimed { cause, enrollment, claim, is_own: false }, delivery),
            None => Self::Idle,
        }
    }

    /// The message that it was given, which comes again if it fails.
    pub(crate) fn message(&self) -> Option<StepDue> {
        match self {
            Self::Load { message, .. } | Self::Claim { message, .. } => Some(*message),
            Self::Deliver(claimed) | Self::Record(claimed, _) | Self::Settle(claimed, _) => claimed.cause.message(),
            Self::Commit { cause, .. } => cause.message(),
            Self::Idle | Self::Requeue(_) => None,
        }
    }
}

impl Enrollment {
    pub(crate) fn with(&self, claim: Claim) -> Self {
        Self { claim: Some(claim), ..self.clone() }
    }

    /// What a timer or message for what is due next says.
    pub(crate) fn step_due(&self) -> StepDue {
        StepDue { enrollment: self.id, generation: self.progress.generation }
    }
}

impl World {
    /// The enrollment as it is stored.
    pub(crate) fn enrollment(&self, id: u8) -> &Enrollment {
        &self.enrollments[usize::from(id)]
    }

    /// The attempt of the claim that the enrollment carries, if it was recorded.
    pub(crate) fn attempt_of(&self, enrollment: &Enrollment) -> Option<Delivery> {
        enrollment.claim.and_then(|claim| self.attempts.get(&claim.tried).copied())
    }

    /// Whether nothing is under way that would bring up what is due: ten minutes after it was.
    pub(crate) fn is_overdue(&self, enrollment: &Enrollment) -> bool {
        let due = enrollment.step_due();
        let is_set = self.stream.iter().any(|asked| asked.set.is_some_and(|(says, _)| says == due));
        !is_set
            && self.timers.iter().all(|timer| timer.says != due)
            && !self.queue.contains(&due)
            && self.workers.iter().all(|worker| worker.message() != Some(due))
    }

    /// How often that try was noticed.
    pub(crate) fn effects_of(&self, tried: &Try) -> u8 {
        self.effects.get(tried).copied().unwrap_or(0)
    }

    /// The same world, whichever worker is which.
    pub(crate) fn sorted(&self) -> Self {
        let mut world = self.clone();
        world.workers.sort();
        world
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// The first worker that is free.
    pub(crate) fn free_worker(&self) -> Option<usize> {
        self.workers.iter().position(|worker| *worker == Worker::Idle)
    }

    /// Whether the worker that took the enrollment's claim still has it in hand.
    pub(crate) fn has_holder(&self, claim: &Claim) -> bool {
        self.workers.iter().any(|worker| worker.holds(claim))
    }

    /// Forgets the attempts that nobody reads any more: those of claims that are gone.
    pub(crate) fn forget(&mut self) {
        let claimed: Vec<_> = self.enrollments.iter().filter_map(|enrollment| enrollment.claim).collect();
        self.attempts.retain(|tried, _| claimed.iter().any(|claim| claim.tried == *tried));
    }

    /// A worker ends in an error: its message comes again.
    pub(crate) fn fail(&mut self, worker: usize) {
        self.queue.extend(self.workers[worker].message());
        self.workers[worker] = Worker::Idle;
    }
}
