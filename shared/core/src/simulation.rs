//! Simulation: a cadence and a lead in virtual time, through the engine itself.
//!
//! Nothing is decided here: the lead comes in by [`arrive`](crate::arrival::arrive), and what is due is planned, claimed and settled by the
//! functions that run on AWS, over a [`World`] in memory. Vendors accept everything, users and the lead do nothing, unless a [`Script`]
//! says otherwise.

mod arriving;
mod pending;
pub mod script;
mod waiting;
mod world;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

pub use arriving::{Arriving, Begun, NotTaken};
pub use script::Script;
pub use waiting::{Reason, Waiting};
pub use world::{Conflict, Ran, Taken, World};

use crate::{
    CadenceId, Channel, MessageId, TaskId,
    arrival::Catalogue,
    assign::Turns,
    enrollment::{End, Enrollment, Park, State},
    lead::{Facts, Lead},
    plan::StepContext,
    records::{Cadence, Message},
    task::Task,
    time::Zone,
    timeline::{Entry, EntryKind},
};
use pending::{Due, Pending, Said};
use script::About;
use waiting::Stood;

/// Every record that a simulated lead meets, as published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Cadences, users and settings.
    pub catalogue: Catalogue,
    /// Messages.
    pub messages: BTreeMap<MessageId, Message>,
}

/// What became of a simulated lead.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Its enrollments in order, each with the claims that were taken in it; the last one has the lead as it is in the end.
    pub worlds: Vec<World>,
    /// How it ended.
    pub ending: Ending,
    /// When the lead arrived.
    pub began_at: DateTime<Utc>,
    /// When the last thing happened.
    pub ended_at: DateTime<Utc>,
    /// Where the lead's local times are told.
    pub zone: Zone,
}

/// One thing that happens, or that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An entry of the timeline.
    Told(Entry),
    /// What is due next, and why not sooner.
    Waits(Waiting),
    /// A line of the script that changes nothing.
    Unheard(Unheard),
}

impl Event {
    /// Has an outcome stand for something that the lead did by itself: the engine needs a step to say it of, whoever reads it does not.
    fn be_of_the_lead(&mut self) {
        if let Self::Told(entry) = self
            && entry.kind == EntryKind::Outcome
        {
            (entry.step, entry.round, entry.channel) = (None, None, None);
        }
    }
}

/// A line of the script that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unheard {
    /// When it was to happen, or, if that time never came, when the simulation ended.
    pub at: DateTime<Utc>,
    /// The line as it is written.
    pub line: String,
    /// Why it changes nothing.
    pub why: String,
}

/// How a simulation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The last enrollment is over.
    Over(End),
    /// It rests until a person does something.
    Rests(Park),
    /// It went on past all bounds.
    Unending,
}

/// Nothing that ops write takes longer.
const LONGEST: TimeDelta = TimeDelta::days(5 * 365);
/// More than that happens to no lead; only cadences that lead into each other bring it so far.
const MOST_EVENTS: usize = 20_000;

/// Runs a lead through its cadence, and through those that it leads to, until nothing is due and the script is told.
pub fn simulate(published: &Published, begun: Begun, script: &Script) -> Result<Simulated, Conflict> {
    let mut running = Running::new(published, begun, script);
    let ending = running.run()?;
    Ok(running.simulated(ending))
}

impl Simulated {
    /// When the first step reached the lead, or asked a user to.
    pub fn first_touch_at(&self) -> Option<DateTime<Utc>> {
        let mut taken = self.worlds.iter().flat_map(|world| &world.claims);
        taken.find(|taken| taken.reached()).map(|taken| taken.claim.claimed_at)
    }
}

struct Running<'a> {
    published: &'a Published,
    pending: Pending<'a>,
    began_at: DateTime<Utc>,
    now: DateTime<Utc>,
    /// The enrollments that are over.
    earlier: Vec<World>,
    /// The one that runs, with the lead.
    world: World,
    events: Vec<Event>,
}

impl<'a> Running<'a> {
    fn new(published: &'a Published, begun: Begun, script: &'a Script) -> Self {
        let now = begun.at;
        let world = World::of(begun.context);
        let mut running = Self {
            published,
            pending: Pending::new(script, &world.context.calendar(), now),
            began_at: now,
            now,
            earlier: Vec::new(),
            events: begun.entries.into_iter().map(Event::Told).collect(),
            world,
        };
        running.tell(&Stood::default(), None);
        running
    }

    fn run(&mut self) -> Result<Ending, Conflict> {
        while self.events.len() < MOST_EVENTS && self.now < self.began_at + LONGEST {
            let enrollment = &self.world.context.enrollment;
            let due_at = enrollment.progress.next.as_ref().filter(|_| enrollment.is_active()).map(|next| next.due_at);
            match (self.pending.next_at(), due_at) {
                (Some(at), due_at) if due_at.is_none_or(|due_at| at <= due_at) => {
                    self.now = self.now.max(at);
                    self.hear()?;
                }
                (_, Some(due_at)) => {
                    self.now = self.now.max(due_at);
                    self.step()?;
                }
                (_, None) => {
                    return Ok(match &enrollment.progress.state {
                        State::Ended { why } => Ending::Over(why.clone()),
                        State::Parked { why } => Ending::Rests(*why),
                        State::Active => Ending::Unending,
                    });
                }
            }
        }
        Ok(Ending::Unending)
    }

    /// Runs what is due.
    fn step(&mut self) -> Result<(), Conflict> {
        let stood = Stood::of(&self.world);
        self.published.load_step(&mut self.world.context);
        let (world, pending) = (&mut self.world, &mut self.pending);
        if world.run(|plan| pending.answer(plan), self.now)? == Ran::Tried
            && let Some(taken) = world.claims.last()
        {
            pending.ran(taken, &world.context);
        }
        self.tell(&stood, None);
        Ok(())
    }

    /// Lets the next line of the script happen.
    fn hear(&mut self) -> Result<(), Conflict> {
        let Some(Due { line, key }) = self.pending.take() else { return Ok(()) };
        let worlds = || [&self.world].into_iter().chain(self.earlier.iter().rev());
        let Some(key) = key.or_else(|| worlds().find_map(|world| line.round_in(world))) else {
            self.unheard(&line.written, "nothing that it could be about had run by then".to_owned());
            return Ok(());
        };
        let told = self.events.len();
        let about = TaskId { lead: self.world.context.lead.id.clone(), key: key.clone() };
        let earlier = self.earlier.iter_mut().find(|world| world.context.enrollment.id == key.enrollment);
        let said = match earlier {
            // What comes of an enrollment that is over may still be news to the lead's owner.
            Some(earlier) => {
                let stood = Stood::of(earlier);
                std::mem::swap(&mut earlier.context.lead, &mut self.world.context.lead);
                let said = pending::say(earlier, line, key, self.now)?;
                std::mem::swap(&mut earlier.context.lead, &mut self.world.context.lead);
                self.events.extend(earlier.news(&stood, Some(&about), self.now).map(Event::Told));
                said
            }
            None => {
                let stood = Stood::of(&self.world);
                let said = pending::say(&mut self.world, line, key, self.now)?;
                self.tell(&stood, Some(&about));
                said
            }
        };
        if line.about == About::Lead {
            self.events.iter_mut().skip(told).for_each(Event::be_of_the_lead);
        }
        if let Said::Unheard(why) = said {
            self.unheard(&line.written, why);
        }
        Ok(())
    }

    /// Tells what just happened and what is waited for now; a lead that moved to another cadence goes on there.
    fn tell(&mut self, stood: &Stood, about: Option<&TaskId>) {
        let waiting = self.world.waiting(stood, self.now);
        self.events.extend(self.world.news(stood, about, self.now).map(Event::Told));
        self.events.extend(waiting.map(Event::Waits));
        let enrolled = self.world.enrolled.take();
        let (lead, facts) = (&self.world.context.lead, &self.world.context.facts);
        if let Some(mut context) =
            enrolled.and_then(|enrolled| self.published.context(enrolled, lead.clone(), facts.clone()))
        {
            context.turns.clone_from(&self.world.context.turns);
            let next = World::of(context);
            self.events.extend(next.waiting(&Stood::default(), self.now).map(Event::Waits));
            self.earlier.push(std::mem::replace(&mut self.world, next));
        }
    }

    fn unheard(&mut self, line: &str, why: String) {
        self.events.push(Event::Unheard(Unheard { at: self.now, line: line.to_owned(), why }));
    }

    fn simulated(mut self, ending: Ending) -> Simulated {
        let left: Vec<_> = self.pending.left().collect();
        for (line, why) in left {
            self.unheard(&line.written, why);
        }
        let zone = self.world.context.calendar().zone().clone();
        let mut worlds = self.earlier;
        worlds.push(self.world);
        Simulated { events: self.events, worlds, ending, began_at: self.began_at, ended_at: self.now, zone }
    }
}

impl Published {
    /// What a decision about that enrollment rests on, as the store would load it; `None` if its cadence is not published.
    fn context(&self, enrollment: Enrollment, lead: Lead, facts: Facts) -> Option<StepContext> {
        let (cadence, _) = self.cadence(&enrollment.cadence)?;
        let Catalogue { users, settings, .. } = &self.catalogue;
        Some(StepContext {
            enrollment,
            lead,
            facts,
            status: cadence.status,
            targets: cadence.targets().filter_map(|id| self.cadence(id).cloned()).collect(),
            cadence: cadence.clone(),
            users: users.clone(),
            message: None,
            settings: settings.clone(),
            attempt: None,
            outcomes: Vec::new(),
            open_tasks: Vec::new(),
            turns: Turns::new(),
            unsubscribe_url: None,
        })
    }

    /// Loads what the step that is due says.
    fn load_step(&self, context: &mut StepContext) {
        let Some(next) = &context.enrollment.progress.next else { return };
        let step = context.cadence.step(&next.step);
        let message = step.and_then(|step| step.message_for(&context.cadence.id, &context.lead.id));
        context.message = message.and_then(|id| self.messages.get(id)).cloned();
        let url = || format!("{}/simulated", self.catalogue.settings.unsubscribe_url);
        context.unsubscribe_url = (next.channel == Channel::Email).then(url);
    }

    fn cadence(&self, id: &CadenceId) -> Option<&(Cadence, u32)> {
        self.catalogue.cadences.iter().find(|(cadence, _)| cadence.id == *id)
    }
}

impl World {
    /// The timeline's entries since then, and one for each task that was opened or closed without one. The task that the news is about
    /// ends with its outcome.
    fn news(
        &mut self,
        stood: &Stood,
        about: Option<&TaskId>,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = Entry> + use<> {
        let entries = std::mem::take(&mut self.entries);
        let (lead, open) = (&self.context.lead.id, &self.context.open_tasks);
        let is_told = |task: &Task| {
            let of_step = |entry: &Entry| entry.step.as_ref() == Some(&task.id.key.step);
            entries.iter().any(|entry| entry.kind == EntryKind::TaskOpened && of_step(entry))
        };
        let opened = open.iter().filter(|task| !stood.open.contains(&task.id) && !is_told(task)).map(|task| Entry {
            to: Some(task.user.to_string()),
            until: Some(task.task_due_at),
            ..Entry::new(EntryKind::TaskOpened, lead, now).text(task.text.clone())
        });
        let closed = stood.open.iter().filter(|id| open.iter().all(|task| task.id != **id) && about != Some(*id));
        let closed = closed.map(|id| Entry {
            step: Some(id.key.step.clone()),
            round: Some(id.key.round),
            ..Entry::new(EntryKind::TaskClosed, lead, now)
        });
        let tasks: Vec<Entry> = closed.chain(opened).collect();
        entries.into_iter().chain(tasks)
    }
}
