//! What the three channel functions share: the invocation that they run in and how they fail.

use std::{pin::Pin, time::Duration};

use cadence_core::{ClaimId, failure::Class, plan::StepReport};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Committed, StoreError};

/// One run of a handler: whose claim it takes and how long it may work.
#[derive(Clone, Debug)]
pub struct Invocation {
    request_id: String,
    round: u32,
    deadline: DateTime<Utc>,
}

/// Time kept for settling after the vendor answered or timed out.
const SETTLING: TimeDelta = TimeDelta::seconds(5);
/// How often an invocation loads and plans again after a lost race.
const ROUNDS: u32 = 8;

impl Invocation {
    /// The first run in a Lambda invocation.
    pub fn new(request_id: impl Into<String>, deadline: DateTime<Utc>) -> Self {
        Self { request_id: request_id.into(), round: 1, deadline }
    }

    /// The claim's id: this run's own, so that a lost answer is told from somebody else's claim.
    pub fn claim_id(&self) -> ClaimId {
        match self.round {
            1 => ClaimId::new(self.request_id.as_str()),
            round => ClaimId::new(format!("{}-{round}", self.request_id)),
        }
    }

    /// Fails unless a vendor call of that length still fits, with time to settle: nothing is claimed that can't be finished.
    pub fn has_time_for(&self, vendor_timeout: Duration, now: DateTime<Utc>) -> Result<(), StepError> {
        let needs = TimeDelta::from_std(vendor_timeout).unwrap_or(TimeDelta::MAX).checked_add(&SETTLING);
        match needs {
            Some(needs) if self.deadline - now >= needs => Ok(()),
            Some(_) | None => Err(StepError::NoTime),
        }
    }

    /// Runs a step until it doesn't lose a race.
    pub async fn settle<A, T>(
        mut self,
        app: &A,
        due: &T,
        run: for<'a> fn(&'a A, &'a T, &'a Self) -> Running<'a>,
    ) -> Result<StepReport, StepError> {
        while self.round <= ROUNDS {
            match run(app, due, &self).await? {
                StepReport::Replan => self.round += 1,
                report => return Ok(report),
            }
        }
        Err(StepError::Races)
    }
}

/// One run of a step.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<StepReport, StepError>> + Send + 'a>>;

/// Why a step did not come to an end. Its message comes again, and what was claimed is settled from its record.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Nothing was sent.
    #[error("the step could not be loaded, planned or claimed")]
    Before(#[source] StoreError),
    /// It was tried, and that may not be recorded.
    #[error("the step was tried but could not be settled")]
    After(#[source] StoreError),
    /// Too little is left of the invocation to finish it.
    #[error("too little time was left to claim the step")]
    NoTime,
    /// It was tried and recorded, but lost every race to move its enrollment on.
    #[error("the step was tried and recorded, but its enrollment kept changing")]
    Unsettled,
    /// It lost every race to be claimed.
    #[error("the enrollment or its lead kept changing")]
    Races,
}

impl StepError {
    /// What may be expected of it.
    pub fn class(&self) -> Class {
        match self {
            Self::Before(error) if error.may_work_later() => Class::Retryable,
            Self::Before(_) => Class::Permanent,
            Self::NoTime | Self::Races => Class::Retryable,
            Self::After(_) | Self::Unsettled => Class::Ambiguous,
        }
    }
}

impl From<Committed> for StepReport {
    fn from(committed: Committed) -> Self {
        match committed {
            Committed::Yes => Self::Changed,
            Committed::Stale => Self::Replan,
        }
    }
}
