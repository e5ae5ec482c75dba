//! What the check of a record looks up.

use cadence_core::records::{Known, Record};
use cadence_store::{Store, StoreError};

/// Loads the published records of the kinds that this one refers to.
pub(crate) async fn load(store: &Store, record: &Record) -> Result<Known, StoreError> {
    let mut known = Known::default();
    for kind in record.refers_to() {
        for published in store.load_published_all(kind).await? {
            known.add(kind, &published);
        }
    }
    Ok(known)
}
