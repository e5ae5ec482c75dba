//! The protocol, right or broken, and the bounds within which it is looked at.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Mutex,
};

use crate::{
    broken::Broken,
    promises::Promise,
    world::{Act, Due, Enrollment, Key, Lead, Next, Progress, State, Try, Worker, World},
};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A text or an email.
    Text,
    /// An AI call, whose outcome the cadence waits for.
    Call,
    /// A task for a user, written when its claim settles.
    Task,
}

/// Where the protocol is looked at: what bounds the model.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// The steps of every enrollment.
    pub(crate) cadence: &'static [Step],
    /// How many enrollments the lead has.
    pub(crate) enrollments: u8,
    /// How often the lead may be reached in a day.
    pub(crate) cap: usize,
    /// What may go wrong, or arrive.
    pub(crate) chances: Chances,
}

/// How much may go wrong, or arrive, in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Chances {
    /// Invocations that die, or run into their timeout.
    pub(crate) deaths: u8,
    /// Answers of the vendor other than that it was accepted.
    pub(crate) refusals: u8,
    /// Deliveries that come twice, and answers that get lost.
    pub(crate) mishaps: u8,
    /// Records, timers and messages that get lost for good, in a dead-letter queue.
    pub(crate) losses: u8,
    /// Reports of what came of a step.
    pub(crate) reports: u8,
    /// Opt-outs.
    pub(crate) opt_outs: u8,
}

impl Chances {
    pub(crate) const NONE: Self = Self { deaths: 0, refusals: 0, mishaps: 0, losses: 0, reports: 0, opt_outs: 0 };
}

impl Scene {
    pub(crate) fn text(chances: Chances) -> Self {
        Self { cadence: &[Step::Text], enrollments: 1, cap: 9, chances }
    }

    pub(crate) fn two_texts(chances: Chances) -> Self {
        Self { cadence: &[Step::Text, Step::Text], ..Self::text(chances) }
    }

    pub(crate) fn call(chances: Chances) -> Self {
        Self { cadence: &[Step::Call], ..Self::text(chances) }
    }

    pub(crate) fn task_and_text(chances: Chances) -> Self {
        Self { cadence: &[Step::Task, Step::Text], ..Self::text(chances) }
    }

    /// Two enrollments of one lead, of whom only one may reach it today.
    pub(crate) fn two_cadences(chances: Chances) -> Self {
        Self { enrollments: 2, cap: 1, ..Self::text(chances) }
    }
}

/// The protocol, right or broken.
#[derive(Debug)]
pub(crate) struct Protocol {
    pub(crate) scene: Scene,
    /// What is done wrong.
    pub(crate) broken: Option<Broken>,
    /// What is checked.
    pub(crate) promises: Vec<Promise>,
    /// Worlds that are known to come to an end, by fingerprint.
    pub(crate) ends: Mutex<HashSet<u64>>,
}

impl Protocol {
    /// The protocol as it is.
    pub(crate) fn right(scene: Scene) -> Self {
        Self { scene, broken: None, promises: Promise::ALL.to_vec(), ends: Mutex::default() }
    }

    /// The protocol without one of its parts.
    pub(crate) fn broken(broken: Broken, breaks: Promise, scene: Scene) -> Self {
        Self { broken: Some(broken), promises: vec![breaks], ..Self::right(scene) }
    }

    pub(crate) fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    pub(crate) fn step(&self, key: Key) -> Step {
        self.scene.cadence[usize::from(key.step)]
    }

    /// A lead has just been enrolled: each enrollment's first step is due, and the stream says so.
    pub(crate) fn begin(&self) -> World {
        let enrollments: Vec<_> = (0..self.scene.enrollments).map(first).collect();
        World {
            lead: Lead { revision: 1, opted_out: false, touches: BTreeMap::new() },
            stream: enrollments.iter().map(|begun| self.scheduling(None, begun)).collect(),
            enrollments,
            attempts: BTreeMap::new(),
            outcomes: BTreeSet::new(),
            timers: BTreeSet::new(),
            queue: BTreeSet::new(),
            workers: [Worker::Idle, Worker::Idle],
            effects: BTreeMap::new(),
            effects_today: 0,
            left: self.scene.chances,
            broken: None,
        }
    }

    pub(crate) fn is_known_to_end(&self, fingerprint: u64) -> bool {
        self.ends.lock().unwrap().contains(&fingerprint)
    }

    pub(crate) fn remember(&self, fingerprints: Vec<u64>) {
        self.ends.lock().unwrap().extend(fingerprints);
    }
}

fn first(enrollment: u8) -> Enrollment {
    let tried = Try { key: Key { enrollment, step: 0, round: 1 }, number: 1 };
    let next = Next { act: Act::Run, tried, due: Due::Now };
    let progress = Progress { state: State::Active, generation: 1, next: Some(next) };
    Enrollment { id: enrollment, progress, claim: None }
}
