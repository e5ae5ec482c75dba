//! The checker: it reads the tables, the queues and what vendors received, and nothing else, and asserts what must hold.

use std::collections::BTreeMap;

use cadence_core::{
    EnrollmentId, LeadId,
    enrollment::{Effect, Enrollment, StepDue},
    records::settings::Caps,
    task::Task,
    timeline::{Entry, EntryKind},
};
use cadence_local::{
    Cloud, CloudError, Sent,
    deployment::{CONFIG, LEADS},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    invariants::{
        course, due, effects, led, permits, progress,
        rest::{self, OnItsWay},
        words::{self, Changed},
    },
    ledger::Ledger,
    people::Person,
    seen::{Moment, Seen},
    violation::{Held, Invariant, Violation},
};

/// How long after the last fault nothing may be overdue for as long as that.
const CAUGHT_UP_WITHIN: TimeDelta = TimeDelta::hours(2);

/// Asserts what must hold of one world.
pub(crate) struct Checker {
    cloud: Cloud,
    ledger: Ledger,
    people: Vec<Person>,
    /// What was seen so far.
    pub(crate) seen: Seen,
    leads_until: i64,
    config_until: i64,
    sent_until: i64,
    webhooks_until: usize,
    opt_outs_until: usize,
    /// The caps that were in force, and since when.
    caps: Vec<(DateTime<Utc>, Caps)>,
    on_its_way: OnItsWay,
    /// Since when nothing goes wrong any more.
    pub(crate) calm_since: Option<DateTime<Utc>>,
    /// How much had been written when the tables and the queues were read last.
    writes: Option<u64>,
}

impl From<CloudError> for Violation {
    fn from(error: CloudError) -> Self {
        Self::of(Invariant::Alive, format!("the local cloud failed: {error}"))
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for Violation {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::of(Invariant::Alive, format!("what was written can't be read: {error}"))
    }
}

impl Checker {
    pub(crate) fn new(cloud: Cloud, ledger: Ledger, people: Vec<Person>) -> Self {
        Self {
            cloud,
            ledger,
            people,
            seen: Seen::default(),
            leads_until: 0,
            config_until: 0,
            sent_until: 0,
            webhooks_until: 0,
            opt_outs_until: 0,
            caps: Vec::new(),
            on_its_way: OnItsWay::default(),
            calm_since: None,
            writes: None,
        }
    }

    /// Looks at all that happened since it looked last.
    pub(crate) fn look(&mut self) -> Held {
        let writes = self.cloud.writes();
        if self.writes != Some(writes) {
            self.look_at_what_was_written()?;
            self.writes = Some(writes);
        }
        self.look_at_answers()?;
        let now = self.cloud.now();
        if self.calm_since.is_some_and(|since| since + CAUGHT_UP_WITHIN < now) {
            rest::nothing_overdue(&self.seen, now, CAUGHT_UP_WITHIN)?;
        }
        self.calm_since.map_or(Ok(()), |since| rest::claims_settled(&self.seen, since, now))
    }

    fn look_at_what_was_written(&mut self) -> Held {
        self.look_at_records()?;
        let changed = self.look_at_leads()?;
        for changed in changed.values() {
            words::told(&self.seen, changed)?;
            progress::one_at_a_time(&self.seen, &changed.lead, &changed.enrollment)?;
            self.look_at_outcomes(changed)?;
            changed.passed.iter().try_for_each(|key| course::told(&self.seen, &changed.lead, key, changed.was_led))?;
        }
        self.look_at_effects()?;
        self.on_its_way = self.on_its_way()?;
        rest::nothing_lost(&self.seen, &self.on_its_way)
    }

    fn look_at_records(&mut self) -> Held {
        for written in self.cloud.written(CONFIG, self.config_until)? {
            self.config_until = written.number;
            if let Moment::VersionChanged { pk, sk } = self.seen.note_config(written)? {
                return Err(Violation::of(Invariant::Records, format!("{pk} {sk} was written over")));
            }
        }
        let caps = self.caps_in_force().unwrap_or(Caps::FLOOR);
        if self.caps.last().is_none_or(|(_, last)| *last != caps) {
            let since = if self.caps.is_empty() { DateTime::<Utc>::MIN_UTC } else { self.cloud.now() };
            self.caps.push((since, caps));
        }
        Ok(())
    }

    fn caps_in_force(&self) -> Option<Caps> {
        let caps = self.seen.published("SETTINGS", "company")?.get("caps")?;
        serde_json::from_value(caps.clone()).ok()
    }

    fn look_at_leads(&mut self) -> Result<BTreeMap<EnrollmentId, Changed>, Violation> {
        let (mut changed, now) = (BTreeMap::new(), self.cloud.now());
        for written in self.cloud.written(LEADS, self.leads_until)? {
            self.leads_until = written.number;
            match self.seen.note(written, now)? {
                Moment::Enrollment { lead, before, after } => {
                    let before = before.as_deref();
                    progress::growth(&self.seen, &lead, before, &after)?;
                    progress::finished(before, &after)?;
                    progress::keeps_its_version(&self.seen, before, &after)?;
                    progress::opt_out(&self.seen, &lead, before, &after)?;
                    self.look_at_course(&lead, before, &after)?;
                    rest::indexed(&self.seen, &lead, &after.id)?;
                    let noted = changed.entry(after.id.clone()).or_insert_with(|| Changed::of(lead, after.id.clone()));
                    noted.note(before, &after);
                }
                Moment::Outcome { before, after } => {
                    words::outcomes(before.as_ref(), &after)?;
                    if before.is_none_or(|before| before.outcome != after.outcome) {
                        let (lead, id) = (after.lead.clone(), after.key.enrollment.clone());
                        let noted = changed.entry(id.clone()).or_insert_with(|| Changed::of(lead, id));
                        noted.outcomes.push(after);
                    }
                }
                Moment::Task { lead, before, after } => {
                    effects::one_task(before.as_deref(), &after)?;
                    self.look_at_task(&lead, &after)?;
                }
                Moment::Entry { before, entry } => {
                    words::nothing_unsaid(before.as_deref(), &entry)?;
                    if let Some(id) = &entry.enrollment {
                        let noted =
                            changed.entry(id.clone()).or_insert_with(|| Changed::of(entry.lead.clone(), id.clone()));
                        noted.note_entry(&entry);
                    }
                }
                Moment::WebhookChanged { key } => {
                    return Err(Violation::of(Invariant::Webhooks, format!("webhook {key} was taken a second time")));
                }
                Moment::VersionChanged { .. } | Moment::Other => {}
            }
        }
        Ok(changed)
    }

    /// Where an enrollment goes, when, and whether what it claims on its way may be.
    fn look_at_course(&self, id: &LeadId, before: Option<&Enrollment>, after: &Enrollment) -> Held {
        let lead = self.seen.leads.get(id).and_then(|seen| seen.lead.as_ref());
        course::goes(&self.seen, before, after)?;
        course::ends(&self.seen, before, after)?;
        due::in_bounds(&self.seen, lead, before, after, self.cloud.now())?;
        let Some(claim) = progress::new_claim(before, after) else { return Ok(()) };
        course::in_time(before, claim)?;
        lead.map_or(Ok(()), |lead| permits::permitted(&self.seen, lead, claim))
    }

    /// A user is asked to call or to write only when the lead may be called or written to.
    fn look_at_task(&self, id: &LeadId, task: &Task) -> Held {
        let Some(lead) = self.seen.leads.get(id).filter(|_| task.closed.is_none()) else { return Ok(()) };
        effects::is_open_to(lead, task)?;
        let said = format!("{} {}", task.lead_name, task.text);
        effects::asked(&self.ledger.told(), &self.people, lead, &said, task.reach.as_deref())?;
        let Some(claim) = lead.claims.iter().rev().find(|claim| claim.key() == task.id.key) else { return Ok(()) };
        progress::as_claimed(&self.seen, lead, claim, task)?;
        let told = self.ledger.told();
        effects::hours(&self.seen, &told, &self.people, id, claim, task.opened_at)?;
        effects::caps(lead, &self.caps)
    }

    /// What became known of an enrollment's steps led it where its cadence says.
    fn look_at_outcomes(&self, changed: &Changed) -> Held {
        let known = self.seen.leads.get(&changed.lead).and_then(|lead| lead.enrollments.get(&changed.enrollment));
        let stays: Vec<Enrollment> = known.map(|enrollment| enrollment.now.clone()).into_iter().collect();
        let states = if changed.states.is_empty() { &stays } else { &changed.states };
        changed.outcomes.iter().try_for_each(|outcome| led::where_it_says(&self.seen, states, outcome))
    }

    fn look_at_effects(&mut self) -> Held {
        for sent in self.cloud.outbox(self.sent_until)? {
            self.sent_until = sent.seq;
            match self.is_notice(&sent) {
                true => self.note_notice(sent)?,
                false => {
                    let (id, place) = effects::one_effect(&mut self.seen, &sent)?;
                    let Some(lead) = self.seen.leads.get(&id) else { continue };
                    let Some(claim) = lead.claims.get(place) else { continue };
                    let told = self.ledger.told();
                    effects::hours(&self.seen, &told, &self.people, &id, claim, sent.at)?;
                    effects::person(&told, &self.people, lead, claim, &sent)?;
                    effects::caps(lead, &self.caps)?;
                }
            }
        }
        Ok(())
    }

    /// Whether it tells one of us of a task.
    fn is_notice(&self, sent: &Sent) -> bool {
        let users = self.seen.config.iter().filter(|((pk, _), _)| pk == "PUBLISHED#USER");
        let mut emails = users.filter_map(|(_, user)| user.pointer("/record/email"));
        sent.kind == "email" && emails.any(|email| email == sent.to.as_str())
    }

    /// A user is told of a task once a try.
    fn note_notice(&mut self, sent: Sent) -> Held {
        let Some((lead, key)) = effects::addressed(&sent) else { return Ok(()) };
        if let Some(seen) = self.seen.leads.get(&lead) {
            let said = format!("{} {}", sent.subject.as_deref().unwrap_or_default(), sent.text);
            effects::asked(&self.ledger.told(), &self.people, seen, &said, None)?;
        }
        let claims = self.seen.leads.get_mut(&lead).map(|lead| &mut lead.claims);
        let mut claims = claims.into_iter().flatten().filter(|claim| {
            claim.key() == key
                && claim.claim.effect == Effect::Task
                && (claim.claim.claimed_at..=claim.claim.lease_until).contains(&sent.at)
        });
        let claim = claims.next();
        match claim {
            Some(claim) if claim.notice.is_none() => {
                claim.notice = Some(sent);
                Ok(())
            }
            _ => Err(Violation::of(
                Invariant::OneEffect,
                format!("a notice of {key} at {} has no claim of its own", sent.at),
            )),
        }
    }

    fn look_at_answers(&mut self) -> Held {
        let told = self.ledger.told();
        for webhook in told.webhooks.iter().skip(self.webhooks_until) {
            rest::webhook(&self.seen, &told, &self.people, webhook)?;
        }
        for opt_out in told.opt_outs.iter().skip(self.opt_outs_until) {
            rest::confirmed(&self.seen, opt_out)?;
        }
        self.webhooks_until = told.webhooks.len();
        self.opt_outs_until = told.opt_outs.len();
        Ok(())
    }

    fn on_its_way(&self) -> Result<OnItsWay, Violation> {
        let (messages, timers) = (self.cloud.messages()?, self.cloud.timers()?);
        Ok(OnItsWay::of(&messages, &timers, self.cloud.read_until(LEADS)?))
    }

    /// Looks at what `reconcile` put back on its queue since this was looked at last.
    pub(crate) fn requeued(&self, requeued: &[StepDue]) -> Held {
        let now = self.cloud.now();
        requeued.iter().try_for_each(|due| rest::requeued(&self.seen, due, now))
    }

    /// What must hold once nothing goes wrong any more and what was due is done.
    pub(crate) fn at_rest(&mut self) -> Held {
        self.look()?;
        let now = self.cloud.now();
        rest::nothing_overdue(&self.seen, now, TimeDelta::minutes(30))?;
        rest::nothing_forgotten(&self.seen)?;
        words::effects_told(&self.seen)?;
        words::asked_again(&self.seen)?;
        rest::one_lead(&self.seen)?;
        rest::taken(&self.seen)?;
        // What was under way when things ceased to go wrong may still be in doubt.
        let calm_since = self.calm_since.map(|since| since + TimeDelta::minutes(2));
        calm_since.map_or(Ok(()), |since| words::nothing_unsure(&self.seen, since))?;
        for lead in self.seen.leads.values() {
            for enrollment in lead.enrollments.values().filter(|enrollment| enrollment.now.has_ended()) {
                words::ended(lead, &enrollment.now)?;
            }
            lead.tasks.values().try_for_each(|task| effects::is_open_to(lead, task))?;
        }
        let told = self.ledger.told();
        rest::answered(&told)?;
        words::reports(&self.seen, &told)?;
        // The edits of which `publish` was never told lie in its failure queue.
        let mut messages = self.cloud.messages()?;
        messages.retain(|message| message.queue == "publish-failures");
        let given_up = OnItsWay::of(&messages, &[], 0);
        rest::records(&self.seen, &told, |written| given_up.gave_up(written))
    }

    /// The next instant at which `reconcile` has something to look at.
    pub(crate) fn reconcile_at(&self) -> Option<DateTime<Utc>> {
        let waits = |enrollment: &Enrollment| {
            let lease = enrollment.claim.as_ref().map(|claim| claim.lease_until);
            lease.or(enrollment.progress.next.as_ref().map(|next| next.due_at).filter(|_| enrollment.is_active()))
        };
        self.seen.enrollments().filter_map(|(_, enrollment)| waits(&enrollment.now)).min()
    }

    /// How many enrollments rest, and how many run.
    pub(crate) fn resting_and_running(&self) -> (usize, usize) {
        let is_over = |enrollment: &Enrollment| enrollment.has_ended() && enrollment.claim.is_none();
        let open = || self.seen.enrollments().filter(|(_, enrollment)| !is_over(&enrollment.now));
        let running =
            open().filter(|(_, enrollment)| enrollment.now.is_active() || enrollment.now.claim.is_some()).count();
        (open().count() - running, running)
    }
}

impl Changed {
    fn of(lead: LeadId, enrollment: EnrollmentId) -> Self {
        Self {
            lead,
            enrollment,
            moves: 0,
            entries: 0,
            versions: Vec::new(),
            versions_told: Vec::new(),
            passed: Vec::new(),
            was_led: false,
            states: Vec::new(),
            outcomes: Vec::new(),
            settled: Vec::new(),
        }
    }

    fn note(&mut self, before: Option<&Enrollment>, after: &Enrollment) {
        self.moves += usize::from(before.is_some_and(|before| before.progress != after.progress));
        let versions = before.map(|before| (before.progress.version, after.progress.version));
        self.versions.extend(versions.filter(|(from, to)| from != to));
        self.passed.extend(course::passed(before, after));
        if self.states.is_empty() {
            self.states.extend(before.cloned());
        }
        self.states.push(after.clone());
        if let (Some(claim), Some(before)) = (progress::settled_claim(before, after), before) {
            self.settled.push((claim.clone(), before.progress.generation));
        }
    }

    fn note_entry(&mut self, entry: &Entry) {
        match entry.kind {
            EntryKind::VersionChanged => self.versions_told.push((entry.from.clone(), entry.to.clone())),
            kind => {
                self.entries += 1;
                self.was_led |= kind == EntryKind::Outcome;
            }
        }
    }
}
