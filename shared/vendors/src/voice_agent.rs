//! AI calls through Vapi's create-call API, over the SDK's own HTTP stack.
//!
//! <https://docs.vapi.ai/api-reference/calls/create>

use std::{collections::BTreeMap, fmt, time::Duration};

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        behavior_version::BehaviorVersion,
        http::SharedHttpClient,
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
        result::SdkError,
    },
};
use aws_smithy_types::body::SdkBody;
use cadence_core::{
    delivery::{AiCall, Delivery, SendMode},
    vapi,
};
use serde_json::{Value, json};

use crate::{answer, dry_run, once};

/// How long the voice agent may take to answer.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// How long a customer's name may be, in characters: more is refused, call and all.
///
/// <https://docs.vapi.ai/api-reference/calls/create>
const MAX_NAME: usize = 40;

/// Where and as whom calls are placed.
#[derive(Clone)]
pub struct VoiceAgentConfig {
    /// The API: `https://api.vapi.ai`.
    pub url: String,
    /// Its private key.
    pub api_key: String,
    /// The number that calls come from, as the vendor names it.
    pub phone_number_id: String,
    /// The vendor's assistant of each agent that cadences name; one that isn't listed goes by its own name.
    pub assistants: BTreeMap<String, String>,
}

/// Places AI calls.
#[derive(Clone)]
pub struct VoiceAgent {
    create_call: Operation<String, String, Refused>,
    config: VoiceAgentConfig,
    mode: SendMode,
}

/// The vendor's refusal, by its HTTP status.
#[derive(Debug, thiserror::Error)]
#[error("the voice agent answered {0}")]
struct Refused(u16);

impl VoiceAgent {
    /// A caller over that configuration, with the same HTTP client as the SDK's clients.
    pub fn new(config: &SdkConfig, mode: SendMode, agent: VoiceAgentConfig) -> Self {
        let (url, key) = (format!("{}/call", agent.url.trim_end_matches('/')), agent.api_key.clone());
        let create_call = operation(config.http_client())
            .endpoint_url(&agent.url)
            .serializer(move |body: String| request(&url, &key, body))
            .deserializer(|answer: &HttpResponse| call_id(answer))
            .build();
        Self { create_call, config: agent, mode }
    }

    /// Places one call, once. The step key goes as metadata, which the vendor's reports echo.
    pub async fn call(&self, call: &AiCall) -> Delivery {
        if self.mode == SendMode::DryRun {
            return dry_run();
        }
        match self.create_call.invoke(self.body(call).to_string()).await {
            Ok(vendor_id) => Delivery::Accepted { vendor_id },
            Err(error) => sorted(&error),
        }
    }

    fn body(&self, call: &AiCall) -> Value {
        let mut variables: BTreeMap<&str, &str> =
            call.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        variables.insert("transfer_to", &call.transfer_to);
        let name: String = call.customer_name.chars().take(MAX_NAME).collect();
        json!({
            "phoneNumberId": self.config.phone_number_id,
            "assistantId": self.config.assistants.get(&call.agent).unwrap_or(&call.agent),
            "assistantOverrides": { "variableValues": variables },
            "customer": { "number": call.to, "name": name },
            "metadata": { (vapi::LEAD): call.lead, (vapi::STEP_KEY): call.key.to_string() },
        })
    }
}

fn operation(http: Option<SharedHttpClient>) -> aws_smithy_runtime::client::orchestrator::operation::OperationBuilder {
    let (_, timeout) = once(TIMEOUT);
    let operation = Operation::builder()
        .service_name("voice-agent")
        .operation_name("CreateCall")
        .behavior_version(BehaviorVersion::latest())
        .no_auth()
        .no_retry()
        .timeout_config(timeout);
    match http {
        Some(http) => operation.http_client(http),
        None => operation,
    }
}

fn request(url: &str, key: &str, body: String) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri(url)?;
    request.headers_mut().insert("content-type", "application/json");
    request.headers_mut().try_insert("authorization", format!("Bearer {key}"))?;
    Ok(request)
}

fn call_id(answer: &HttpResponse) -> Result<String, OrchestratorError<Refused>> {
    if !answer.status().is_success() {
        return Err(OrchestratorError::operation(Refused(answer.status().as_u16())));
    }
    let body: Value =
        serde_json::from_slice(answer.body().bytes().unwrap_or_default()).map_err(OrchestratorError::other)?;
    let id = body.get("id").and_then(Value::as_str).ok_or_else(|| OrchestratorError::other("the answer has no id"))?;
    Ok(id.to_owned())
}

/// Sorts the vendor's failures. A key that is wrong or an account without credit is mended by somebody, so it is tried again.
fn sorted(error: &SdkError<Refused, HttpResponse>) -> Delivery {
    let SdkError::ServiceError(refused) = error else {
        return answer::of_transport(error);
    };
    let reason = refused.err().to_string();
    match refused.err().0 {
        401 | 402 | 403 | 408 | 429 => Delivery::Later { reason },
        500.. => Delivery::Unknown { reason },
        _ => Delivery::Rejected { reason },
    }
}

impl fmt::Debug for VoiceAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VoiceAgent").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl fmt::Debug for VoiceAgentConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VoiceAgentConfig").field("url", &self.url).finish_non_exhaustive()
    }
}
