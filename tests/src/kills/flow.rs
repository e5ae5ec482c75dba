//! Who uses the system meanwhile: a lead vendor who sends what was not taken again, and users who complete their tasks.

use std::{cell::Cell, time::Duration};

use cadence_core::{LeadId, Outcome, TaskId};
use cadence_local::deployment::SOURCE_SECRET;
use serde_json::{Value, json};

use super::{pause, site::Site};
use crate::Tested;

/// Area codes of California, a hundred made-up numbers each: 555-01xx.
const AREA_CODES: [u32; 28] = [
    209, 213, 310, 323, 408, 415, 424, 442, 510, 530, 559, 562, 619, 626, 628, 650, 657, 661, 669, 707, 714, 747, 760,
    805, 818, 831, 858, 909,
];
/// How often a webhook that was not taken is sent again, as vendors do, and how long after.
const SENDINGS: u32 = 20;
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long users wait between two looks at their tasks.
const USERS_LOOK: Duration = Duration::from_millis(700);

/// Sends leads.
pub(super) struct Vendor {
    seed: u64,
    every: Duration,
}

/// The webhooks that were sent.
#[derive(Default)]
pub(super) struct Taken {
    /// The lead of each that was answered 2xx, and its phone number.
    pub(super) accepted: Vec<(LeadId, String)>,
    /// The numbers of those that never were: they may have been taken or not.
    pub(super) unanswered: Vec<String>,
    /// How often something else than 2xx, or nothing, was answered.
    pub(super) sent_again: u32,
    /// Refusals for which a failure is no excuse.
    pub(super) refused: Vec<String>,
}

/// An outcome that a user told and that was answered 2xx.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) task: TaskId,
    pub(super) outcome: Outcome,
}

impl Vendor {
    pub(super) fn new(seed: u64, every: Duration) -> Self {
        Self { seed, every }
    }

    /// Sends leads until it is over, each until it is taken.
    pub(super) async fn send(&self, site: &Site, over: &Cell<bool>) -> Tested<Taken> {
        let mut taken = Taken::default();
        let mut waiting: Vec<(usize, u32)> = Vec::new();
        let mut number = 0;
        while !over.get() || !waiting.is_empty() {
            if !over.get() && number < AREA_CODES.len() * 100 {
                waiting.push((number, 0));
                number += 1;
            }
            let mut still = Vec::new();
            for (number, sendings) in waiting.drain(..) {
                if !self.once(site, number, &mut taken).await? {
                    taken.sent_again += 1;
                    match sendings < SENDINGS {
                        true => still.push((number, sendings + 1)),
                        false => taken.unanswered.push(phone(number)?),
                    }
                }
            }
            waiting = still;
            pause(if over.get() { AGAIN_AFTER } else { self.every }).await;
        }
        Ok(taken)
    }

    /// Sends a lead once; false where it is to be sent again.
    async fn once(&self, site: &Site, number: usize, taken: &mut Taken) -> Tested<bool> {
        let phone = phone(number)?;
        let id = format!("K-{}-{number}", self.seed);
        let body = json!({
            "id": id, "type": "longForm",
            "sender": { "firstName": "Jordan", "lastName": "Sample", "emailAddress": format!("{id}@example.com"), "phoneNumber": phone },
            "details": { "loanPurpose": "Purchase", "loanAmount": 350_000, "city": "Oakland", "stateAbbreviation": "CA", "zipCode": "94607" },
        });
        let path = format!("/leads/zillow/{SOURCE_SECRET}");
        let Ok(answer) = site.ask("POST", &path, None, &body.to_string()).await else {
            return Ok(false);
        };
        match (answer.status, answer.body.get("lead").and_then(Value::as_str)) {
            (200..=299, Some(lead)) => taken.accepted.push((LeadId::new(lead), phone)),
            (500..=599, _) => return Ok(false),
            (status, _) => taken.refused.push(format!("{id} was answered {status} {}", answer.body)),
        }
        Ok(true)
    }
}

/// Completes one user's task after another until it is over, and gives what was answered 2xx.
pub(super) async fn users_act(seed: u64, site: &Site, over: &Cell<bool>) -> Tested<Vec<Told>> {
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(1));
    let mut told = Vec::new();
    while !over.get() {
        pause(USERS_LOOK).await;
        let Some((_, token)) = random.choice(site.tokens()) else { continue };
        // What isn't answered is done again at another look.
        if let Ok(Some(done)) = complete_one(site, &token, &mut random).await {
            told.push(done);
        }
    }
    Ok(told)
}

async fn complete_one(site: &Site, token: &str, random: &mut fastrand::Rng) -> Tested<Option<Told>> {
    let tasks = site.ask("GET", "/tasks", Some(token), "").await?.body;
    let tasks = tasks.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(task) = random.choice(tasks) else { return Ok(None) };
    let outcome = match task.get("kind").and_then(Value::as_str) {
        // Most calls reach nobody, so that most cadences run to their end.
        Some("dial") => random.choice([
            Outcome::Voicemail,
            Outcome::NoAnswer,
            Outcome::NoAnswer,
            Outcome::Busy,
            Outcome::Voicemail,
            Outcome::Connected,
        ]),
        Some("sms") => Some(Outcome::Delivered),
        _ => Some(Outcome::Skipped),
    };
    let (Some(id), Some(outcome)) = (task.get("id").and_then(Value::as_str), outcome) else { return Ok(None) };
    let body = json!({ "outcome": outcome }).to_string();
    let answer = site.ask("POST", &format!("/tasks/{id}/outcome"), Some(token), &body).await?;
    let done = TaskId::parse(id).filter(|_| (200..=299).contains(&answer.status));
    Ok(done.map(|task| Told { task, outcome }))
}

fn phone(number: usize) -> Tested<String> {
    let code = AREA_CODES.get(number / 100).ok_or("there are no more numbers")?;
    Ok(format!("+1{code}55501{:02}", number % 100))
}
