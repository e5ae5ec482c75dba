//! A publication may be what others waited for, or breaks what they rely on, and a record that is there and refused is not one that is
//! missing: those that refer to it are checked again, without an edit.

use cadence_core::records::{KINDS, dependents_of};

use crate::{App, PublishError, Published, known, verdict};

/// So many records are checked again after one edit; no stage has as many that refer to one another.
const AT_MOST: usize = 1000;

/// Checks the records again that may refer to the one that was published, refused for the first time or deleted, and those that may refer
/// to what that publishes.
///
/// This ends: only a record that was refused and is published by it leads on to others, and what nobody edits isn't refused again
/// and published again.
pub(crate) async fn check_again(app: &App, pk: &str) -> Result<(), PublishError> {
    let mut published = vec![pk.to_owned()];
    let mut checked = 0;
    while let Some(changed) = published.pop() {
        let kind = changed.split('#').next().unwrap_or_default();
        for dependent in dependents_of(kind) {
            let keys = app.store.load_checked(dependent).await?;
            let mut known = None;
            for pk in keys.into_iter().filter(|pk| *pk != changed) {
                checked += 1;
                if checked > AT_MOST {
                    tracing::warn!(checked = AT_MOST, "left records unchecked that may depend on an edit");
                    return Ok(());
                }
                let looked_up = match known.take() {
                    Some(known) => known,
                    None => known::load(&app.store, KINDS).await?,
                };
                match verdict::reach(app, &pk, Some(&looked_up)).await? {
                    // What it says is known from now on.
                    Published::Version(_) => published.push(pk),
                    Published::Unchanged | Published::Refused | Published::Kept | Published::Nothing => {
                        known = Some(looked_up)
                    }
                }
            }
        }
    }
    Ok(())
}
