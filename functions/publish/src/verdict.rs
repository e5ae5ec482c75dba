//! One reading of an edited record: checked, then published or refused.

use cadence_core::records::{Draft, Known, Problem, Record, Severity, kept_for_running, summary};
use cadence_store::{Committed, Edited, NewVersion, Told};
use serde_json::Value;

use crate::{App, PublishError, Published, deletion, known};

/// How often a record that is edited while it is checked is checked again.
const ROUNDS: u32 = 8;

/// Checks the record of that key, and writes what comes of it. Against the records that it refers to, as they are published, unless
/// `known` holds them.
pub(crate) async fn reach(app: &App, pk: &str, known: Option<&Known>) -> Result<Published, PublishError> {
    for _ in 0..ROUNDS {
        let Some(edited) = app.store.load_edited(pk).await? else {
            return Ok(Published::Nothing);
        };
        if let Some(published) = judge(app, &edited, known).await? {
            return Ok(published);
        }
    }
    Err(PublishError::Races)
}

/// Whether what an image of a record is told is what was written back on it: of the version at work, in words that are ours.
pub(crate) async fn stands(app: &App, pk: &str, image: &Value) -> Result<bool, PublishError> {
    let told: Option<Told> = serde_json::from_value(image.clone()).ok();
    let Some(told) = told.filter(|told| told.is_ours() || deletion::is_undone(image)) else { return Ok(false) };
    let current = match pk.split_once('#') {
        Some((kind, id)) if !id.is_empty() => app.store.load_published(kind, id).await?,
        _ => None,
    };
    Ok(current.map(|(_, version)| version) == told.published_version)
}

/// Publishes or refuses one reading of a record; `None` if it was edited meanwhile.
async fn judge(app: &App, edited: &Edited, known: Option<&Known>) -> Result<Option<Published>, PublishError> {
    // A key that names nothing can have no published copy; DynamoDB refuses even to look for it.
    let current = match edited.kind_and_id() {
        Some((kind, id)) => app.store.load_published(kind, id).await?,
        None => None,
    };
    let (current, version) = current.unzip();
    let (record, problems) = read_and_check(app, edited, current.as_ref(), known).await?;
    let is_refused = problems.iter().any(|problem| problem.severity == Severity::Error);
    let published = match &record {
        Some(record) if !is_refused && current.as_ref() == Some(record) => Published::Unchanged,
        Some(_) if !is_refused => Published::Version(version.unwrap_or(0) + 1),
        Some(_) | None => Published::Refused,
    };
    let (new, at_work) = match (published, &record) {
        (Published::Version(number), Some(record)) => {
            (Some(NewVersion { number, record, at: app.clock.now() }), Some((record, number)))
        }
        _ => (None, current.as_ref().zip(version)),
    };
    let told = told(app, edited, published, &problems, at_work).await?;
    if new.is_none() && edited.told.as_ref() == Some(&told) {
        return Ok(Some(published));
    }
    let committed = app.store.publish(edited, new, &told).await?;
    let is_written = committed == Committed::Yes;
    if is_written {
        tracing::info!(record = edited.pk, published = ?published, "checked record");
    }
    Ok(is_written.then_some(published))
}

/// The record as the functions will read it, if it can be read, and everything that is wrong with it.
async fn read_and_check(
    app: &App,
    edited: &Edited,
    current: Option<&Value>,
    known: Option<&Known>,
) -> Result<(Option<Value>, Vec<Problem>), PublishError> {
    let at_work = current.zip(edited.kind_and_id()).and_then(|(current, (kind, _))| Record::from_stored(kind, current));
    let draft = Draft::read(&edited.pk, &edited.content).over(at_work.clone());
    let (record, mut problems) = match known {
        Some(known) => draft.check(known),
        None => {
            let known = known::load(&app.store, draft.refers_to()).await?;
            draft.check(&known)
        }
    };
    if let (Some(Record::Message(message)), Some(Record::Message(published))) = (&record, &at_work)
        && message.is_email() != published.is_email()
        && !problems.iter().any(Problem::is_error)
    {
        problems.extend(kept_for_running(message, &app.store.load_running_versions().await?));
    }
    Ok((record.map(|record| record.to_stored()).transpose()?, problems))
}

/// What the record is told, given the version at work.
async fn told(
    app: &App,
    edited: &Edited,
    published: Published,
    problems: &[Problem],
    at_work: Option<(&Value, u32)>,
) -> Result<Told, PublishError> {
    let version = at_work.map(|(_, version)| version);
    let mut told = Told {
        check: match published {
            Published::Refused | Published::Kept | Published::Nothing => refused(version),
            Published::Version(_) | Published::Unchanged => accepted(version.unwrap_or(0), problems),
        },
        problems: problems.iter().map(ToString::to_string).collect(),
        published_version: version,
        ..Told::default()
    };
    if let (Some((kind, id)), Some((record, _))) = (edited.kind_and_id(), at_work) {
        tell_at_work(app, &mut told, kind, id, record).await?;
    }
    Ok(told)
}

/// Adds what is told of the version at work of a cadence: what it does, and how many leads run through it.
pub(crate) async fn tell_at_work(
    app: &App,
    told: &mut Told,
    kind: &str,
    id: &str,
    record: &Value,
) -> Result<(), PublishError> {
    if kind == "CADENCE" {
        if let Some(Record::Cadence(cadence)) = Record::from_stored(kind, record) {
            told.summary = Some(summary(&cadence));
        }
        told.leads = Some(app.store.load_running(&id.into()).await?.to_string());
    }
    Ok(())
}

fn accepted(version: u32, problems: &[Problem]) -> String {
    match problems.len() {
        0 => format!("ok: published as version {version}"),
        1 => format!("ok: published as version {version}, with 1 warning (see problems)"),
        count => format!("ok: published as version {version}, with {count} warnings (see problems)"),
    }
}

fn refused(version: Option<u32>) -> String {
    match version {
        Some(version) => format!("NOT PUBLISHED: version {version} goes on (see problems)"),
        None => "NOT PUBLISHED: there is no version yet (see problems)".to_owned(),
    }
}
