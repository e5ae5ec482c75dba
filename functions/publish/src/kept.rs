//! What functions read is what was published: whatever else is made of it by hand is undone, since leads run on it.

use cadence_store::{Committed, is_sealed};
use serde_json::Value;

use crate::{App, PublishError, unread};

/// Has a version, or the copy of it that is at work, say again what was published, if it doesn't.
pub(crate) async fn put_right(
    app: &App,
    pk: &str,
    sk: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Result<(), PublishError> {
    if new.is_some_and(is_sealed) {
        return Ok(());
    }
    let done = match (pk.strip_prefix("PUBLISHED#"), old.filter(|old| is_sealed(old))) {
        (Some(kind), _) => app.store.put_published_right(kind, sk).await?,
        (None, Some(old)) => app.store.put_version_back(old).await?,
        // It was put right already, unless it never was a version.
        (None, None) if old.is_some() => Committed::Stale,
        (None, None) => return unread::tell(app, pk, sk, new).await,
    };
    if done == Committed::Yes {
        tracing::warn!(pk, sk, "put right what was published");
    }
    Ok(())
}
