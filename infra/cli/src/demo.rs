//! `cadence demo`: the reference cadence with two leads, on a clock that jumps from one due instant to the next.

use std::{collections::BTreeMap, time::Instant};

use anyhow::{Context, ensure};
use cadence_core::{
    Channel, LeadId, Outcome,
    time::Zone,
    timeline::{Entry, EntryKind},
};
use cadence_local::{
    Cloud, Options, Pace,
    deployment::{self, CONFIG, LEADS, SOURCE_SECRET, UserToken, sdk_config},
    server,
};
use cadence_store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{client::ApiClient, told::Telling};

/// Runs the reference cadence with two leads and prints what happens, in the leads' time
#[derive(clap::Args)]
#[command(
    after_help = "Everything is real but the sending: HTTP, SDK clients, tables, streams, timers, queues. The clock jumps."
)]
pub(crate) struct Args {
    /// Print one JSON object for each thing that happens
    #[arg(long)]
    json: bool,
}

/// Where both leads live.
const ZONE: &str = "America/Los_Angeles";
/// A Tuesday, 10:00 there.
const START: &str = "2026-12-01T10:00:00-08:00";
/// No story takes longer.
const LONGEST: TimeDelta = TimeDelta::days(14);

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    crate::start_logs("error");
    let began = Instant::now();
    let telling = if args.json { Telling::Json } else { Telling::Words };
    let start = DateTime::parse_from_rfc3339(START)?.to_utc();
    let listener = server::bind(0).await.context("no free port could be bound")?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let options = Options { endpoint: endpoint.clone(), start, pace: Pace::Jumps, data: None, faults: None };
    let cloud = Cloud::open(options)?;
    let server = tokio::spawn(server::serve(cloud.clone(), listener));
    let users = deployment::deploy(&cloud).await?;

    let mut story = Story::new(cloud, &endpoint, users, telling)?;
    story.first_lead_is_not_reached().await?;
    story.second_lead_answers().await?;
    story.summary(start, began);
    server.abort();
    Ok(())
}

struct Story {
    cloud: Cloud,
    api: ApiClient,
    store: Store,
    users: Vec<UserToken>,
    zone: Zone,
    telling: Telling,
    told: BTreeMap<LeadId, usize>,
    counts: BTreeMap<&'static str, usize>,
}

impl Story {
    fn new(cloud: Cloud, endpoint: &str, users: Vec<UserToken>, telling: Telling) -> anyhow::Result<Self> {
        Ok(Self {
            api: ApiClient::new(endpoint),
            store: Store::new(&sdk_config(&cloud), LEADS, CONFIG),
            cloud,
            users,
            zone: Zone::parse(ZONE).context("the demo's zone is gone")?,
            telling,
            told: BTreeMap::new(),
            counts: BTreeMap::new(),
        })
    }

    /// Nobody answers, so every step runs.
    async fn first_lead_is_not_reached(&mut self) -> anyhow::Result<()> {
        self.telling.heading(
            "A Zillow lead comes in. Its loan officer calls and leaves a voicemail; nobody answers later either.\n",
        );
        let lead = self.webhook("LC-DEMO-1", "Jordan", "415-555-0123", "jordan@example.com").await?;
        self.pass(TimeDelta::minutes(3), &lead).await?;
        self.report(Outcome::Voicemail, "left the custom voicemail", &lead).await?;
        self.run_to_end(&lead).await
    }

    /// The loan officer reaches the lead, so the rest is cancelled.
    async fn second_lead_answers(&mut self) -> anyhow::Result<()> {
        self.telling.heading(
            "\nA second lead comes in. The loan officer reaches them after five minutes, which ends the cadence.\n",
        );
        let lead = self.webhook("LC-DEMO-2", "Casey", "415-555-0187", "casey@example.com").await?;
        self.pass(TimeDelta::minutes(5), &lead).await?;
        self.report(Outcome::Connected, "talked, wants a quote by tomorrow", &lead).await?;
        self.run_to_end(&lead).await
    }

    async fn webhook(&mut self, id: &str, first_name: &str, phone: &str, email: &str) -> anyhow::Result<LeadId> {
        let body = json!({
            "id": id, "created": self.cloud.now().to_rfc3339(), "type": "longForm", "source": "Zillow", "brand": "zillow", "channel": "web",
            "price": 55.0,
            "recipient": { "firstName": "Riley", "lastName": "Example", "emailAddress": "riley@example.com", "nmlsLicense": "1000001" },
            "sender": { "firstName": first_name, "lastName": "Sample", "emailAddress": email, "phoneNumber": phone },
            "details": { "loanPurpose": "Purchase", "loanAmount": 350_000, "downPayment": 50_000, "propertyValue": 400_000, "city": "Oakland",
                "stateAbbreviation": "CA", "zipCode": "94607" },
        });
        let path = format!("/leads/zillow/{SOURCE_SECRET}");
        let taken = self.api.post(&path, None, &body).await?;
        let lead = LeadId::new(taken.get("lead").and_then(Value::as_str).context("the answer names no lead")?);
        self.catch_up(&lead).await?;
        Ok(lead)
    }

    /// The lead's loan officer completes their open task.
    async fn report(&mut self, outcome: Outcome, note: &str, lead: &LeadId) -> anyhow::Result<()> {
        for UserToken { token, .. } in self.users.clone() {
            let tasks = self.api.get("/tasks", Some(&token)).await?;
            let tasks = tasks.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default();
            let ids = tasks.iter().filter_map(|task| task.get("id").and_then(Value::as_str));
            if let Some(id) = ids.into_iter().find(|id| id.starts_with(lead.as_str())) {
                let body = json!({ "outcome": outcome, "note": note });
                self.api.post(&format!("/tasks/{id}/outcome"), Some(&token), &body).await?;
                return self.catch_up(lead).await;
            }
        }
        anyhow::bail!("no loan officer has a task for the lead")
    }

    /// Runs what is due in the next while, then stands at its end.
    async fn pass(&mut self, while_: TimeDelta, lead: &LeadId) -> anyhow::Result<()> {
        let end = self.cloud.now() + while_;
        while let Some(at) = self.cloud.next_due_at()?.filter(|at| *at < end) {
            self.cloud.advance_to(at);
            self.catch_up(lead).await?;
        }
        self.cloud.advance_to(end);
        self.catch_up(lead).await
    }

    async fn run_to_end(&mut self, lead: &LeadId) -> anyhow::Result<()> {
        let give_up = self.cloud.now() + LONGEST;
        while !self.is_over(lead).await? {
            let at = self.cloud.next_due_at()?.context("the lead's cadence is not over, but nothing is due")?;
            ensure!(at < give_up, "the lead's cadence is not over after {} days", LONGEST.num_days());
            self.cloud.advance_to(at);
            self.catch_up(lead).await?;
        }
        Ok(())
    }

    async fn is_over(&self, lead: &LeadId) -> anyhow::Result<bool> {
        let known = self.store.load_lead(lead).await?.context("the lead is gone")?;
        Ok(known.enrollments.iter().all(|enrollment| enrollment.has_ended() && enrollment.claim.is_none()))
    }

    /// Delivers what is ready and tells what came of it.
    async fn catch_up(&mut self, lead: &LeadId) -> anyhow::Result<()> {
        self.cloud.run_ready().await?;
        let entries = self.store.load_timeline(lead).await?;
        let told = self.told.insert(lead.clone(), entries.len()).unwrap_or(0);
        for entry in entries.iter().skip(told) {
            self.telling.entry(entry, &self.zone)?;
            if let Some(what) = counted(entry) {
                *self.counts.entry(what).or_default() += 1;
            }
        }
        Ok(())
    }

    fn summary(&self, start: DateTime<Utc>, began: Instant) {
        let lasted = self.cloud.now() - start;
        let count = |what: &str| self.counts.get(what).copied().unwrap_or(0);
        let counted = ["lead", "dial task", "text", "AI call", "email"].map(|what| match count(what) {
            1 => format!("1 {what}"),
            number => format!("{number} {what}s"),
        });
        let (minutes, seconds) = (lasted.num_minutes(), began.elapsed().as_secs_f64());
        self.telling
            .heading(&format!("\n{}. {minutes} minutes of the leads' time in {seconds:.1} s.", counted.join(", ")));
        self.telling.heading("Next: `cargo run -- local`, and send it a webhook of your own.");
        self.telling.object(&json!({
            "kind": "summary", "at": self.cloud.now(), "leads": count("lead"), "tasks": count("dial task"), "sms": count("text"),
            "ai_calls": count("AI call"), "emails": count("email"),
        }));
    }
}

fn counted(entry: &Entry) -> Option<&'static str> {
    match (entry.kind, entry.channel) {
        (EntryKind::Enrolled, _) => Some("lead"),
        (EntryKind::TaskOpened, _) => Some("dial task"),
        (EntryKind::CallPlaced, _) => Some("AI call"),
        (EntryKind::Sent, Some(Channel::Sms)) => Some("text"),
        (EntryKind::Sent, Some(Channel::Email)) => Some("email"),
        _ => None,
    }
}
