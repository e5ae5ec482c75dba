//! Checks the pace of a cadence, by running it for leads whom nobody reaches, each in another way: touches too close to each other, and steps
//! that caps hold up.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Known,
    hours::{in_states, named_states},
};
use crate::{
    Channel, Outcome,
    apply::{Applied, apply_outcome},
    assign::Turns,
    course,
    delivery::{Delivery, Report},
    enroll,
    enrollment::Next,
    gate::{self, Verdict, Wait},
    law::{self, State},
    lead::{ChannelConsent, Consent, Facts, Lead, Proof},
    plan::StepContext,
    records::{Cadence, Message, Settings, Status, Step, Target, User, message::Copy, problem::Problem},
    simulation::{Conflict, World},
    time::{Zone, Zones},
    timeline::EntryKind,
};

/// Two touches on one channel that come closer than that look like a fault.
const APART: TimeDelta = TimeDelta::minutes(10);
/// A Tuesday, 10:00 in Los Angeles, with no federal holiday for weeks.
const BEGINS_AT: i64 = 1_789_491_600;
/// No cadence that ends takes longer, or more runs.
const LONGEST: TimeDelta = TimeDelta::days(400);
const MOST_RUNS: usize = 2_000;

pub(super) fn check(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let Some(settings) = &known.settings else { return Vec::new() };
    let contexts = contexts(cadence, settings, known);
    let judged: Vec<(&[State], Found)> =
        contexts.iter().map(|(states, context)| (states.as_slice(), found(cadence, context))).collect();
    let mut places: Vec<_> = judged.iter().flat_map(|(_, found)| found.keys()).collect();
    places.sort();
    places.dedup();
    places.into_iter().flat_map(|place| said_of(place, &judged)).collect()
}

/// A step, a field of it, and what is looked at there.
type Place = (usize, &'static str, Looked);

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Looked {
    /// Whether the gate lets it run.
    Gate,
    /// How soon it touches a lead after the touch before.
    Touch,
}

/// What is found for leads of one kind: once for each place, however many of them it is said of.
type Found = BTreeMap<Place, Problem>;

/// Everything that is found for a lead.
fn found(cadence: &Cadence, context: &StepContext) -> Found {
    let mut problems = BTreeMap::new();
    let ended = UNREACHED.into_iter().filter(|outcome| leads_elsewhere(cadence, *outcome)).map(Some);
    let left_undone = cadence.steps.iter().any(|step| step.on_overdue.is_some()).then_some(None);
    for calls_end in ended.chain(left_undone) {
        let mut pace = Pace { problems, last: BTreeMap::new() };
        // A run that can't write what it decided is nothing that the record is to blame for.
        let _ = pace.run(World::of(context.clone()), calls_end);
        problems = pace.problems;
    }
    problems
}

/// What is wrong at a place: with the states that it is so in, unless it is in all.
fn said_of(place: &Place, judged: &[(&[State], Found)]) -> Vec<Problem> {
    let mut said: Vec<(&Problem, Vec<State>)> = Vec::new();
    let mut is_everywhere = true;
    for (states, found) in judged {
        let Some(problem) = found.get(place) else {
            is_everywhere = false;
            continue;
        };
        match said.iter_mut().find(|(other, _)| *other == problem) {
            Some((_, all)) => all.extend(*states),
            None => said.push((problem, states.to_vec())),
        }
    }
    match said.as_slice() {
        [(problem, _)] if is_everywhere => vec![(*problem).clone()],
        _ => {
            let there = said.into_iter().map(|(problem, mut states)| {
                states.sort();
                let sentence = format!("For leads{}: {}", in_states(states.into_iter()), problem.sentence);
                Problem { sentence, ..problem.clone() }
            });
            there.collect()
        }
    }
}

/// How calls end that reach nobody.
const UNREACHED: [Outcome; 4] = [Outcome::NoAnswer, Outcome::Voicemail, Outcome::Busy, Outcome::BadNumber];

/// Whether it is the first of them, or some step goes on elsewhere or sooner after that outcome.
fn leads_elsewhere(cadence: &Cadence, outcome: Outcome) -> bool {
    outcome == Outcome::NoAnswer
        || cadence.steps.iter().any(|step| {
            let after =
                |outcome| step.on.get(&outcome).or_else(|| cadence.anytime.get(&outcome)).unwrap_or(&Target::Next);
            let is_repeated = |outcome| course::redials(step, 1, outcome);
            after(outcome) != after(Outcome::NoAnswer) || is_repeated(outcome) != is_repeated(Outcome::NoAnswer)
        })
}

/// What was found on the runs: once for each step, however often it runs.
struct Pace {
    problems: Found,
    /// The last touch on each channel: its step, and when.
    last: BTreeMap<Channel, (usize, DateTime<Utc>)>,
}

impl Pace {
    /// Runs all of it, with every call ending so; `None` if nobody says how any did, and so every task is overdue.
    fn run(&mut self, mut world: World, calls_end: Option<Outcome>) -> Result<(), Conflict> {
        let begins_at = world.context.enrollment.enrolled_at;
        for _ in 0..MOST_RUNS {
            let enrollment = &world.context.enrollment;
            let next = enrollment.progress.next.clone().filter(|_| enrollment.is_active());
            let Some(next) = next.filter(|next| next.due_at < begins_at + LONGEST) else { break };
            let Some(index) = world.context.cadence.position(&next.step) else { break };
            world.context.message = world.context.cadence.steps.get(index).map(message);
            let (claims, entries) = (world.claims.len(), world.entries.len());
            world.run(|_| Delivery::Accepted { vendor_id: String::new() }, next.due_at)?;
            let mut said = world.entries.iter().skip(entries).map(|entry| entry.kind);
            if said.any(|kind| matches!(kind, EntryKind::Deferred | EntryKind::Skipped)) {
                self.ask_gate(&world.context, &next, index);
            }
            if world.claims.len() == claims {
                continue;
            }
            // What users write reaches the lead as well, at once if they see to it. What nobody did in time reached nobody.
            if next.overdue_for.is_none() {
                self.touch(&world.context.cadence, &next, index);
            }
            if let Some(outcome) = calls_end.filter(|_| next.channel == Channel::Call) {
                ends(&mut world, &next, outcome)?;
            }
        }
        Ok(())
    }

    /// Notes what kept the step from running when it was due: nothing that the gate looks at has changed since.
    fn ask_gate(&mut self, context: &StepContext, next: &Next, index: usize) {
        let Some(step) = context.cadence.steps.get(index) else { return };
        let (calendar, settings) = (context.calendar(), &context.settings);
        let (field, what, remedy) = match next.overdue_for {
            None => ("wait", format!("\"{}\"", step.id), "Wait longer here, or leave out a step before it"),
            Some(_) => (
                "on_overdue",
                format!("If \"{}\" is not done in time, asking somebody else", step.id),
                "Give the user longer in \"due\", or leave out a step before it",
            ),
        };
        let problem =
            match gate::gate(step.action, &context.lead, context.owner(), false, &calendar, settings, next.due_at) {
                Verdict::NotBefore { at, why: Wait::Cap(cap) } => Problem::warning(
                    format!("steps[{index}].{field}"),
                    format!(
                        "{what} would wait another {}, because caps allow a lead no more than {cap}.",
                        in_words(at - next.due_at)
                    ),
                    format!("{remedy}: no cadence can raise caps."),
                ),
                Verdict::Never(why) => Problem::warning(
                    format!("steps[{index}]"),
                    format!("\"{}\" is left out: {}.", step.id, why.as_str()),
                    "Remove the step, or what keeps it from running.",
                ),
                Verdict::NotBefore { why: Wait::Hours, .. }
                | Verdict::Pass { .. }
                | Verdict::AskUser(_)
                | Verdict::NoLicensedOwner => return,
            };
        self.problems.entry((index, field, Looked::Gate)).or_insert(problem);
    }

    /// Notes a touch that comes too soon after the last one on its channel.
    fn touch(&mut self, cadence: &Cadence, next: &Next, index: usize) {
        let last = self.last.insert(next.channel, (index, next.due_at));
        let close = last.filter(|(_, at)| next.due_at - *at < APART);
        let Some(((last, at), step)) = close.zip(cadence.steps.get(index)) else { return };
        let (what, pair) = match next.channel {
            Channel::Call => ("call", "two calls"),
            Channel::Sms => ("text", "two texts"),
            Channel::Email => ("email", "two emails"),
        };
        let apart = next.due_at - at;
        let when = match apart < TimeDelta::minutes(1) {
            true => "at once".to_owned(),
            false => format!("after {}", in_words(apart)),
        };
        let (field, sentence) = match cadence.steps.get(last).filter(|_| last != index) {
            Some(last) => ("wait", format!("This {what} follows that of \"{}\" {when}.", last.id)),
            None => ("every", format!("\"{}\" repeats its {what} {when}.", step.id)),
        };
        let remedy = format!("Leave at least {} minutes between {pair}.", APART.num_minutes());
        let problem = Problem::warning(format!("steps[{index}].{field}"), sentence, remedy);
        self.problems.entry((index, field, Looked::Touch)).or_insert(problem);
    }
}

/// A call ends so.
fn ends(world: &mut World, next: &Next, outcome: Outcome) -> Result<(), Conflict> {
    let key = world.context.enrollment.key(&next.step, next.round);
    let lead = world.context.lead.id.clone();
    let report = Report { lead, key, outcome, note: None, at: next.due_at };
    match apply_outcome(&world.context, &report, next.due_at) {
        Applied::Change(change) => world.commit(*change),
        Applied::Known => Ok(()),
    }
}

/// For each law that the named states have, and somebody may act under, the states and a lead; where there are none, one of no state.
fn contexts(cadence: &Cadence, settings: &Settings, known: &Known) -> Vec<(Vec<State>, StepContext)> {
    let users = || known.users.values().filter(|user| user.active && user.sms_number.is_some());
    let mut by_law: Vec<(_, Vec<State>, &User)> = Vec::new();
    for state in named_states(cadence) {
        let Some(owner) = users().find(|user| user.is_licensed_in(state.code())) else { continue };
        let law = (law::floor_windows(Some(&state)), law::contacts_per_day(state.code()));
        match by_law.iter_mut().find(|(other, ..)| *other == law) {
            Some((_, states, _)) => states.push(state),
            None => by_law.push((law, vec![state], owner)),
        }
    }
    if by_law.is_empty() {
        let context = users().next().and_then(|owner| context(cadence, settings, owner, None));
        return context.into_iter().map(|context| (Vec::new(), context)).collect();
    }
    let contexts = by_law.into_iter().filter_map(|(_, states, owner)| {
        let context = context(cadence, settings, owner, states.first())?;
        Some((states, context))
    });
    contexts.collect()
}

/// A lead who agreed to everything, at the beginning of the cadence.
fn context(cadence: &Cadence, settings: &Settings, owner: &User, state: Option<&State>) -> Option<StepContext> {
    let begins_at = DateTime::from_timestamp(BEGINS_AT, 0)?;
    let lead = Lead {
        id: "0".into(),
        revision: 1,
        phone: Some("+14155550123".to_owned()),
        email: Some("lead@example.com".to_owned()),
        phone_hash: None,
        email_hash: None,
        state: state.map(ToString::to_string),
        zones: Zone::parse("America/Los_Angeles").map(Zones::one),
        owner: Some(owner.id.clone()),
        consent: ChannelConsent {
            call: Consent::ExpressWritten,
            sms: Consent::ExpressWritten,
            email: Consent::ExpressWritten,
        },
        opt_outs: BTreeMap::new(),
        touches: BTreeMap::new(),
    };
    Some(StepContext {
        enrollment: enroll::begin("0".into(), &lead, (cadence, 1), settings, false, begins_at),
        lead,
        facts: Facts {
            first_name: String::new(),
            last_name: String::new(),
            source: "example".into(),
            consent_proof: Proof { text: String::new(), source: String::new(), at: begins_at },
            city: None,
            zip: None,
            purpose: None,
            attributes: BTreeMap::new(),
        },
        cadence: cadence.clone(),
        // Whatever it is now, it is checked for when it runs.
        status: Status::Live,
        targets: Vec::new(),
        users: vec![owner.clone()],
        turns: Turns::default(),
        message: None,
        settings: settings.clone(),
        attempt: None,
        outcomes: Vec::new(),
        open_tasks: Vec::new(),
        unsubscribe_url: None,
    })
}

/// A message that the step can send: what messages say has its own check, and must not stop the run.
fn message(step: &Step) -> Message {
    let text = "example".to_owned();
    let copy = match step.action.channel() {
        Channel::Email => Copy::Email { subject: text.clone(), body: text },
        Channel::Sms | Channel::Call => Copy::Text(text),
    };
    Message { id: "example".into(), copy }
}

/// `2 days 3 hours`, `5 minutes`.
fn in_words(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    let counted = |count: i64, one: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {one}s")),
    };
    let parts = [counted(minutes / 1440, "day"), counted(minutes / 60 % 24, "hour"), counted(minutes % 60, "minute")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "a moment".to_owned() } else { parts.join(" ") }
}
