//! What the check of a record looks up.

use cadence_core::records::Known;
use cadence_store::{Store, StoreError};

/// Loads the published records of those kinds that were not deleted, and which were refused and so are none.
pub(crate) async fn load(store: &Store, kinds: impl IntoIterator<Item = &'static str>) -> Result<Known, StoreError> {
    let mut known = Known::default();
    for kind in kinds {
        for published in store.load_published_there(kind).await? {
            known.add(kind, &published);
        }
        known.refused.extend(store.load_refused(kind).await?);
    }
    Ok(known)
}
