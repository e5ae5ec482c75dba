//! An item that nothing reads, because of its key: whoever made it finds that on it.

use cadence_core::records::unread_because;
use cadence_store::{NOT_READ, Told};
use serde_json::Value;

use crate::{App, PublishError};

/// Writes on an item why nothing reads it, unless it says so.
pub(crate) async fn tell(app: &App, pk: &str, sk: &str, image: Option<&Value>) -> Result<(), PublishError> {
    let Some(image) = image else { return Ok(()) };
    let problems = unread_because(pk, sk).iter().map(ToString::to_string).collect();
    let told = Told { check: NOT_READ.to_owned(), problems, ..Told::default() };
    let stands: Option<Told> = serde_json::from_value(image.clone()).ok();
    if stands.is_none_or(|stands| (stands.check, stands.problems) != (told.check.clone(), told.problems.clone())) {
        app.store.tell_unread(pk, sk, &told).await?;
        tracing::info!(pk, sk, "told of an item that nothing reads");
    }
    Ok(())
}
