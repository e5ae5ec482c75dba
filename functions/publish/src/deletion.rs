//! A record that is deleted while its version is at work is put back: what runs must be there to be seen and edited.

use cadence_core::records::{Record, kept_because, parse_record};
use cadence_store::{Committed, Edited, Told};
use serde_json::Value;

use crate::{App, PublishError, Published, dependents, verdict};

/// How the check of a record begins that was put back.
const UNDONE: &str = "NOT DELETED";

/// Puts a deleted record back, with the reason on it, unless what it spoke of was taken out of use before.
pub(crate) async fn undo(app: &App, pk: &str, old: Option<&Value>) -> Result<Published, PublishError> {
    let (Some((kind, id)), Some(old)) = (pk.split_once('#').filter(|(_, id)| !id.is_empty()), old) else {
        return Ok(Published::Nothing);
    };
    let Some((record, version)) = app.store.load_published(kind, id).await? else {
        app.store.forget_unpublished(kind, id).await?;
        return let_go(app, pk).await;
    };
    let mut cadences = Vec::new();
    for cadence in app.store.load_published_all("CADENCE").await? {
        cadences.extend(match Record::from_stored("CADENCE", &cadence) {
            Some(Record::Cadence(cadence)) => Some(cadence),
            _ => None,
        });
    }
    let reason = Record::from_stored(kind, &record).and_then(|record| kept_because(&record, &cadences));
    let Some(reason) = reason else { return let_go(app, pk).await };
    let mut told = Told {
        check: format!("{UNDONE}: version {version} is at work (see problems)"),
        problems: vec![reason.to_string()],
        published_version: Some(version),
        ..Told::default()
    };
    verdict::tell_at_work(app, &mut told, kind, id, &record).await?;
    match app.store.put_back(pk, old, &told).await? {
        Committed::Yes => {
            tracing::warn!(record = pk, "put back a deleted record");
            Ok(Published::Kept)
        }
        // It was written anew, and is checked as that.
        Committed::Stale => Ok(Published::Nothing),
    }
}

/// Leaves a record deleted; its copy stays for the leads that run with it. Those that refer to it are told that it isn't there.
async fn let_go(app: &App, pk: &str) -> Result<Published, PublishError> {
    dependents::check_again(app, pk).await?;
    tracing::info!(record = pk, "let a record go");
    Ok(Published::Nothing)
}

/// Whether a record of that check stands as it was put back.
pub(crate) fn is_undone(check: &str) -> bool {
    check.starts_with(UNDONE)
}

/// Whether a record that was put back says what is at work. What can't be read doesn't.
pub(crate) async fn says_what_is_at_work(app: &App, pk: &str, image: &Value) -> Result<bool, PublishError> {
    let Ok(record) = parse_record(pk, &Edited::content_of(image.clone())) else { return Ok(false) };
    let Some((kind, id)) = pk.split_once('#') else { return Ok(false) };
    let at_work = app.store.load_published(kind, id).await?;
    Ok(at_work.map(|(at_work, _)| at_work) == Some(record.to_stored()?))
}
