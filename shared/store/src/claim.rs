//! Claim: one invocation takes the exclusive right to deliver one try of one step.

use cadence_core::{
    ClaimId,
    enrollment::{Claim, Enrollment},
    lead::Touch,
    plan::StepPlan,
};
use chrono::{DateTime, Utc};

use crate::{
    Store, StoreError,
    error::Refusal,
    item::{attribute, key, read, s},
    keys,
    update::{Edit, number},
};

/// How a claim ended.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// It is held.
    Yes(Claim),
    /// It is not; load and plan again.
    Refused(Refused),
}

/// Why a claim was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The enrollment moved on, rests, is over, or is claimed.
    Enrollment,
    /// The lead changed since the plan read it: an opt-out, a consent, an address, another touch.
    Lead,
    /// Another transaction was at the same items, or took the same turn.
    Race,
}

impl Refused {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enrollment => "the enrollment changed",
            Self::Lead => "the lead changed",
            Self::Race => "another write was at it",
        }
    }
}

impl Store {
    /// Claims a planned step, in one transaction over the enrollment, the lead and, where a group takes turns, the turn.
    ///
    /// `id` is unique to this try of this invocation: a lost answer is resolved by reading whose claim is there.
    pub async fn claim(&self, plan: &StepPlan, id: ClaimId, now: DateTime<Utc>) -> Result<Claimed, StoreError> {
        let enrollment = &plan.enrollment;
        let claim = plan.claim(id, now);
        let mut items = vec![
            self.claimed_enrollment(enrollment, &claim)?.item(&self.leads)?,
            self.touched_lead(plan, &claim)?.item(&self.leads)?,
        ];
        if let Some(turn) = &plan.turn {
            items.push(self.taken_turn(turn)?);
        }
        match self.transact(items).await {
            Ok(Ok(())) => Ok(Claimed::Yes(claim)),
            Ok(Err(refusals)) => Ok(Claimed::Refused(match refusals.as_slice() {
                [Refusal::Condition, ..] => Refused::Enrollment,
                [_, Refusal::Condition, ..] => Refused::Lead,
                _ => Refused::Race,
            })),
            Err(error) => match self.is_mine(enrollment, &claim).await {
                Ok(true) => Ok(Claimed::Yes(claim)),
                Ok(false) | Err(_) => Err(error),
            },
        }
    }

    fn claimed_enrollment(&self, enrollment: &Enrollment, claim: &Claim) -> Result<Edit, StoreError> {
        let mut edit = Edit::of(key(keys::lead_pk(&enrollment.lead), keys::enrollment_sk(&enrollment.id)));
        edit.expect(&["progress", "generation"], number(enrollment.progress.generation)?)
            .expect(&["progress", "state", "is"], s("active"))
            .expect_none(&["claim"])
            .set(&["claim"], attribute(claim)?);
        let claimed = Enrollment { claim: Some(claim.clone()), ..enrollment.clone() };
        set_due_index(&mut edit, &claimed);
        Ok(edit)
    }

    fn touched_lead(&self, plan: &StepPlan, claim: &Claim) -> Result<Edit, StoreError> {
        let mut edit = Edit::of(key(keys::lead_pk(plan.lead()), keys::LEAD));
        edit.expect(&["revision"], number(plan.revision)?).set(&["revision"], number(plan.revision + 1)?);
        if let Some(kind) = plan.touch {
            let touch = Touch { at: claim.claimed_at, kind };
            edit.set(&["touches", keys::touch_key(&claim.id)], attribute(&touch)?);
        }
        for old in &plan.drops_touches {
            edit.remove(&["touches", keys::touch_key(old)]);
        }
        Ok(edit)
    }

    async fn is_mine(&self, enrollment: &Enrollment, claim: &Claim) -> Result<bool, StoreError> {
        let key = key(keys::lead_pk(&enrollment.lead), keys::enrollment_sk(&enrollment.id));
        let Some(item) = self.get(&self.leads, key).await? else {
            return Ok(false);
        };
        let stored: Enrollment = read(item)?;
        Ok(stored.claim.is_some_and(|stored| stored.id == claim.id))
    }
}

/// Keeps the index of due enrollments in step with what the enrollment is about to be.
pub(crate) fn set_due_index(edit: &mut Edit, enrollment: &Enrollment) {
    match keys::due_index(enrollment) {
        Some((shard, due_at)) => {
            edit.set(&[keys::DUE_SHARD], s(shard)).set(&[keys::DUE_AT], s(keys::instant(due_at)));
        }
        None => {
            edit.remove(&[keys::DUE_SHARD]).remove(&[keys::DUE_AT]);
        }
    }
}

/// Keeps the index of running enrollments in step with what the enrollment is about to be.
pub(crate) fn set_running_index(edit: &mut Edit, enrollment: &Enrollment) {
    match keys::running_index(enrollment) {
        Some((cadence, runs_as)) => {
            edit.set(&[keys::RUNS_IN], s(cadence)).set(&[keys::RUNS_AS], s(runs_as));
        }
        None => {
            edit.remove(&[keys::RUNS_IN]).remove(&[keys::RUNS_AS]);
        }
    }
}
