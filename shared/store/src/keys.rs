//! Where each item lives. The template and the local cloud make the tables by these names.

use cadence_core::{
    ClaimId, EnrollmentId, GroupId, LeadId, StepKey, TaskId, UserId, enrollment::Enrollment, timeline::Entry,
};
use chrono::{DateTime, SecondsFormat, Utc};

/// Both tables' partition key.
pub const PK: &str = "pk";
/// Both tables' sort key.
pub const SK: &str = "sk";
/// The leads table's index of what is due, claimed or parked; sparse.
pub const DUE_INDEX: &str = "due";
/// That index's partition key.
pub const DUE_SHARD: &str = "due_shard";
/// That index's sort key.
pub const DUE_AT: &str = "due_at";
/// The leads table's index of a user's open tasks; sparse.
pub const OPEN_TASKS_INDEX: &str = "open-tasks";
/// That index's partition key: the user.
pub const OPEN_FOR: &str = "open_for";
/// That index's sort key.
pub const TASK_DUE_AT: &str = "task_due_at";
/// The leads table's index of the enrollments that run through a cadence; sparse. One of its partitions takes 1,000 writes a second,
/// and an enrollment writes there when it begins, changes its version, and ends.
pub const RUNNING_INDEX: &str = "running";
/// That index's partition key: the cadence.
pub const RUNS_IN: &str = "runs_in";
/// That index's sort key: the version and the enrollment.
pub const RUNS_AS: &str = "runs_as";
/// When DynamoDB may drop an item, in epoch seconds.
pub const EXPIRES_AT: &str = "expires_at";

/// Over how many partitions the index of due enrollments is spread: one takes 1,000 writes a second.
pub const DUE_SHARDS: u8 = 8;
/// The sort key of a lead's own item.
pub const LEAD: &str = "LEAD";
/// The sort key of a lead's facts.
pub const FACTS: &str = "FACTS";
/// Sorts after everything else of a lead, so that one query can leave the timeline out.
pub const TIMELINE: &str = "TIMELINE#";
/// The sort key of a record as ops edit it.
pub const CURRENT: &str = "CURRENT";

/// The partition of everything about a lead.
pub fn lead_pk(lead: &LeadId) -> String {
    format!("LEAD#{lead}")
}

/// An enrollment's sort key.
pub fn enrollment_sk(id: &EnrollmentId) -> String {
    format!("ENROLLMENT#{id}")
}

/// An attempt's sort key.
pub fn attempt_sk(key: &StepKey, try_number: u32) -> String {
    format!("ATTEMPT#{key}.{try_number}")
}

/// The sort key of what came of a step.
pub fn outcome_sk(key: &StepKey) -> String {
    format!("OUTCOME#{key}")
}

/// A task's sort key.
pub fn task_sk(id: &TaskId) -> String {
    format!("TASK#{}", id.key)
}

/// A timeline entry's sort key: by instant, then in the order in which one enrollment's entries came to be.
pub fn entry_sk(entry: &Entry, generation: u64, index: usize) -> String {
    let at = entry.at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let enrollment = entry.enrollment.as_ref().map_or("-", |id| id.as_str());
    let step = entry.step.as_ref().map_or("-", |id| id.as_str());
    format!("{TIMELINE}{at}#{generation:06}#{index:02}#{}#{enrollment}#{step}", entry.kind.as_str())
}

/// An address's partition: by its keyed hash, never the address.
pub fn address_pk(hash: &str) -> String {
    format!("ADDRESS#{hash}")
}

/// The partition of a webhook that was taken.
pub fn webhook_pk(key: &str) -> String {
    format!("WEBHOOK#{key}")
}

/// The partition of a group's turns.
pub fn turns_pk(group: &GroupId) -> String {
    format!("TURNS#{group}")
}

/// The sort key of a member's last turn.
pub fn turn_sk(user: &UserId) -> String {
    format!("TURN#{user}")
}

/// The partition of what could not be used, by source.
pub fn quarantine_pk(source: &str) -> String {
    format!("QUARANTINE#{source}")
}

/// The partition of the published records of a kind: `CADENCE`, `MESSAGE`, `USER`, `SOURCE`, `SETTINGS`.
pub fn published_pk(kind: &str) -> String {
    format!("PUBLISHED#{kind}")
}

/// Whether that partition is publish's own, and by that none of a record that ops edit.
pub fn is_published_pk(pk: &str) -> bool {
    pk.starts_with("PUBLISHED#") || pk.starts_with("UNPUBLISHED#")
}

/// The partition of the records of a kind that were refused and have no version yet.
pub fn unpublished_pk(kind: &str) -> String {
    format!("UNPUBLISHED#{kind}")
}

/// The sort key of an immutable version.
pub fn version_sk(version: u32) -> String {
    format!("VERSION#{version:04}")
}

/// Whether an item of those keys is what functions read: an immutable version, or the copy of it that is at work.
pub fn is_read(pk: &str, sk: &str) -> bool {
    pk.starts_with("PUBLISHED#") || sk.starts_with("VERSION#")
}

/// Where an enrollment stands in the index of due ones; `None` once there is nothing left to do for it.
///
/// An ended enrollment with a claim stays in it until that is settled.
pub fn due_index(enrollment: &Enrollment) -> Option<(String, DateTime<Utc>)> {
    let shard = shard(&enrollment.id);
    let due_at = match (&enrollment.progress.next, &enrollment.claim) {
        (_, Some(claim)) => claim.lease_until,
        (Some(next), None) => next.due_at,
        (None, None) => return None,
    };
    let is_resting = !enrollment.is_active() && enrollment.claim.is_none();
    Some((if is_resting { parked_shard(shard) } else { due_shard(shard) }, due_at))
}

/// Where an enrollment stands in the index of running ones; `None` once it ended.
pub fn running_index(enrollment: &Enrollment) -> Option<(&str, String)> {
    let version = enrollment.progress.version;
    (!enrollment.has_ended()).then(|| (enrollment.cadence.as_str(), format!("{version:06}#{}", enrollment.id)))
}

/// The version of an enrollment, by its sort key in the index of running ones.
pub fn running_version(runs_as: &str) -> Option<u32> {
    runs_as.split_once('#')?.0.parse().ok()
}

/// A partition of the index: what is due or claimed.
pub fn due_shard(shard: u8) -> String {
    format!("due#{shard}")
}

/// A partition of the index: what is parked.
pub fn parked_shard(shard: u8) -> String {
    format!("parked#{shard}")
}

/// An instant as it stands in keys: whole seconds, so that text sorts as time.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The map key of a claim's touch on its lead.
pub fn touch_key(claim: &ClaimId) -> &str {
    claim.as_str()
}

fn shard(id: &EnrollmentId) -> u8 {
    let sum = id.as_str().bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    sum % DUE_SHARDS
}
