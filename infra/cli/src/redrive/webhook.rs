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
use cadence_core::SourceId;
use cadence_store::Quarantined;

/// `ingest` is cut off after 29 seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The API.
pub(super) struct Api {
    post: Operation<Posted, u16, Infallible>,
}

/// A webhook that is posted.
struct Posted {
    path: String,
    secret: String,
    key: String,
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

    /// Posts what was kept as its vendor did, and gives the status of the answer. The key is the same each time, so that what was taken
    /// before, by a run that ended too early to say so, is not taken twice.
    pub(super) async fn post(&self, source: &SourceId, secret: &str, kept: &Quarantined) -> anyhow::Result<u16> {
        let posted = Posted {
            path: format!("/leads/{source}"),
            secret: secret.to_owned(),
            key: format!("quarantine-{}", kept.digest()),
            body: kept.body.clone(),
        };
        let answer = self.post.invoke(posted).await;
        answer.map_err(|error| anyhow::Error::new(error).context("the API did not answer"))
    }
}

fn request(base: &str, posted: Posted) -> Result<HttpRequest, BoxError> {
    let is_json = posted.body.trim_start().starts_with('{');
    let content_type = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
    let mut request = HttpRequest::new(SdkBody::from(posted.body));
    request.set_method("POST")?;
    request.set_uri(format!("{base}{}", posted.path))?;
    let headers = request.headers_mut();
    headers.insert("content-type", content_type);
    headers.try_insert("x-cadence-secret", posted.secret)?;
    headers.try_insert("idempotency-key", posted.key)?;
    Ok(request)
}

impl fmt::Debug for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Posted").field("path", &self.path).field("key", &self.key).finish_non_exhaustive()
    }
}
