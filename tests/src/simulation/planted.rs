//! Known bugs, planted between the functions' clients and the cloud: what a function asks for is changed on its way, as if the function had
//! the bug. Nothing that ships knows of them. The simulation has to find each.

mod bug;
mod requests;

use std::{
    collections::BTreeMap,
    fmt,
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

pub use self::bug::Bug;
use self::requests::{
    agree_to_all, alias, due_by, due_then, follow_any, forget_caps, forget_condition, forget_remove,
    forget_whole_condition, go_back, heed_lease_only, hide_claims, hide_enrollments, hide_webhook, keep_first_step,
    keep_generation, keep_in_set, lead_of, license_all, names, prune, put_off, set, takes_a_claim,
};
use super::operation::operation_of;
use crate::Tested;

impl Bug {
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
    /// It is made, and what is answered is lost.
    Forgets(Request<Bytes>),
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
            (Bug::VendorRetries, _, "sns" | "ses" | "voice-agent", _) => return Does::Insists(request),
            (Bug::StreamFailureSwallowed, "schedule", "sqs" | "scheduler", _) => return Does::Believes(request),
            (Bug::AnsweredBeforeWritten, "ingest", _, "TransactWriteItems") => return Does::Believes(request),
            (Bug::QuarantineForgotten, "ingest", _, "PutItem") => return Does::Nothing(request),
            (Bug::AnswersUnread, _, "sns" | "ses" | "voice-agent", _) => return Does::Forgets(request),
            (Bug::SentUnasked, _, "ses", _) => return Does::Nothing(request),
            (Bug::KnownLeadsUnread, "ingest", _, "Query") if says(&request, "LEAD#") => return Does::Forgets(request),
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
            (Bug::TimersInLocalTime | Bug::RunsEarly, "CreateSchedule") => {
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
            (Bug::RestForgotten, "Query") if function == "reconcile" => {
                let shard = body.pointer("/ExpressionAttributeValues/:shard/S").and_then(Value::as_str);
                if shard.is_some_and(|shard| shard.starts_with("parked#")) {
                    set(body, "/ExpressionAttributeValues/:shard", json!({ "S": "nowhere" }));
                }
            }
            (Bug::ResendOnLeaseExpiry, "Query") if function == "reconcile" => {
                let until = due_then((self.now)() - TimeDelta::minutes(30));
                set(body, "/ExpressionAttributeValues/:until", json!({ "S": until }));
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
            Bug::NoClaim if is_claim => forget_condition(items.first_mut(), "attribute_not_exists"),
            Bug::ResendOnLeaseExpiry if is_claim => {
                items.iter_mut().take(1).for_each(|item| heed_lease_only(item, (self.now)()));
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
            Bug::DueADayLater => items.iter_mut().for_each(|item| put_off(item, |due_at| due_at + TimeDelta::days(1))),
            Bug::DueWithoutItsWait => {
                let now = (self.now)();
                items.iter_mut().for_each(|item| put_off(item, |_| now));
            }
            Bug::GoesBack => items.iter_mut().for_each(go_back),
            Bug::OutcomeMovesNothing if items.iter().any(|item| item.to_string().contains("{\"S\":\"OUTCOME#")) => {
                items.retain(|item| !names(item, "progress"));
            }
            Bug::EnrollmentForgotten if items.iter().any(|item| item.to_string().contains("{\"S\":\"WEBHOOK#")) => {
                items.retain(|item| item.pointer("/Put/Item/progress").is_none());
            }
            Bug::TasksLeftOpen if items.iter().any(|item| item.to_string().contains("\"opt_outs\"")) => {
                items.retain(|item| !names(item, "closed"));
            }
            Bug::TasksOutliveTheirCadence if items.iter().any(|item| item.to_string().contains("\"ended\"")) => {
                items.retain(|item| !names(item, "closed"));
            }
            Bug::ReviewForgotten => items.retain(|item| !item.to_string().contains("~review")),
            Bug::FollowUpForgotten => {
                items.retain(|item| item.pointer("/Put/Item/kind/S").is_none_or(|kind| kind != "follow_up"));
            }
            Bug::PauseUntold => items
                .retain(|item| !item.to_string().contains("{\"S\":\"TASK#") || !item.to_string().contains("~paused-")),
            Bug::DoNotCallForgotten => {
                for item in items.iter_mut() {
                    set(item, "/Put/Item/opt_outs", json!({ "M": {} }));
                }
            }
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
        let Some(read) = self.reads(function).filter(|_| answer.status().is_success()) else { return answer };
        let body = answer.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let Some(mut body) = body else { return answer };
        read(self, &mut body);
        ok(&body).unwrap_or(answer)
    }

    /// How a function misreads what it is answered, if it does.
    fn reads(&self, function: &str) -> Option<fn(&Self, &mut Value)> {
        let is_channels = matches!(function, "sms" | "email" | "call");
        Some(match self.bug {
            Bug::NoClaim if is_channels => |_, read| hide_claims(read, DateTime::<Utc>::MAX_UTC),
            Bug::ResendOnLeaseExpiry if is_channels => |planted, read| hide_claims(read, (planted.now)()),
            Bug::RunsEarly if is_channels => |planted, read| due_by(read, (planted.now)()),
            Bug::ConsentAssumed if is_channels => |_, read| agree_to_all(read),
            Bug::LicencesIgnored if function != "publish" => |_, read| license_all(read),
            Bug::FollowsAnyVersion if function != "publish" => |_, read| follow_any(read),
            Bug::EndsAfterItsFirstStep if function != "publish" => |_, read| keep_first_step(read),
            Bug::CapsUnread if function != "publish" => |_, read| forget_caps(read),
            Bug::PutsBackEarly if function == "reconcile" => {
                |planted, read| due_by(read, (planted.now)() - TimeDelta::hours(1))
            }
            Bug::EnrolledAgain if function == "ingest" => |_, read| hide_enrollments(read),
            Bug::TakenASecondTime if function == "ingest" => |_, read| hide_webhook(read),
            Bug::LeadOfTheOneBefore if function == "ingest" => |planted, read| {
                if let Some(lead) = lead_of(read) {
                    let mut before = planted.before.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(before) = before.insert("lead", lead.clone()) {
                        *lead = before;
                    }
                }
            },
            _ => return None,
        })
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
                Does::Forgets(request) => {
                    inner.call(wire(request)?).await?;
                    return Err(ConnectorError::io("the answer was not read".into()));
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
