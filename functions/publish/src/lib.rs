//! A record that ops edit is checked; a good one becomes an immutable version, a bad one is refused with the reason on the record.

mod known;

use cadence_boot::{Boot, BootError, stream};
use cadence_core::{
    Clock,
    failure::Class,
    records::{Problem, Record, Severity, check, parse_record},
};
use cadence_store::{Committed, Edited, Store, StoreError, Verdict};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &["LEADS_TABLE", "CONFIG_TABLE"];

/// What the function holds: exactly what its policy allows.
#[derive(Clone, Debug)]
pub struct App {
    /// The tables; of them only `config`.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

/// Why a record could not be published or refused.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The table did not answer.
    #[error("the record could not be read or written")]
    Store(#[from] StoreError),
    /// An image in the stream does not read as an item.
    #[error("the change could not be read")]
    Image(#[source] serde_dynamo::Error),
    /// A record does not turn into JSON.
    #[error("the record could not be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The record kept changing.
    #[error("the record was edited again and again while it was checked")]
    Races,
}

impl PublishError {
    /// What may be expected of it.
    pub fn class(&self) -> Class {
        match self {
            Self::Store(error) if error.may_work_later() => Class::Retryable,
            Self::Store(_) | Self::Json(_) | Self::Image(_) => Class::Permanent,
            Self::Races => Class::Retryable,
        }
    }
}

/// What became of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is this version.
    Version(u32),
    /// It says what the published version says.
    Unchanged,
    /// It is refused.
    Refused,
    /// It is gone, or only what publish itself wrote changed.
    Nothing,
}

/// How often a record that is edited while it is checked is checked again.
const ROUNDS: u32 = 8;

impl App {
    /// The function, ready for its first event.
    pub async fn start(boot: &Boot) -> Result<Self, BootError> {
        Ok(Self {
            store: Store::new(&boot.aws, boot.env.required("LEADS_TABLE")?, boot.env.required("CONFIG_TABLE")?),
            clock: boot.clock.clone(),
        })
    }
}

/// Checks and publishes what a stream event of the config table says was edited.
pub async fn on_event(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    stream::each(app, event, PublishError::class, |app, change| Box::pin(changed(app, change))).await
}

async fn changed(app: &App, change: stream::Change) -> Result<(), PublishError> {
    let json = |image| serde_dynamo::from_item(image).map_err(PublishError::Image);
    let keys: Value = json(change.keys)?;
    let old: Option<Value> = change.old_image.map(json).transpose()?;
    let new: Option<Value> = change.new_image.map(json).transpose()?;
    if let Some(pk) = edited_key(&keys) {
        handle(app, pk, old.as_ref(), new.as_ref()).await?;
    }
    Ok(())
}

/// Checks and publishes the record of that key, unless only what publish wrote back changed.
pub async fn handle(app: &App, pk: &str, old: Option<&Value>, new: Option<&Value>) -> Result<Published, PublishError> {
    let content = |image: Option<&Value>| image.cloned().map(Edited::content_of);
    let is_checked = new.is_some_and(|image| image.get("check").is_some());
    if new.is_none() || (is_checked && content(old) == content(new)) {
        return Ok(Published::Nothing);
    }
    for _ in 0..ROUNDS {
        let Some(edited) = app.store.load_edited(pk).await? else {
            return Ok(Published::Nothing);
        };
        if let Some(published) = publish(app, &edited).await? {
            tracing::info!(record = pk, published = ?published, "checked record");
            return Ok(published);
        }
    }
    Err(PublishError::Races)
}

/// Publishes or refuses one reading of a record; `None` if it was edited meanwhile.
async fn publish(app: &App, edited: &Edited) -> Result<Option<Published>, PublishError> {
    let (kind, id) = edited.pk.split_once('#').unwrap_or((&edited.pk, ""));
    // A key that names nothing can have no published copy; DynamoDB refuses even to look for it.
    let current = match kind.is_empty() || id.is_empty() {
        true => None,
        false => app.store.load_published(kind, id).await?,
    };
    let version = current.as_ref().map(|(_, version)| *version);
    let (record, problems) = read_and_check(app, edited).await?;
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();

    let is_refused = record.is_none() || problems.iter().any(|problem| problem.severity == Severity::Error);
    let (published, verdict, check) = match record.filter(|_| !is_refused) {
        None => (Published::Refused, None, refused(version)),
        Some(record) if current.as_ref().is_some_and(|(current, _)| *current == record) => {
            (Published::Unchanged, None, accepted(version.unwrap_or(0), &problems))
        }
        Some(record) => {
            let number = version.unwrap_or(0) + 1;
            (Published::Version(number), Some((number, record)), accepted(number, &problems))
        }
    };
    let version = verdict.as_ref().map(|(number, _)| *number).or(version);
    let verdict = match &verdict {
        Some((number, record)) => Verdict::Version { number: *number, record, kind, id },
        None if published == Published::Refused => Verdict::Refused,
        None => Verdict::Unchanged,
    };
    let committed = app.store.publish(edited, verdict, &check, &told, version).await?;
    Ok((committed == Committed::Yes).then_some(published))
}

/// The record as the functions will read it, if it can be read, and everything that is wrong with it.
async fn read_and_check(app: &App, edited: &Edited) -> Result<(Option<Value>, Vec<Problem>), PublishError> {
    match parse_record(&edited.pk, &edited.content) {
        Err(problems) => Ok((None, problems)),
        Ok(record) => {
            let known = known::load(&app.store, &record).await?;
            let problems = check(&record, &known);
            Ok((Some(stored(&record)?), problems))
        }
    }
}

fn stored(record: &Record) -> Result<Value, serde_json::Error> {
    match record {
        Record::Cadence(cadence) => serde_json::to_value(cadence),
        Record::Message(message) => serde_json::to_value(message),
        Record::User(user) => serde_json::to_value(user),
        Record::Source(source) => serde_json::to_value(source),
        Record::Settings(settings) => serde_json::to_value(settings),
    }
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

/// The key of a record that ops edit; `None` for versions and published copies.
fn edited_key(keys: &Value) -> Option<&str> {
    let is_current = keys.get("sk") == Some(&json!("CURRENT"));
    keys.get("pk").and_then(Value::as_str).filter(|_| is_current)
}
