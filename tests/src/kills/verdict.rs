//! What is found at the end: every step's end in the timelines, every effect in the outbox, and whether the two agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use cadence_core::{
    LeadId,
    enrollment::{End, Enrollment, State},
    lead::Lead,
    timeline::{Entry, EntryKind},
};
use cadence_local::Sent;
use cadence_store::Store;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;

use super::{
    flow::{Taken, Told},
    site::{STEPS, Site},
};
use crate::Tested;

/// What was counted, and what is wrong.
#[derive(Debug, Default)]
pub struct Verdict {
    leads: usize,
    accepted: usize,
    sent_again: u32,
    unanswered: usize,
    told: usize,
    /// How often steps ended so, by kind; `not run` where the cadence ended first.
    ends: BTreeMap<&'static str, usize>,
    /// Of the steps that ended as unsure, those whose effect is in the outbox.
    unsure_and_sent: usize,
    effects: usize,
    lost: Vec<String>,
    doubled: Vec<String>,
}

/// A step of a lead's enrollment, and to whom its effect went: to the lead, or as a notice to a user.
type Key = (LeadId, String, &'static str);

impl Verdict {
    /// Looks at everything.
    pub(super) async fn of(site: &Site, taken: &Taken, told: &[Told]) -> Tested<Self> {
        let store = site.store().await;
        let leads: Vec<Lead> = store.load_leads().await?.into_iter().map(|(lead, _)| lead).collect();
        let mut verdict = Self {
            leads: leads.len(),
            accepted: taken.accepted.len(),
            sent_again: taken.sent_again,
            unanswered: taken.unanswered.len(),
            told: told.len(),
            lost: taken.refused.clone(),
            ..Self::default()
        };
        verdict.look_at_webhooks(&leads, taken);
        let effects = verdict.effects(site, &leads).await?;
        for lead in &leads {
            verdict.look_at_lead(&store, lead, &effects, told).await?;
        }
        Ok(verdict)
    }

    /// Every webhook that was answered 2xx is a lead, and nobody is two leads.
    fn look_at_webhooks(&mut self, leads: &[Lead], taken: &Taken) {
        for (lead, phone) in &taken.accepted {
            if !leads.iter().any(|known| known.id == *lead && known.phone.as_ref() == Some(phone)) {
                self.lost.push(format!("lead {lead} was accepted and is not there"));
            }
        }
        let numbers: BTreeSet<_> = leads.iter().filter_map(|lead| lead.phone.as_deref()).collect();
        if numbers.len() != leads.len() {
            self.doubled.push(format!("{} leads have {} phone numbers", leads.len(), numbers.len()));
        }
        let sent = |number: &&str| {
            let accepted = taken.accepted.iter().any(|(_, phone)| phone == number);
            accepted || taken.unanswered.iter().any(|phone| phone == number)
        };
        let unknown = numbers.iter().filter(|number| !sent(number)).count();
        if unknown > 0 {
            self.doubled.push(format!("{unknown} leads were never sent"));
        }
    }

    /// How often each step had each effect, as the outbox has it.
    async fn effects(&mut self, site: &Site, leads: &[Lead]) -> Tested<BTreeMap<Key, usize>> {
        #[derive(Deserialize)]
        struct Outbox {
            outbox: Vec<Sent>,
        }
        let page = site.ask("GET", "/_local/outbox?json", None, "").await?.body;
        let mut effects: BTreeMap<Key, usize> = BTreeMap::new();
        for sent in serde_json::from_value::<Outbox>(page)?.outbox {
            match key_of(&sent, leads) {
                Some(key) => *effects.entry(key).or_default() += 1,
                None => self.lost.push(format!("{} to {} belongs to no lead's step", sent.kind, sent.to)),
            }
        }
        self.effects = effects.values().sum();
        let often = effects.iter().filter(|(_, times)| **times > 1);
        self.doubled
            .extend(often.map(|((lead, step, whom), times)| format!("{step} of {lead} reached {whom} {times} times")));
        Ok(effects)
    }

    async fn look_at_lead(
        &mut self,
        store: &Store,
        lead: &Lead,
        effects: &BTreeMap<Key, usize>,
        told: &[Told],
    ) -> Tested {
        let known = store.load_lead(&lead.id).await?.ok_or("a lead is gone")?;
        let timeline = store.load_timeline(&lead.id).await?;
        let [enrollment] = known.enrollments.as_slice() else {
            self.lost.push(format!("lead {} has {} enrollments", lead.id, known.enrollments.len()));
            return Ok(());
        };
        if !enrollment.has_ended() || enrollment.claim.is_some() {
            self.lost.push(format!("lead {} has not come to its end: {:?}", lead.id, enrollment.progress));
        }
        for (step, ..) in STEPS {
            let effect = effects.get(&(lead.id.clone(), step.to_owned(), "the lead")).copied().unwrap_or_default();
            self.look_at_step(enrollment, step, &timeline, effect);
        }
        for told in told.iter().filter(|told| told.task.lead == lead.id) {
            let task = store.load_task(&told.task).await?;
            let closed = task.and_then(|task| task.closed);
            if closed.as_ref().is_none_or(|closed| closed.outcome != told.outcome) {
                self.lost.push(format!("task {} was completed as {:?} and is {closed:?}", told.task, told.outcome));
            }
        }
        Ok(())
    }

    /// A step ends once; what it is said to have sent is in the outbox, and what is there is told of.
    fn look_at_step(&mut self, enrollment: &Enrollment, step: &str, timeline: &[Entry], effect: usize) {
        let is_of_step = |entry: &&Entry| entry.step.as_ref().is_some_and(|found| found.as_str() == step);
        let ends: Vec<&Entry> =
            timeline.iter().filter(is_of_step).filter(|entry| ended_as(entry.kind).is_some()).collect();
        let lead = &enrollment.lead;
        if ends.len() > 1 {
            let kinds: Vec<_> = ends.iter().map(|entry| entry.kind.as_str()).collect();
            self.doubled.push(format!("{step} of {lead} ended {} times: {}", ends.len(), kinds.join(", ")));
        }
        let Some(end) = ends.first() else {
            match &enrollment.progress.state {
                State::Ended { why: End::Outcome(_) } if effect == 0 => *self.ends.entry("not run").or_default() += 1,
                state => self.lost.push(format!("{step} of {lead} has no end, {effect} effects, {state:?}")),
            }
            return;
        };
        *self.ends.entry(ended_as(end.kind).unwrap_or_default()).or_default() += 1;
        let has_reason = end.text.as_deref().is_some_and(|text| !text.is_empty());
        match (end.kind, effect) {
            (EntryKind::Sent | EntryKind::CallPlaced, 0) => {
                self.lost.push(format!("{step} of {lead} was told of and not done"))
            }
            (EntryKind::Sent | EntryKind::CallPlaced, _) | (EntryKind::TaskOpened, 0) => {}
            (EntryKind::Unsure, _) if has_reason => self.unsure_and_sent += effect.min(1),
            (_, 0) if has_reason => {}
            (kind, effect) => {
                self.lost.push(format!(
                    "{step} of {lead} ended as {}, with {effect} effects, and why: {has_reason}",
                    kind.as_str()
                ));
            }
        }
    }
}

/// How a step ended whose timeline says that; `None` for what is no end.
fn ended_as(kind: EntryKind) -> Option<&'static str> {
    match kind {
        EntryKind::Sent => Some("sent"),
        EntryKind::CallPlaced => Some("called"),
        EntryKind::TaskOpened => Some("task"),
        EntryKind::Skipped => Some("skipped"),
        EntryKind::Unsure => Some("unsure"),
        EntryKind::Failed => Some("failed"),
        _ => None,
    }
}

/// Whose step it was. Emails and calls carry their step key; a text, of which there is one in the cadence, its number.
fn key_of(sent: &Sent, leads: &[Lead]) -> Option<Key> {
    let by_phone = || leads.iter().find(|lead| lead.phone.as_deref() == Some(&sent.to));
    match sent.kind.as_str() {
        "sms" => Some((by_phone()?.id.clone(), "intro-text".to_owned(), "the lead")),
        "ai_call" => {
            let key = cadence_core::StepKey::parse(sent.carried.pointer("/metadata/step_key")?.as_str()?)?;
            Some((by_phone()?.id.clone(), key.step.to_string(), "the lead"))
        }
        _ => {
            let tag = |name: &str| {
                let mut tags = sent.carried.get("tags")?.as_array()?.iter();
                let tag = tags.find(|tag| tag.get("Name").is_some_and(|found| found == name))?;
                tag.get("Value").and_then(Value::as_str)
            };
            let lead = leads.iter().find(|lead| Some(lead.id.as_str()) == tag("lead"))?;
            let whom = if lead.email.as_deref() == Some(&sent.to) { "the lead" } else { "a user" };
            Some((lead.id.clone(), tag("step")?.to_owned(), whom))
        }
    }
}

/// Whether nothing is due, claimed or parked any more.
pub(super) async fn all_ended(site: &Site) -> Tested<bool> {
    let store = site.store().await;
    let ever = site.now()? + TimeDelta::days(365);
    Ok(store.load_due(ever).await?.is_empty() && store.load_parked().await?.is_empty())
}

impl Verdict {
    /// What is wrong.
    pub(super) fn failures(&self) -> impl Iterator<Item = &String> {
        self.lost.iter().chain(&self.doubled)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { leads, accepted, sent_again, unanswered, told, ends, unsure_and_sent, effects, lost, doubled } =
            self;
        writeln!(
            f,
            "webhooks   {accepted} accepted, {unanswered} never answered; sent again {sent_again} times; {leads} leads"
        )?;
        writeln!(f, "outcomes   {told} told by users")?;
        let ends: Vec<String> = ends.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        writeln!(f, "steps      {}", ends.join(", "))?;
        writeln!(f, "outbox     {effects} sent, {unsure_and_sent} of them by steps that ended as unsure")?;
        writeln!(f, "lost       {}", lost.len())?;
        write!(f, "doubled    {}", doubled.len())?;
        self.failures().try_for_each(|failure| write!(f, "\nWRONG      {failure}"))
    }
}
