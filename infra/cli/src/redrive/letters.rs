//! Due steps that were given up, and the notes of what `schedule` gave up.

use cadence_core::{
    Channel,
    enrollment::StepDue,
    plan::{Plan, plan_step},
};
use cadence_store::StoreError;
use chrono::{DateTime, Utc};

use super::{Args, Fate, Found, unseen};
use crate::{
    queues::{Held, Looked, Purpose, Queue, Queues},
    stage::{Stage, unreadable},
};

/// Puts back the steps that are still due, and deletes the rest.
pub(super) async fn redrive(stage: &Stage, args: &Args) -> anyhow::Result<Vec<Found>> {
    let (queues, now) = (stage.queues().await?, stage.now().await);
    let mut all = Vec::new();
    for queue in queues.given_up() {
        match queue.purpose {
            Purpose::DeadLetters | Purpose::TimerDeadLetters => {
                all.extend(of_queue(stage, &queues, queue, args, now).await?)
            }
            Purpose::ScheduleFailures => all.extend(notes(&queues, queue, args).await?),
            Purpose::PublishFailures | Purpose::Steps(_) => {}
        }
    }
    Ok(all)
}

/// Deletes the messages that are named, of those that are kept because nobody can tell what is due by them.
pub(super) async fn dismiss(stage: &Stage, names: &[&str], reason: &str, args: &Args) -> anyhow::Result<Vec<Found>> {
    let (queues, now) = (stage.queues().await?, stage.now().await);
    let (mut all, mut left) = (Vec::new(), names.to_vec());
    let is_named =
        |queue: &&Queue| names.iter().any(|name| name.split_once('/').is_some_and(|(of, _)| of == queue.name));
    for queue in queues.given_up().filter(|queue| queue.purpose.is_of_letters()).filter(is_named) {
        for letter in queues.look(queue, args.at_most).await?.held {
            let name = queue.name_of(&letter);
            if !left.contains(&name.as_str()) {
                queues.let_go(queue, &letter).await;
                continue;
            }
            left.retain(|left| *left != name);
            let (found, _) = fate(stage, queue, &letter, now).await?;
            let (fate, why) = match found.fate {
                Fate::Keep => (Fate::Dismiss, format!("{reason} ({})", found.why)),
                _ => (Fate::Leave, format!("redrive sees to it: {}", found.why)),
            };
            match args.yes && fate == Fate::Dismiss {
                true => queues.delete(queue, &letter).await?,
                false => queues.let_go(queue, &letter).await,
            }
            all.push(Found { from: found.from, about: name, fate, why });
        }
    }
    all.extend(left.into_iter().map(|name| {
        let from = name.split_once('/').map_or(name, |(queue, _)| queue).to_owned();
        let most = args.at_most;
        let why = format!(
            "it isn't among the first {most}: it was deleted before, somebody else looks at it just now, or it takes a higher --at-most"
        );
        Found { from, about: name.to_owned(), fate: Fate::Leave, why }
    }));
    Ok(all)
}

async fn of_queue(
    stage: &Stage,
    queues: &Queues,
    queue: &Queue,
    args: &Args,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Found>> {
    let Looked { held, has_more } = queues.look(queue, args.at_most).await?;
    let mut all = Vec::new();
    for letter in &held {
        let (found, channel) = fate(stage, queue, letter, now).await?;
        if args.yes && found.fate != Fate::Keep {
            // Sent before it is deleted: if this ends in between, the step is due twice, and is claimed once.
            if let Some(channel) = channel {
                queues.send(channel, &letter.body).await?;
            }
            queues.delete(queue, letter).await?;
        } else {
            queues.let_go(queue, letter).await;
        }
        all.push(found);
    }
    all.extend(has_more.then(|| unseen(queue, args.at_most)));
    Ok(all)
}

/// What becomes of a message, and the channel that it goes back to: what its function would make of it says whether it is still due.
async fn fate(
    stage: &Stage,
    queue: &Queue,
    letter: &Held,
    now: DateTime<Utc>,
) -> anyhow::Result<(Found, Option<Channel>)> {
    let found =
        |about: String, fate, why: &str| Found { from: queue.name.to_owned(), about, fate, why: why.to_owned() };
    let Ok(due) = serde_json::from_str::<StepDue>(&letter.body) else {
        return Ok((found(queue.name_of(letter), Fate::Keep, "it names no due step; look at it in SQS"), None));
    };
    let about = format!("lead {}, generation {}", due.lead, due.generation);
    let context = match stage.store.load_step(&due.lead, &due.enrollment).await {
        Ok(context) => context,
        Err(StoreError::Missing { what: "lead" | "enrollment" | "facts", .. }) => {
            return Ok((found(about, Fate::Drop, "the lead is gone"), None));
        }
        Err(error @ (StoreError::Missing { .. } | StoreError::Unreadable { .. })) => {
            let about = format!("{} of {about}", queue.name_of(letter));
            return Ok((found(about, Fate::Keep, &unreadable(error)), None));
        }
        Err(error) => return Err(stage.explained(error)),
    };
    let next = context.enrollment.progress.next.as_ref();
    Ok(match (plan_step(&context, &due, now), next) {
        (Plan::Skip(stale), _) => (found(about, Fate::Drop, stale.as_str()), None),
        (Plan::Busy, _) => (found(about, Fate::Drop, "it is being delivered, and what is due then follows"), None),
        (Plan::Send(_) | Plan::Change(_) | Plan::Settle(_), Some(next)) => {
            let why = format!("{} is still due", next.step);
            (found(about, Fate::Requeue, &why), Some(next.channel))
        }
        (Plan::Send(_) | Plan::Change(_) | Plan::Settle(_), None) => {
            (found(about, Fate::Drop, "its enrollment ended; reconcile settles what was begun"), None)
        }
    })
}

/// Notes of changes that `schedule` gave up hold nothing to put back; `reconcile` finds what they were about once it is due.
async fn notes(queues: &Queues, queue: &Queue, args: &Args) -> anyhow::Result<Vec<Found>> {
    let Looked { held, has_more } = queues.look(queue, args.at_most).await?;
    for note in &held {
        match args.yes {
            true => queues.delete(queue, note).await?,
            false => queues.let_go(queue, note).await,
        }
    }
    let why = "reconcile queues what it was about, ten minutes after it is due";
    let note = |_| Found {
        from: queue.name.to_owned(),
        about: "a note of changes that schedule gave up".to_owned(),
        fate: Fate::Drop,
        why: why.to_owned(),
    };
    Ok(held.iter().map(note).chain(has_more.then(|| unseen(queue, args.at_most))).collect())
}
