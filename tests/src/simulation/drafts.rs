//! Random records, as ops write them: cadences that the check lets through, and edits that it doesn't.

use cadence_core::records::{Known, Problem, Record, Severity, check, parse_record};
use chrono::{DateTime, Utc};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{
    company::{self, MORE_MESSAGES, message},
    draws::{Draws, happens, one_of, weighted},
    people::HOMES,
};
use crate::Tested;

/// Records so far, and what the check knows of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    known: Known,
    cadences: Vec<String>,
}

/// How many drafts of a cadence are drawn until one is let through.
const DRAFTS: u64 = 40;

const ACTIONS: [(u32, &str); 8] = [
    (4, "dial"),
    (5, "canned_sms"),
    (4, "ai_dial"),
    (4, "canned_email"),
    (1, "custom_sms"),
    (1, "custom_email"),
    (1, "ai_sms"),
    (1, "ai_email"),
];
const WAITS: [(u32, &str); 9] = [
    (5, "0m"),
    (3, "1m"),
    (5, "20m"),
    (2, "90m"),
    (2, "5h"),
    (2, "1d"),
    (1, "2d"),
    (1, "1bd at 10:15"),
    (1, "1d at 07:30"),
];
const CALL_HOURS: [&str; 5] = [
    "Mon-Sat 09:00-19:30",
    "daily 08:00-21:00",
    "Mon-Fri 10:00-16:00, Sat 11:00-13:00",
    "any time",
    "Mon-Sun 12:00-13:00",
];
const EMAIL_HOURS: [&str; 3] = ["any time", "Mon-Fri 08:00-18:00", "daily 06:00-23:00"];
/// The outcomes that lead somewhere in random cadences.
const OUTCOMES: [&str; 20] = [
    "no_answer",
    "voicemail",
    "busy",
    "bad_number",
    "connected",
    "replied",
    "declined",
    "appointment_set",
    "transferred",
    "skipped",
    "failed",
    "unknown",
    "expired",
    "delivered",
    "bounced",
    "appointment_cancelled",
    "called_back",
    "unsubscribed",
    "complained",
    "opted_out",
];

impl Shelf {
    /// A shelf with those records, each of which has to be good.
    pub(crate) fn of(records: &[Value]) -> Tested<Self> {
        let mut shelf = Self::default();
        for record in records {
            let (pk, problems) = shelf.put(record);
            if !problems.is_empty() {
                return Err(format!("{pk} is refused: {problems:?}").into());
            }
        }
        Ok(shelf)
    }

    /// Checks a record as `publish` does, and keeps it if it is good; else says what is wrong with it.
    pub(crate) fn put(&mut self, record: &Value) -> (String, Vec<Problem>) {
        let pk = record.get("pk").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut content = record.clone();
        if let Some(fields) = content.as_object_mut() {
            fields.retain(|name, _| name != "pk" && name != "sk");
        }
        match parse_record(&pk, &content) {
            Ok(record) => {
                let mut problems = check(&record, &self.known);
                problems.retain(|problem| problem.severity == Severity::Error);
                if problems.is_empty() {
                    self.keep(&pk, record);
                }
                (pk, problems)
            }
            Err(problems) => (pk, problems),
        }
    }

    fn keep(&mut self, pk: &str, record: Record) {
        if let Some(id) = pk.strip_prefix("CADENCE#")
            && !self.cadences.iter().any(|known| known == id)
        {
            self.cadences.push(id.to_owned());
        }
        self.known.insert(record);
    }

    /// What a world has beside what ships: messages, and users as they are there.
    pub(crate) fn company(&mut self, shipped: &[Value], start: DateTime<Utc>, draws: Draws) -> Vec<Value> {
        let is_user = |record: &&Value| record.get("first_name").is_some();
        let users = shipped.iter().filter(is_user).cloned().zip(0..);
        let users = users.map(|(user, which)| company::user(user, start, &mut draws.of("user", which)));
        let messages = MORE_MESSAGES.iter().zip(0..).map(|(id, which)| message(id, &mut draws.of("message", which)));
        let settings = shipped.iter().find(|record| record.get("pk") == Some(&json!("SETTINGS#company"))).cloned();
        let settings = settings.map(|settings| company::settings(settings, start, &mut draws.of("settings", 0)));
        let all: Vec<Value> = users.chain(messages).chain(settings).collect();
        all.into_iter().filter(|record| self.put(record).1.is_empty()).collect()
    }

    /// A random cadence of that id that the check lets through, if one was drawn.
    pub(crate) fn cadence(&mut self, id: &str, draws: Draws, which: u64) -> Option<Value> {
        (0..DRAFTS).find_map(|draft| {
            let mut rng = draws.of("cadence", which * DRAFTS + draft);
            let record = self.draft(id, &mut rng);
            self.put(&record).1.is_empty().then_some(record)
        })
    }

    fn draft(&self, id: &str, rng: &mut Rng) -> Value {
        let count = weighted(rng, &[(1, 3), (2, 10), (5, 20)]).unwrap_or(9);
        let count = rng.usize(count / 3..=count);
        let ids: Vec<String> = (1..=count).map(|number| format!("step-{number}")).collect();
        let others: Vec<&str> = self.cadences.iter().map(String::as_str).filter(|other| *other != id).collect();
        let steps: Vec<Value> = (0..count).map(|at| step(&ids, at, &others, rng)).collect();
        let mut record = json!({
            "pk": format!("CADENCE#{id}"), "sk": "CURRENT", "name": format!("Random {id}"), "status": "live",
            "priority": rng.i32(0..20), "for_leads": for_leads(rng), "steps": steps,
        });
        let (hours, anytime) = (hours(rng), outcomes(&[], &others, 3, rng));
        let takes_over: Vec<_> = one_of(rng, &others).into_iter().collect();
        let reenroll = if rng.bool() { "2d" } else { "never" };
        let mut may = |chance: f64, name: &str, value: Value| {
            if let Some(fields) = record.as_object_mut().filter(|_| happens(rng, chance)) {
                fields.insert(name.to_owned(), value);
            }
        };
        may(0.4, "apply_to", json!("everyone"));
        may(0.3, "skip_holidays", json!(false));
        may(0.4, "reenroll", json!(reenroll));
        may(0.6, "hours", hours);
        may(0.7, "anytime", anytime);
        may(0.2, "takes_over", json!(takes_over));
        record
    }
}

fn for_leads(rng: &mut Rng) -> Value {
    let mut wanted = Map::new();
    if happens(rng, 0.2) {
        wanted.insert("source".to_owned(), json!(one_of(rng, &[["zillow"], ["plain"], ["gizmo"]])));
    }
    if happens(rng, 0.1) {
        wanted.insert("purpose".to_owned(), json!(["purchase"]));
    }
    if happens(rng, 0.1) {
        let mut states: Vec<&str> = HOMES.iter().map(|home| home.state).filter(|_| happens(rng, 0.7)).collect();
        states.dedup();
        wanted.insert("state".to_owned(), json!(states));
    }
    if happens(rng, 0.1) {
        wanted.insert("hold_out".to_owned(), json!("30%"));
    }
    if happens(rng, 0.1) {
        wanted.insert("attributes".to_owned(), json!({ "loan_amount": { "at_least": 300_000 } }));
    }
    Value::Object(wanted)
}

fn hours(rng: &mut Rng) -> Value {
    let mut hours = Map::new();
    for (channel, choices) in [("call", &CALL_HOURS[..]), ("sms", &CALL_HOURS[..]), ("email", &EMAIL_HOURS[..])] {
        if happens(rng, 0.7) {
            hours.insert(channel.to_owned(), json!(one_of(rng, choices)));
        }
    }
    Value::Object(hours)
}

fn step(ids: &[String], at: usize, others: &[&str], rng: &mut Rng) -> Value {
    let action = weighted(rng, &ACTIONS).unwrap_or("dial");
    let mut step = Map::new();
    let mut put = |name: &str, value: Value| {
        step.insert(name.to_owned(), value);
    };
    put("id", json!(ids.get(at)));
    put("do", json!(action));
    put("wait", json!(weighted(rng, &WAITS)));
    match action {
        "canned_sms" => put("message", says("sms", rng)),
        "canned_email" => put("message", says("email", rng)),
        "ai_dial" => put("agent", json!("first-touch")),
        "dial" if happens(rng, 0.5) => put("message", says("script", rng)),
        _ => {}
    }
    let is_users = matches!(action, "dial" | "custom_sms" | "custom_email");
    let later = ids.get(at + 1..).unwrap_or_default();
    let earlier = ids.get(..at).unwrap_or_default();
    let steps: Vec<&str> =
        later.iter().chain(earlier.iter().filter(|_| happens(rng, 0.2))).map(String::as_str).collect();
    let has_due = is_users && happens(rng, 0.6);
    if has_due {
        put("due", json!(one_of(rng, &["10m", "4h", "1d"])));
    }
    if is_users && happens(rng, 0.4) {
        put("assign", assign(rng));
    }
    if has_due && happens(rng, 0.4) {
        let on_overdue = if rng.bool() { json!({ "assign": assign(rng) }) } else { target(&steps, others, rng) };
        put("on_overdue", on_overdue);
    } else if matches!(action, "dial" | "ai_dial") && happens(rng, 0.25) {
        put("attempts", json!(rng.u32(2..4)));
        put("every", json!(one_of(rng, &["2h", "1d", "1bd"])));
    } else if happens(rng, 0.25) {
        put("hold", json!(one_of(rng, &["10m", "1h", "6h"])));
    }
    if happens(rng, 0.3) {
        put("on", outcomes(&steps, others, 2, rng));
    }
    Value::Object(step)
}

/// One message of a kind, or two that are compared.
fn says(kind: &str, rng: &mut Rng) -> Value {
    let mut ids = ["intro", "follow-up", "news"].map(|name| format!("{kind}/{name}"));
    rng.shuffle(&mut ids);
    let [one, other, _] = ids;
    match one_of(rng, &[50, 50, 90, 100]).copied().filter(|_| happens(rng, 0.3)) {
        Some(percent) => json!({ one: percent, other: 100 - percent }),
        None => json!(one),
    }
}

/// Who is asked to do a step.
fn assign(rng: &mut Rng) -> Value {
    json!(one_of(rng, &["loan_officer", "lo-riley", "lo-morgan", "round_robin: callers", "round_robin: closers"]))
}

/// Where some outcomes lead.
fn outcomes(steps: &[&str], cadences: &[&str], most: usize, rng: &mut Rng) -> Value {
    let mut map = Map::new();
    for _ in 0..rng.usize(1..=most) {
        let Some(outcome) = one_of(rng, &OUTCOMES) else { continue };
        map.insert((*outcome).to_owned(), target(steps, cadences, rng));
    }
    Value::Object(map)
}

/// One of those steps or cadences, the next step, the end, or a pause.
fn target(steps: &[&str], cadences: &[&str], rng: &mut Rng) -> Value {
    match weighted(rng, &[(3, 'e'), (1, 'n'), (1, 'p'), (3, 's'), (1, 'c')]) {
        Some('n') => json!("next"),
        Some('p') => json!("pause"),
        Some('s') if !steps.is_empty() => json!(one_of(rng, steps)),
        Some('c') if !cadences.is_empty() => json!({ "cadence": one_of(rng, cadences) }),
        _ => json!("end"),
    }
}

/// Breaks a record as people do, so that the check must refuse it.
pub(crate) fn break_record(record: &mut Value, rng: &mut Rng) {
    let Some(fields) = record.as_object_mut() else { return };
    if let Some(copy) = ["text", "body"].into_iter().find(|copy| fields.contains_key(*copy)) {
        let wrong = one_of(rng, &["Hi {{ lead_frist_name }}", "Hi {{ lead_first_name }", ""]);
        fields.insert(copy.to_owned(), json!(wrong));
        return;
    }
    match rng.u32(..4) {
        0 => {
            fields.insert("stpes".to_owned(), json!([]));
        }
        1 => {
            fields.insert("status".to_owned(), json!("livee"));
        }
        2 => {
            fields.insert("steps".to_owned(), json!([]));
        }
        _ => {
            let step = json!({ "id": "one", "do": "dial", "wait": "20 minuets" });
            fields.insert("steps".to_owned(), json!([step]));
        }
    }
}

#[cfg(test)]
mod tests {
    use cadence_local::records::shipped;

    use super::*;

    #[test]
    fn cadences_are_drawn_that_the_check_lets_through_and_broken_ones_are_refused() {
        let shipped = shipped().unwrap();
        let mut drawn = 0;
        for seed in 0..20 {
            let mut shelf = Shelf::of(&shipped).unwrap();
            let draws = Draws::of_seed(seed);
            let company = shelf.company(&shipped, DateTime::UNIX_EPOCH, draws);
            assert_eq!(company.len(), 6, "two users, three messages and the settings, all of them good");
            for mut message in company.into_iter().skip(2).take(3) {
                break_record(&mut message, &mut draws.of("break", 9));
                assert!(!shelf.put(&message).1.is_empty(), "{message}");
            }
            for (which, id) in ["nurture", "zillow-purchase", "new-lead"].into_iter().enumerate() {
                let Some(mut record) = shelf.cadence(id, draws, which as u64) else { continue };
                drawn += 1;
                break_record(&mut record, &mut draws.of("break", which as u64));
                assert!(!shelf.put(&record).1.is_empty(), "{record}");
            }
        }
        assert!(drawn > 50, "{drawn} of 60");
    }
}
