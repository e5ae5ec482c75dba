//! What a decision writes: one transaction, good only for the reading it was decided on.

use std::collections::BTreeSet;

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
    /// When it was decided.
    pub at: DateTime<Utc>,
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
    /// The lead closes a channel, if its revision is still the one that was read: since then a task may have been opened that this closes.
    OptOut {
        /// The revision that was read.
        revision: u64,
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
    /// What the timeline says of it, and where it leads; nowhere if the enrollment moved on while the claim lived.
    pub change: Change,
    /// True if nothing was sent, so that the caps' slot is given back.
    pub returns_touch: bool,
}

impl Change {
    /// A change of nothing yet, decided at that instant.
    pub fn of(enrollment: &Enrollment, at: DateTime<Utc>) -> Self {
        Self {
            at,
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

    /// The lead's revision that it was decided on, where it is good for no other.
    pub fn read_revision(&self) -> Option<u64> {
        match self.lead.as_ref()? {
            LeadChange::Owner { revision, .. } | LeadChange::OptOut { revision, .. } => Some(*revision),
        }
    }

    /// What the lead must not have closed: nobody is asked to do what it closed meanwhile.
    pub fn needs_open(&self) -> BTreeSet<OptOut> {
        self.open.iter().filter_map(|task| task.kind.closed_by()).collect()
    }

    /// Whether whoever decided on the lead as it was has to decide again: whoever closes a channel without knowing of a task there, for one.
    pub fn bumps_revision(&self) -> bool {
        self.lead.is_some() || self.enroll.is_some() || !self.needs_open().is_empty()
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
    pub fn park(&mut self, why: Park, text: &str) {
        self.next_generation().state = State::Parked { why };
        self.note(Entry::new(EntryKind::Parked, &self.enrollment.lead, self.at).text(text));
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

    /// Ends the enrollment and closes what users were asked to do for it; what a person has to look at or to take up stays.
    pub fn end(&mut self, why: End, text: &str, open_tasks: &[Task]) {
        let progress = self.next_generation();
        progress.state = State::Ended { why };
        progress.next = None;
        let id = &self.enrollment.id;
        for task in open_tasks.iter().filter(|task| task.kind.ends_with_cadence() && task.id.key.enrollment == *id) {
            if self.close.iter().all(|(id, _)| *id != task.id) {
                self.close.push((task.id.clone(), Closed::skipped(self.at)));
            }
        }
        self.note(Entry::new(EntryKind::Ended, &self.enrollment.lead, self.at).text(text));
    }

    /// The progress that this change writes, one generation on; the same one if called again. Where it is the first of another version
    /// than the stored one, the timeline says so.
    pub fn next_generation(&mut self) -> &mut Progress {
        if self.progress.is_none() {
            self.entries.splice(0..0, self.version_changed());
        }
        let read = &self.enrollment.progress;
        self.progress.get_or_insert_with(|| Progress { generation: read.generation + 1, ..read.clone() })
    }

    /// Adds an entry before all that came of what it tells.
    pub(crate) fn note_first(&mut self, entry: Entry) {
        let first = usize::from(self.entries.first().is_some_and(|first| first.kind == EntryKind::VersionChanged));
        self.entries.insert(first, entry);
    }

    /// What the timeline says where the enrollment as it was read follows a newer version than is stored.
    fn version_changed(&self) -> Option<Entry> {
        let read = &self.enrollment;
        let version = |number: u32| Some(format!("version {number}"));
        let entry = Entry {
            enrollment: Some(read.id.clone()),
            cadence: Some(read.cadence.clone()),
            from: version(read.stored_version?),
            to: version(read.progress.version),
            ..Entry::new(EntryKind::VersionChanged, &read.lead, self.at)
        };
        Some(entry.text("its record applies to everyone"))
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
        Self {
            act: Act::Run,
            step: step.clone(),
            round,
            try_number: 1,
            due_at,
            step_due_at: due_at,
            channel,
            overdue_for: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Channel,
        fixtures::{World, accepted, begun, minutes, reference, tuesday, unknown},
    };

    fn change() -> Change {
        Change::of(&begun(&reference(), tuesday()), tuesday())
    }

    #[test]
    fn a_change_of_nothing_writes_nothing() {
        let change = change();
        assert_eq!((change.progress, change.lead, change.outcome, change.enroll), (None, None, None, None));
        assert!(change.open.is_empty() && change.close.is_empty() && change.entries.is_empty());
    }

    #[test]
    fn a_change_is_one_generation_on_however_much_of_it_there_is() {
        let mut change = change();
        change.next_generation().stale = true;
        change.go(Next::run(&"intro-text".into(), Channel::Sms, 1, tuesday()));
        change.park(Park::Outcome, "rests");
        let progress = change.progress.unwrap();
        assert_eq!((progress.generation, progress.stale), (2, true));
        assert_eq!(progress.state, State::Parked { why: Park::Outcome });
        assert_eq!(progress.next.unwrap().step.as_str(), "intro-text", "what rests keeps what was due");
    }

    #[test]
    fn rounds_only_grow() {
        let mut change = change();
        for (round, reached) in [(3, 3), (2, 3), (4, 4)] {
            change.go(Next::run(&"first-call".into(), Channel::Call, round, tuesday()));
            assert_eq!(change.progress.as_ref().unwrap().rounds[&StepId::from("first-call")], reached);
        }
    }

    #[test]
    fn an_end_leaves_nothing_due_and_closes_each_open_task_once() {
        let mut world = World::new(reference(), tuesday());
        world.run(accepted(), tuesday());
        let tasks = world.context.open_tasks.clone();
        let mut change = Change::of(&world.context.enrollment, tuesday());
        let own = Closed { outcome: Outcome::Connected, at: tuesday(), by: Some("lo-riley".into()) };
        change.close.push((tasks[0].id.clone(), own.clone()));
        change.end(End::Completed, "done", &tasks);
        assert_eq!(change.close, [(tasks[0].id.clone(), own)], "a word that was given is not overwritten");
        assert_eq!(change.progress.unwrap().next, None);
        assert_eq!(change.entries.last().map(|entry| entry.kind), Some(EntryKind::Ended));

        let mut change = Change::of(&world.context.enrollment, tuesday());
        change.end(End::Completed, "done", &tasks);
        assert_eq!(change.close[0].1, Closed::skipped(tuesday()));
    }

    #[test]
    fn an_end_leaves_open_what_a_person_has_to_look_at() {
        let mut world = World::new(reference(), tuesday());
        world.run(accepted(), tuesday());
        world.run(unknown(), tuesday());
        assert_eq!(world.open(), ["first-call", "intro-text~review"]);
        let mut change = Change::of(&world.context.enrollment, tuesday());
        change.end(End::Completed, "done", &world.context.open_tasks);
        world.commit(change);
        assert_eq!(world.open(), ["intro-text~review"], "nobody knows yet whether the text was sent");
    }

    #[test]
    fn what_rests_stays_at_rest_unless_it_ends() {
        let mut enrollment = begun(&reference(), tuesday());
        let rests = State::Parked { why: Park::Outcome };
        for (before, after) in [(State::Active, State::Active), (rests.clone(), rests)] {
            enrollment.progress.state = before;
            let mut change = Change::of(&enrollment, tuesday());
            change.stay_parked();
            assert_eq!(change.progress, None, "nothing is written for it");
            change.go(Next::run(&"intro-text".into(), Channel::Sms, 1, tuesday()));
            change.stay_parked();
            assert_eq!(change.progress.as_ref().unwrap().state, after);
            change.end(End::Completed, "done", &[]);
            change.stay_parked();
            assert_eq!(change.progress.unwrap().state, State::Ended { why: End::Completed });
        }
    }

    #[test]
    fn an_entry_is_placed_in_its_enrollment_and_step() {
        let mut change = change();
        let next = Next { try_number: 2, ..Next::run(&"intro-text".into(), Channel::Sms, 3, tuesday()) };
        change.note(next.entry(EntryKind::Sent, &change.enrollment, tuesday() + minutes(1)));
        let entry = &change.entries[0];
        assert_eq!(
            (&entry.enrollment, &entry.cadence),
            (&Some(change.enrollment.id), &Some(change.enrollment.cadence))
        );
        assert_eq!((entry.round, entry.try_number, entry.channel), (Some(3), Some(2), Some(Channel::Sms)));
        assert_eq!((&entry.lead, entry.at), (&change.enrollment.lead, tuesday() + minutes(1)));
    }
}
