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
        stored_version: None,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{at, begun, clock, lead, reference, settings, steps, tuesday};

    #[test]
    fn an_enrollment_begins_with_its_first_step_due_in_the_first_generation() {
        let enrollment = begun(&reference(), tuesday());
        let next = enrollment.progress.next.clone().unwrap();
        assert_eq!((next.step.as_str(), next.round, next.due_at), ("first-call", 1, tuesday()));
        assert_eq!((enrollment.progress.generation, &enrollment.progress.state), (1, &State::Active));
        assert_eq!(enrollment.progress.rounds, [("first-call".into(), 1)].into());
        assert_eq!((enrollment.claim, enrollment.enrolled_at), (None, tuesday()));
    }

    #[test]
    fn the_timeline_says_when_the_first_step_is_due() {
        let cadence = reference();
        let night = at("2026-12-01T23:50:00-08:00");
        let said = entry(&begun(&cadence, night), &cadence, night);
        assert_eq!((said.kind, said.text.as_deref()), (EntryKind::Enrolled, Some("Zillow purchase leads, first week")));
        assert_eq!(clock(said.until.unwrap()), "Wed 09:00:00");
    }

    #[test]
    fn a_cadence_without_steps_is_over_as_it_begins() {
        let empty = Cadence { steps: Vec::new(), ..steps(json!([{"id": "a", "do": "dial", "wait": "0m"}])) };
        let enrollment = begin("e".into(), &lead(), (&empty, 1), &settings(), false, tuesday());
        assert_eq!(enrollment.progress.state, State::Ended { why: End::Completed });
        assert_eq!(enrollment.progress.next, None);
    }

    #[test]
    fn moving_to_a_cadence_makes_the_same_enrollment_each_time_and_another_from_elsewhere() {
        let ids = [
            ("0000000000000000000000000000000e", "nurture"),
            ("0000000000000000000000000000000e", "nurture"),
            ("0000000000000000000000000000000e", "other"),
            ("0000000000000000000000000000000f", "nurture"),
        ]
        .map(|(from, to)| switched_id(&from.into(), &to.into()));
        assert_eq!(ids[0], ids[1]);
        assert!(ids[0] != ids[2] && ids[0] != ids[3] && ids[2] != ids[3]);
        assert_eq!(ids[0].as_str().len(), 32);
    }
}
