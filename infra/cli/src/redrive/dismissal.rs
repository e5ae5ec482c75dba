//! What will never be of use. Webhooks are marked as dismissed, with when and why, and kept as long as they would have been; messages
//! are deleted.

use anyhow::bail;
use cadence_core::records::{Source, closest};
use cadence_store::{Committed, Dismissed, Quarantined};
use chrono::SecondsFormat;

use super::{Args, Fate, Found, letters, webhooks};
use crate::{queues::is_letters_name, stage::Stage};

/// So much of a name's digits is enough to name a webhook.
const FEWEST_DIGITS: usize = 4;

/// Dismisses what is named, after all names were looked at.
pub(super) async fn dismiss(stage: &Stage, args: &Args, reason: &str) -> anyhow::Result<Vec<Found>> {
    let names = args.dismiss.iter().map(|name| name.trim());
    let (of_letters, of_webhooks): (Vec<&str>, Vec<&str>) = names.partition(|name| is_letters_name(name));
    let mut all = Vec::new();
    if !of_webhooks.is_empty() {
        all.extend(dismiss_webhooks(stage, &of_webhooks, reason, args.yes).await?);
    }
    if !of_letters.is_empty() {
        all.extend(letters::dismiss(stage, &of_letters, reason, args).await?);
    }
    Ok(all)
}

/// Dismisses the webhooks that are named; those of a source that is named only if its format still can't read them.
async fn dismiss_webhooks(stage: &Stage, names: &[&str], reason: &str, yes: bool) -> anyhow::Result<Vec<Found>> {
    let dismissed = Dismissed { at: stage.now().await, reason: reason.to_owned() };
    let kept = webhooks::quarantined(stage).await?;
    refuse_unknown(names, &kept, &stage.place.flags)?;
    let mut all = Vec::new();
    for (source, kept) in &kept {
        let by_name = names.iter().any(|name| is_name_of(name, kept));
        let by_source = names.iter().any(|name| *name == kept.source);
        let (fate, why) = match (&kept.dismissed, webhooks::unreadable(source, kept)) {
            _ if !by_name && !by_source => continue,
            (Some(Dismissed { at, reason }), _) => {
                let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
                (Fate::Leave, format!("it was dismissed at {at}: {reason}"))
            }
            (None, None) if !by_name => (Fate::Leave, "it can be read by now: redrive posts it".to_owned()),
            (None, problems) => (Fate::Dismiss, problems.unwrap_or("it can be read by now".to_owned())),
        };
        let fate = match fate {
            Fate::Dismiss if yes => match stage.store.dismiss_quarantined(kept, &dismissed).await {
                Ok(Committed::Yes) => Fate::Dismiss,
                // Somebody else dismissed it meanwhile, or it was taken after all.
                Ok(Committed::Stale) => Fate::Leave,
                Err(error) => return Err(stage.explained(error)),
            },
            fate => fate,
        };
        all.push(Found { from: "quarantine".to_owned(), about: kept.name(), fate, why });
    }
    Ok(all)
}

/// Whether a name is a webhook's: `zillow/1a2b3c4d`, or as many of its digits as are its own.
fn is_name_of(name: &str, kept: &Quarantined) -> bool {
    let digits = match name.rsplit_once('/') {
        Some((source, digits)) if source == kept.source => digits,
        Some(_) => return false,
        None => name,
    };
    digits.len() >= FEWEST_DIGITS && kept.digest().starts_with(&digits.to_lowercase())
}

/// A name that is nobody's, or several webhooks', is a slip of the pen.
fn refuse_unknown(names: &[&str], kept: &[(Source, Quarantined)], flags: &str) -> anyhow::Result<()> {
    for name in names {
        let named: Vec<String> =
            kept.iter().map(|(_, kept)| kept).filter(|kept| is_name_of(name, kept)).map(Quarantined::name).collect();
        let is_source = kept.iter().any(|(_, kept)| kept.source == *name);
        match named.as_slice() {
            [] if !is_source => {
                let known: Vec<String> = kept.iter().map(|(_, kept)| kept.name()).collect();
                let sources = kept.iter().map(|(_, kept)| kept.source.as_str());
                let hint = match closest(name, known.iter().map(String::as_str).chain(sources)) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None if known.is_empty() => "none is kept".to_owned(),
                    None => format!("cadence redrive{flags} lists them"),
                };
                bail!("--dismiss: there is no webhook {name} that could not be used: {hint}")
            }
            [_, _, ..] => bail!("--dismiss: {name} may be any of {}: give more digits", named.join(", ")),
            [] | [_] => {}
        }
    }
    Ok(())
}
