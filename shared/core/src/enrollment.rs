//! An enrollment: one lead's run through one version of a cadence.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    CadenceId, Channel, ClaimId, EnrollmentId, LeadId, Outcome, StepId, StepKey, UserId,
    records::{ApplyTo, Cadence},
};

/// One lead's run through one version of a cadence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrollment {
    /// Which enrollment.
    pub id: EnrollmentId,
    /// Whose.
    pub lead: LeadId,
    /// Through what.
    pub cadence: CadenceId,
    /// When it began.
    pub enrolled_at: DateTime<Utc>,
    /// Where it stands.
    pub progress: Progress,
    /// Who is delivering right now. Written and cleared apart from `progress`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub claim: Option<Claim>,
    /// The version that is stored, where this reading follows a newer one.
    #[serde(skip)]
    pub stored_version: Option<u32>,
}

/// Where an enrollment stands. Replaced as a whole, on condition of the generation it was decided on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The pinned version of the cadence.
    pub version: u32,
    /// Whether it goes on.
    pub state: State,
    /// Grows with every change of progress, and by that retires timers and messages of earlier ones.
    pub generation: u64,
    /// The one thing that is due next; `None` once it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<Next>,
    /// The highest round that each step has reached.
    #[serde(default)]
    pub rounds: BTreeMap<StepId, u32>,
    /// True until the first text or AI call of a lead that arrived too old for an instant one; that touch becomes a task.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub stale: bool,
}

/// Whether an enrollment goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// It runs.
    Active,
    /// It rests where it is.
    Parked {
        /// Why.
        why: Park,
    },
    /// It is over.
    Ended {
        /// Why.
        why: End,
    },
}

/// Why an enrollment rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Park {
    /// Its cadence is paused; released when that is live again.
    CadencePaused,
    /// Nobody is licensed in the lead's state; released when somebody is.
    NoLicensedOwner,
    /// An outcome asked for a pause; its owner has a task, and lets it go on by completing that.
    Outcome,
    /// A user let it go on while something was being delivered; released once that is settled.
    Resumed,
}

/// Why an enrollment is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The last step is done.
    Completed,
    /// An outcome ended it.
    Outcome(Outcome),
    /// An outcome moved the lead to another cadence.
    Switched(CadenceId),
    /// Its cadence was archived.
    Archived,
}

/// What is due next, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// What to do then.
    pub act: Act,
    /// With which step.
    pub step: StepId,
    /// Which round of it.
    pub round: u32,
    /// Which try of that round; grows only after a try that was certainly not sent.
    #[serde(rename = "try")]
    pub try_number: u32,
    /// When; whole seconds.
    pub due_at: DateTime<Utc>,
    /// The step's own due instant, from which the next step's wait counts.
    pub step_due_at: DateTime<Utc>,
    /// Whose queue it goes on.
    pub channel: Channel,
    /// Who was asked first and didn't do it in time: this once, somebody else is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overdue_for: Option<UserId>,
}

/// What a due instant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Run the step.
    Run,
    /// Stop waiting for the step's outcome.
    ExpireHold,
}

/// One invocation's exclusive right to deliver one try of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The invocation that holds it.
    pub id: ClaimId,
    /// The step.
    pub step: StepId,
    /// The round.
    pub round: u32,
    /// The try.
    #[serde(rename = "try")]
    pub try_number: u32,
    /// When it was taken.
    pub claimed_at: DateTime<Utc>,
    /// Until when nobody else may settle it.
    pub lease_until: DateTime<Utc>,
    /// The step's own due instant at the time.
    pub step_due_at: DateTime<Utc>,
    /// The version that it was taken on, which may be newer than the one that is stored: it is settled on that.
    pub version: u32,
    /// The generation that it was taken on: settling moves the enrollment only if that is still the one.
    pub generation: u64,
    /// What it is for.
    pub effect: Effect,
    /// Who is asked, where it is for a task: the notice went to them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserId>,
}

/// What a claim is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the effects")]
pub enum Effect {
    Sms,
    Email,
    AiCall,
    Task,
}

/// How long a claim is its holder's: longer than a function can run (60 s).
pub const LEASE: TimeDelta = TimeDelta::seconds(90);

impl Enrollment {
    /// The enrollment on the newest version, where that is for everyone: between steps, and if what is due still exists in it.
    pub fn repinned(mut self, current: &Cadence, version: u32) -> Self {
        let is_between_steps = self.claim.is_none() && self.is_active();
        let next = self.progress.next.as_ref();
        let still_exists = next.is_some_and(|next| current.step(&next.step).is_some());
        if current.apply_to == ApplyTo::Everyone && is_between_steps && still_exists && self.progress.version != version
        {
            self.stored_version = Some(std::mem::replace(&mut self.progress.version, version));
        }
        self
    }

    /// The enrollment on the version that it was claimed on, so that whoever settles the claim does what its holder would.
    pub fn as_claimed(mut self) -> Self {
        let claim = self.claim.as_ref().filter(|claim| claim.generation == self.progress.generation);
        if let Some(version) = claim.map(|claim| claim.version).filter(|version| *version != self.progress.version) {
            self.stored_version = Some(std::mem::replace(&mut self.progress.version, version));
        }
        self
    }

    /// The step that is claimed, else the one that is due.
    pub fn step_in_hand(&self) -> Option<&StepId> {
        let claimed = self.claim.as_ref().map(|claim| &claim.step);
        claimed.or_else(|| self.progress.next.as_ref().map(|next| &next.step))
    }

    /// Who was asked first to do the step in hand and didn't do it in time.
    pub fn overdue_for(&self) -> Option<&UserId> {
        self.progress.next.as_ref().and_then(|next| next.overdue_for.as_ref())
    }

    /// The step key that is due next.
    pub fn next_key(&self) -> Option<StepKey> {
        self.progress.next.as_ref().map(|next| self.key(&next.step, next.round))
    }

    /// The key of a round of a step.
    pub fn key(&self, step: &StepId, round: u32) -> StepKey {
        StepKey { enrollment: self.id.clone(), step: step.clone(), round }
    }

    /// Whether it may still do something.
    pub fn is_active(&self) -> bool {
        self.progress.state == State::Active
    }

    /// Whether it is over.
    pub fn has_ended(&self) -> bool {
        matches!(self.progress.state, State::Ended { .. })
    }

    /// The claim, while its holder may still be at work.
    pub fn live_claim(&self, now: DateTime<Utc>) -> Option<&Claim> {
        self.claim.as_ref().filter(|claim| claim.lease_until > now)
    }

    /// What a timer or queue message for what is due next says.
    pub fn step_due(&self) -> StepDue {
        StepDue { lead: self.lead.clone(), enrollment: self.id.clone(), generation: self.progress.generation }
    }
}

/// A timer's input and a queue message's body: ids only, so that neither can carry stale or personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDue {
    /// The lead.
    pub lead: LeadId,
    /// The enrollment.
    pub enrollment: EnrollmentId,
    /// The generation that it was made for.
    pub generation: u64,
}

impl StepDue {
    /// The timer's name: deterministic, so that making it twice makes one.
    pub fn timer_name(&self) -> String {
        format!("{}-{}", self.enrollment, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        fixtures::{World, accepted, begun, reference, tuesday},
        timeline::EntryKind,
    };

    /// A claimed enrollment in the middle of its cadence.
    fn claimed() -> Enrollment {
        let mut world = World::new(reference(), tuesday());
        world.run(accepted(), tuesday());
        let crate::plan::Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
        world.claim(&plan, tuesday());
        world.0.context.enrollment
    }

    #[test]
    fn an_enrollment_reads_back_as_it_is_stored() {
        for enrollment in [begun(&reference(), tuesday()), claimed()] {
            let stored = serde_json::to_value(&enrollment).unwrap();
            assert_eq!(serde_json::from_value::<Enrollment>(stored).unwrap(), enrollment);
        }
        for (state, stored) in [
            (State::Active, json!({"is": "active"})),
            (State::Parked { why: Park::NoLicensedOwner }, json!({"is": "parked", "why": "no_licensed_owner"})),
            (State::Ended { why: End::Completed }, json!({"is": "ended", "why": "completed"})),
            (
                State::Ended { why: End::Outcome(Outcome::Connected) },
                json!({"is": "ended", "why": {"outcome": "connected"}}),
            ),
            (State::Ended { why: End::Switched("b".into()) }, json!({"is": "ended", "why": {"switched": "b"}})),
        ] {
            assert_eq!(serde_json::to_value(&state).unwrap(), stored);
            assert_eq!(serde_json::from_value::<State>(stored).unwrap(), state);
        }
    }

    #[test]
    fn what_a_record_of_long_ago_lacks_is_read_as_nothing() {
        let mut stored: Value = serde_json::to_value(begun(&reference(), tuesday())).unwrap();
        let progress = stored["progress"].as_object_mut().unwrap();
        assert!(!progress.contains_key("stale"), "what is false takes no room");
        progress.remove("rounds");
        progress.remove("next");
        let read: Enrollment = serde_json::from_value(stored).unwrap();
        assert_eq!((read.progress.rounds.len(), read.progress.next, read.progress.stale), (0, None, false));
    }

    #[test]
    fn a_stored_enrollment_in_mid_work_stays_under_a_kilobyte() {
        // 1 KB is what one write unit pays for.
        let stored = serde_json::to_string(&claimed()).unwrap();
        assert!(stored.len() < 1024, "{} bytes", stored.len());
    }

    #[test]
    fn a_version_for_everyone_is_followed_between_steps_and_the_next_change_tells_it_first() {
        let everyone = Cadence { apply_to: ApplyTo::Everyone, ..reference() };
        let without_its_step = Cadence { steps: everyone.steps.iter().skip(1).cloned().collect(), ..everyone.clone() };
        for (current, version, follows) in
            [(&reference(), 2, false), (&everyone, 1, false), (&without_its_step, 2, false), (&everyone, 2, true)]
        {
            let enrollment = begun(&reference(), tuesday()).repinned(current, version);
            assert_eq!(
                (enrollment.progress.version, enrollment.stored_version),
                (1 + u32::from(follows), follows.then_some(1))
            );
            let mut world = World::new(reference(), tuesday());
            world.context.enrollment = enrollment;
            world.run(accepted(), tuesday());
            let told: Vec<EntryKind> = world.kinds();
            let expected = [EntryKind::VersionChanged, EntryKind::TaskOpened];
            assert_eq!(told, expected[usize::from(!follows)..]);
            if follows {
                let entry = &world.entries[0];
                assert_eq!((entry.from.as_deref(), entry.to.as_deref()), (Some("version 1"), Some("version 2")));
                assert_eq!((entry.at, entry.enrollment.as_ref()), (tuesday(), Some(&world.context.enrollment.id)));
            }
        }
        assert_eq!(claimed().repinned(&everyone, 2).progress.version, 1, "not while it is delivered");
        let mut claimed = claimed();
        assert_eq!(claimed.clone().as_claimed(), claimed);
        if let Some(claim) = &mut claimed.claim {
            claim.version = 2;
        }
        let read = claimed.as_claimed();
        assert_eq!((read.progress.version, read.stored_version), (2, Some(1)), "but on what it was claimed on");
    }

    #[test]
    fn a_text_of_a_new_version_is_told_after_the_version() {
        let everyone = Cadence { apply_to: ApplyTo::Everyone, ..reference() };
        let mut world = World::new(reference(), tuesday());
        world.run(accepted(), tuesday());
        world.context.enrollment = world.context.enrollment.clone().repinned(&everyone, 2);
        world.run(accepted(), tuesday());
        assert_eq!(world.kinds(), [EntryKind::TaskOpened, EntryKind::VersionChanged, EntryKind::Sent]);
        // What writes no progress writes no version either.
        let mut change = crate::change::Change::of(&begun(&reference(), tuesday()).repinned(&everyone, 2), tuesday());
        change.note_first(crate::timeline::Entry::new(EntryKind::Outcome, &"l".into(), tuesday()));
        assert_eq!(change.entries.len(), 1);
    }

    #[test]
    fn a_claim_lives_until_its_lease_ends() {
        let enrollment = claimed();
        let until = tuesday() + LEASE;
        assert!(enrollment.live_claim(until - TimeDelta::nanoseconds(1)).is_some());
        assert_eq!(enrollment.live_claim(until), None);
        assert_eq!(begun(&reference(), tuesday()).live_claim(tuesday()), None);
    }

    #[test]
    fn a_timers_name_is_its_enrollment_and_generation_and_short_enough() {
        let mut enrollment = begun(&reference(), tuesday());
        assert_eq!(enrollment.step_due().timer_name(), "0000000000000000000000000000000e-1");
        enrollment.progress.generation = u64::MAX;
        // EventBridge Scheduler takes names of up to 64 characters.
        assert!(enrollment.step_due().timer_name().len() <= 64);
    }

    #[test]
    fn a_message_carries_ids_only() {
        let due = begun(&reference(), tuesday()).step_due();
        let stored = serde_json::to_value(&due).unwrap();
        let expected = json!({"lead": due.lead, "enrollment": due.enrollment, "generation": 1});
        assert_eq!(stored, expected);
        assert_eq!(serde_json::from_value::<StepDue>(stored).unwrap(), due);
    }

    #[test]
    fn active_resting_and_over_exclude_each_other() {
        for (state, is_active, has_ended) in [
            (State::Active, true, false),
            (State::Parked { why: Park::Outcome }, false, false),
            (State::Ended { why: End::Archived }, false, true),
        ] {
            let mut enrollment = begun(&reference(), tuesday());
            enrollment.progress.state = state;
            assert_eq!((enrollment.is_active(), enrollment.has_ended()), (is_active, has_ended));
        }
    }
}
