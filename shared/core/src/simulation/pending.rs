//! What a script still has to say, and how it is said: as a user's word on a task, or as a report.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    Conflict, Taken, World,
    script::{About, Line, Script, What, When},
};
use crate::{
    Channel, Do, Outcome, StepId, StepKey,
    apply::{Applied, Completed, apply_outcome, complete_task},
    calendar::Calendar,
    delivery::{Delivery, Report},
    enrollment::Effect,
    plan::{StepContext, StepPlan},
    records::problem::one_of,
    time::Wait,
};

/// The lines of a script that are still to come.
pub(super) struct Pending<'a> {
    script: &'a Script,
    /// What is to happen, by when and in which order it was found to.
    due: BTreeMap<(DateTime<Utc>, usize), Due<'a>>,
    /// Which lines had their time.
    was_due: Vec<bool>,
    count: usize,
    was_touched: bool,
}

/// A line whose time is known.
pub(super) struct Due<'a> {
    pub(super) line: &'a Line,
    /// The round that it is about; `None` for the one that ran last by then.
    pub(super) key: Option<StepKey>,
}

/// Whether a line of a script changed anything.
pub(super) enum Said {
    Heard,
    Unheard(String),
}

impl<'a> Pending<'a> {
    pub(super) fn new(script: &'a Script, calendar: &Calendar<'_>, arrived_at: DateTime<Utc>) -> Self {
        let was_due = vec![false; script.lines.len()];
        let mut pending = Self { script, due: BTreeMap::new(), was_due, count: 0, was_touched: false };
        for (index, line) in script.lines.iter().enumerate() {
            let counts_from_arrival = line.about == About::Lead && line.when != When::Soon;
            if matches!(line.what, What::Outcome(_)) && (line.when.is_dated() || counts_from_arrival) {
                let at = line.at(arrived_at, &Wait::minutes(0), calendar).max(arrived_at);
                pending.schedule(index, at, None);
            }
        }
        pending
    }

    /// When the next line happens.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Takes that line.
    pub(super) fn take(&mut self) -> Option<Due<'a>> {
        self.due.pop_first().map(|(_, due)| due)
    }

    /// What the vendor answers to a try.
    pub(super) fn answer(&mut self, plan: &StepPlan) -> Delivery {
        let accepted = |vendor_id: &str| Delivery::Accepted { vendor_id: vendor_id.to_owned() };
        if plan.action.effect() == Effect::Task {
            return accepted("task");
        }
        for (line, was_due) in self.script.lines.iter().zip(&mut self.was_due) {
            if let What::Answer(delivery) = &line.what
                && !*was_due
                && line.is_about(&plan.next.step, plan.next.round, self.script)
            {
                *was_due = true;
                return delivery.clone();
            }
        }
        accepted("simulated")
    }

    /// Schedules what comes of a step that has just run.
    pub(super) fn ran(&mut self, taken: &Taken, context: &StepContext) {
        if !taken.reached() {
            return;
        }
        let (claim, calendar) = (&taken.claim, context.calendar());
        let action = context.cadence.step(&claim.step).map(|step| step.action);
        let is_first_touch = !std::mem::replace(&mut self.was_touched, true);
        for (index, line) in self.script.lines.iter().enumerate() {
            let What::Outcome(outcome) = line.what else { continue };
            let is_step = !line.when.is_dated() && line.is_about(&claim.step, claim.round, self.script);
            let is_lead = line.about == About::Lead && line.when == When::Soon && is_first_touch;
            if is_step || is_lead {
                let at = line.at(claim.claimed_at, &soon(action, outcome), &calendar);
                let key = is_step.then(|| context.enrollment.key(&claim.step, claim.round));
                self.schedule(index, at, key);
            }
        }
    }

    /// The lines whose time never came, and why.
    pub(super) fn left(&self) -> impl Iterator<Item = (&'a Line, String)> {
        let left = self.script.lines.iter().zip(&self.was_due).filter(|(_, was_due)| !**was_due);
        left.map(|(line, _)| {
            let why = match (&line.about, &line.what) {
                (About::Lead, _) => "nothing reached the lead".to_owned(),
                (About::Step { id, .. }, What::Answer(_)) => format!("{id} was not tried that often"),
                (About::Step { id, round: None }, What::Outcome(_)) => format!("{id} never ran"),
                (About::Step { id, round: Some(round) }, What::Outcome(_)) => format!("{id} had no round {round}"),
            };
            (line, why)
        })
    }

    fn schedule(&mut self, index: usize, at: DateTime<Utc>, key: Option<StepKey>) {
        if let (Some(line), Some(was_due)) = (self.script.lines.get(index), self.was_due.get_mut(index)) {
            *was_due = true;
            self.count += 1;
            self.due.insert((at, self.count), Due { line, key });
        }
    }
}

impl Line {
    fn is_about(&self, step: &StepId, round: u32, script: &Script) -> bool {
        let names = |line: &Line, wanted: Option<u32>| match &line.about {
            About::Step { id, round } => id == step && *round == wanted,
            About::Lead => false,
        };
        let is_alike = |line: &&Line| matches!(line.what, What::Answer(_)) == matches!(self.what, What::Answer(_));
        names(self, Some(round))
            || (names(self, None) && !script.lines.iter().filter(is_alike).any(|line| names(line, Some(round))))
    }

    /// The step's round that it is about: of that number or the last one that ran, and for what a lead does one that it answers to.
    pub(super) fn round_in(&self, world: &World) -> Option<StepKey> {
        let ran = || world.claims.iter().rev().filter(|taken| taken.reached()).map(|taken| &taken.claim);
        let found = match &self.about {
            About::Step { id, round } => {
                ran().find(|claim| claim.step == *id && round.is_none_or(|round| round == claim.round))
            }
            About::Lead => {
                let channel = |claim: &&crate::enrollment::Claim| {
                    world.context.cadence.step(&claim.step).is_some_and(|step| self.answers(step.action.channel()))
                };
                ran().find(channel).or_else(|| ran().next())
            }
        };
        found.map(|claim| world.context.enrollment.key(&claim.step, claim.round))
    }

    fn answers(&self, channel: Channel) -> bool {
        match self.what {
            What::Outcome(Outcome::Unsubscribed | Outcome::Complained) => channel == Channel::Email,
            What::Outcome(Outcome::CalledBack) => channel == Channel::Call,
            What::Outcome(Outcome::Replied | Outcome::OptedOut) => channel != Channel::Call,
            What::Outcome(_) | What::Answer(_) => true,
        }
    }
}

/// How soon something plausibly comes of a step.
fn soon(action: Option<Do>, outcome: Outcome) -> Wait {
    Wait::minutes(match (action, outcome) {
        (_, Outcome::Delivered | Outcome::Bounced) | (Some(Do::AiDial), _) => 1,
        (Some(Do::Dial), _) => 4,
        _ => 12,
    })
}

/// Says what a line says: the user whose task it is completes that, everything else is reported.
pub(super) fn say(world: &mut World, line: &Line, key: StepKey, now: DateTime<Utc>) -> Result<Said, Conflict> {
    let What::Outcome(outcome) = line.what else { return Ok(Said::Heard) };
    let context = &world.context;
    let task = context.open_tasks.iter().find(|task| task.id.key == key && line.about != About::Lead);
    let change = match task {
        Some(task) => match complete_task(context, task, &task.user, outcome, line.note.clone(), now) {
            Completed::Change(change) => Some(change),
            Completed::Known | Completed::Conflict(_) => None,
            Completed::NotAnOutcome => {
                let words = one_of(task.kind.outcomes().iter().map(|outcome| outcome.as_str()));
                return Ok(Said::Unheard(format!("the task of {} can only end as {words}", key.step)));
            }
        },
        None => {
            let lead = context.lead.id.clone();
            match apply_outcome(context, &Report { lead, key, outcome, note: line.note.clone(), at: now }, now) {
                Applied::Change(change) => Some(change),
                Applied::Known => None,
            }
        }
    };
    match change {
        Some(change) => world.commit(*change).map(|()| Said::Heard),
        None => Ok(Said::Unheard("it says nothing new".to_owned())),
    }
}
