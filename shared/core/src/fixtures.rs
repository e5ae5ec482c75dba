//! What tests build on: one lead in California, its loan officer, and a store of one enrollment in memory.
//!
//! Shared by the tests beside the code and, by path, by those in `tests/`.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use cadence_core::{
    Do, Outcome, StepKey,
    change::{Change, Settlement},
    delivery::{Delivery, Report},
    enroll,
    enrollment::{Claim, Enrollment, State, StepDue},
    lead::{ChannelConsent, Consent, Facts, Lead, Proof, Touch, TouchKind},
    plan::{Plan, StepContext, StepPlan},
    records::{Cadence, Message, Record, Settings, Status, Step, User, message::Copy, parse_record, settings::Caps},
    simulation,
    task::Task,
    time::{Zone, Zones},
    timeline::EntryKind,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// A Tuesday, 10:00 where the lead is.
pub(crate) fn tuesday() -> DateTime<Utc> {
    at("2026-12-01T10:00:00-08:00")
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub(crate) fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

pub(crate) fn zones(names: &[&str]) -> Zones {
    Zones::of(names.iter().filter_map(|name| Zone::parse(name))).unwrap()
}

/// Written consent to everything, in California, owned by Riley, never contacted.
pub(crate) fn lead() -> Lead {
    Lead {
        id: "0000000000000000000000000000000a".into(),
        revision: 1,
        phone: Some("+14155550123".to_owned()),
        email: Some("robin@example.com".to_owned()),
        phone_hash: Some("phone-hash".to_owned()),
        email_hash: Some("email-hash".to_owned()),
        state: Some("CA".to_owned()),
        zones: Some(zones(&["America/Los_Angeles"])),
        owner: Some("lo-riley".into()),
        consent: ChannelConsent {
            call: Consent::ExpressWritten,
            sms: Consent::ExpressWritten,
            email: Consent::Express,
        },
        opt_outs: BTreeMap::new(),
        touches: BTreeMap::new(),
    }
}

/// The lead, touched so at these instants.
pub(crate) fn touched(touches: &[(TouchKind, DateTime<Utc>)]) -> Lead {
    let touches = touches.iter().enumerate();
    let touches =
        touches.map(|(index, (kind, at))| (format!("claim-{index}").as_str().into(), Touch { at: *at, kind: *kind }));
    Lead { touches: touches.collect(), ..lead() }
}

pub(crate) fn facts() -> Facts {
    Facts {
        first_name: "Robin".to_owned(),
        last_name: "Example".to_owned(),
        source: "zillow".into(),
        consent_proof: Proof { text: "yes".to_owned(), source: "lead".to_owned(), at: tuesday() },
        city: Some("Oakland".to_owned()),
        zip: None,
        purpose: Some("purchase".to_owned()),
        attributes: BTreeMap::new(),
    }
}

pub(crate) fn user(id: &str, first_name: &str, states: &[&str]) -> User {
    User {
        id: id.into(),
        first_name: first_name.to_owned(),
        last_name: "Sample".to_owned(),
        email: format!("{id}@example.com"),
        phone: "+14155550140".to_owned(),
        sms_number: Some("+14155550141".to_owned()),
        nmls_id: Some(format!("nmls-{id}")),
        licences: states.iter().map(|state| (*state).to_owned()).collect(),
        active: true,
        groups: Vec::new(),
        time_zone: None,
        hours: None,
        out_of_office: Vec::new(),
    }
}

/// Riley is licensed in California, Morgan in New York, and Jules nowhere.
pub(crate) fn users() -> Vec<User> {
    vec![user("lo-riley", "Riley", &["CA"]), user("lo-morgan", "Morgan", &["NY"]), user("jules", "Jules", &[])]
}

pub(crate) fn settings() -> Settings {
    Settings {
        company: "Example Home Loans".to_owned(),
        postal_address: "100 Example Street".to_owned(),
        notices_from: "notices@example.com".to_owned(),
        unsubscribe_url: "https://example.com/unsubscribe".to_owned(),
        holidays: Vec::new(),
        caps: Caps::FLOOR,
        snippets: BTreeMap::new(),
    }
}

/// A cadence as ops write it; what is not given is silent.
pub(crate) fn cadence(record: Value) -> Cadence {
    let mut record = record;
    record.as_object_mut().unwrap().entry("name").or_insert(json!("test"));
    match parse_record("CADENCE#test", &record) {
        Ok(Record::Cadence(cadence)) => cadence,
        other => panic!("{other:?}"),
    }
}

/// The cadence that ships and the reference story runs.
pub(crate) fn reference() -> Cadence {
    let mut record: Value =
        serde_json::from_str(include_str!("../../../infra/cadences/cadence-zillow-purchase.json")).unwrap();
    record.as_object_mut().unwrap().retain(|name, _| name != "pk" && name != "sk");
    cadence(record)
}

/// A cadence of those steps that is open all day for emails and from 09:00 to 20:00 for the rest, on every day.
pub(crate) fn steps(steps: Value) -> Cadence {
    let hours = json!({"call": "daily 09:00-20:00", "sms": "daily 09:00-20:00", "email": "any time"});
    cadence(json!({"steps": steps, "hours": hours, "skip_holidays": false}))
}

/// One step of that kind.
pub(crate) fn step(action: Do) -> Value {
    match action {
        Do::AiDial => json!({"id": "it", "do": "ai_dial", "wait": "0m", "agent": "first-touch"}),
        Do::CannedSms | Do::CannedEmail => json!({"id": "it", "do": action, "wait": "0m", "message": "sms/intro"}),
        Do::Dial | Do::CustomSms | Do::CustomEmail | Do::AiSms | Do::AiEmail => {
            json!({"id": "it", "do": action, "wait": "0m"})
        }
    }
}

pub(crate) fn begun(cadence: &Cadence, now: DateTime<Utc>) -> Enrollment {
    let id = "0000000000000000000000000000000e".into();
    enroll::begin(id, &lead(), (cadence, 1), &settings(), false, now)
}

/// The message of a step that does that.
pub(crate) fn message(action: Do) -> Message {
    let text = "Hi {{ lead_first_name }}, {{ lo_first_name }} here.".to_owned();
    let copy = match action {
        Do::CannedEmail => Copy::Email { subject: "For {{ lead_first_name }}".to_owned(), body: text },
        Do::Dial | Do::AiDial | Do::CustomSms | Do::AiSms | Do::CannedSms | Do::CustomEmail | Do::AiEmail => {
            Copy::Text(text)
        }
    };
    Message { id: "sms/intro".into(), copy }
}

/// The lead at the beginning of that cadence.
pub(crate) fn context(cadence: Cadence, now: DateTime<Utc>) -> StepContext {
    StepContext {
        enrollment: begun(&cadence, now),
        lead: lead(),
        facts: facts(),
        status: Status::Live,
        cadence,
        targets: Vec::new(),
        users: users(),
        turns: BTreeMap::new(),
        message: Some(message(Do::CannedSms)),
        settings: settings(),
        attempt: None,
        outcomes: Vec::new(),
        open_tasks: Vec::new(),
        unsubscribe_url: None,
    }
}

pub(crate) fn accepted() -> Delivery {
    Delivery::Accepted { vendor_id: "vendor-1".to_owned() }
}

pub(crate) fn rejected() -> Delivery {
    Delivery::Rejected { reason: "the number is not in service".to_owned() }
}

pub(crate) fn later() -> Delivery {
    Delivery::Later { reason: "the vendor was busy".to_owned() }
}

pub(crate) fn unknown() -> Delivery {
    Delivery::Unknown { reason: "the vendor did not answer".to_owned() }
}

/// A simulated world in which every write that tests ask for must be allowed.
#[derive(Clone, Debug)]
pub(crate) struct World(pub(crate) simulation::World);

impl Deref for World {
    type Target = simulation::World;

    fn deref(&self) -> &simulation::World {
        &self.0
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut simulation::World {
        &mut self.0
    }
}

impl World {
    pub(crate) fn new(cadence: Cadence, now: DateTime<Utc>) -> Self {
        Self::of(context(cadence, now))
    }

    pub(crate) fn of(context: StepContext) -> Self {
        Self(simulation::World::of(context))
    }

    pub(crate) fn due(&self) -> StepDue {
        self.context.enrollment.step_due()
    }

    pub(crate) fn due_at(&self) -> DateTime<Utc> {
        self.context.enrollment.progress.next.as_ref().unwrap().due_at
    }

    pub(crate) fn state(&self) -> &State {
        &self.context.enrollment.progress.state
    }

    /// What is due next, in words: `run first-call 1 at 2026-12-01T18:00:00Z`.
    pub(crate) fn next(&self) -> String {
        match &self.context.enrollment.progress.next {
            Some(next) => format!("{:?} {} {} at {}", next.act, next.step, next.round, clock(next.due_at)),
            None => "nothing".to_owned(),
        }
    }

    pub(crate) fn step(&self, id: &str) -> &Step {
        self.context.cadence.step(&id.into()).unwrap()
    }

    pub(crate) fn key(&self, step: &str, round: u32) -> StepKey {
        self.context.enrollment.key(&step.into(), round)
    }

    pub(crate) fn report(&self, step: &str, round: u32, outcome: Outcome, now: DateTime<Utc>) -> Report {
        let lead = self.context.lead.id.clone();
        Report { lead, key: self.key(step, round), outcome, note: Some("what was said".to_owned()), at: now }
    }

    pub(crate) fn claim(&mut self, plan: &StepPlan, now: DateTime<Utc>) -> Claim {
        self.0.claim(plan.clone(), now).unwrap()
    }

    pub(crate) fn settle(&mut self, delivery: Delivery, now: DateTime<Utc>) {
        self.0.settle(delivery, now).unwrap();
    }

    pub(crate) fn settled(&mut self, settlement: Settlement) {
        self.0.settled(settlement).unwrap();
    }

    pub(crate) fn commit(&mut self, change: Change) {
        self.0.commit(change).unwrap();
    }

    /// What is due at `now` comes to.
    pub(crate) fn plan(&self, now: DateTime<Utc>) -> Plan {
        let mut world = self.clone();
        world.load_message();
        world.0.plan(now)
    }

    /// Has a step that sends an email say one, unless the test says what it says.
    fn load_message(&mut self) {
        let context = &mut self.0.context;
        let step = context.enrollment.progress.next.as_ref().and_then(|next| context.cadence.step(&next.step));
        let is_ours = [Do::CannedSms, Do::CannedEmail].iter().any(|kind| context.message == Some(message(*kind)));
        if let Some(step) = step.filter(|_| is_ours) {
            context.message = Some(message(step.action));
        }
    }

    /// Runs what is due at `now`. True if something was tried.
    pub(crate) fn run(&mut self, delivery: Delivery, now: DateTime<Utc>) -> bool {
        self.load_message();
        self.0.run(|_| delivery, now).unwrap() == simulation::Ran::Tried
    }

    /// Runs what is due when it is due, until nothing is; vendors take everything.
    pub(crate) fn run_all(&mut self) {
        for _ in 0..200 {
            match &self.context.enrollment.progress.next {
                Some(next) if self.context.enrollment.is_active() => self.run(accepted(), next.due_at),
                Some(_) | None => return,
            };
        }
        panic!("it does not end");
    }

    pub(crate) fn reconcile(&mut self, now: DateTime<Utc>) -> bool {
        self.0.reconcile(now).unwrap()
    }

    pub(crate) fn task(&self, step: &str) -> &Task {
        self.context.open_tasks.iter().find(|task| task.id.key.step.as_str() == step).unwrap()
    }

    /// The open tasks, by step.
    pub(crate) fn open(&self) -> Vec<&str> {
        self.context.open_tasks.iter().map(|task| task.id.key.step.as_str()).collect()
    }

    /// The last word of the timeline of that kind.
    pub(crate) fn said(&self, kind: EntryKind) -> &str {
        let last = self.entries.iter().rev().find(|entry| entry.kind == kind).unwrap();
        last.text.as_deref().unwrap_or_default()
    }

    pub(crate) fn kinds(&self) -> Vec<EntryKind> {
        self.entries.iter().map(|entry| entry.kind).collect()
    }
}

/// The instant where the lead is, as tables in tests write it: `Tue 10:20:00`.
pub(crate) fn clock(at: DateTime<Utc>) -> String {
    let text = cadence_core::time::local_text(at, &Zone::parse("America/Los_Angeles").unwrap());
    let words: Vec<&str> = text.split(' ').collect();
    format!("{} {}", words[0], words[3])
}
