//! What the checker has seen: both tables as their streams told them write by write, and what vendors received.

use std::collections::{BTreeMap, BTreeSet};

use cadence_core::{
    ClaimId, EnrollmentId, LeadId, StepKey,
    arrival::{Address, Webhook},
    attempt::{Attempt, StepOutcome},
    delivery::Delivery,
    enrollment::{Claim, Enrollment},
    lead::{Lead, OptOut},
    records::Cadence,
    task::{Task, TaskKind},
    timeline::Entry,
};
use cadence_local::{Sent, Written};
use cadence_store::Edited;
use chrono::{DateTime, NaiveDate, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Tested;

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Seen {
    /// Every lead, with all that is stored of it.
    pub(crate) leads: BTreeMap<LeadId, SeenLead>,
    /// Every address, by its hash.
    pub(crate) addresses: BTreeMap<String, Address>,
    /// Every webhook that was taken, by its key.
    pub(crate) webhooks: BTreeMap<String, Webhook>,
    /// The bodies that could not be used.
    pub(crate) quarantined: Vec<String>,
    /// The config table's items, by their keys.
    pub(crate) config: BTreeMap<(String, String), Value>,
    /// The last write of each record that ops edit.
    pub(crate) edited: BTreeMap<String, i64>,
    /// The versions of cadences, by cadence and number.
    pub(crate) versions: BTreeMap<(String, u32), Cadence>,
    /// The days on which the company rests.
    pub(crate) holidays: BTreeSet<NaiveDate>,
    /// Who was ever licensed in which state.
    licences: BTreeSet<(String, String)>,
}

/// A lead, and all that is stored of it.
#[derive(Default)]
pub(crate) struct SeenLead {
    pub(crate) lead: Option<Lead>,
    pub(crate) enrollments: BTreeMap<EnrollmentId, SeenEnrollment>,
    pub(crate) attempts: BTreeMap<(StepKey, u32), Attempt>,
    pub(crate) outcomes: BTreeMap<StepKey, StepOutcome>,
    pub(crate) tasks: BTreeMap<StepKey, Task>,
    pub(crate) timeline: BTreeMap<String, Entry>,
    /// Every claim that was ever taken.
    pub(crate) claims: Vec<SeenClaim>,
    /// Where the stream first says that there is such a lead.
    pub(crate) since: i64,
    /// Where it first says that the lead closed something.
    pub(crate) closed: BTreeMap<OptOut, i64>,
}

/// An enrollment as it stands, and where the stream says so.
pub(crate) struct SeenEnrollment {
    pub(crate) now: Enrollment,
    /// When it was seen to come to what it is.
    pub(crate) since: DateTime<Utc>,
    pub(crate) written: i64,
    /// Where it stands in the index of what is due.
    pub(crate) due_index: Option<(String, String)>,
}

/// A claim, and what came of it.
pub(crate) struct SeenClaim {
    pub(crate) enrollment: EnrollmentId,
    pub(crate) claim: Claim,
    /// The version that the enrollment was on.
    pub(crate) version: u32,
    /// The lead as it was claimed.
    pub(crate) lead: Option<Lead>,
    /// What the vendor received under it.
    pub(crate) sent: Option<Sent>,
    /// The notice to its user.
    pub(crate) notice: Option<Sent>,
}

/// What a write changed, for the invariants that hold between before and after.
pub(crate) enum Moment {
    /// An enrollment, whose lead is that.
    Enrollment { lead: LeadId, before: Option<Box<Enrollment>>, after: Box<Enrollment> },
    /// What came of a step.
    Outcome { before: Option<StepOutcome>, after: StepOutcome },
    /// A task.
    Task { lead: LeadId, before: Option<Box<Task>>, after: Box<Task> },
    /// The timeline gained an entry.
    Entry { before: Option<Box<Entry>>, entry: Box<Entry> },
    /// A version of a record was written over.
    VersionChanged { pk: String, sk: String },
    /// What a webhook came to was written over.
    WebhookChanged { key: String },
    /// Anything else.
    Other,
}

impl Seen {
    /// Takes note of a write of the leads table.
    pub(crate) fn note(&mut self, written: Written, now: DateTime<Utc>) -> Tested<Moment> {
        let Some(item) = written.item else { return Ok(Moment::Other) };
        let (pk, sk) = (written.pk.as_str(), written.sk.as_str());
        let Some((kind, id)) = pk.split_once('#') else { return Ok(Moment::Other) };
        match kind {
            "LEAD" => {
                let lead = LeadId::new(id);
                let seen = self.leads.entry(lead.clone()).or_default();
                return seen.note(lead, sk, item, (written.number, now));
            }
            "ADDRESS" => {
                self.addresses.insert(id.to_owned(), read(item)?);
            }
            "WEBHOOK" => {
                let webhook: Webhook = read(item)?;
                let before = self.webhooks.insert(id.to_owned(), webhook.clone());
                let is_known = |before: &Webhook| before.expires_at.is_none_or(|until| until > webhook.at.timestamp());
                if before.is_some_and(|before| is_known(&before) && before != webhook) {
                    return Ok(Moment::WebhookChanged { key: id.to_owned() });
                }
            }
            "QUARANTINE" => {
                let kept: Value = read(item)?;
                self.quarantined.extend(kept.get("body").and_then(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
        Ok(Moment::Other)
    }

    /// Takes note of a write of the config table.
    pub(crate) fn note_config(&mut self, written: Written) -> Tested<Moment> {
        let key = (written.pk.clone(), written.sk.clone());
        let item: Option<Value> = written.item.map(read).transpose()?;
        // What is written back on a record is no edit; who writes over it edits.
        let content = |item: Option<&Value>| item.cloned().map(Edited::content_of);
        let is_over_it = item.as_ref().is_some_and(|item| item.get("check").is_none());
        if written.sk == "CURRENT" && (is_over_it || content(self.config.get(&key)) != content(item.as_ref())) {
            self.edited.insert(written.pk.clone(), written.number);
        }
        let Some(item) = item else {
            self.config.remove(&key);
            return Ok(Moment::Other);
        };
        if (written.pk.as_str(), written.sk.as_str()) == ("PUBLISHED#SETTINGS", "company") {
            let days = item.pointer("/record/holidays").and_then(Value::as_array).into_iter().flatten();
            self.holidays = days.filter_map(|day| day.as_str()?.parse().ok()).collect();
        }
        let version = written.sk.strip_prefix("VERSION#").and_then(|number| number.parse().ok());
        if let (Some(version), Some(id)) = (version, written.pk.strip_prefix("CADENCE#")) {
            let record = item.get("record").cloned().unwrap_or_default();
            self.versions.insert((id.to_owned(), version), serde_json::from_value(record)?);
        }
        if let (Some(_), Some(user)) = (version, written.pk.strip_prefix("USER#")) {
            let licences = item.pointer("/record/licences").and_then(Value::as_array).into_iter().flatten();
            self.licences.extend(licences.filter_map(|state| Some((user.to_owned(), state.as_str()?.to_owned()))));
        }
        let before = self.config.insert(key, item);
        Ok(match (version, before) {
            (Some(_), Some(_)) => Moment::VersionChanged { pk: written.pk, sk: written.sk },
            _ => Moment::Other,
        })
    }

    /// A published record.
    pub(crate) fn published(&self, kind: &str, id: &str) -> Option<&Value> {
        self.config.get(&(format!("PUBLISHED#{kind}"), id.to_owned()))?.get("record")
    }

    /// Whether a user ever had a licence in that state.
    pub(crate) fn is_licensed(&self, user: &str, state: &str) -> bool {
        self.licences.contains(&(user.to_owned(), state.to_owned()))
    }

    /// Every enrollment, with its lead's id.
    pub(crate) fn enrollments(&self) -> impl Iterator<Item = (&LeadId, &SeenEnrollment)> {
        self.leads.iter().flat_map(|(id, lead)| lead.enrollments.values().map(move |enrollment| (id, enrollment)))
    }

    /// The lead of whom an invocation claimed something last.
    pub(crate) fn lead_claimed_by(&self, invocation: Option<&str>) -> Option<LeadId> {
        let claims = self.leads.iter().flat_map(|(id, lead)| lead.claims.iter().map(move |claim| (id, claim)));
        let its = claims.filter(|(_, claim)| claim.is_of(invocation));
        its.max_by_key(|(_, claim)| claim.claim.claimed_at).map(|(id, _)| id.clone())
    }
}

impl SeenLead {
    fn note(
        &mut self,
        lead: LeadId,
        sk: &str,
        item: serde_dynamo::Item,
        (number, since): (i64, DateTime<Utc>),
    ) -> Tested<Moment> {
        let kind = sk.split('#').next().unwrap_or_default();
        Ok(match kind {
            "LEAD" => {
                let lead: Lead = read(item)?;
                for closed in lead.opt_outs.keys() {
                    self.closed.entry(*closed).or_insert(number);
                }
                if self.lead.replace(lead).is_none() {
                    self.since = number;
                }
                Moment::Other
            }
            "ENROLLMENT" => {
                let index = |name: &str| match item.get(name) {
                    Some(serde_dynamo::AttributeValue::S(text)) => Some(text.clone()),
                    Some(_) | None => None,
                };
                let due_index = index("due_shard").zip(index("due_at"));
                let after: Enrollment = read(item)?;
                let seen = SeenEnrollment { now: after.clone(), since, written: number, due_index };
                let before = self.enrollments.insert(after.id.clone(), seen).map(|seen| seen.now);
                self.note_claim(before.as_ref(), &after);
                Moment::Enrollment { lead, before: before.map(Box::new), after: Box::new(after) }
            }
            "ATTEMPT" => {
                let attempt: Attempt = read(item)?;
                self.attempts.insert((attempt.key.clone(), attempt.try_number), attempt);
                Moment::Other
            }
            "OUTCOME" => {
                let after: StepOutcome = read(item)?;
                let before = self.outcomes.insert(after.key.clone(), after.clone());
                Moment::Outcome { before, after }
            }
            "TASK" => {
                let after: Task = read(item)?;
                let before = self.tasks.insert(after.id.key.clone(), after.clone());
                Moment::Task { lead, before: before.map(Box::new), after: Box::new(after) }
            }
            "TIMELINE" => {
                let entry: Entry = read(item)?;
                let before = self.timeline.insert(sk.to_owned(), entry.clone());
                Moment::Entry { before: before.map(Box::new), entry: Box::new(entry) }
            }
            _ => Moment::Other,
        })
    }

    /// Whether a user still has such a task of that enrollment.
    pub(crate) fn has_open(&self, enrollment: &EnrollmentId, kind: TaskKind) -> bool {
        let mut tasks = self.tasks.values().filter(|task| task.id.key.enrollment == *enrollment && task.kind == kind);
        tasks.any(|task| task.closed.is_none())
    }

    /// Whether the record of the try under that claim says that nothing was sent.
    pub(crate) fn was_told_unsent(&self, claim: &ClaimId) -> bool {
        let is_unsent = |delivery: &Delivery| matches!(delivery, Delivery::Rejected { .. } | Delivery::Later { .. });
        self.attempts.values().any(|attempt| attempt.claim == *claim && is_unsent(&attempt.delivery))
    }

    fn note_claim(&mut self, before: Option<&Enrollment>, after: &Enrollment) {
        let held = |enrollment: &Enrollment| enrollment.claim.as_ref().map(|claim| claim.id.clone());
        let Some(claim) = &after.claim else { return };
        if before.and_then(held).as_ref() == Some(&claim.id) {
            return;
        }
        self.claims.push(SeenClaim {
            enrollment: after.id.clone(),
            claim: claim.clone(),
            version: after.progress.version,
            lead: self.lead.clone(),
            sent: None,
            notice: None,
        });
    }
}

impl SeenClaim {
    /// Whether an invocation took it: its id is the claim's, with a number where it took several.
    pub(crate) fn is_of(&self, invocation: Option<&str>) -> bool {
        let rest = invocation.and_then(|invocation| self.claim.id.as_str().strip_prefix(invocation));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    /// What it is for.
    pub(crate) fn key(&self) -> StepKey {
        StepKey { enrollment: self.enrollment.clone(), step: self.claim.step.clone(), round: self.claim.round }
    }
}

fn read<T: DeserializeOwned>(item: serde_dynamo::Item) -> Tested<T> {
    Ok(serde_dynamo::from_item(item)?)
}
