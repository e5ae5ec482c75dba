//! Looks at a stage, one thing after another.

use std::collections::BTreeSet;

use cadence_core::{
    EnrollmentId, LeadId, SourceId, UserId,
    enrollment::{Park, State},
    overdue::{Remedy, remedy},
    plan::StepContext,
    task::TaskKind,
    time::{Zone, local_text},
};
use cadence_store::{StoreError, Unread};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::finding::{Finding, Kind};
use crate::{
    check::counted,
    stage::{self, Stage},
};

/// Everything that somebody should know.
pub(super) async fn examine(stage: &Stage, clock: &Clock) -> anyhow::Result<Vec<Finding>> {
    let mut findings = of_enrollments(stage, clock).await?;
    findings.extend(of_tasks(stage, clock).await?);
    findings.extend(of_quarantine(stage, clock).await?);
    findings.extend(of_queues(stage).await?);
    findings.extend(of_records(stage).await?);
    Ok(findings)
}

async fn of_enrollments(stage: &Stage, clock: &Clock) -> anyhow::Result<Vec<Finding>> {
    let now = stage.now().await;
    let mut found = stage.store.load_due(now).await.map_err(|error| stage.explained(error))?;
    let resting = stage.store.load_parked().await.map_err(|error| stage.explained(error))?;
    found.extend(resting.into_iter().map(|rests| (rests.lead, rests.enrollment)));
    // One that parks in between is in both.
    let mut seen = BTreeSet::new();
    found.retain(|(_, enrollment)| seen.insert(enrollment.clone()));
    let mut findings = Vec::new();
    for (lead, enrollment) in found {
        match stage.store.load_step(&lead, &enrollment).await {
            Ok(context) => findings.extend(of_enrollment(&context, clock, now)),
            Err(error @ (StoreError::Missing { .. } | StoreError::Unreadable { .. })) => {
                findings.push(unreadable(lead, &enrollment, error));
            }
            Err(error) => return Err(stage.explained(error)),
        }
    }
    Ok(findings)
}

/// What `reconcile` would do about it is what is wrong with it.
fn of_enrollment(context: &StepContext, clock: &Clock, now: DateTime<Utc>) -> Option<Finding> {
    let enrollment = &context.enrollment;
    let step = enrollment.progress.next.as_ref().map(|next| &next.step);
    let about = |step: &str| format!("{step} of lead {}", enrollment.lead);
    let due = step.map_or("nothing", |step| step.as_str());
    let (kind, about, why) = match (remedy(context, now), &enrollment.progress.state, &enrollment.claim) {
        (Remedy::Settle(_), _, Some(claim)) => {
            (Kind::Unsettled, about(claim.step.as_str()), format!("claimed at {}", clock.tell(claim.claimed_at)))
        }
        (Remedy::Requeue, ..) => {
            let since = enrollment.progress.next.as_ref().map(|next| clock.tell(next.due_at)).unwrap_or_default();
            (Kind::Overdue, about(due), format!("due since {since}"))
        }
        (Remedy::Release(_), ..) => (Kind::Parked, about(due), "what it waited for is there".to_owned()),
        (Remedy::Leave, State::Parked { why }, _) => (Kind::of_rest(*why), about(due), waits_for(*why, context)),
        (Remedy::Leave | Remedy::Settle(_), ..) => return None,
    };
    Some(Finding { kind, about, why, lead: Some(enrollment.lead.clone()) })
}

fn waits_for(why: Park, context: &StepContext) -> String {
    match why {
        Park::CadencePaused => format!("the cadence {} is paused", context.enrollment.cadence),
        Park::NoLicensedOwner => {
            let state = context.lead.state.as_deref().unwrap_or("an unknown state");
            format!("no active user may act for a lead in {state}")
        }
        Park::Outcome => match context.asked_to_resume().next() {
            Some(task) => format!("an outcome asked for a pause; {} has the task {}", task.user, task.id.key.step),
            None => "an outcome asked for a pause, and nobody has a task to let it go on".to_owned(),
        },
        Park::Resumed => format!("a user let it go on, and the cadence {} is paused", context.enrollment.cadence),
    }
}

fn unreadable(lead: LeadId, enrollment: &EnrollmentId, error: StoreError) -> Finding {
    let about = format!("enrollment {enrollment} of lead {lead}");
    Finding { kind: Kind::Unreadable, about, why: stage::unreadable(error), lead: Some(lead) }
}

async fn of_tasks(stage: &Stage, clock: &Clock) -> anyhow::Result<Vec<Finding>> {
    let now = stage.now().await;
    let mut findings = Vec::new();
    for user in published(stage, "USER").await? {
        let Some(id) = id_of(&user) else { continue };
        let has_left = user.get("active").and_then(Value::as_bool) == Some(false);
        let tasks = stage.store.load_open_tasks(&UserId::new(id)).await.map_err(|error| stage.explained(error))?;
        for task in tasks {
            let about = format!("{} of lead {}", task.id.key.step, task.id.lead);
            let (kind, why) = match task.kind {
                TaskKind::Review => (Kind::Unsure, format!("{} was told: {}", task.user, task.text)),
                _ if has_left => (Kind::LeftTask, format!("{} is no longer active", task.user)),
                _ if task.task_due_at < now => {
                    (Kind::LateTask, format!("{} had until {}", task.user, clock.tell(task.task_due_at)))
                }
                _ => continue,
            };
            findings.push(Finding { kind, about, why, lead: Some(task.id.lead) });
        }
    }
    Ok(findings)
}

async fn of_quarantine(stage: &Stage, clock: &Clock) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for source in ids(stage, "SOURCE").await? {
        let kept =
            stage.store.load_quarantined(&SourceId::new(source)).await.map_err(|error| stage.explained(error))?;
        findings.extend(kept.into_iter().map(|kept| {
            let about = format!("{} of {}", kept.name(), clock.tell(kept.at));
            let (kind, why) = match kept.dismissed {
                None => (Kind::Quarantined, kept.problems.join("; ")),
                Some(dismissed) => {
                    (Kind::Dismissed, format!("since {}: {}", clock.tell(dismissed.at), dismissed.reason))
                }
            };
            Finding { kind, about, why, lead: None }
        }));
    }
    Ok(findings)
}

async fn of_queues(stage: &Stage) -> anyhow::Result<Vec<Finding>> {
    let queues = stage.queues().await?;
    let mut findings = Vec::new();
    for queue in queues.given_up() {
        let count = queues.count(queue).await?;
        if count > 0 {
            let count = counted(usize::try_from(count).unwrap_or(usize::MAX), "message");
            let why = format!("{count}: {}", queue.purpose.why());
            findings.push(Finding { kind: Kind::GivenUp, about: queue.name.to_owned(), why, lead: None });
        }
    }
    Ok(findings)
}

async fn of_records(stage: &Stage) -> anyhow::Result<Vec<Finding>> {
    let records = stage.store.load_edited_all().await.map_err(|error| stage.explained(error))?;
    let finding = |kind, about, why| Some(Finding { kind, about, why, lead: None });
    let findings = records.into_iter().filter_map(|edited| match edited.told {
        None => finding(Kind::Unchecked, edited.pk, "it says nothing of a check".to_owned()),
        Some(told) if told.is_refused() => {
            let at_work = match told.published_version {
                Some(version) => format!("version {version} is at work"),
                None => "nothing of it is at work yet".to_owned(),
            };
            finding(Kind::Refused, edited.pk, format!("{at_work}; {}", told.problems.join("; ")))
        }
        Some(_) => None,
    });
    let unread = stage.store.load_unread().await.map_err(|error| stage.explained(error))?;
    let unread = unread.into_iter().filter_map(|Unread { pk, sk, problems }| {
        finding(Kind::NotRead, format!("{pk} with the sort key {sk:?}"), problems.join("; "))
    });
    Ok(findings.chain(unread).collect())
}

/// The ids of the published records of a kind.
async fn ids(stage: &Stage, kind: &str) -> anyhow::Result<Vec<String>> {
    Ok(published(stage, kind).await?.iter().filter_map(id_of).map(str::to_owned).collect())
}

/// The published records of a kind.
async fn published(stage: &Stage, kind: &str) -> anyhow::Result<Vec<Value>> {
    stage.store.load_published_all(kind).await.map_err(|error| stage.explained(error))
}

fn id_of(record: &Value) -> Option<&str> {
    record.get("id").and_then(Value::as_str)
}

/// How instants are told.
pub(super) enum Clock {
    /// As machines read them.
    Iso,
    /// As people read them in that zone. Ops sit in no lead's.
    Local(Zone),
}

impl Clock {
    fn tell(&self, at: DateTime<Utc>) -> String {
        match self {
            Self::Iso => at.to_rfc3339_opts(SecondsFormat::Secs, true),
            Self::Local(zone) => local_text(at, zone),
        }
    }
}
