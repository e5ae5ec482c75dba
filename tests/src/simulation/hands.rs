//! The hands of a world's people: vendors post, users work, leads answer and opt out, ops edit.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use cadence_core::{LeadId, Outcome, TaskId, UserId, lead::OptOut, vapi};
use cadence_local::{
    Cloud, Ending, Sent,
    deployment::{CONFIG, LEADS, SOURCE_SECRET, UserToken, VOICE_AGENT_SECRET},
};
use chrono::TimeDelta;
use fastrand::Rng;
use http::Request;
use serde_json::{Value, json};

use super::{
    drafts::break_record,
    draws::{Draws, duration, happens, one_of, soon, weighted},
    fates::Stirred,
    ledger::{Completion, Confirmed, Ledger, Report, Webhook},
    people::{Person, Tells},
    plan::{Deed, Edit, Post, What},
};
use crate::Tested;

/// What people do things with. Clones are the same people's.
#[derive(Clone)]
pub(crate) struct Hands {
    pub(crate) cloud: Cloud,
    pub(crate) dynamo: aws_sdk_dynamodb::Client,
    pub(crate) users: Vec<UserToken>,
    pub(crate) people: Vec<Person>,
    pub(crate) draws: Draws,
    pub(crate) ledger: Ledger,
}

/// What somebody was answered.
struct Answer {
    status: u16,
    body: Value,
    /// Where the leads table's stream ended when it came.
    at: i64,
}

/// How long somebody waits before they say again what was not taken, in seconds.
const PATIENCE: [i64; 3] = [1, 40, 400];

impl Hands {
    /// Does what the plan says.
    pub(crate) async fn does(self, deed: Deed) -> Tested {
        let mut rng = self.draws.of("deed", deed.number as u64);
        match &deed.what {
            What::Posts(post) => self.posts(post).await,
            What::Works { user } => self.works(*user, &mut rng).await,
            What::Reports => self.reports(None, &mut rng).await,
            What::Unsubscribes { person, confirms } => self.unsubscribes(*person, *confirms, &mut rng).await,
            What::Answers { person } => self.ends(*person, &ending(&mut rng)),
            What::Edits(edit) => self.edits(edit, &mut rng).await,
            What::Completes { step, outcome } => self.completes_step(step, outcome).await,
            What::Ends { person, ending } => self.ends(*person, ending),
            What::Tells { reason, outcome } => self.tells(reason, outcome).await,
        }
    }

    /// Does something about a person while a step of theirs is under way.
    pub(crate) async fn meanwhile(self, stirred: Stirred, within: Duration, mut rng: Rng) -> Tested {
        rest(soon(&mut rng, TimeDelta::from_std(within)?)).await;
        let person = stirred.person;
        match weighted(&mut rng, &[(if stirred.is_emailed { 20 } else { 3 }, 'u'), (3, 't'), (2, 'r'), (1, 'w')]) {
            Some('u') => self.unsubscribes(person, true, &mut rng).await,
            Some('t') => self.completes_of(person, &mut rng).await,
            Some('r') => self.reports(Some(person), &mut rng).await,
            _ => self.posts_again(person, &mut rng).await,
        }
    }

    /// Whoever has a task about somebody completes it; often the lead wants no more.
    async fn completes_of(&self, person: usize, rng: &mut Rng) -> Tested {
        let Some(person) = self.people.get(person) else { return Ok(()) };
        for user in &self.users {
            let tasks = self.tasks_of(user).await?;
            let is_theirs = |task: &&Value| task.to_string().contains(&person.first_name());
            let theirs: Vec<&Value> = tasks.iter().filter(is_theirs).collect();
            let Some(task) = one_of(rng, &theirs) else { continue };
            let outcomes = task.get("outcomes").and_then(Value::as_array).cloned().unwrap_or_default();
            let wanted = json!(one_of(rng, &["opted_out", "unsubscribed", "connected", "replied"]));
            let outcome = outcomes.iter().find(|outcome| **outcome == wanted).or_else(|| one_of(rng, &outcomes));
            if let Some(outcome) = outcome {
                self.completes(user, task, outcome).await?;
            }
        }
        Ok(())
    }

    /// A vendor sends somebody once more, as a new event.
    async fn posts_again(&self, person: usize, rng: &mut Rng) -> Tested {
        let Some(known) = self.people.get(person) else { return Ok(()) };
        let tells = Tells { phone: true, email: rng.bool(), state: rng.bool(), zip: false };
        let id = format!("EVENT-{person:04}-{}", rng.u32(100..));
        let source = one_of(rng, &["zillow", "plain"]).copied().unwrap_or("zillow");
        let body = known.webhook(source, &id, tells, rng).to_string();
        self.posts(&Post { source, body, names: vec![person], has_secret: true, is_good: true }).await
    }

    /// What a vendor got no answer to but that it can't be taken now, it posts again.
    pub(crate) async fn posts_what_failed(&self) -> Tested {
        let failed: Vec<Post> = self.ledger.told().unanswered().map(|webhook| webhook.post.clone()).collect();
        for post in failed {
            self.posts(&post).await?;
        }
        Ok(())
    }

    async fn posts(&self, post: &Post) -> Tested {
        if post.names.len() > 1 {
            self.ledger.told().named_together.push(post.names.clone());
        }
        let secret = if post.has_secret { SOURCE_SECRET } else { "guessed" };
        let path = format!("/leads/{}", post.source);
        let answer = self.insist("POST", &path, &[("x-cadence-secret", secret)], &post.body).await?;
        let lead = answer.body.get("lead").and_then(Value::as_str).map(LeadId::new);
        let mut told = self.ledger.told();
        // A source that says so closes the phone, as the lead would by STOP.
        if let (Some(lead), true) = (&lead, post.body.contains("\"DoNotCall\"") && answer.status == 202) {
            told.opt_outs.push(Confirmed { lead: lead.clone(), closes: OptOut::Phone, at: answer.at });
        }
        told.webhooks.push(Webhook { post: post.clone(), status: answer.status, lead, at: answer.at });
        Ok(())
    }

    async fn works(&self, user: usize, rng: &mut Rng) -> Tested {
        let Some(user) = self.users.get(user) else { return Ok(()) };
        let tasks = self.tasks_of(user).await?;
        for _ in 0..rng.usize(..=tasks.len().min(4)) {
            let Some(task) = one_of(rng, &tasks) else { continue };
            let outcomes = task.get("outcomes").and_then(Value::as_array).cloned().unwrap_or_default();
            for _ in 0..weighted(rng, &[(8, 1), (1, 2)]).unwrap_or(1) {
                if let Some(outcome) = one_of(rng, &outcomes) {
                    self.completes(user, task, outcome).await?;
                }
            }
        }
        Ok(())
    }

    async fn tasks_of(&self, user: &UserToken) -> Tested<Vec<Value>> {
        let bearer = format!("Bearer {}", user.token);
        let list = self.insist("GET", "/tasks", &[("authorization", &bearer)], "").await?;
        Ok(list.body.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    async fn completes(&self, user: &UserToken, task: &Value, outcome: &Value) -> Tested {
        let Some(id) = task.get("id").and_then(Value::as_str) else { return Ok(()) };
        let (bearer, path) = (format!("Bearer {}", user.token), format!("/tasks/{id}/outcome"));
        let body = json!({ "outcome": outcome, "note": "as they said" }).to_string();
        let answer = self.insist("POST", &path, &[("authorization", &bearer)], &body).await?;
        self.note_completion(&user.user, id, outcome, &answer);
        Ok(())
    }

    fn note_completion(&self, user: &str, id: &str, outcome: &Value, answer: &Answer) {
        let (Some(task), Ok(outcome)) = (TaskId::parse(id), serde_json::from_value::<Outcome>(outcome.clone())) else {
            return;
        };
        let mut told = self.ledger.told();
        let (lead, key) = (task.lead.clone(), task.key.clone());
        let is_taken = answer.status == 200;
        if let (Some(closes), true) = (closes(outcome), is_taken) {
            told.opt_outs.push(Confirmed { lead: lead.clone(), closes, at: answer.at });
        }
        if is_taken {
            told.completions.push(Completion { task, user: UserId::new(user), outcome });
        }
        told.reports.push(Report { lead, key, outcome, is_taken });
    }

    /// Whoever has the task of that step completes it so.
    async fn completes_step(&self, step: &str, outcome: &str) -> Tested {
        let part = format!(".{step}.");
        for user in &self.users {
            for task in self.tasks_of(user).await? {
                if task.get("id").and_then(Value::as_str).is_some_and(|id| id.contains(&part)) {
                    self.completes(user, &task, &json!(outcome)).await?;
                }
            }
        }
        Ok(())
    }

    /// The voice agent reports once more on one of its calls, to anybody or to that person.
    async fn reports(&self, person: Option<usize>, rng: &mut Rng) -> Tested {
        let phone = person.and_then(|person| self.people.get(person)).map(Person::phone);
        let is_one = |sent: &&Sent| phone.as_ref().is_none_or(|phone| *phone == sent.to);
        let calls = self.calls()?;
        let calls: Vec<&Sent> = calls.iter().filter(is_one).collect();
        match one_of(rng, &calls) {
            Some(call) => self.reports_on(call, &ending(rng)).await,
            None => Ok(()),
        }
    }

    /// The voice agent reports on its latest call so.
    async fn tells(&self, reason: &str, outcome: &str) -> Tested {
        let told = Some(outcome).filter(|outcome| !outcome.is_empty());
        let analysis = json!({ "structuredData": { "outcome": told } });
        let ending = Ending { ended_reason: reason.to_owned(), analysis, ..Ending::default() };
        match self.calls()?.last() {
            Some(call) => self.reports_on(call, &ending).await,
            None => Ok(()),
        }
    }

    fn calls(&self) -> Tested<Vec<Sent>> {
        Ok(self.cloud.outbox(0)?.into_iter().filter(|sent| sent.kind == "ai_call").collect())
    }

    async fn reports_on(&self, call: &Sent, ending: &Ending) -> Tested {
        let metadata = call.carried.get("metadata").cloned().unwrap_or_default();
        let body = json!({ "message": {
            "type": "end-of-call-report", "endedReason": ending.ended_reason, "analysis": ending.analysis,
            "call": { "id": "call-again", "metadata": metadata },
        }})
        .to_string();
        let secret = [("x-vapi-secret", VOICE_AGENT_SECRET)];
        let answer = self.insist("POST", "/events/voice-agent", &secret, &body).await?;
        let Some(report) = vapi::parse_report(body.as_bytes(), self.cloud.now())? else { return Ok(()) };
        let (lead, is_taken) = (report.lead, answer.status == 200);
        let mut told = self.ledger.told();
        if let (Some(closes), true) = (closes(report.outcome), is_taken) {
            told.opt_outs.push(Confirmed { lead: lead.clone(), closes, at: answer.at });
        }
        told.reports.push(Report { lead, key: report.key, outcome: report.outcome, is_taken });
        Ok(())
    }

    async fn unsubscribes(&self, person: usize, confirms: bool, rng: &mut Rng) -> Tested {
        let Some(person) = self.people.get(person) else { return Ok(()) };
        let links: Vec<String> = self
            .cloud
            .outbox(0)?
            .iter()
            .filter(|sent| sent.to == person.email())
            .filter_map(unsubscribe_path)
            .collect();
        let Some(path) = one_of(rng, &links) else { return Ok(()) };
        let method = if confirms { "POST" } else { "GET" };
        let answer = self.insist(method, path, &[], "").await?;
        if confirms && answer.status == 200 {
            let token = path.rsplit('/').next().unwrap_or_default();
            let lead = LeadId::new(token.split('.').next().unwrap_or_default());
            self.ledger.told().opt_outs.push(Confirmed { lead, closes: OptOut::Email, at: answer.at });
        }
        Ok(())
    }

    /// From now on calls to that person end so.
    fn ends(&self, person: usize, ending: &Ending) -> Tested {
        let Some(person) = self.people.get(person) else { return Ok(()) };
        Ok(self.cloud.script_calls(&person.phone(), ending)?)
    }

    async fn edits(&self, edit: &Edit, rng: &mut Rng) -> Tested {
        match edit {
            Edit::Redraw { pk, record } => self.rewrites(pk, false, |edited| edited.clone_from(record)).await,
            Edit::Break { pk } => self.rewrites(pk, true, |edited| break_record(edited, rng)).await,
            Edit::Set { pk, field, value } => self.sets(pk, field, value).await,
            Edit::Delete { pk, retires } => self.deletes(pk, *retires, rng).await,
            Edit::Restore { pk } => self.restores(pk, rng).await,
        }
    }

    /// Edits a record, if it is there.
    async fn rewrites(&self, pk: &str, breaks: bool, edit: impl FnOnce(&mut Value)) -> Tested {
        let Some(mut record) = self.record(pk).await? else { return Ok(()) };
        edit(&mut record);
        self.put(&record).await?;
        self.ledger.told().broken.insert(pk.to_owned(), breaks);
        Ok(())
    }

    async fn sets(&self, pk: &str, field: &str, value: &Value) -> Tested {
        let set = |record: &mut Value| {
            if let Some(fields) = record.as_object_mut() {
                fields.insert(field.to_owned(), value.clone());
            }
        };
        self.rewrites(pk, false, set).await
    }

    /// Deletes a record. Who takes it out of use before may do so long enough before that, or not.
    async fn deletes(&self, pk: &str, retires: bool, rng: &mut Rng) -> Tested {
        let (field, value) = match pk.starts_with("USER#") {
            true => ("active", json!(false)),
            false => ("status", json!("archived")),
        };
        if retires && (pk.starts_with("USER#") || pk.starts_with("CADENCE#")) {
            self.sets(pk, field, &value).await?;
            rest(soon(rng, TimeDelta::minutes(10))).await;
        }
        let delete = self.dynamo.delete_item().table_name(CONFIG);
        delete.key("pk", text(pk)).key("sk", text("CURRENT")).send().await?;
        Ok(())
    }

    /// Writes what one of a record's versions said, whether the record is still there or not.
    async fn restores(&self, pk: &str, rng: &mut Rng) -> Tested {
        let query = self.dynamo.query().table_name(CONFIG).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk AND begins_with(sk, :version)");
        let versions = query
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":version", text("VERSION#"))
            .send()
            .await?
            .items
            .unwrap_or_default();
        let content = one_of(rng, &versions).and_then(|version| version.get("content")?.as_m().ok());
        let Some(mut item) = content.cloned() else { return Ok(()) };
        item.extend([("pk".to_owned(), text(pk)), ("sk".to_owned(), text("CURRENT"))]);
        self.dynamo.put_item().table_name(CONFIG).set_item(Some(item)).send().await?;
        self.ledger.told().broken.insert(pk.to_owned(), false);
        Ok(())
    }

    /// Ops let go what they paused, and whoever is away comes back.
    pub(crate) async fn reopens(&self) -> Tested {
        for (pk, field, value) in [
            ("CADENCE#nurture", "status", json!("live")),
            ("CADENCE#zillow-purchase", "status", json!("live")),
            ("CADENCE#new-lead", "status", json!("live")),
            ("USER#lo-riley", "active", json!(true)),
            ("USER#lo-morgan", "active", json!(true)),
        ] {
            let Some(mut record) = self.record(pk).await? else { continue };
            let is_resting = record.get(field).is_some_and(|now| *now == json!("paused") || *now == json!(false));
            if let Some(fields) = record.as_object_mut().filter(|_| is_resting) {
                fields.insert(field.to_owned(), value);
                self.put(&record).await?;
            }
        }
        Ok(())
    }

    /// Nobody answers calls any more.
    pub(crate) fn tire(&self) -> Tested {
        (0..self.people.len()).try_for_each(|person| self.ends(person, &Ending::default()))
    }

    /// Writes a record as ops do.
    pub(crate) async fn put(&self, record: &Value) -> Tested {
        let put = self.dynamo.put_item().table_name(CONFIG).set_item(Some(serde_dynamo::to_item(record)?));
        put.send().await?;
        Ok(())
    }

    async fn record(&self, pk: &str) -> Tested<Option<Value>> {
        let get = self.dynamo.get_item().table_name(CONFIG).consistent_read(true);
        let found = get.key("pk", text(pk)).key("sk", text("CURRENT")).send().await?.item;
        Ok(found.map(serde_dynamo::from_item).transpose()?)
    }

    /// Asks, and asks again what failed on our side.
    async fn insist(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Tested<Answer> {
        let mut answer = self.ask(method, path, headers, body).await?;
        for wait in PATIENCE {
            if answer.status < 500 {
                break;
            }
            rest(TimeDelta::seconds(wait)).await;
            answer = self.ask(method, path, headers, body).await?;
        }
        Ok(answer)
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Tested<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.cloud.answer(&request.body(Bytes::copy_from_slice(body.as_bytes()))?).await;
        let at = self.cloud.last_written(LEADS)?;
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        Ok(Answer { status: response.status().as_u16(), body, at })
    }
}

/// What an outcome closes, as the law has it.
fn closes(outcome: Outcome) -> Option<OptOut> {
    match outcome {
        Outcome::OptedOut => Some(OptOut::Phone),
        Outcome::Unsubscribed | Outcome::Complained => Some(OptOut::Email),
        _ => None,
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "people wait before they try again")]
async fn rest(time: TimeDelta) {
    tokio::time::sleep(duration(time)).await;
}

/// How a call ends.
fn ending(rng: &mut Rng) -> Ending {
    let reasons = [
        (6, "customer-did-not-answer"),
        (3, "voicemail"),
        (1, "customer-busy"),
        (1, "assistant-forwarded-call"),
        (4, "customer-ended-call"),
        (1, "call.in-progress.error-example"),
        (1, "something-new"),
    ];
    let told = weighted(rng, &[(4, ""), (1, "appointment_set"), (1, "declined"), (1, "opted_out"), (1, "bad_number")]);
    let seconds = weighted(rng, &[(6, 45), (3, 400), (1, 1500), (1, 100_000_000)]).unwrap_or(45);
    let seconds = if happens(rng, 0.1) { 0 } else { seconds };
    Ending {
        after: TimeDelta::seconds(seconds),
        ended_reason: weighted(rng, &reasons).unwrap_or("voicemail").to_owned(),
        analysis: json!({ "structuredData": { "outcome": told.filter(|told| !told.is_empty()) }, "summary": "as they said" }),
    }
}

/// Where an email's one-click header leads on our API.
fn unsubscribe_path(sent: &Sent) -> Option<String> {
    let headers = sent.carried.get("headers").and_then(Value::as_array)?;
    let header = headers.iter().find(|header| header.get("Name") == Some(&json!("List-Unsubscribe")))?;
    let url = header.get("Value").and_then(Value::as_str)?.trim_matches(['<', '>']);
    let (_, token) = url.rsplit_once('/')?;
    Some(format!("/unsubscribe/{token}"))
}
