//! One enrollment in memory, written as the store writes it: a change only over what it was decided on.

use chrono::{DateTime, Utc};

use crate::{
    ClaimId, StepKey, TaskId,
    attempt::StepOutcome,
    change::{Change, LeadChange, Settlement},
    delivery::Delivery,
    enrollment::{Claim, Enrollment},
    lead::Touch,
    overdue::{Remedy, remedy},
    plan::{Plan, StepContext, StepPlan, plan_step},
    settle::settle_step,
    timeline::Entry,
};

/// An enrollment, its lead and what became of both so far.
#[derive(Clone, Debug)]
pub struct World {
    /// As the store would load it.
    pub context: StepContext,
    /// The timeline.
    pub entries: Vec<Entry>,
    /// Every claim that was taken.
    pub claims: Vec<Taken>,
    /// The enrollment in another cadence that began as this one ended.
    pub enrolled: Option<Enrollment>,
}

/// A claim that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The claim.
    pub claim: Claim,
    /// What it was taken for.
    pub plan: StepPlan,
    /// How the try ended; `None` while nobody knows.
    pub delivery: Option<Delivery>,
}

impl Taken {
    /// Whether it reached the lead, or may have.
    pub fn reached(&self) -> bool {
        matches!(self.delivery, Some(Delivery::Accepted { .. } | Delivery::Unknown { .. }))
    }
}

/// What running the due step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// Something was tried.
    Tried,
    /// Nothing was delivered, and why is written.
    Changed,
    /// It was not, or is no longer, due.
    Nothing,
}

/// A write that is refused, because what it was decided on no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The enrollment moved on, rests, or is claimed by somebody else.
    #[error("the enrollment changed meanwhile")]
    Enrollment,
    /// The lead changed.
    #[error("the lead changed meanwhile")]
    Lead,
    /// Somebody else took the turn.
    #[error("the turn was taken meanwhile")]
    Turn,
    /// Something else is known of the step.
    #[error("what is known of the step changed meanwhile")]
    Outcome,
    /// A task to close is not open, or one to open is there, or the change names one twice.
    #[error("a task is not what the change takes it for")]
    Task,
}

impl World {
    /// A world in which nothing has happened yet.
    pub fn of(context: StepContext) -> Self {
        Self { context, entries: Vec::new(), claims: Vec::new(), enrolled: None }
    }

    /// What the enrollment's timer would bring up at `now`.
    pub fn plan(&self, now: DateTime<Utc>) -> Plan {
        plan_step(&self.context, &self.context.enrollment.step_due(), now)
    }

    /// Runs what is due at `now` as the functions do.
    pub fn run(&mut self, deliver: impl FnOnce(&StepPlan) -> Delivery, now: DateTime<Utc>) -> Result<Ran, Conflict> {
        match self.plan(now) {
            Plan::Send(plan) => {
                let delivery = deliver(&plan);
                self.claim(*plan, now)?;
                self.settle(delivery, now)?;
                return Ok(Ran::Tried);
            }
            Plan::Change(change) => self.commit(*change)?,
            Plan::Settle(settlement) => self.settled(*settlement)?,
            Plan::Skip(_) | Plan::Busy => return Ok(Ran::Nothing),
        }
        Ok(Ran::Changed)
    }

    /// What `reconcile` does at `now`. True if it changed something.
    pub fn reconcile(&mut self, now: DateTime<Utc>) -> Result<bool, Conflict> {
        match remedy(&self.context, now) {
            Remedy::Settle(settlement) => self.settled(*settlement)?,
            Remedy::Release(change) => self.commit(*change)?,
            Remedy::Requeue | Remedy::Leave => return Ok(false),
        }
        Ok(true)
    }

    /// Takes the claim that a plan asks for.
    pub fn claim(&mut self, plan: StepPlan, now: DateTime<Utc>) -> Result<Claim, Conflict> {
        let (enrollment, lead) = (&mut self.context.enrollment, &mut self.context.lead);
        let is_as_planned = plan.enrollment.progress.generation == enrollment.progress.generation;
        if !enrollment.is_active() || enrollment.claim.is_some() || !is_as_planned {
            return Err(Conflict::Enrollment);
        }
        if plan.revision != lead.revision {
            return Err(Conflict::Lead);
        }
        if let Some(turn) = &plan.turn {
            let turns = self.context.turns.entry(turn.group.clone()).or_default();
            if turns.get(&turn.user).copied() != turn.last {
                return Err(Conflict::Turn);
            }
            turns.insert(turn.user.clone(), turn.number);
        }
        let claim = plan.claim(ClaimId::new(format!("claim-{}", self.claims.len())), now);
        enrollment.claim = Some(claim.clone());
        lead.revision += 1;
        for old in &plan.drops_touches {
            lead.touches.remove(old);
        }
        if let Some(kind) = plan.touch {
            lead.touches.insert(claim.id.clone(), Touch { at: now, kind });
        }
        self.claims.push(Taken { claim: claim.clone(), plan, delivery: None });
        Ok(claim)
    }

    /// Settles the live claim with that answer.
    pub fn settle(&mut self, delivery: Delivery, now: DateTime<Utc>) -> Result<(), Conflict> {
        let taken = self.claims.last().ok_or(Conflict::Enrollment)?;
        let settlement = settle_step(&self.context, &taken.claim, &taken.plan.action, delivery, now);
        self.settled(settlement)
    }

    /// Writes how a claim was settled, and clears it.
    pub fn settled(&mut self, settlement: Settlement) -> Result<(), Conflict> {
        let claim = &settlement.attempt.claim;
        if self.context.enrollment.claim.as_ref().is_none_or(|live| live.id != *claim) {
            return Err(Conflict::Enrollment);
        }
        self.allows(&settlement.change)?;
        if let Some(taken) = self.claims.iter_mut().rev().find(|taken| taken.claim.id == *claim) {
            taken.delivery = Some(settlement.attempt.delivery.clone());
        }
        if settlement.returns_touch {
            self.context.lead.touches.remove(claim);
        }
        self.write(settlement.change);
        self.context.enrollment.claim = None;
        self.context.attempt = None;
        Ok(())
    }

    /// Writes a change.
    pub fn commit(&mut self, change: Change) -> Result<(), Conflict> {
        self.allows(&change)?;
        self.write(change);
        Ok(())
    }

    /// The strongest report so far of what came of a step.
    pub fn outcome(&self, key: &StepKey) -> Option<&StepOutcome> {
        self.context.outcomes.iter().find(|known| known.key == *key)
    }

    /// What the store's transaction asks before it writes anything.
    fn allows(&self, change: &Change) -> Result<(), Conflict> {
        let (read, stored) = (&change.enrollment, &self.context.enrollment);
        let holder = |enrollment: &Enrollment| enrollment.claim.as_ref().map(|claim| claim.id.clone());
        if read.progress.generation != stored.progress.generation || holder(read) != holder(stored) {
            return Err(Conflict::Enrollment);
        }
        let lead = &self.context.lead;
        if change.read_revision().is_some_and(|read| read != lead.revision)
            || change.needs_open().iter().any(|channel| lead.opt_outs.contains_key(channel))
        {
            return Err(Conflict::Lead);
        }
        if let Some(outcome) = &change.outcome
            && self.outcome(&outcome.now.key).map(|known| known.outcome) != outcome.previous
        {
            return Err(Conflict::Outcome);
        }
        let is_open = |id: &TaskId| self.context.open_tasks.iter().any(|task| task.id == *id);
        let closes_well =
            change.close.iter().all(|(id, _)| is_open(id) && change.open.iter().all(|task| task.id != *id));
        match closes_well && change.open.iter().all(|task| !is_open(&task.id)) {
            true => Ok(()),
            false => Err(Conflict::Task),
        }
    }

    fn write(&mut self, change: Change) {
        let context = &mut self.context;
        context.lead.revision += u64::from(change.bumps_revision());
        if let Some(progress) = change.progress {
            context.enrollment.progress = progress;
        }
        let lead = &mut context.lead;
        match change.lead {
            Some(LeadChange::Owner { user, .. }) => lead.owner = Some(user),
            Some(LeadChange::OptOut { closes, at, .. }) => drop(lead.opt_outs.entry(closes).or_insert(at)),
            None => {}
        }
        if let Some(outcome) = change.outcome {
            context.outcomes.retain(|known| known.key != outcome.now.key);
            context.outcomes.push(outcome.now);
        }
        context.open_tasks.retain(|task| change.close.iter().all(|(id, _)| *id != task.id));
        context.open_tasks.extend(change.open);
        self.entries.extend(change.entries);
        self.enrolled = change.enroll.or(self.enrolled.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Outcome, TaskId,
        apply::{Applied, apply_outcome},
        change::OutcomeChange,
        fixtures::{World, accepted, begun, later, reference, rejected, tuesday},
        task::Closed,
    };

    fn begun_world() -> super::World {
        World::new(reference(), tuesday()).0
    }

    fn planned(world: &super::World) -> StepPlan {
        match world.plan(tuesday()) {
            Plan::Send(plan) => *plan,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_claim_holds_only_for_the_enrollment_and_the_lead_that_were_planned_on() {
        let mut world = begun_world();
        let plan = planned(&world);
        world.context.lead.revision += 1;
        assert_eq!(world.claim(plan.clone(), tuesday()), Err(Conflict::Lead));
        world.context.lead.revision -= 1;
        world.context.enrollment.progress.generation += 1;
        assert_eq!(world.claim(plan.clone(), tuesday()), Err(Conflict::Enrollment));
        world.context.enrollment.progress.generation -= 1;
        assert!(world.claim(plan.clone(), tuesday()).is_ok());
        assert_eq!(world.claim(plan, tuesday()), Err(Conflict::Enrollment), "somebody holds it");
        assert_eq!(world.claims.len(), 1);
    }

    #[test]
    fn a_change_is_written_whole_or_not_at_all() {
        let mut world = begun_world();
        world.run(|_| accepted(), tuesday()).unwrap();
        let context = world.context.clone();
        let change = || Change { entries: world.entries.clone(), ..Change::of(&context.enrollment, tuesday()) };
        let report = fixture_report(&world, Outcome::Connected);
        let Applied::Change(connected) = apply_outcome(&context, &report, tuesday()) else { panic!() };
        let outcome = connected.outcome.clone().unwrap();
        let closed = Closed::skipped(tuesday());
        let nobodys = TaskId { lead: context.lead.id.clone(), key: context.enrollment.key(&"none".into(), 1) };
        let owner = LeadChange::Owner { revision: 99, user: "lo-morgan".into() };
        for (change, expected) in [
            (Change { enrollment: begun(&reference(), tuesday()), ..change() }, Conflict::Enrollment),
            (Change { lead: Some(owner), ..change() }, Conflict::Lead),
            (
                Change { outcome: Some(OutcomeChange { previous: Some(Outcome::Busy), ..outcome }), ..change() },
                Conflict::Outcome,
            ),
            (Change { close: vec![(nobodys, closed)], ..change() }, Conflict::Task),
            (Change { open: context.open_tasks.clone(), ..change() }, Conflict::Task),
        ] {
            let mut world = world.clone();
            assert_eq!(world.commit(change), Err(expected));
            assert_eq!(world.entries.len(), 1, "nothing of it is written");
        }
        assert_eq!(world.commit(*connected.clone()), Ok(()));
        assert!(world.context.enrollment.has_ended() && world.context.open_tasks.is_empty());
        assert_eq!(world.commit(*connected), Err(Conflict::Enrollment), "it was decided on what was before");
    }

    #[test]
    fn a_slot_of_the_caps_comes_back_only_if_nothing_was_sent() {
        for (delivery, touches) in [(accepted(), 2), (rejected(), 1), (later(), 1)] {
            let mut world = begun_world();
            world.run(|_| accepted(), tuesday()).unwrap();
            assert_eq!(world.run(|_| delivery.clone(), tuesday()), Ok(Ran::Tried));
            assert_eq!(world.context.lead.touches.len(), touches, "{delivery:?}");
            assert_eq!(world.claims.last().and_then(|taken| taken.delivery.clone()), Some(delivery));
        }
    }

    fn fixture_report(world: &super::World, outcome: Outcome) -> crate::delivery::Report {
        let key = world.context.enrollment.key(&"first-call".into(), 1);
        crate::delivery::Report { lead: world.context.lead.id.clone(), key, outcome, note: None, at: tuesday() }
    }
}
