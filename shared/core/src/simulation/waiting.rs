//! What is due next, and why not sooner.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::World;
use crate::{
    StepId, TaskId,
    calendar::{Shut, ceil_to_second},
    course::{self, Leg},
    enrollment::{Act, Claim, Next},
    gate::{self, Slot},
    records::Step,
    settle,
    time::Wait,
    timeline::EntryKind,
};

/// What is due next, and why not sooner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Since when.
    pub at: DateTime<Utc>,
    /// The step that is due, or whose outcome is waited for.
    pub step: StepId,
    /// Which round of it.
    pub round: u32,
    /// Whether it runs then, or is no longer waited for.
    pub act: Act,
    /// When the step could run if it had to keep neither hours nor caps.
    pub ready_at: DateTime<Utc>,
    /// When it is due.
    pub until: DateTime<Utc>,
    /// Why not sooner, in the order of time.
    pub because: Vec<Reason>,
}

/// Why a step is not due sooner. Each holds until its instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The step's own wait.
    Wait {
        /// How long.
        wait: Wait,
        /// From when that step was due; `None` for the lead's arrival.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<StepId>,
        /// When it is over.
        until: DateTime<Utc>,
    },
    /// The wait between two rounds of the step.
    Every {
        /// How long.
        every: Wait,
        /// When it is over.
        until: DateTime<Utc>,
    },
    /// The step's outcome is waited for.
    Hold {
        /// Until when at most.
        until: DateTime<Utc>,
    },
    /// The last try was certainly not sent, and the next one comes later.
    Retry {
        /// When.
        until: DateTime<Utc>,
    },
    /// The lead had its share of contacts.
    Cap {
        /// The cap, in words.
        cap: String,
        /// When it allows one more.
        until: DateTime<Utc>,
    },
    /// Hours were shut.
    Hours(Shut),
}

/// How an enrollment stood before something happened; by default it had not begun.
#[derive(Default)]
pub(super) struct Stood {
    generation: u64,
    next: Option<Next>,
    claims: usize,
    pub(super) open: Vec<TaskId>,
}

impl Stood {
    pub(super) fn of(world: &World) -> Self {
        let progress = &world.context.enrollment.progress;
        Self {
            generation: progress.generation,
            next: progress.next.clone(),
            claims: world.claims.len(),
            open: world.context.open_tasks.iter().map(|task| task.id.clone()).collect(),
        }
    }
}

impl World {
    /// What is waited for since something happened at `now`; `None` if it is what was waited for before.
    pub(super) fn waiting(&self, stood: &Stood, now: DateTime<Utc>) -> Option<Waiting> {
        let enrollment = &self.context.enrollment;
        let is_new = stood.generation != enrollment.progress.generation;
        let next = enrollment.progress.next.as_ref().filter(|_| is_new && enrollment.is_active())?;
        let step = self.context.cadence.step(&next.step)?;
        let claim = self.claims.get(stood.claims..).and_then(<[_]>::last).map(|taken| &taken.claim);
        let now = ceil_to_second(now);
        let (mut because, ready_at) = match next.act {
            Act::ExpireHold => (vec![Reason::Hold { until: next.due_at }], next.due_at),
            Act::Run => self.readiness(stood, claim, next, step, now),
        };
        let told_until = because.last().map_or(now, Reason::until);
        because
            .extend(self.context.calendar().shut(step.action, told_until, next.due_at).into_iter().map(Reason::Hours));
        let (step, round, act) = (next.step.clone(), next.round, next.act);
        Some(Waiting { at: now, step, round, act, ready_at, until: next.due_at, because })
    }

    /// Why the step can't run sooner, hours aside, and when it could.
    fn readiness(
        &self,
        stood: &Stood,
        claim: Option<&Claim>,
        next: &Next,
        step: &Step,
        now: DateTime<Utc>,
    ) -> (Vec<Reason>, DateTime<Utc>) {
        let reason = if self.entries.iter().any(|entry| entry.kind == EntryKind::Deferred) {
            self.cap(step, now)
        } else if let (true, Some(claim)) = (next.try_number > 1, claim) {
            Some(Reason::Retry { until: ceil_to_second(now + settle::backoff(claim.try_number)) })
        } else {
            self.wait(stood, claim, next, step, now)
        };
        let reason = reason.filter(|reason| reason.until() > now);
        // A cap shifts a step as hours do.
        let is_shift = matches!(reason, Some(Reason::Cap { .. }));
        let ready_at = reason.as_ref().filter(|_| !is_shift).map_or(now, Reason::until);
        (reason.into_iter().collect(), ready_at)
    }

    /// The wait that the engine counted: from the step before, from when something was heard, or from the lead's arrival.
    fn wait(
        &self,
        stood: &Stood,
        claim: Option<&Claim>,
        next: &Next,
        step: &Step,
        now: DateTime<Utc>,
    ) -> Option<Reason> {
        let calendar = self.context.calendar();
        let last = stood.next.as_ref();
        let due_at = match (claim, last) {
            (Some(claim), _) => course::base(claim.step_due_at, claim.claimed_at),
            (None, Some(last)) => last.step_due_at,
            (None, None) => now,
        };
        // A step that leads back to itself waits as it does each time it is come to; a redial waits as its rounds do.
        let every = step.every.as_ref().filter(|_| last.is_some_and(|last| last.step == next.step));
        let ready_at =
            |due_at, wait| course::ready_at(&calendar, Leg { step, round: 0, due_at, held_until: Some(now) }, wait);
        let counted = every.into_iter().chain([&step.wait]);
        let (wait, from, until) = counted
            .flat_map(|wait| [due_at, now].map(|from| (wait, from, ready_at(from, wait))))
            .find(|(_, _, until)| calendar.opening(step.action, *until).from == next.due_at)?;
        let after = last.map(|last| last.step.clone()).filter(|_| from == due_at);
        Some(match every.filter(|every| *every == wait) {
            Some(every) => Reason::Every { every: every.clone(), until },
            None => Reason::Wait { wait: wait.clone(), after, until },
        })
    }

    /// The cap that a step which is deferred now waits for, if it is one.
    fn cap(&self, step: &Step, now: DateTime<Utc>) -> Option<Reason> {
        let context = &self.context;
        let asks = gate::asks_user(step.action, context.lead.consent, context.enrollment.progress.stale);
        let kind = gate::touch_kind(step.action, asks)?;
        match gate::next_slot(kind, &context.lead, &context.settings, now) {
            Slot::NotBefore { at, cap } => Some(Reason::Cap { cap: cap.to_string(), until: at }),
            Slot::Now | Slot::Never => None,
        }
    }
}

impl Reason {
    /// When it no longer holds.
    pub fn until(&self) -> DateTime<Utc> {
        match self {
            Self::Wait { until, .. } | Self::Every { until, .. } | Self::Hold { until } => *until,
            Self::Retry { until } | Self::Cap { until, .. } => *until,
            Self::Hours(shut) => shut.until,
        }
    }
}
