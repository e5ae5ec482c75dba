//! Small stories, each of one way that a lead's cadence can go: in them every request of every handler is crashed.

use cadence_local::Ending;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    climate::Climate,
    draws::Draws,
    people::{HOMES, Person, Tells},
    plan::{Deed, Edit, Plan, Post, What},
};

/// A story.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    tell: fn(Story) -> Story,
}

/// A story in the making.
struct Story {
    start: DateTime<Utc>,
    records: Vec<Value>,
    deeds: Vec<(TimeDelta, What)>,
    hours: i64,
}

/// A Tuesday, 10:00 in Los Angeles, where all of these leads live.
const TUESDAY: i64 = 1_796_148_000;
const ALL: Tells = Tells { phone: true, email: true, state: true, zip: true };

/// Every story.
pub const SCENARIOS: &[Scenario] = &[
    of("reference", |story| story.lead().completes(3, "first-call", "voicemail")),
    of("answers-the-call", |story| story.ends("customer-ended-call", 45).lead()),
    of("connected-by-hand", |story| story.lead().completes(5, "first-call", "connected")),
    of("wants-no-calls", |story| story.lead().completes(5, "first-call", "opted_out")),
    of("unsubscribes", |story| {
        let story = story.steps(json!([email("one", "0m"), email("two", "1d")])).lead();
        story.at(45, What::Unsubscribes { person: 0, confirms: true }).lasts(30)
    }),
    of("email-only", |story| story.post(0, "zillow", Tells { phone: false, ..ALL }, json!({}))),
    of("phone-only", |story| story.post(0, "zillow", Tells { email: false, ..ALL }, json!({}))),
    of("at-night", |story| story.starts(13).lead().lasts(16)),
    of("over-the-cap", |story| {
        story.steps(json!([text("one", "0m"), text("two", "1m"), text("three", "1m")])).lead().lasts(30)
    }),
    of("redials", |story| {
        let call = json!({ "id": "call", "do": "ai_dial", "wait": "0m", "agent": "first-touch", "attempts": 3, "every": "1d" });
        story.steps(json!([call, email("mail", "0m")])).lead().lasts(80)
    }),
    of("no-report", |story| {
        story.ends("voicemail", 100_000_000).steps(json!([call("call", "0m"), email("mail", "0m")])).lead()
    }),
    of("reported-twice", |story| {
        let story = story.steps(json!([call("call", "0m"), email("mail", "2h")])).lead();
        story.tells(2, "voicemail", "").tells(3, "customer-ended-call", "declined").tells(4, "voicemail", "")
    }),
    of("pauses", |story| {
        let dial = json!({ "id": "dial", "do": "dial", "wait": "0m", "on": { "voicemail": "pause" } });
        let story = story.steps(json!([dial, email("mail", "1h")])).lead().completes(5, "dial", "voicemail");
        story.completes(30, "lead~paused-3", "skipped")
    }),
    of("paused-and-resumed", |story| story.lead().sets(10, "status", "paused").sets(70, "status", "live")),
    of("archived", |story| story.lead().sets(10, "status", "archived")),
    of("moves-on", |story| {
        let dial =
            json!({ "id": "dial", "do": "dial", "wait": "0m", "on": { "voicemail": { "cadence": "new-lead" } } });
        story.steps(json!([dial, email("mail", "1h")])).lead().completes(5, "dial", "voicemail").lasts(6)
    }),
    of("jumps", |story| story.lead().completes(5, "first-call", "bad_number")),
    of("posted-twice", |story| story.lead().lead()),
    of("asks-again-while-running", |story| {
        let story = story.post(0, "zillow", Tells { email: false, ..ALL }, json!({}));
        story.post_at(12, "plain", ALL, json!({ "id": "EVENT-0000-2" }))
    }),
    of("asks-again-later", |story| {
        story.steps(json!([email("mail", "0m")])).lead().post_at(30, "zillow", ALL, json!({ "id": "EVENT-0000-2" }))
    }),
    of("stale", |story| story.post(0, "zillow", ALL, json!({ "created": "2026-12-01T08:00:00-08:00" }))),
    of("no-consent", |story| story.post(0, "gizmo", ALL, json!({}))),
    of("users-write", |story| {
        let writes = |id: &str, action: &str, hold: &str| json!({ "id": id, "do": action, "wait": "0m", "hold": hold });
        let story =
            story.steps(json!([writes("text", "custom_sms", "2h"), writes("mail", "custom_email", "2h")])).lead();
        story.completes(10, "text", "delivered").completes(20, "mail", "replied")
    }),
    of("follows-the-newest", |story| {
        let asks = |action: &str| json!({ "id": "two", "do": action, "wait": "1h" });
        let story = story.steps(json!([email("one", "0m"), asks("dial"), call("three", "10m")])).lead();
        let story = story.sets(5, "apply_to", "everyone");
        let steps = json!([email("one", "0m"), asks("custom_sms"), text("three", "20m")]);
        story.at(10, What::Edits(Edit::Set { pk: ZILLOW.to_owned(), field: "steps", value: steps }))
    }),
    of("broken-edit", |story| story.lead().at(10, What::Edits(Edit::Break { pk: ZILLOW.to_owned() }))),
    of("no-licence", |story| {
        let active = |value: bool| {
            What::Edits(Edit::Set { pk: "USER#lo-riley".to_owned(), field: "active", value: json!(value) })
        };
        story.at(0, active(false)).post_at(5, "zillow", ALL, json!({})).at(40, active(true))
    }),
    of("unusable", |story| story.post(0, "zillow", Tells { phone: false, email: false, ..ALL }, json!({}))),
    of("do-not-call", |story| {
        story.lead().post_at(10, "zillow", ALL, json!({ "id": "EVENT-0000-2", "conciergeStatus": "DoNotCall" }))
    }),
    of("two-at-once", |story| story.post(0, "zillow", ALL, json!({})).post(1, "zillow", ALL, json!({}))),
];

const ZILLOW: &str = "CADENCE#zillow-purchase";

const fn of(name: &'static str, tell: fn(Story) -> Story) -> Scenario {
    Scenario { name, tell }
}

impl Scenario {
    /// The story of that name.
    pub fn named(name: &str) -> Option<Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name).copied()
    }

    /// What it says of its world.
    pub(crate) fn plan(&self) -> Plan {
        let start = DateTime::from_timestamp(TUESDAY, 0).unwrap_or_default();
        let story = (self.tell)(Story { start, records: Vec::new(), deeds: Vec::new(), hours: 3 });
        let mut deeds = story.deeds;
        deeds.sort_by_key(|(at, _)| *at);
        let deeds = deeds.into_iter().enumerate().map(|(number, (at, what))| Deed { number, at, what }).collect();
        Plan {
            draws: Draws::of_seed(0),
            start: story.start,
            climate: Climate::calm(),
            people: people().to_vec(),
            records: story.records,
            deeds,
            lasts: TimeDelta::hours(story.hours),
        }
    }
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Story {
    /// The Zillow cadence has those steps instead of the reference's.
    fn steps(mut self, steps: Value) -> Self {
        self.records.push(json!({
            "pk": ZILLOW, "sk": "CURRENT", "name": "A story", "status": "live", "priority": 10,
            "for_leads": { "source": ["zillow"], "purpose": ["purchase"] }, "steps": steps,
        }));
        self
    }

    /// It begins that many hours later.
    fn starts(mut self, hours: i64) -> Self {
        self.start += TimeDelta::hours(hours);
        self
    }

    fn lasts(mut self, hours: i64) -> Self {
        self.hours = hours;
        self
    }

    fn at(mut self, minutes: i64, what: What) -> Self {
        self.deeds.push((TimeDelta::minutes(minutes) + TimeDelta::seconds(1), what));
        self
    }

    /// The lead comes in from Zillow.
    fn lead(self) -> Self {
        self.post(0, "zillow", ALL, json!({}))
    }

    fn post(self, person: usize, source: &'static str, tells: Tells, also: Value) -> Self {
        self.posted(0, person, source, tells, also)
    }

    fn post_at(self, minutes: i64, source: &'static str, tells: Tells, also: Value) -> Self {
        self.posted(minutes, 0, source, tells, also)
    }

    fn posted(self, minutes: i64, person: usize, source: &'static str, tells: Tells, also: Value) -> Self {
        let created = (self.start + TimeDelta::minutes(minutes)).to_rfc3339();
        let known = people().get(person).copied().unwrap_or(Person { number: person, home: &HOMES[0] });
        let mut body =
            known.webhook(source, &format!("EVENT-{person:04}-1"), tells, &mut Draws::of_seed(0).of("story", 0));
        if let (Some(fields), Some(also)) = (body.as_object_mut(), also.as_object()) {
            fields.insert("created".to_owned(), json!(created));
            fields.insert("conciergeStatus".to_owned(), Value::Null);
            fields.extend(also.clone());
        }
        if let Some(purpose) = body.pointer_mut("/details/loanPurpose") {
            *purpose = json!("Purchase");
        }
        let is_good = tells.phone || tells.email;
        let post = Post { source, body: body.to_string(), names: vec![person], has_secret: true, is_good };
        self.at(minutes, What::Posts(post))
    }

    fn completes(self, minutes: i64, step: &'static str, outcome: &'static str) -> Self {
        self.at(minutes, What::Completes { step, outcome })
    }

    /// Calls to the lead end so, that many seconds after they were placed.
    fn ends(mut self, reason: &str, seconds: i64) -> Self {
        let ending =
            Ending { after: TimeDelta::seconds(seconds), ended_reason: reason.to_owned(), analysis: json!({}) };
        self.deeds.push((TimeDelta::zero(), What::Ends { person: 0, ending }));
        self
    }

    /// The voice agent reports on its latest call so.
    fn tells(self, minutes: i64, reason: &'static str, outcome: &'static str) -> Self {
        self.at(minutes, What::Tells { reason, outcome })
    }

    fn sets(self, minutes: i64, field: &'static str, value: &str) -> Self {
        self.at(minutes, What::Edits(Edit::Set { pk: ZILLOW.to_owned(), field, value: json!(value) }))
    }
}

fn people() -> [Person; 2] {
    [0, 1].map(|number| Person { number, home: &HOMES[0] })
}

fn text(id: &str, wait: &str) -> Value {
    json!({ "id": id, "do": "canned_sms", "wait": wait, "message": "sms/intro" })
}

fn email(id: &str, wait: &str) -> Value {
    json!({ "id": id, "do": "canned_email", "wait": wait, "message": "email/intro" })
}

fn call(id: &str, wait: &str) -> Value {
    json!({ "id": id, "do": "ai_dial", "wait": wait, "agent": "first-touch" })
}
