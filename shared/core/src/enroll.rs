//! Enroll: a lead begins a cadence.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    CadenceId, EnrollmentId,
    calendar::Calendar,
    course,
    enrollment::{End, Enrollment, Progress, State},
    lead::Lead,
    records::{Cadence, Settings},
    timeline::{Entry, EntryKind},
};

/// A lead's run through a version of a cadence, its first step due.
pub fn begin(
    id: EnrollmentId,
    lead: &Lead,
    (cadence, version): (&Cadence, u32),
    settings: &Settings,
    stale: bool,
    now: DateTime<Utc>,
) -> Enrollment {
    let calendar = Calendar::new(lead, cadence, settings);
    let next = course::first(cadence, &calendar, now);
    let state = match next {
        Some(_) => State::Active,
        None => State::Ended { why: End::Completed },
    };
    let rounds = next.iter().map(|next| (next.step.clone(), next.round)).collect();
    Enrollment {
        id,
        lead: lead.id.clone(),
        cadence: cadence.id.clone(),
        enrolled_at: now,
        progress: Progress { version, state, generation: 1, next, rounds, stale },
        claim: None,
    }
}

/// What the timeline says of a beginning.
pub fn entry(enrollment: &Enrollment, cadence: &Cadence, now: DateTime<Utc>) -> Entry {
    Entry {
        enrollment: Some(enrollment.id.clone()),
        cadence: Some(cadence.id.clone()),
        until: enrollment.progress.next.as_ref().map(|next| next.due_at),
        ..Entry::new(EntryKind::Enrolled, &enrollment.lead, now).text(cadence.name.clone())
    }
}

/// The id of the enrollment that an outcome leads to: the same each time, so that it begins once.
pub fn switched_id(from: &EnrollmentId, to: &CadenceId) -> EnrollmentId {
    let namespace = Uuid::parse_str(from.as_str()).unwrap_or(Uuid::NAMESPACE_OID);
    EnrollmentId::from_uuid(Uuid::new_v5(&namespace, to.as_str().as_bytes()))
}
