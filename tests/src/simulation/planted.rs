//! Known bugs, planted between the functions' clients and the cloud: what a function asks for is changed on its way, as if the function had
//! the bug. Nothing that ships knows of them. The simulation has to find each.

mod requests;

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use cadence_local::function::Invocation;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, Response};
use serde_json::{Value, json};

use self::requests::{
    alias, forget_condition, forget_remove, forget_whole_condition, hide_claims, hide_webhook, keep_first_step,
    keep_generation, keep_in_set, names, prune, put_off, set, takes_a_claim,
};
use super::operation::operation_of;
use super::violation::Invariant;
use crate::Tested;

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`words` says what each is")]
pub enum Bug {
    VendorRetries,
    NoClaim,
    ResendOnLeaseExpiry,
    StopOutsideTheTransaction,
    CapPerEnrollment,
    WrongZone,
    GenerationKept,
    StreamFailureSwallowed,
    NoReconcile,
    RandomTimerNames,
    TimersInLocalTime,
    AnsweredBeforeWritten,
    QuarantineForgotten,
    OptOutForgotten,
    AttemptForgotten,
    TimelineForgotten,
    WrongNumber,
    WordsOfTheLeadBefore,
    DueIndexForgotten,
    ClaimNeverCleared,
    OutcomeForgotten,
    EndsAfterItsFirstStep,
    DueAYearLater,
    TakenASecondTime,
    SentUnasked,
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(letter.to_lowercase());
        }
        f.pad(&name)
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names: Vec<String> = Self::ALL.iter().map(Self::to_string).collect();
        let found = Self::ALL.into_iter().find(|bug| bug.to_string() == name);
        found.ok_or_else(|| format!("there is no bug \"{name}\"; there are {}", names.join(", ")))
    }
}

impl Bug {
    /// Every one of them.
    pub const ALL: [Self; 25] = [
        Self::VendorRetries,
        Self::NoClaim,
        Self::ResendOnLeaseExpiry,
        Self::StopOutsideTheTransaction,
        Self::CapPerEnrollment,
        Self::WrongZone,
        Self::GenerationKept,
        Self::StreamFailureSwallowed,
        Self::NoReconcile,
        Self::RandomTimerNames,
        Self::TimersInLocalTime,
        Self::AnsweredBeforeWritten,
        Self::QuarantineForgotten,
        Self::OptOutForgotten,
        Self::AttemptForgotten,
        Self::TimelineForgotten,
        Self::WrongNumber,
        Self::WordsOfTheLeadBefore,
        Self::DueIndexForgotten,
        Self::ClaimNeverCleared,
        Self::OutcomeForgotten,
        Self::EndsAfterItsFirstStep,
        Self::DueAYearLater,
        Self::TakenASecondTime,
        Self::SentUnasked,
    ];

    /// What is wrong.
    pub fn words(self) -> &'static str {
        match self {
            Self::VendorRetries => "the SDK's retries stand at 3 where a lead is texted or called",
            Self::NoClaim => {
                "a claim is taken whether or not somebody has it, and one that was refused is believed to be held"
            }
            Self::ResendOnLeaseExpiry => {
                "a claim whose lease ran out is taken for none, and one that was refused is believed to be held"
            }
            Self::StopOutsideTheTransaction => "a claim does not ask whether the lead changed since it was read",
            Self::CapPerEnrollment => "a touch is not counted on the lead",
            Self::WrongZone => "every lead is taken to live in New York",
            Self::GenerationKept => "what is due changes without a new generation",
            Self::StreamFailureSwallowed => "schedule takes a change for done that it could not queue",
            Self::NoReconcile => "reconcile finds nothing",
            Self::RandomTimerNames => "a timer's name is made up each time",
            Self::TimersInLocalTime => "timers are set in local time",
            Self::AnsweredBeforeWritten => "a webhook is answered whether or not it could be written",
            Self::QuarantineForgotten => "a webhook that can't be used is not kept",
            Self::OptOutForgotten => "an unsubscription is confirmed and not written",
            Self::AttemptForgotten => "a try is settled without its record",
            Self::TimelineForgotten => "what happened is not told",
            Self::WrongNumber => "a text goes to whom the one before went",
            Self::WordsOfTheLeadBefore => "an email says what the one before said",
            Self::DueIndexForgotten => "an enrollment keeps its place in the index of what is due",
            Self::ClaimNeverCleared => "a claim that is settled is not cleared",
            Self::OutcomeForgotten => "what came of a step is not kept",
            Self::EndsAfterItsFirstStep => "a cadence is taken to end after its first step",
            Self::DueAYearLater => "what is due is put off by a year",
            Self::TakenASecondTime => "a webhook that was taken is taken again",
            Self::SentUnasked => "an email is told as sent that SES was never given",
        }
    }

    /// What it breaks. It may break more: the simulation has to find this.
    pub fn breaks(self) -> Invariant {
        match self {
            Self::VendorRetries | Self::NoClaim | Self::ResendOnLeaseExpiry | Self::RandomTimerNames => {
                Invariant::OneEffect
            }
            Self::StreamFailureSwallowed
            | Self::NoReconcile
            | Self::TimersInLocalTime
            | Self::DueIndexForgotten
            | Self::ClaimNeverCleared => Invariant::NothingLost,
            Self::StopOutsideTheTransaction | Self::OptOutForgotten => Invariant::OptOut,
            Self::WrongZone => Invariant::Hours,
            Self::CapPerEnrollment => Invariant::Caps,
            Self::WrongNumber | Self::WordsOfTheLeadBefore => Invariant::Person,
            Self::GenerationKept => Invariant::Growth,
            Self::AnsweredBeforeWritten | Self::QuarantineForgotten | Self::TakenASecondTime => Invariant::Webhooks,
            Self::AttemptForgotten | Self::TimelineForgotten | Self::SentUnasked => Invariant::Told,
            Self::OutcomeForgotten => Invariant::Outcomes,
            Self::EndsAfterItsFirstStep | Self::DueAYearLater => Invariant::Course,
        }
    }

    /// The first seed whose world shows it.
    pub fn shown_by(self) -> u64 {
        match self {
            Self::GenerationKept
            | Self::TimersInLocalTime
            | Self::AnsweredBeforeWritten
            | Self::QuarantineForgotten
            | Self::AttemptForgotten
            | Self::TimelineForgotten
            | Self::WordsOfTheLeadBefore
            | Self::DueIndexForgotten
            | Self::ClaimNeverCleared
            | Self::OutcomeForgotten
            | Self::EndsAfterItsFirstStep
            | Self::DueAYearLater
            | Self::TakenASecondTime
            | Self::SentUnasked => 0,
            Self::CapPerEnrollment | Self::WrongZone | Self::OptOutForgotten | Self::WrongNumber => 1,
            Self::NoClaim
            | Self::ResendOnLeaseExpiry
            | Self::StreamFailureSwallowed
            | Self::NoReconcile
            | Self::RandomTimerNames => 4,
            Self::StopOutsideTheTransaction => 6,
            Self::VendorRetries => 21,
        }
    }

    /// The configuration of clients whose functions have the bug.
    pub(crate) fn plant(
        self,
        aws: &SdkConfig,
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Tested<SdkConfig> {
        let client = aws.http_client().ok_or("the configuration has no HTTP client")?;
        let planted = Planted { bug: self, now: Arc::new(now), before: Arc::default() };
        Ok(aws.to_builder().http_client(planted.over(client)).build())
    }
}

/// What a bug does to a request.
enum Does {
    /// Nothing, or something to what it asks for.
    Asks(Request<Bytes>),
    /// It is never made, and taken for done.
    Nothing(Request<Bytes>),
    /// It is made again until it works.
    Insists(Request<Bytes>),
    /// It is made, and taken for done whatever is answered.
    Believes(Request<Bytes>),
}

/// Clients of functions with a bug.
#[derive(Clone)]
struct Planted {
    bug: Bug,
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// What was said before, by what.
    before: Arc<Mutex<BTreeMap<&'static str, Value>>>,
}

impl Planted {
    fn over(self, client: SharedHttpClient) -> SharedHttpClient {
        http_client_fn(move |settings, components| {
            let inner = client.http_connector(settings, components);
            SharedHttpConnector::new(Sabotaged { inner, planted: self.clone() })
        })
    }

    fn does(&self, function: &str, mut request: Request<Bytes>) -> Does {
        let operation = operation_of(&request);
        let (service, name) = (operation.service, operation.name.to_owned());
        let is_channels = matches!(function, "sms" | "email" | "call");
        match (self.bug, function, service, name.as_str()) {
            (Bug::VendorRetries, _, "sns" | "voice-agent", _) => return Does::Insists(request),
            (Bug::StreamFailureSwallowed, "schedule", "sqs" | "scheduler", _) => return Does::Believes(request),
            (Bug::AnsweredBeforeWritten, "ingest", _, "TransactWriteItems") => return Does::Believes(request),
            (Bug::QuarantineForgotten, "ingest", _, "PutItem") => return Does::Nothing(request),
            (Bug::SentUnasked, _, "ses", _) => return Does::Nothing(request),
            (Bug::OptOutForgotten, "outcomes", _, "TransactWriteItems") if says(&request, "opt_outs") => {
                return Does::Nothing(request);
            }
            (Bug::AttemptForgotten, _, _, "PutItem") if is_channels || function == "reconcile" => {
                return Does::Nothing(request);
            }
            (Bug::RandomTimerNames, _, _, "CreateSchedule") => {
                let again = format!("{}-{}", request.uri(), fastrand::u32(..));
                if let Ok(uri) = again.parse() {
                    *request.uri_mut() = uri;
                }
            }
            (Bug::WrongNumber, _, "sns", _) => self.swap_form(&mut request, "PhoneNumber"),
            (_, _, _, "TransactWriteItems" | "CreateSchedule" | "SendEmail" | "Query") => {
                let mut body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                self.edit(function, &name, &mut body);
                *request.body_mut() = Bytes::from(body.to_string());
            }
            _ => {}
        }
        Does::Asks(request)
    }

    /// Changes what a function asks for.
    fn edit(&self, function: &str, operation: &str, body: &mut Value) {
        match (self.bug, operation) {
            (Bug::WordsOfTheLeadBefore, "SendEmail") => self.swap(body, "/Content/Simple/Body"),
            (Bug::TimersInLocalTime, "CreateSchedule") => {
                let at = body.get("ScheduleExpression").and_then(Value::as_str).unwrap_or_default();
                let form = "at(%Y-%m-%dT%H:%M:%S)";
                if let Ok(at) = chrono::NaiveDateTime::parse_from_str(at, form) {
                    let local = (at - TimeDelta::hours(8)).format(form).to_string();
                    set(body, "/ScheduleExpression", json!(local));
                }
            }
            (Bug::NoReconcile, "Query") if function == "reconcile" => {
                set(body, "/ExpressionAttributeValues/:shard", json!({ "S": "nowhere" }));
            }
            (_, "TransactWriteItems") => {
                if let Some(items) = body.pointer_mut("/TransactItems").and_then(Value::as_array_mut) {
                    self.edit_writes(items);
                }
            }
            _ => {}
        }
    }

    fn edit_writes(&self, items: &mut Vec<Value>) {
        let is_claim = items.first().is_some_and(takes_a_claim);
        match self.bug {
            Bug::NoClaim | Bug::ResendOnLeaseExpiry if is_claim => {
                forget_condition(items.first_mut(), "attribute_not_exists");
            }
            Bug::StopOutsideTheTransaction if is_claim => forget_condition(items.get_mut(1), "="),
            Bug::CapPerEnrollment if is_claim => {
                if let Some(update) = items.get_mut(1) {
                    keep_in_set(update, |set| !set.contains('.'));
                }
            }
            Bug::WrongZone => {
                for item in items.iter_mut() {
                    set(item, "/Put/Item/zones", json!({ "L": [{ "S": "America/New_York" }] }));
                }
            }
            Bug::GenerationKept => items.iter_mut().for_each(keep_generation),
            Bug::DueAYearLater => items.iter_mut().for_each(put_off),
            Bug::TakenASecondTime => {
                for item in items.iter_mut().filter(|item| item.to_string().contains("{\"S\":\"WEBHOOK#")) {
                    forget_whole_condition(item);
                }
            }
            Bug::TimelineForgotten => items.retain(|item| !item.to_string().contains("\"TIMELINE#")),
            Bug::OutcomeForgotten => items.retain(|item| !item.to_string().contains("{\"S\":\"OUTCOME#")),
            Bug::DueIndexForgotten if !is_claim => {
                for item in items.iter_mut().filter(|item| names(item, "due_at") && item.get("Update").is_some()) {
                    let due = alias(item, "due_at").unwrap_or_default();
                    keep_in_set(item, |set| !set.starts_with(&format!("{due} ")));
                }
            }
            Bug::ClaimNeverCleared if !is_claim => {
                for item in items.iter_mut().filter(|item| names(item, "claim")) {
                    let claim = alias(item, "claim").unwrap_or_default();
                    forget_remove(item, &claim);
                }
            }
            _ => {}
        }
        items.iter_mut().for_each(prune);
    }

    /// Puts what was said before in place of what is said, and keeps that for the next.
    fn swap(&self, body: &mut Value, path: &'static str) {
        let Some(said) = body.pointer_mut(path) else { return };
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = before.insert(path, said.clone()) {
            *said = before;
        }
    }

    fn swap_form(&self, request: &mut Request<Bytes>, field: &'static str) {
        let form: Vec<(String, String)> = form_of(request.body());
        let mut fields: BTreeMap<String, Value> = form.into_iter().map(|(name, value)| (name, json!(value))).collect();
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(said) = fields.get_mut(field)
            && let Some(before) = before.insert(field, said.clone())
        {
            *said = before;
        }
        let written = fields.iter().map(|(name, value)| (name, value.as_str().unwrap_or_default()));
        let written: Vec<String> =
            written.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        *request.body_mut() = Bytes::from(written.join("&"));
    }

    /// Changes what a function is answered.
    fn answered(&self, function: &str, answer: HttpResponse) -> HttpResponse {
        let is_changed = match self.bug {
            Bug::ResendOnLeaseExpiry | Bug::NoClaim => matches!(function, "sms" | "email" | "call"),
            Bug::EndsAfterItsFirstStep => function != "publish",
            Bug::TakenASecondTime => function == "ingest",
            _ => false,
        };
        let read = answer.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let is_believed = matches!(self.bug, Bug::ResendOnLeaseExpiry | Bug::NoClaim);
        let is_changed = is_changed && (is_believed || answer.status().is_success());
        let Some(mut body) = read.filter(|_| is_changed) else { return answer };
        match self.bug {
            Bug::ResendOnLeaseExpiry => hide_claims(&mut body, (self.now)()),
            Bug::NoClaim => hide_claims(&mut body, DateTime::<Utc>::MAX_UTC),
            Bug::EndsAfterItsFirstStep => keep_first_step(&mut body),
            _ => hide_webhook(&mut body),
        }
        ok(&body).unwrap_or(answer)
    }
}

struct Sabotaged {
    inner: SharedHttpConnector,
    planted: Planted,
}

impl HttpConnector for Sabotaged {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, planted) = (self.inner.clone(), self.planted.clone());
        HttpConnectorFuture::new(async move {
            let Some(invocation) = Invocation::that_asks() else { return inner.call(request).await };
            let function = invocation.function.to_string();
            let request = request.try_into_http1x().map_err(user)?;
            let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            let answer = match planted.does(&function, request) {
                Does::Asks(request) => inner.call(wire(request)?).await?,
                Does::Nothing(request) => done(&request)?,
                Does::Believes(request) => {
                    let answer = inner.call(wire(request.clone())?).await;
                    match answer {
                        Ok(answer) if answer.status().is_success() => answer,
                        _ => done(&request)?,
                    }
                }
                Does::Insists(request) => {
                    let mut answer = inner.call(wire(request.clone())?).await;
                    for _ in 0..2 {
                        if answer.as_ref().is_ok_and(|answer| answer.status().as_u16() < 500) {
                            break;
                        }
                        answer = inner.call(wire(request.clone())?).await;
                    }
                    answer?
                }
            };
            Ok(planted.answered(&function, answer))
        })
    }
}

impl fmt::Debug for Sabotaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sabotaged").field("bug", &self.planted.bug).finish_non_exhaustive()
    }
}

fn wire(request: Request<Bytes>) -> Result<HttpRequest, ConnectorError> {
    let mut request = request;
    let length = request.body().len();
    request.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    HttpRequest::try_from(request.map(SdkBody::from)).map_err(user)
}

/// What a service answers that has done it.
fn done(request: &Request<Bytes>) -> Result<HttpResponse, ConnectorError> {
    let body = match operation_of(request).service {
        "sqs" => json!({ "MessageId": "none", "MD5OfMessageBody": null }),
        "scheduler" => json!({ "ScheduleArn": "none" }),
        "ses" => json!({ "MessageId": "none" }),
        _ => json!({}),
    };
    ok(&body).ok_or_else(|| ConnectorError::user("no answer could be made up".into()))
}

fn ok(body: &Value) -> Option<HttpResponse> {
    let response = Response::builder().status(200).header("content-type", "application/x-amz-json-1.0");
    HttpResponse::try_from(response.body(SdkBody::from(body.to_string())).ok()?).ok()
}

fn user(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(error.into())
}

fn says(request: &Request<Bytes>, word: &str) -> bool {
    String::from_utf8_lossy(request.body()).contains(word)
}

fn form_of(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
