//! Checks the hours of a cadence: whether they ever open where the law's do, and for long enough.

use chrono::{DateTime, TimeDelta};

use crate::{
    Channel, Do,
    calendar::{Calendar, margin},
    law::{self, STATE_RULES, State},
    records::{Cadence, problem::Problem},
    time::{WeeklyHours, longest_span},
};

pub(super) fn check(cadence: &Cadence) -> Vec<Problem> {
    let hours = &cadence.hours;
    let channels = [
        ("hours.call", "calls", &hours.call, Do::Dial),
        ("hours.sms", "texts", &hours.sms, Do::CannedSms),
        ("hours.email", "emails", &hours.email, Do::CannedEmail),
    ];
    let stated = channels.into_iter().filter_map(|(path, what, hours, action)| {
        hours.as_ref().map(|hours| Stated { cadence, path, what, hours, action })
    });
    let found = stated
        .flat_map(|stated| stated.shut().into_iter().chain(stated.wide()).chain(stated.states()).chain(stated.apart()));
    found.chain(untimely(cadence)).collect()
}

/// A Monday's midnight.
const MONDAY: i64 = 1_795_996_800;

/// Mondays of a winter and of a summer, from which on clocks stay as they are for six weeks.
const JANUARY: i64 = 1_799_625_600;
const JULY: i64 = 1_782_691_200;

/// Times of day at which the hours of their channel are never open.
fn untimely(cadence: &Cadence) -> Vec<Problem> {
    let waits = cadence.steps.iter().enumerate().flat_map(|(index, step)| {
        let waits = [("wait", Some(&step.wait)), ("every", step.every.as_ref())];
        waits.into_iter().filter_map(move |(field, wait)| Some((index, field, step.action, wait?.time_of_day()?)))
    });
    let named = named_states(cadence);
    let states: Vec<Option<State>> = if named.is_empty() { vec![None] } else { named.into_iter().map(Some).collect() };
    let calendars: Vec<(Calendar<'_>, Option<State>)> =
        states.into_iter().map(|state| (Calendar::plain(cadence, state), state)).collect();
    let problem = |(index, field, action, time): (usize, &str, Do, TimeDelta)| {
        let monday = DateTime::from_timestamp(MONDAY, 0)? + time;
        let never_opens = |calendar: &Calendar<'_>| {
            let openings = (0..7).map(|day| monday + TimeDelta::days(day)).map(|at| (at, calendar.opening(action, at)));
            openings.into_iter().all(|(at, opening)| !opening.is_empty() && opening.from > at)
        };
        let shut: Vec<_> = calendars.iter().filter(|(calendar, _)| never_opens(calendar)).collect();
        let (calendar, _) = shut.first()?;
        let mut opens: Vec<(String, Vec<State>)> = Vec::new();
        for (calendar, state) in &shut {
            let from = calendar.opening(action, monday).from.format("%A at %H:%M").to_string();
            match opens.iter_mut().find(|(other, _)| *other == from) {
                Some((_, states)) => states.extend(state),
                None => opens.push((from, state.iter().copied().collect())),
            }
        }
        let opens: Vec<String> = match opens.as_slice() {
            [(from, _)] => vec![from.clone()],
            _ => opens.iter().map(|(from, states)| format!("{from}{}", in_states(states.iter().copied()))).collect(),
        };
        let (channel, what, law) = match action.channel() {
            Channel::Call => ("call", "calls", ", within the law's"),
            Channel::Sms => ("sms", "texts", ", within the law's"),
            Channel::Email => ("email", "emails", ""),
        };
        // Where it is the same everywhere, no state has to be named.
        let there = match shut.len() == calendars.len() && calendars.len() > 1 {
            true => String::new(),
            false => in_states(shut.iter().filter_map(|(_, state)| *state)),
        };
        let sentence = format!(
            "Nothing begins at {}{there}: the hours for {what} are {}{law}, without the last {}. What is due then on a Monday runs on {}.",
            monday.format("%H:%M"),
            calendar.hours(action),
            minutes(margin(action)),
            opens.join(", "),
        );
        let remedy = format!("Write a time within them, or other \"hours\" for \"{channel}\".");
        Some(Problem::warning(format!("steps[{index}].{field}"), sentence, remedy))
    };
    waits.filter_map(problem).collect()
}

/// The states that the cadence names.
pub(super) fn named_states(cadence: &Cadence) -> Vec<State> {
    cadence.for_leads.state.iter().filter_map(|state| State::parse(state)).collect()
}

/// ` in FL, NV`; nothing of none.
pub(super) fn in_states(states: impl Iterator<Item = State>) -> String {
    let codes: Vec<&str> = states.map(|state| state.code()).collect();
    if codes.is_empty() { String::new() } else { format!(" in {}", codes.join(", ")) }
}

/// `5 minutes`; of one it says how long by itself.
fn minutes(margin: TimeDelta) -> String {
    match margin.num_minutes() {
        1 => "minute".to_owned(),
        count => format!("{count} minutes"),
    }
}

/// The hours that a cadence states for one channel.
struct Stated<'a> {
    cadence: &'a Cadence,
    path: &'static str,
    what: &'static str,
    hours: &'a WeeklyHours,
    action: Do,
}

const LAW: &str = "08:00 to 21:00 in the lead's time";

impl Stated<'_> {
    /// Hours in which nothing ever goes out.
    fn shut(&self) -> Option<Problem> {
        let (what, margin) = (self.what, margin(self.action));
        let minutes = minutes(margin);
        let (sentence, remedy) = if longest_span(&[self.hours]) <= margin {
            let sentence = format!(
                "Nothing begins in the last {minutes} of the hours for {what}, and these are never open longer."
            );
            (sentence, "Widen them.".to_owned())
        } else if self.longest(None) <= TimeDelta::zero() {
            let sentence =
                format!("These hours for {what} lie wholly outside the law's, {LAW}, so nothing is ever sent.");
            (sentence, "Write hours that lie within the law's.".to_owned())
        } else if self.longest(None) <= margin {
            let sentence = format!(
                "Within the law's hours, {LAW}, these for {what} never last longer than the {minutes} at their end in which nothing begins."
            );
            (sentence, "Widen them within the law's.".to_owned())
        } else {
            return None;
        };
        Some(Problem::error(self.path, sentence, remedy))
    }

    /// Hours of which the law leaves a part: the federal one, or that of every state that the cadence names.
    fn wide(&self) -> Option<Problem> {
        if self.shut().is_some() {
            return None;
        }
        let is_lawful = |state: Option<&State>| self.floor(state).iter().all(|lawful| self.hours.is_within(lawful));
        let states = named_states(self.cadence);
        let law = if !is_lawful(None) {
            format!("the law's, {LAW}")
        } else if !states.is_empty() && !states.iter().any(|state| is_lawful(Some(state))) && self.states().is_none() {
            let own = |state: &State| Some(format!("{} in {state}", self.floor(Some(state)).pop()?));
            format!("the law's, {}", states.iter().filter_map(own).collect::<Vec<_>>().join(", "))
        } else {
            return None;
        };
        let sentence = format!("These hours for {} are wider than {law}.", self.what);
        let remedy = "Narrow them so that they say what happens: nothing is sent outside the law's hours.";
        Some(Problem::warning(self.path, sentence, remedy))
    }

    /// States whose law leaves nothing of the hours.
    fn states(&self) -> Option<Problem> {
        if !self.is_used() || self.shut().is_some() {
            return None;
        }
        let own = &self.cadence.for_leads.state;
        let all: Vec<&str> = match own.is_empty() {
            true => STATE_RULES.iter().map(|rule| rule.state).collect(),
            false => own.iter().map(String::as_str).collect(),
        };
        let is_shut = |state: &&&str| self.longest(State::parse(state).as_ref()) <= margin(self.action);
        let shut: Vec<&str> = all.iter().filter(is_shut).copied().collect();
        if shut.is_empty() {
            return None;
        }
        let sentence = format!("The law of {} leaves nothing of these hours for {}.", shut.join(", "), self.what);
        Some(match !own.is_empty() && shut.len() == own.len() {
            true => Problem::error(self.path, sentence, "Widen them, so that something can be sent."),
            false => Problem::warning(self.path, sentence, "Widen them, or leave those states out of \"for_leads\"."),
        })
    }

    /// States in which a lead may be in two zones that these hours are never open in at once, in winter or in summer.
    fn apart(&self) -> Option<Problem> {
        if !self.is_used() || self.shut().is_some() {
            return None;
        }
        let named = named_states(self.cadence);
        let states: Vec<State> = if named.is_empty() { State::all().collect() } else { named };
        let is_shut = |state: &State| {
            let Some(calendar) = Calendar::of_split_state(self.cadence, *state) else { return false };
            let never_opens = |at: &i64| {
                DateTime::from_timestamp(*at, 0).is_some_and(|at| calendar.opening(self.action, at).is_empty())
            };
            self.longest(Some(state)) > margin(self.action) && [JANUARY, JULY].iter().any(never_opens)
        };
        let shut: Vec<&str> = states.iter().filter(|state| is_shut(state)).map(|state| state.code()).collect();
        (!shut.is_empty()).then(|| {
            let sentence = format!(
                "A lead from {} whose ZIP code is not known may be in either of two time zones, and for half of the year or more these hours for {} are too short to be open in both at once: then the step is left out.",
                shut.join(", "),
                self.what
            );
            Problem::warning(self.path, sentence, "Widen them by the hour that the zones lie apart.")
        })
    }

    fn is_used(&self) -> bool {
        self.cadence.steps.iter().any(|step| step.action.channel() == self.action.channel())
    }

    /// How long they are open at a stretch within the law.
    fn longest(&self, state: Option<&State>) -> TimeDelta {
        let floor = self.floor(state);
        let all: Vec<&WeeklyHours> = std::iter::once(self.hours).chain(&floor).collect();
        longest_span(&all)
    }

    fn floor(&self, state: Option<&State>) -> Vec<WeeklyHours> {
        match self.action.channel() {
            Channel::Email => Vec::new(),
            Channel::Call | Channel::Sms => law::floor_windows(state).into_iter().map(|window| window.hours).collect(),
        }
    }
}
