//! What may happen next.

use stateright::{Model, Property};

use crate::{
    decisions::Report,
    protocol::{Protocol, Step},
    world::{Delivery, StepDue, Timer, Worker, World},
};

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A worker makes its next call to the tables or the queue, and is answered.
    Call { worker: usize },
    /// A worker claims, and gets no answer.
    CallUnanswered { worker: usize, arrives: bool },
    /// A worker asks the vendor.
    Deliver { worker: usize, answer: Answer },
    /// A worker dies, or runs into its timeout. Its message comes again.
    Die { worker: usize },
    /// `schedule` handles the stream's oldest record.
    Schedule { again: bool },
    /// A timer puts its message on the queue.
    Fire { timer: Timer, again: bool },
    /// A worker is given a message of the queue, and reads the enrollment.
    Receive { worker: usize, message: StepDue, again: bool },
    /// A worker runs `reconcile`, which finds that enrollment in the index.
    Reconcile { worker: usize, enrollment: u8 },
    /// A claim's 90 seconds are over.
    RunOut { enrollment: u8 },
    /// Somebody reports what came of a step.
    Report { enrollment: u8, report: Report },
    /// The lead says STOP.
    OptOut,
    /// The stream's oldest record is given up.
    LoseRecord,
    /// A timer is given up.
    LoseTimer { timer: Timer },
    /// A message is given up.
    LoseMessage { message: StepDue },
}

/// What the vendor answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    Rejected,
    Later,
    Nothing { was_sent: bool },
}

impl Answer {
    const ALL: [Self; 5] = [
        Self::Accepted,
        Self::Rejected,
        Self::Later,
        Self::Nothing { was_sent: true },
        Self::Nothing { was_sent: false },
    ];

    /// How the vendor's client sorts it.
    pub(crate) fn delivery(self) -> Delivery {
        match self {
            Self::Accepted => Delivery::Accepted,
            Self::Rejected => Delivery::Rejected,
            Self::Later => Delivery::Later,
            Self::Nothing { .. } => Delivery::Unknown,
        }
    }

    /// Whether the lead notices.
    pub(crate) fn was_sent(self) -> bool {
        matches!(self, Self::Accepted | Self::Nothing { was_sent: true })
    }
}

impl Action {
    /// Whether it happens when nothing goes wrong any more, and nobody says anything.
    pub(crate) fn is_calm(&self) -> bool {
        match self {
            Self::Call { .. } | Self::RunOut { .. } => true,
            Self::Deliver { answer, .. } => *answer == Answer::Accepted,
            Self::Schedule { again } | Self::Fire { again, .. } | Self::Receive { again, .. } => !again,
            Self::CallUnanswered { .. }
            | Self::Die { .. }
            | Self::Reconcile { .. }
            | Self::Report { .. }
            | Self::OptOut
            | Self::LoseRecord
            | Self::LoseTimer { .. }
            | Self::LoseMessage { .. } => false,
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![self.begin()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for worker in 0..world.workers.len() {
            self.at_work(world, worker, actions);
        }
        self.deliveries(world, actions);
        let all = 0..self.scene.enrollments;
        actions.extend(all.clone().map(|enrollment| Action::RunOut { enrollment }));
        if let Some(worker) = world.free_worker() {
            actions.extend(all.clone().map(|enrollment| Action::Reconcile { worker, enrollment }));
        }
        if world.left.reports > 0 {
            for enrollment in all {
                let reports = self.reports(world, enrollment).into_iter();
                actions.extend(reports.map(|report| Action::Report { enrollment, report }));
            }
        }
        if world.left.opt_outs > 0 {
            actions.push(Action::OptOut);
        }
        if world.left.losses > 0 {
            actions.extend((!world.stream.is_empty()).then_some(Action::LoseRecord));
            actions.extend(world.timers.iter().map(|timer| Action::LoseTimer { timer: *timer }));
            actions.extend(world.queue.iter().map(|message| Action::LoseMessage { message: *message }));
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = self.happens(before, action)?;
        world.broken = self.promises.iter().copied().find(|promise| !promise.holds(self, before, &world));
        world.forget();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(KEPT, |_, world: &World| world.broken.is_none())]
    }
}

/// The one property that is checked: each of the protocol's promises.
pub(crate) const KEPT: &str = "every promise is kept";

impl Protocol {
    /// The world after that; `None` if it changes nothing.
    pub(crate) fn happens(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Call { worker } => self.call(&mut world, worker),
            Action::CallUnanswered { worker, arrives } => self.claim_unanswered(&mut world, worker, arrives),
            Action::Deliver { worker, answer } => self.deliver(&mut world, worker, answer),
            Action::Die { worker } => {
                world.left.deaths -= 1;
                world.fail(worker);
            }
            Action::Schedule { again } => world.schedule(again),
            Action::Fire { timer, again } => world.fire(timer, again)?,
            Action::Receive { worker, message, again } => {
                if again {
                    world.left.mishaps -= 1;
                } else {
                    world.queue.remove(&message);
                }
                self.receive(&mut world, worker, message);
            }
            Action::Reconcile { worker, enrollment } => self.look_at(&mut world, worker, enrollment),
            Action::RunOut { enrollment } => self.run_out(&mut world, enrollment),
            Action::Report { enrollment, report } => self.report(&mut world, enrollment, report),
            Action::OptOut => self.opt_out(&mut world),
            Action::LoseRecord => {
                world.left.losses -= 1;
                world.stream.remove(0);
            }
            Action::LoseTimer { timer } => {
                world.left.losses -= 1;
                world.timers.remove(&timer);
            }
            Action::LoseMessage { message } => {
                world.left.losses -= 1;
                world.queue.remove(&message);
            }
        }
        (world != *before).then_some(world)
    }

    /// What a worker may do next, and what may befall it.
    fn at_work(&self, world: &World, worker: usize, actions: &mut Vec<Action>) {
        match &world.workers[worker] {
            Worker::Idle => return,
            Worker::Deliver(claimed) => {
                // A task's notice decides nothing, so it doesn't matter what comes of it.
                let is_task = self.step(claimed.claim.tried.key) == Step::Task;
                let answers =
                    if is_task || world.left.refusals == 0 { &[Answer::Accepted][..] } else { &Answer::ALL[..] };
                actions.extend(answers.iter().map(|answer| Action::Deliver { worker, answer: *answer }));
            }
            Worker::Claim { .. } => {
                actions.push(Action::Call { worker });
                if world.left.mishaps > 0 {
                    actions.extend([true, false].map(|arrives| Action::CallUnanswered { worker, arrives }));
                }
            }
            Worker::Load { .. }
            | Worker::Record(..)
            | Worker::Settle(..)
            | Worker::Commit { .. }
            | Worker::Requeue(_) => {
                actions.push(Action::Call { worker });
            }
        }
        if world.left.deaths > 0 {
            actions.push(Action::Die { worker });
        }
    }

    /// What the stream, timers and queues deliver: at least once, late, and messages in any order.
    fn deliveries(&self, world: &World, actions: &mut Vec<Action>) {
        for again in [false, true] {
            if again && world.left.mishaps == 0 {
                continue;
            }
            actions.extend((!world.stream.is_empty()).then_some(Action::Schedule { again }));
            actions.extend(world.timers.iter().map(|timer| Action::Fire { timer: *timer, again }));
            if let Some(worker) = world.free_worker() {
                actions.extend(world.queue.iter().map(|message| Action::Receive { worker, message: *message, again }));
            }
        }
    }

    /// What may be reported of an enrollment.
    pub(crate) fn reports(&self, world: &World, enrollment: u8) -> Vec<Report> {
        let tried = world.effects.keys().map(|tried| tried.key).filter(|key| key.enrollment == enrollment);
        let unanswered = tried.filter(|key| self.step(*key) == Step::Call).map(Report::NoAnswer);
        [Report::Ends, Report::Pauses].into_iter().chain(unanswered).collect()
    }
}
