//! Where an enrollment stands and what comes next, in words.

use cadence_core::{
    enrollment::{Act, End, Next, Park, State},
    lead::OptOut,
    overdue::OVERDUE_AFTER,
    plan::{Action, Plan, StepContext, plan_step},
    time::{Zone, local_text},
    timeline::{Entry, EntryKind},
};
use chrono::{DateTime, Utc};

/// An enrollment as a person asks after it, a sentence a line: what is due next and what that would come to as things stand, what
/// follows, or why nothing does.
pub fn standing(context: &StepContext, zone: &Zone, now: DateTime<Utc>) -> Vec<String> {
    let enrollment = &context.enrollment;
    let mut told = Vec::new();
    if enrollment.stored_version.is_some() {
        told.push(format!(
            "Follows version {} from here on: its record applies to everyone",
            enrollment.progress.version
        ));
    }
    if let Some(claim) = &enrollment.claim {
        let until = local_text(claim.lease_until, zone);
        told.push(match claim.lease_until > now {
            true => format!("Now: {} is being delivered, and ends by {until}", claim.step),
            false => format!("Now: {} was begun and never settled; since {until} it is reconcile's", claim.step),
        });
    }
    match (&enrollment.progress.state, &enrollment.progress.next) {
        (State::Ended { why }, _) => told.push(format!("Ended: {}", ended(why))),
        (State::Parked { why }, next) => {
            told.push(format!("Parked: {}", parked(*why, context)));
            told.extend(next.iter().map(|next| format!("Then: {}", due(next, context, zone))));
        }
        (State::Active, None) => told.push("Nothing is due next, and it has not ended: that is a fault".to_owned()),
        (State::Active, Some(next)) => {
            told.push(format!("Next: {}", due(next, context, zone)));
            if next.due_at + OVERDUE_AFTER <= now {
                told.push("      It is overdue: reconcile puts it back on its queue, every five minutes".to_owned());
            }
            told.extend(comes_to(context, next, zone, now).map(|what| format!("      {what}")));
        }
    }
    if let (false, Some(next)) = (enrollment.has_ended(), &enrollment.progress.next) {
        let place = context.cadence.position(&next.step).unwrap_or(usize::MAX);
        let rest = context.cadence.steps.iter().skip(place.saturating_add(1));
        told.extend(rest.map(|step| format!("Then: {} ({}), {} later", step.id, step.action.as_str(), step.wait)));
    }
    for task in context.its_open_tasks() {
        let until = local_text(task.task_due_at, zone);
        let closed = task.kind.closed_by().filter(|closed| context.lead.opt_outs.contains_key(closed));
        let closed = closed.map(|closed| format!(" (closed to {}: don't)", closed_to(closed))).unwrap_or_default();
        told.push(format!("Open: {} for {}, due {until}{closed}", task.id.key.step, task.user));
    }
    told
}

/// What is closed to whoever would reach the lead there.
pub fn closed_to(closed: OptOut) -> &'static str {
    match closed {
        OptOut::Phone => "calls and texts",
        OptOut::Email => "emails",
    }
}

fn due(next: &Next, context: &StepContext, zone: &Zone) -> String {
    let action = context.cadence.step(&next.step).map_or("gone from its cadence", |step| step.action.as_str());
    let round = if next.round > 1 { format!(", round {}", next.round) } else { String::new() };
    let tried = if next.try_number > 1 { format!(", try {}", next.try_number) } else { String::new() };
    let at = local_text(next.due_at, zone);
    match next.act {
        Act::Run => format!("{} ({action}{round}{tried}) at {at}", next.step),
        Act::ExpireHold => format!("{} ({action}{round}) is waited for until {at}", next.step),
    }
}

/// What the due step would come to at its instant, as things stand.
fn comes_to(context: &StepContext, next: &Next, zone: &Zone, now: DateTime<Utc>) -> Option<String> {
    if next.act == Act::ExpireHold || context.enrollment.claim.is_some() {
        return None;
    }
    // Only the function that sends emails has the key to sign the real link.
    let link = Some(context.settings.unsubscribe_url.clone());
    let context = StepContext { unsubscribe_url: link, ..context.clone() };
    let variant = context.cadence.step(&next.step).filter(|step| step.messages().count() > 1);
    let variant = variant.and_then(|step| step.message_for(&context.cadence.id, &context.lead.id));
    let variant = variant.map(|message| format!(" (variant {message})")).unwrap_or_default();
    let said = match plan_step(&context, &context.enrollment.step_due(), next.due_at.max(now)) {
        Plan::Send(plan) => match plan.action {
            Action::Sms(sms) => format!("a text to {}{variant}", sms.to),
            Action::Email(email) => format!("an email to {}{variant}", email.to),
            Action::AiCall(call) => format!("an AI call to {}", call.to),
            Action::Task(_) => format!("a task for a user{variant}{}", instead(&context, next)),
        },
        Plan::Change(change) => {
            let mut entries = change.entries.iter().filter(|entry| entry.kind != EntryKind::VersionChanged);
            entries.next().map(|entry| changed(entry, zone))?
        }
        Plan::Settle(_) | Plan::Skip(_) | Plan::Busy => return None,
    };
    Some(format!("As things stand it would be {said}"))
}

/// Whether a user is asked though the step is a machine's.
fn instead(context: &StepContext, next: &Next) -> &'static str {
    match context.cadence.step(&next.step) {
        Some(step) if !step.action.is_users() => " instead, since a machine may not",
        Some(_) | None => "",
    }
}

fn changed(entry: &Entry, zone: &Zone) -> String {
    let why = entry.text.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
    let until = entry.until.map(|until| format!(" until {}", local_text(until, zone))).unwrap_or_default();
    format!("{}{until}{why}", entry.kind.as_str().replace('_', " "))
}

fn ended(why: &End) -> String {
    match why {
        End::Completed => "the last step is done".to_owned(),
        End::Outcome(outcome) => format!("by {}", outcome.as_str()),
        End::Switched(cadence) => format!("the lead moved to the cadence {cadence}"),
        End::Archived => "its cadence was archived".to_owned(),
    }
}

/// Why it rests, and what lets it go on.
fn parked(why: Park, context: &StepContext) -> String {
    let cadence = &context.enrollment.cadence;
    match why {
        Park::CadencePaused => {
            format!("{cadence} was paused; it goes on within minutes once the record's status is live, or off")
        }
        Park::NoLicensedOwner => {
            let state = context.lead.state.as_deref().unwrap_or("no known state");
            format!(
                "no active user may act for a lead in {state}; it goes on within minutes once a user's record lists it"
            )
        }
        Park::Outcome => match context.asked_to_resume().next() {
            Some(task) => format!("an outcome asked for a pause; it goes on once {} completes {}", task.user, task.id),
            None => {
                "an outcome asked for a pause, and nobody could be asked to let it go on; once the lead asks again, \
                     its owner is"
                    .to_owned()
            }
        },
        Park::Resumed => {
            format!("a user let it go on; it does within minutes once the record of {cadence} is live, or off")
        }
    }
}
