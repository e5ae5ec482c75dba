//! Requests to the API over real HTTP, as a lead vendor and a user make them.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// A client of the API at one address.
pub(crate) struct ApiClient {
    endpoint: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl ApiClient {
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Posts JSON and gives the JSON of a good answer.
    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> anyhow::Result<Value> {
        self.ask("POST", path, token, body.to_string()).await
    }

    /// Gets JSON.
    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> anyhow::Result<Value> {
        self.ask("GET", path, token, String::new()).await
    }

    async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: String) -> anyhow::Result<Value> {
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.endpoint));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(body)))?;
        let response = self.client.request(request).await.with_context(|| format!("{method} {path} got no answer"))?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{method} {path} was answered {status}: {}", String::from_utf8_lossy(&body));
        }
        serde_json::from_slice(&body).with_context(|| format!("{method} {path} was not answered with JSON"))
    }
}
