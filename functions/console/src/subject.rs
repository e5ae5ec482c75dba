//! Who asks: the subject of the token, as the API's JWT authorizer hands it on.

use axum::{
    extract::FromRequestParts,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use cadence_boot::problem::Problem;
use cadence_core::UserId;
use lambda_http::request::RequestContext;

/// The user who asks.
pub(crate) struct Subject(pub(crate) UserId);

impl<S: Sync> FromRequestParts<S> for Subject {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let context = parts.extensions.get::<RequestContext>();
        let subject = match context {
            Some(RequestContext::ApiGatewayV2(context)) => {
                let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
                jwt.and_then(|jwt| jwt.claims.get("sub")).map(String::as_str)
            }
            Some(_) | None => None,
        };
        subject.filter(|subject| !subject.is_empty()).map(|subject| Self(UserId::new(subject))).ok_or_else(|| {
            Problem::new(401, "unauthorized", "Who are you?")
                .detail("Send a token whose subject is a user.")
                .into_response()
        })
    }
}
