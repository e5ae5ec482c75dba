//! What a decision writes: one transaction, good only for the reading it was decided on.

use chrono::{DateTime, Utc};

use crate::{
    Outcome, StepId, TaskId, UserId,
    attempt::{Attempt, StepOutcome},
    enrollment::{Act, End, Enrollment, Next, Park, Progress, State},
    lead::OptOut,
    task::{Closed, Task},
    timeline::{Entry, EntryKind},
};

/// One transaction's worth of change around one enrollment.
///
/// It is written only if the enrollment still has the generation that it was decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The enrollment as it was read.
    pub enrollment: Enrollment,
    /// Where it stands from now on; `None` leaves it where it is.
    pub progress: Option<Progress>,
    /// What changes about the lead.
    pub lead: Option<LeadChange>,
    /// What came of a step.
    pub outcome: Option<OutcomeChange>,
    /// Tasks to open.
    pub open: Vec<Task>,
    /// Tasks to close.
    pub close: Vec<(TaskId, Closed)>,
    /// What the timeline says of it.
    pub entries: Vec<Entry>,
    /// The enrollment in another cadence that begins as this one ends.
    pub enroll: Option<Enrollment>,
}

/// What changes about a lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeadChange {
    /// The lead gets a loan officer, if its revision is still the one that was read.
    Owner {
        /// The revision that was read.
        revision: u64,
        /// The loan officer.
        user: UserId,
    },
    /// The lead closes a channel, whatever its revision.
    OptOut {
        /// What it closes.
        closes: OptOut,
        /// The keyed hash of the address that stays closed for good.
        address_hash: Option<String>,
        /// When.
        at: DateTime<Utc>,
    },
}

/// What came of a step, over what was known of it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeChange {
    /// What was stored when this was decided; written only if it still is.
    pub previous: Option<Outcome>,
    /// What is stored from now on.
    pub now: StepOutcome,
}

/// How a claim is settled: the attempt first, then the rest in one transaction that also clears the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The try and what the vendor said.
    pub attempt: Attempt,
    /// What the timeline says of the try; `None` where the change says it.
    pub entry: Option<Entry>,
    /// Where it leads; left out if the enrollment moved on while the claim lived.
    pub change: Option<Change>,
    /// True if nothing was sent, so that the caps' slot is given back.
    pub returns_touch: bool,
}

impl Change {
    /// A change of nothing yet.
    pub fn of(enrollment: &Enrollment) -> Self {
        Self {
            enrollment: enrollment.clone(),
            progress: None,
            lead: None,
            outcome: None,
            open: Vec::new(),
            close: Vec::new(),
            entries: Vec::new(),
            enroll: None,
        }
    }

    /// Adds an entry to the timeline, placed in the enrollment.
    pub fn note(&mut self, entry: Entry) {
        self.entries.push(Entry {
            enrollment: Some(self.enrollment.id.clone()),
            cadence: Some(self.enrollment.cadence.clone()),
            ..entry
        });
    }

    /// Moves the enrollment to what is due next.
    pub fn go(&mut self, next: Next) {
        let progress = self.next_generation();
        progress.state = State::Active;
        let reached = progress.rounds.entry(next.step.clone()).or_insert(0);
        *reached = next.round.max(*reached);
        progress.next = Some(next);
    }

    /// Rests the enrollment where it is.
    pub fn park(&mut self, why: Park, at: DateTime<Utc>, text: &str) {
        self.next_generation().state = State::Parked { why };
        self.note(Entry::new(EntryKind::Parked, &self.enrollment.lead, at).text(text));
    }

    /// Leaves an enrollment that rests at rest, wherever it moved on to: only a release lets it go.
    pub fn stay_parked(&mut self) {
        let read = &self.enrollment.progress.state;
        if let (State::Parked { .. }, Some(progress)) = (read, &mut self.progress)
            && progress.state == State::Active
        {
            progress.state = read.clone();
        }
    }

    /// Ends the enrollment and closes its open tasks.
    pub fn end(&mut self, why: End, at: DateTime<Utc>, text: &str, open_tasks: &[Task]) {
        let progress = self.next_generation();
        progress.state = State::Ended { why };
        progress.next = None;
        for task in open_tasks {
            if self.close.iter().all(|(id, _)| *id != task.id) {
                self.close.push((task.id.clone(), Closed { outcome: Outcome::Skipped, at, by: None }));
            }
        }
        self.note(Entry::new(EntryKind::Ended, &self.enrollment.lead, at).text(text));
    }

    /// The progress that this change writes, one generation on; the same one if called again.
    pub fn next_generation(&mut self) -> &mut Progress {
        let read = &self.enrollment.progress;
        self.progress.get_or_insert_with(|| Progress { generation: read.generation + 1, ..read.clone() })
    }
}

impl Next {
    /// An entry about this step.
    pub fn entry(&self, kind: EntryKind, enrollment: &Enrollment, at: DateTime<Utc>) -> Entry {
        Entry {
            step: Some(self.step.clone()),
            round: Some(self.round),
            try_number: Some(self.try_number),
            channel: Some(self.channel),
            ..Entry::new(kind, &enrollment.lead, at)
        }
    }

    /// The first try of a step's round, due at `due_at`.
    pub fn run(step: &StepId, channel: crate::Channel, round: u32, due_at: DateTime<Utc>) -> Self {
        Self { act: Act::Run, step: step.clone(), round, try_number: 1, due_at, step_due_at: due_at, channel }
    }
}
