//! A record that ops edit is checked; a good one becomes an immutable version, a bad one is refused with the reason on the record.

mod deletion;
mod dependents;
mod kept;
mod known;
mod unread;
mod verdict;

use cadence_boot::{Boot, BootError, stream};
use cadence_core::{Clock, failure::Class};
use cadence_store::{
    Edited, Store, StoreError, image,
    keys::{CURRENT, is_published_pk, is_read},
};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;

/// The environment variables that [`App::start`] reads.
pub const ENV: &[&str] = &["LEADS_TABLE", "CONFIG_TABLE"];

/// What the function holds: exactly what its policy allows.
#[derive(Clone, Debug)]
pub struct App {
    /// The tables; of `leads` only how many run through a cadence.
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
            Self::Store(_) | Self::Json(_) => Class::Permanent,
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
    /// It was deleted and is back, because it is at work.
    Kept,
    /// It is gone, or only what was written back on it changed.
    Nothing,
}

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
    let keys = image(change.keys)?;
    let old = change.old_image.map(image).transpose()?;
    let new = change.new_image.map(image).transpose()?;
    let text = |name: &str| keys.get(name).and_then(Value::as_str).unwrap_or_default();
    let (pk, sk) = (text("pk"), text("sk"));
    if is_read(pk, sk) {
        kept::put_right(app, pk, sk, old.as_ref(), new.as_ref()).await
    } else if is_published_pk(pk) {
        Ok(())
    } else if sk == CURRENT {
        handle(app, pk, old.as_ref(), new.as_ref()).await.map(drop)
    } else {
        unread::tell(app, pk, sk, new.as_ref()).await
    }
}

/// Checks and publishes the record of that key, unless only what was written back on it changed.
pub async fn handle(app: &App, pk: &str, old: Option<&Value>, new: Option<&Value>) -> Result<Published, PublishError> {
    let Some(new) = new else {
        return deletion::undo(app, pk, old).await;
    };
    let content = |image: &Value| Edited::content_of(image.clone());
    let is_edited = old.map(content) != Some(content(new));
    let is_told = new.get("check").is_some();
    let is_undone = new.get("check").and_then(Value::as_str).is_some_and(deletion::is_undone);
    // What was edited and deleted at once may stand there without ever having been published.
    if old.is_none() && is_undone && deletion::says_what_is_at_work(app, pk, new).await? {
        // What was checked while it was gone found it missing.
        dependents::check_again(app, pk).await?;
        return Ok(Published::Nothing);
    }
    if is_told && !is_edited {
        // What was written back there is ours, unless an editor wrote over it.
        return match verdict::stands(app, pk, new).await? {
            true => Ok(Published::Nothing),
            false => verdict::reach(app, pk, None).await,
        };
    }
    let published = verdict::reach(app, pk, None).await?;
    // Also if it was published before: whoever did may not have come to this. One that is refused as it is new is no longer one that
    // isn't there.
    let is_news = match published {
        Published::Version(_) | Published::Unchanged => true,
        Published::Refused => old.is_none(),
        Published::Kept | Published::Nothing => false,
    };
    if is_news {
        dependents::check_again(app, pk).await?;
    }
    Ok(published)
}
