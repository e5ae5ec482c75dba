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
    for round in 0..ROUNDS {
        let Some(edited) = app.store.load_edited(pk).await? else {
            return Ok(Published::Nothing);
        };
        // Nobody edited it, so why it was put back stays on it.
        if known.is_some() && was_undone(&edited) {
            return Ok(Published::Kept);
        }
        // What was known may be what changed.
        if let Some(published) = judge(app, &edited, known.filter(|_| round == 0)).await? {
            return Ok(published);
        }
    }
    Err(PublishError::Races)
}

/// Whether what an image of a record is told is what was written back on it: of the version at work, in words that are ours, and of what
/// is at work where it says so. Whoever saves an older image once more writes the words of then over what is refused.
pub(crate) async fn stands(app: &App, pk: &str, image: &Value) -> Result<bool, PublishError> {
    let told: Option<Told> = serde_json::from_value(image.clone()).ok();
    let Some(told) = told.filter(|told| told.is_ours() || deletion::is_undone(&told.check)) else { return Ok(false) };
    let current = match pk.split_once('#') {
        Some((kind, id)) if !id.is_empty() => app.store.load_published(kind, id).await?,
        _ => None,
    };
    let is_of_it = current.map(|(_, version)| version) == told.published_version;
    Ok(is_of_it && (!told.is_published() || deletion::says_what_is_at_work(app, pk, image).await?))
}

fn was_undone(edited: &Edited) -> bool {
    edited.told.as_ref().is_some_and(|told| deletion::is_undone(&told.check))
}

/// Publishes or refuses one reading of a record; `None` if it was edited meanwhile.
async fn judge(app: &App, edited: &Edited, known: Option<&Known>) -> Result<Option<Published>, PublishError> {
    // A key that names nothing can have no published copy; DynamoDB refuses even to look for it.
    let current = match edited.kind_and_id() {
        Some((kind, id)) => app.store.load_published(kind, id).await?,
        None => None,
    };
    let (current, version) = current.unzip();
    let Checked { record, problems, needs } = read_and_check(app, edited, current.as_ref().zip(version), known).await?;
    let is_refused = problems.iter().any(|problem| problem.severity == Severity::Error);
    let published = match &record {
        Some(record) if !is_refused && current.as_ref() == Some(record) => Published::Unchanged,
        Some(_) if !is_refused => Published::Version(version.unwrap_or(0) + 1),
        Some(_) | None => Published::Refused,
    };
    let (new, at_work) = match (published, &record) {
        (Published::Version(number), Some(record)) => {
            (Some(NewVersion { number, record, at: app.clock.now(), needs: &needs }), Some((record, number)))
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

/// What a reading of a record comes to.
struct Checked {
    /// The record as the functions will read it, if it can be read.
    record: Option<Value>,
    /// Everything that is wrong with it.
    problems: Vec<Problem>,
    /// The keys of the records that were found under the names that it says.
    needs: Vec<String>,
}

async fn read_and_check(
    app: &App,
    edited: &Edited,
    current: Option<(&Value, u32)>,
    known: Option<&Known>,
) -> Result<Checked, PublishError> {
    let (current, version) = current.unzip();
    let at_work = current.zip(edited.kind_and_id()).and_then(|(current, (kind, _))| Record::from_stored(kind, current));
    let mut draft = Draft::read(&edited.pk, &edited.content).over(at_work.clone());
    if draft.is_at_work() {
        draft = draft.since(load_before(app, &edited.pk, version).await?);
    }
    let loaded = match known {
        Some(_) => Known::default(),
        None => known::load(&app.store, draft.refers_to()).await?,
    };
    let known = known.unwrap_or(&loaded);
    let (record, mut problems) = draft.check(known);
    let mut needs = record.as_ref().map(Record::names).unwrap_or_default();
    // What it is itself is what is written.
    needs.retain(|pk| *pk != edited.pk && known.record(pk).is_some());
    if let (Some(Record::Message(message)), Some(Record::Message(published))) = (&record, &at_work)
        && message.is_email() != published.is_email()
        && !problems.iter().any(Problem::is_error)
    {
        problems.extend(kept_for_running(message, &app.store.load_running_versions().await?));
    }
    let record = record.map(|record| record.to_stored()).transpose()?;
    Ok(Checked { record, problems, needs: needs.into_iter().collect() })
}

/// What was at work of a record before that version.
async fn load_before(app: &App, pk: &str, version: Option<u32>) -> Result<Option<Record>, PublishError> {
    let before = version.and_then(|version| version.checked_sub(1)).filter(|before| *before > 0);
    let (Some(before), Some((kind, _))) = (before, pk.split_once('#')) else { return Ok(None) };
    let before = app.store.load_version(pk, before).await?;
    Ok(before.and_then(|before| Record::from_stored(kind, &before)))
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
    // An edit that was deleted with what is at work says why it is back, beside what is wrong with it.
    let undone = edited.told.iter().filter(|_| published == Published::Refused && was_undone(edited));
    let problems_told = undone.flat_map(|told| told.problems.clone()).chain(problems.iter().map(ToString::to_string));
    let mut told = Told {
        check: match published {
            Published::Refused | Published::Kept | Published::Nothing => refused(version),
            Published::Version(_) | Published::Unchanged => accepted(version.unwrap_or(0), problems),
        },
        problems: problems_told.collect(),
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
