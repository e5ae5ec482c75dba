//! The API as lead vendors reach it, over the SDK's own HTTP stack.

use std::{convert::Infallible, fmt, time::Duration};

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        behavior_version::BehaviorVersion,
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
    },
};
use aws_smithy_types::{body::SdkBody, timeout::TimeoutConfig};
use cadence_core::{SourceId, sources};
use cadence_store::Quarantined;
use chrono::{DateTime, Utc};

/// `ingest` is cut off after 29 seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a webhook's `Content-Type` said; a guess where none is kept.
pub(super) fn content_type(kept: &Quarantined) -> &str {
    let is_json = kept.body.trim_start().starts_with('{');
    let guess = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
    kept.content_type.as_deref().unwrap_or(guess)
}

/// The API.
pub(super) struct Api {
    post: Operation<Posted, u16, Infallible>,
}

/// A webhook that is posted.
struct Posted {
    path: String,
    secret: String,
    content_type: String,
    key: Option<String>,
    came_at: DateTime<Utc>,
    body: String,
}

impl Api {
    /// The API at that URL.
    pub(super) fn at(aws: &SdkConfig, url: &str) -> Self {
        let post = Operation::builder()
            .service_name("cadence")
            .operation_name("PostLead")
            .behavior_version(BehaviorVersion::latest())
            .no_auth()
            .no_retry()
            .timeout_config(TimeoutConfig::builder().operation_timeout(TIMEOUT).build())
            .endpoint_url(url);
        let post = match aws.http_client() {
            Some(http) => post.http_client(http),
            None => post,
        };
        let base = url.trim_end_matches('/').to_owned();
        let request = move |posted: Posted| request(&base, posted);
        let status = |answer: &HttpResponse| Ok::<_, OrchestratorError<Infallible>>(answer.status().as_u16());
        Self { post: post.serializer(request).deserializer(status).build() }
    }

    /// Posts what was kept as its vendor did, and gives the status of the answer. So it has the key that it has when its vendor sends it
    /// again, and what was taken before, by either way, is not taken twice. It is told when it came in, so that a lead who asked long ago
    /// isn't taken for one who asks now.
    pub(super) async fn post(&self, source: &SourceId, secret: &str, kept: &Quarantined) -> anyhow::Result<u16> {
        let posted = Posted {
            path: format!("/leads/{source}"),
            secret: secret.to_owned(),
            content_type: content_type(kept).to_owned(),
            key: kept.idempotency_key.clone(),
            came_at: kept.at,
            body: kept.body.clone(),
        };
        let answer = self.post.invoke(posted).await;
        answer.map_err(|error| anyhow::Error::new(error).context("the API did not answer"))
    }
}

fn request(base: &str, posted: Posted) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(posted.body));
    request.set_method("POST")?;
    request.set_uri(format!("{base}{}", posted.path))?;
    let headers = request.headers_mut();
    headers.try_insert("content-type", posted.content_type)?;
    headers.try_insert("x-cadence-secret", posted.secret)?;
    headers.try_insert(sources::CAME_AT_HEADER, posted.came_at.to_rfc3339())?;
    if let Some(key) = posted.key {
        headers.try_insert("idempotency-key", key)?;
    }
    Ok(request)
}

impl fmt::Debug for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Posted").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_content_type_that_was_not_kept_is_told_by_the_body() {
        for (stated, body, expected) in [
            (Some("text/plain"), "{}", "text/plain"),
            (None, " {\"phone\": \"\"}", "application/json"),
            (None, "phone=", "application/x-www-form-urlencoded"),
        ] {
            let kept = json!({ "source": "vendor", "at": "2026-12-01T18:00:00Z", "problems": [], "body": body, "content_type": stated });
            assert_eq!(content_type(&serde_json::from_value(kept).unwrap()), expected, "{body}");
        }
    }
}
