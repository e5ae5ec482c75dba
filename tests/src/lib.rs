//! A world to test in: a whole local cloud in memory, on a clock that jumps, with the shipped records and a few things that people do.

mod doors;
mod interruption;
pub mod kills;
pub mod simulation;
mod steps;

use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use bytes::Bytes;
use cadence_core::{
    EnrollmentId, LeadId, UserId,
    enrollment::{Enrollment, StepDue},
    task::Task,
    timeline::Entry,
};
use cadence_local::{
    Cloud, Options, Pace, Sent,
    deployment::{self, CONFIG, LEADS, SOURCE_SECRET, UserToken},
    faults::{Call, Fate, Fault, Faults},
};
use cadence_store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Request};
use serde_json::{Value, json};

pub use cadence_local as local;
pub use doors::end_of_call;
pub use interruption::Moment;
pub use steps::{Ran, step};

/// What a test goes on with, or why it can't.
pub type Tested<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A cloud with Cadence deployed, and the hands to use it. Clones are the same world.
#[derive(Clone)]
pub struct World {
    /// The cloud.
    pub cloud: Cloud,
    /// The tables, through an SDK client that no fault befalls.
    pub store: Store,
    /// Each user's token.
    pub users: Vec<UserToken>,
    faults: Arc<Mutex<Option<Fallen>>>,
}

/// A fault that waits for its requests.
struct Fallen {
    fault: Fault,
    times: u32,
    /// What it befalls: the requests to that operation.
    operation: &'static str,
}

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body's media type.
    pub content_type: String,
    /// The body, if it is JSON.
    pub body: Value,
}

impl Answer {
    /// The lead and the enrollment that a webhook came to.
    pub fn taken(&self) -> Tested<(LeadId, EnrollmentId)> {
        let id = |name: &str| self.body.get(name).and_then(Value::as_str).map(str::to_owned);
        match (self.status, id("lead"), id("enrollment")) {
            (202, Some(lead), Some(enrollment)) => Ok((LeadId::new(lead), EnrollmentId::new(enrollment))),
            _ => Err(format!("the lead was not taken: {self:?}").into()),
        }
    }
}

/// A Tuesday, 10:00 in Los Angeles.
pub fn tuesday_morning() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_148_000, 0).unwrap_or_default()
}

impl World {
    /// A world on that Tuesday morning.
    pub async fn start() -> Tested<Self> {
        Self::start_at(tuesday_morning()).await
    }

    /// A world at that instant.
    pub async fn start_at(start: DateTime<Utc>) -> Tested<Self> {
        let faults: Arc<Mutex<Option<Fallen>>> = Arc::default();
        let befall = {
            let faults = faults.clone();
            move |call: &Call<'_>| {
                let mut waiting = faults.lock().ok()?;
                let request = call.request;
                let is_meant = |fallen: &Fallen| {
                    is_to(fallen.operation, request.uri().path(), request.headers(), Some(request.body()))
                };
                let fallen = waiting.as_mut().filter(|fallen| is_meant(fallen))?;
                fallen.times -= 1;
                let (fault, is_over) = (fallen.fault, fallen.times == 0);
                waiting.take_if(|_| is_over);
                Some(fault)
            }
        };
        let befall = Faults::of_calls(move |call| Fate::from(befall(call)));
        let cloud = Cloud::open(Options {
            endpoint: "http://127.0.0.1:7878".to_owned(),
            start,
            pace: Pace::Jumps,
            data: None,
            faults: Some(befall),
        })?;
        let users = deployment::deploy(&cloud).await?;
        let store = Store::new(&deployment::sdk_config(&cloud), LEADS, CONFIG);
        Ok(Self { cloud, store, users, faults })
    }

    /// What SDK clients of this world are made with.
    pub fn aws(&self) -> SdkConfig {
        deployment::sdk_config(&self.cloud)
    }

    /// Lets a fault befall the next request to that operation: `TransactWriteItems`, `SendMessage`, `Publish`, ...
    pub fn befall(&self, operation: &'static str, fault: Fault) {
        self.befall_times(operation, fault, 1);
    }

    /// Lets a fault befall every attempt that an SDK client makes of its next request to that operation.
    pub fn befall_all_attempts(&self, operation: &'static str, fault: Fault) {
        self.befall_times(operation, fault, self.aws().retry_config().map_or(1, |retry| retry.max_attempts()));
    }

    fn befall_times(&self, operation: &'static str, fault: Fault, times: u32) {
        if let Ok(mut waiting) = self.faults.lock() {
            *waiting = Some(Fallen { fault, times, operation });
        }
    }

    /// Asks the API.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Tested<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.cloud.answer(&request.body(Bytes::copy_from_slice(body))?).await;
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        let content_type = response.headers().get("content-type").map(|value| value.as_bytes()).unwrap_or_default();
        let content_type = String::from_utf8_lossy(content_type).into_owned();
        Ok(Answer { status: response.status().as_u16(), content_type, body })
    }

    /// Posts a webhook of a source, with its secret.
    pub async fn post_lead(&self, source: &str, body: &Value) -> Tested<Answer> {
        let path = format!("/leads/{source}");
        self.ask("POST", &path, &[("x-cadence-secret", SOURCE_SECRET)], body.to_string().as_bytes()).await
    }

    /// A Zillow lead in California, taken now, who has not been heard of: what the tests run with unless they say otherwise.
    pub fn zillow_lead(&self, id: &str, phone: &str) -> Value {
        json!({
            "id": id, "created": self.cloud.now().to_rfc3339(), "type": "longForm", "source": "Zillow",
            "sender": { "firstName": "Jordan", "lastName": "Sample", "emailAddress": format!("{id}@example.com"), "phoneNumber": phone },
            "details": { "loanPurpose": "Purchase", "loanAmount": 350_000, "city": "Oakland", "stateAbbreviation": "CA", "zipCode": "94607" },
        })
    }

    /// Posts that Zillow lead and gives its lead and enrollment; nothing of it has been delivered yet.
    pub async fn enroll(&self) -> Tested<(LeadId, EnrollmentId)> {
        self.enroll_as("zillow", &self.zillow_lead("LC-1", "415-555-0123")).await
    }

    /// Posts a webhook and gives the lead and the enrollment that it came to; nothing of it has been delivered yet.
    pub async fn enroll_as(&self, source: &str, body: &Value) -> Tested<(LeadId, EnrollmentId)> {
        self.post_lead(source, body).await?.taken()
    }

    /// Delivers all that is ready now.
    pub async fn settle(&self) -> Tested {
        Ok(self.cloud.run_ready().await?)
    }

    /// Lets that much time pass, delivering what falls due at the instant at which it does.
    pub async fn pass(&self, time: TimeDelta) -> Tested {
        let end = self.cloud.now() + time;
        self.settle().await?;
        while let Some(at) = self.cloud.next_due_at()?.filter(|at| *at <= end) {
            self.cloud.advance_to(at);
            self.settle().await?;
        }
        self.cloud.advance_to(end);
        self.settle().await
    }

    /// The enrollment as it stands.
    pub async fn enrollment(&self, lead: &LeadId, id: &EnrollmentId) -> Tested<Enrollment> {
        let known = self.store.load_lead(lead).await?.ok_or("there is no such lead")?;
        Ok(known
            .enrollments
            .into_iter()
            .find(|enrollment| enrollment.id == *id)
            .ok_or("there is no such enrollment")?)
    }

    /// What the queue would say of the enrollment as it stands.
    pub async fn step_due(&self, lead: &LeadId, id: &EnrollmentId) -> Tested<StepDue> {
        Ok(self.enrollment(lead, id).await?.step_due())
    }

    /// What happened to the lead.
    pub async fn timeline(&self, lead: &LeadId) -> Tested<Vec<Entry>> {
        Ok(self.store.load_timeline(lead).await?)
    }

    /// What happened to the lead, as `kind step outcome`.
    pub async fn told(&self, lead: &LeadId) -> Tested<Vec<String>> {
        let told = |entry: &Entry| {
            let step = entry.step.as_ref().map_or("-", |step| step.as_str());
            let outcome = entry.outcome.map_or("-", |outcome| outcome.as_str());
            format!("{} {step} {outcome}", entry.kind.as_str())
        };
        Ok(self.timeline(lead).await?.iter().map(told).collect())
    }

    /// What was sent to people, as `kind to`.
    pub fn sent(&self) -> Tested<Vec<String>> {
        Ok(self.outbox()?.iter().map(|sent| format!("{} {}", sent.kind, sent.to)).collect())
    }

    /// What was sent to people.
    pub fn outbox(&self) -> Tested<Vec<Sent>> {
        Ok(self.cloud.outbox(0)?)
    }

    /// The open tasks of everybody.
    pub async fn open_tasks(&self) -> Tested<Vec<Task>> {
        let mut tasks = Vec::new();
        for user in &self.users {
            tasks.extend(self.store.load_open_tasks(&UserId::new(user.user.as_str())).await?);
        }
        Ok(tasks)
    }

    /// Completes a task as its user does.
    pub async fn complete(&self, task: &Task, outcome: &str) -> Tested<Answer> {
        let token = self.users.iter().find(|user| user.user == task.user.as_str()).ok_or("the user has no token")?;
        let bearer = format!("Bearer {}", token.token);
        let body = json!({ "outcome": outcome }).to_string();
        self.ask("POST", &format!("/tasks/{}/outcome", task.id), &[("authorization", &bearer)], body.as_bytes()).await
    }
}

/// Whether a request is to that operation: by its target, its form, or the path that only it has.
fn is_to(operation: &str, path: &str, headers: &HeaderMap, body: Option<&[u8]>) -> bool {
    let target = headers.get("x-amz-target").map(|value| value.as_bytes()).unwrap_or_default();
    match operation {
        "SendEmail" => path == "/v2/email/outbound-emails",
        "CreateCall" => path.starts_with("/voice-agent/"),
        "Publish" => String::from_utf8_lossy(body.unwrap_or_default()).contains("Action=Publish&"),
        _ => String::from_utf8_lossy(target).ends_with(&format!(".{operation}")),
    }
}
