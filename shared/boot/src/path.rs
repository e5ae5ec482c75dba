//! What the names in a route's braces stand for.

use axum::{
    extract::{self, FromRequestParts},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Axum's `Path`, which is refused with a problem document where the path is no text.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(names)) => Ok(Self(names)),
            Err(_) => Err(Problem::new(400, "unreadable-path", "The path can't be read").detail(
                "Write it in UTF-8, with a % and two hexadecimal digits for each byte that is no letter or digit.",
            )),
        }
    }
}
