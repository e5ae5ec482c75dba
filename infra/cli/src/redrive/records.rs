//! Edits of records that `publish` gave up, or never saw.

use cadence_store::Told;

use super::{Args, Fate, Found};
use crate::{
    queues::{Looked, Purpose},
    stage::Stage,
};

/// Has records looked at again: those that say nothing of a check, and all of them if `publish` gave up any edit, since its notes don't
/// say of which. Else those that were refused stay: another look at the same words changes nothing.
pub(super) async fn redrive(stage: &Stage, args: &Args) -> anyhow::Result<Vec<Found>> {
    let queues = stage.queues().await?;
    let (mut notes, mut unseen) = (Vec::new(), Vec::new());
    for queue in queues.given_up().filter(|queue| queue.purpose == Purpose::PublishFailures) {
        let Looked { held, has_more } = queues.look(queue, args.at_most).await?;
        notes.extend(held.into_iter().map(|held| (queue, held)));
        unseen.extend(has_more.then(|| super::unseen(queue, args.at_most)));
    }
    let mut records = stage.store.load_edited_all().await.map_err(|error| stage.explained(error))?;
    if notes.is_empty() {
        records.retain(|edited| edited.told.as_ref().is_none_or(Told::is_refused));
    }
    let mut all = Vec::new();
    for edited in records {
        if let Some(told) = edited.told.as_ref().filter(|told| told.is_refused() && notes.is_empty()) {
            let why = format!("it was refused, and waits for somebody to edit it: {}", told.problems.join("; "));
            all.push(Found { from: "config".to_owned(), about: edited.pk, fate: Fate::Keep, why });
            continue;
        }
        if args.yes {
            stage.store.ask_for_check(&edited.pk).await.map_err(|error| stage.explained(error))?;
        }
        let why = match edited.told {
            None => "it says nothing of a check",
            Some(_) => "publish gave up an edit that may have been of it",
        };
        all.push(Found { from: "config".to_owned(), about: edited.pk, fate: Fate::Check, why: why.to_owned() });
    }
    for (queue, held) in &notes {
        match args.yes {
            // Once every record was asked for: if this ends before, the note is still there.
            true => queues.delete(queue, held).await?,
            false => queues.let_go(queue, held).await,
        }
        let about = "a note of edits that publish gave up".to_owned();
        let why = "every record is checked again".to_owned();
        all.push(Found { from: queue.name.to_owned(), about, fate: Fate::Drop, why });
    }
    all.extend(unseen);
    Ok(all)
}
