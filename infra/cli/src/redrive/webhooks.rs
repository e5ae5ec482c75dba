//! Webhooks that could not be used: posted again where their source's format can read them by now.

use cadence_boot::Secrets;
use cadence_core::{records::Source, sources};
use cadence_store::Quarantined;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Args, Fate, Found,
    webhook::{Api, content_type},
};
use crate::{aws, stage::Stage};

/// What the local cloud calls its secret.
const LOCAL_SECRET: &str = "cadence";

/// What is missing where a stage's API or secret is not named.
const UNKNOWN_PLACE: &str =
    "give --api-url and --secret-id, the stack's outputs ApiUrl and SecretId, so that it can be posted";

/// The way to post webhooks, if it is known.
struct Door {
    api: Api,
    secrets: Secrets,
}

pub(super) async fn redrive(stage: &Stage, args: &Args) -> anyhow::Result<Vec<Found>> {
    let now = stage.now().await;
    let place = place(stage, args);
    let door = match &place {
        Some((url, secret)) if args.yes => Some(door(stage, url, secret).await?),
        _ => None,
    };
    let mut all = Vec::new();
    for (source, kept) in quarantined(stage).await? {
        if kept.dismissed.is_some() {
            continue;
        }
        let (mut fate, mut why) = fate(&source, &kept, now);
        match (fate, &place, &door) {
            (Fate::Post, None, _) => (fate, why) = (Fate::Keep, format!("{why}; {UNKNOWN_PLACE}")),
            (Fate::Post, Some(_), Some(door)) => (fate, why) = post(stage, door, &source, &kept).await?,
            _ => {}
        }
        all.push(Found { from: "quarantine".to_owned(), about: kept.name(), fate, why });
    }
    Ok(all)
}

/// Every webhook that is kept, and its source as it is at work.
pub(super) async fn quarantined(stage: &Stage) -> anyhow::Result<Vec<(Source, Quarantined)>> {
    let mut all = Vec::new();
    for record in stage.store.load_published_all("SOURCE").await.map_err(|error| stage.explained(error))? {
        let source: Source = serde_json::from_value(record)?;
        let kept = stage.store.load_quarantined(&source.id).await.map_err(|error| stage.explained(error))?;
        all.extend(kept.into_iter().map(|kept| (source.clone(), kept)));
    }
    Ok(all)
}

/// Why its source's format can't read it; `None` if it can by now.
pub(super) fn unreadable(source: &Source, kept: &Quarantined) -> Option<String> {
    let problems = sources::parse(&source.format, Some(content_type(kept)), kept.body.as_bytes()).err()?;
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Some(problems.join("; "))
}

fn fate(source: &Source, kept: &Quarantined, now: DateTime<Utc>) -> (Fate, String) {
    match unreadable(source, kept) {
        None => (Fate::Post, format!("it can be read by now; it came {} ago", age(now - kept.at))),
        Some(problems) => (Fate::Keep, problems),
    }
}

async fn post(stage: &Stage, door: &Door, source: &Source, kept: &Quarantined) -> anyhow::Result<(Fate, String)> {
    let Some(secret) = door.secrets.sources.get(&source.secret) else {
        return Ok((Fate::Keep, format!("the deployment's secret holds none named {}", source.secret)));
    };
    let answer = door.api.post(&source.id, secret, kept).await;
    Ok(match answer {
        Ok(status) if (200..=299).contains(&status) => {
            // Taken and kept, if this ends in between: then it is posted again, and is known by its key.
            stage.store.release_quarantined(kept).await.map_err(|error| stage.explained(error))?;
            (Fate::Post, format!("the API answered {status}"))
        }
        Ok(status) => (Fate::Keep, format!("the API answered {status}")),
        Err(error) => (Fate::Keep, format!("{error:#}")),
    })
}

/// Where the API is, and what the sources' secrets are called, if both are known.
fn place(stage: &Stage, args: &Args) -> Option<(String, String)> {
    let is_local = stage.stack.is_none();
    let url = args.api_url.clone().or_else(|| stage.place.endpoint.clone().filter(|_| is_local))?;
    let secret = args.secret_id.clone().or_else(|| is_local.then(|| LOCAL_SECRET.to_owned()))?;
    Some((url, secret))
}

async fn door(stage: &Stage, url: &str, secret: &str) -> anyhow::Result<Door> {
    let secrets = Secrets::read(&stage.aws, secret).await.map_err(|error| aws::unread_secret(&error, secret))?;
    Ok(Door { api: Api::at(&stage.aws, url), secrets })
}

fn age(age: TimeDelta) -> String {
    match (age.num_days(), age.num_hours(), age.num_minutes()) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, _) => format!("{hours} h"),
        (days, ..) => format!("{days} days"),
    }
}
