//! A simulated lead's story: lines for people in the lead's time, or JSON objects for machines.

use std::fmt::Write;

use cadence_core::{
    Channel,
    calendar::{Shut, Whose},
    enrollment::{Act, End, Park},
    lead::Consent,
    simulation::{Begun, Ending, Event, Reason, Simulated, Waiting},
    time::{Zone, local_text},
    timeline::{Entry, EntryKind},
};
use cadence_local::words::{INDENT, variant, words};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::told::print;

/// How a simulation is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling {
    pub(crate) json: bool,
    pub(crate) full: bool,
}

/// Who and what is simulated.
#[derive(Debug)]
pub(crate) struct Shown {
    lines: Vec<String>,
}

impl Shown {
    pub(crate) fn of(begun: &Begun) -> Self {
        let (context, zone) = (&begun.context, begun.context.calendar().zone().clone());
        let (cadence, lead) = (&context.cadence, &context.lead);
        let place = match &lead.zones {
            None => "nobody knows where, so by Eastern time".to_owned(),
            Some(zones) => {
                let zones: Vec<&str> = zones.iter().map(Zone::as_str).collect();
                zones.join(" or ")
            }
        };
        let state = lead.state.as_deref().unwrap_or("no known state");
        let consent = [("calls", lead.consent.call), ("texts", lead.consent.sms)]
            .map(|(what, consent)| format!("{what} {}", in_words(consent)));
        let emails = match lead.consent.email {
            Consent::None => "emails not (they go out all the same, until the lead unsubscribes)".to_owned(),
            consent => format!("emails {}", in_words(consent)),
        };
        let owner =
            context.owner().map_or("nobody yet".to_owned(), |owner| format!("{} ({})", owner.full_name(), owner.id));
        Self {
            lines: vec![
                format!("{} ({})", cadence.name, cadence.id),
                format!("{} in {state} ({place}), for {owner}", context.facts.full_name()),
                format!("has agreed to: {}, {emails}", consent.join(", ")),
                format!("arrives {}\n", local_text(begun.at, &zone)),
            ],
        }
    }
}

fn in_words(consent: Consent) -> &'static str {
    match consent {
        Consent::Revoked => "no longer",
        Consent::None => "not",
        Consent::Express => "yes",
        Consent::ExpressWritten => "in writing",
    }
}

/// So much of a message is shown, unless all is asked for.
const SHORT: usize = 100;

impl Telling {
    pub(crate) fn tell(self, shown: &Shown, simulated: &Simulated) -> anyhow::Result<()> {
        if !self.json {
            shown.lines.iter().for_each(|line| print(line));
        }
        for (index, event) in simulated.events.iter().enumerate() {
            if self.json {
                print(&serde_json::to_string(&object(event)?)?);
            } else if let Some(line) =
                self.line(event, simulated.events.get(index + 1..).unwrap_or_default(), simulated)
            {
                print(&line);
            }
        }
        match self.json {
            true => print(&summary(simulated).to_string()),
            false => print(&format!("\n{}", ending(simulated))),
        }
        Ok(())
    }

    fn line(self, event: &Event, then: &[Event], simulated: &Simulated) -> Option<String> {
        let zone = &simulated.zone;
        match event {
            // What is waited for says it better.
            Event::Told(entry) if entry.kind == EntryKind::Deferred => None,
            Event::Told(entry) => Some(self.entry(entry, then, simulated)),
            Event::Waits(waiting) => waits(waiting, zone),
            Event::Unheard(unheard) => {
                let line = format!("{}  {:<13} {}", local_text(unheard.at, zone), "NOT HEARD", unheard.line);
                Some(format!("{line}\n{INDENT}| {}", unheard.why))
            }
        }
    }

    fn entry(self, entry: &Entry, then: &[Event], simulated: &Simulated) -> String {
        let mut shown = entry.clone();
        if !self.full {
            shown.text = shown.text.map(|text| short(&text));
        }
        let mut line = words(&shown, &simulated.zone);
        let cadences = simulated.worlds.iter().map(|world| &world.context.cadence);
        let cadence = cadences.into_iter().find(|cadence| Some(&cadence.id) == entry.cadence.as_ref());
        line.extend(cadence.and_then(|cadence| variant(entry, cadence)));
        let leads_on = then.first().is_some_and(|next| match next {
            Event::Told(next) => next.at == entry.at && next.step.is_none(),
            Event::Waits(_) => true,
            Event::Unheard(_) => false,
        });
        if entry.kind == EntryKind::Outcome && !leads_on {
            let _ = write!(line, "\n{INDENT}| changes nothing that is due");
        }
        line
    }
}

/// The first line, or as much of it as is short.
fn short(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let kept: String = first.chars().take(SHORT).collect();
    let is_cut = kept.len() < text.len();
    if is_cut { format!("{} ...", kept.trim_end()) } else { kept }
}

/// What is waited for, how long and why; nothing for what is due at once.
fn waits(waiting: &Waiting, zone: &Zone) -> Option<String> {
    let lasts = waiting.until - waiting.at;
    if lasts <= TimeDelta::zero() {
        return None;
    }
    let until = local_text(waiting.until, zone);
    let mut line = format!("{:>22}  {:<13} ", format!("+ {}", span(lasts)), "WAITS");
    let _ = match waiting.act {
        Act::Run => write!(line, "{} until {until}", waiting.step),
        Act::ExpireHold => write!(line, "for what comes of {}, until {until}", waiting.step),
    };
    let (mut beside, mut below) = (String::new(), String::new());
    for reason in &waiting.because {
        let _ = match reason {
            Reason::Hold { .. } => Ok(()),
            Reason::Wait { wait, after: None, .. } => write!(beside, "  ({wait} after the cadence took the lead)"),
            Reason::Wait { wait, after: Some(step), .. } => write!(beside, "  ({wait} after {step} was due)"),
            Reason::Every { every, .. } => {
                write!(beside, "  ({every} after round {} was due)", waiting.round.saturating_sub(1))
            }
            Reason::Retry { .. } => write!(beside, "  (to try again)"),
            Reason::Cap { cap, until } => {
                write!(below, "\n{INDENT}| the lead had its share, {cap}, until {}", local_text(*until, zone))
            }
            Reason::Hours(shut) => write!(below, "\n{INDENT}| {}", hours(shut, zone)),
        };
    }
    Some(line + &beside + &below)
}

fn hours(shut: &Shut, zone: &Zone) -> String {
    let hours = &shut.hours;
    let mut text = match shut.whose {
        Whose::Cadence => format!("this cadence's hours are {hours}"),
        Whose::Default => format!("the hours are {hours}, since the cadence gives none"),
        Whose::Federal => format!("the law's hours are {hours}"),
        Whose::State => format!("the hours that the lead's state allows are {hours}"),
        Whose::UnknownZone => format!("nobody knows where the lead is, so the hours are {hours} Eastern time"),
        Whose::Margin => format!("too little was left of {hours}"),
    };
    if let Some(there) = &shut.zone {
        let _ = write!(text, " in {there}, where it may be");
    }
    for day in &shut.holidays {
        let _ = write!(text, "; {day} is a holiday");
    }
    if shut.whose != Whose::Margin {
        let _ = write!(text, "; they open {}", local_text(shut.until, zone));
    }
    text
}

/// `2d 9h 10m`
pub(crate) fn span(lasts: TimeDelta) -> String {
    let units = [
        (lasts.num_days(), "d"),
        (lasts.num_hours() % 24, "h"),
        (lasts.num_minutes() % 60, "m"),
        (lasts.num_seconds() % 60, "s"),
    ];
    let units = units.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    let text: Vec<String> = units.take(3).collect();
    if text.is_empty() { "0m".to_owned() } else { text.join(" ") }
}

/// How it ended, how long it took, and what of what kind there was.
fn ending(simulated: &Simulated) -> String {
    let took = span(simulated.ended_at - simulated.began_at);
    let how = match &simulated.ending {
        Ending::Over(End::Completed) => format!("It is over after {took}: every step was done."),
        Ending::Over(End::Outcome(outcome)) => format!("It is over after {took}, by {}.", outcome.as_str()),
        Ending::Over(End::Switched(to)) => format!("It went on to {to} after {took}."),
        Ending::Over(End::Archived) => format!("It stopped after {took}, because the cadence is archived."),
        Ending::Rests(Park::CadencePaused | Park::Resumed) => "It rests until the cadence is live.".to_owned(),
        Ending::Rests(Park::NoLicensedOwner) => "It rests until an active user may act for the lead.".to_owned(),
        Ending::Rests(Park::Outcome) => {
            "It rests until its owner completes the task that asks whether it may go on.".to_owned()
        }
        Ending::Unending => format!("It does not end: it was stopped after {took}. Do cadences lead into each other?"),
    };
    let count = |(one, many, count): (&str, &str, usize)| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    let counted: Vec<String> = counts(simulated)
        .into_iter()
        .zip([("task", "tasks"), ("text", "texts"), ("AI call", "AI calls"), ("email", "emails")])
        .map(|((_, number), (one, many))| count((one, many, number)))
        .collect();
    let touch = match simulated.first_touch_at() {
        Some(at) if at == simulated.began_at => "at once".to_owned(),
        Some(at) => format!("after {}", span(at - simulated.began_at)),
        None => "never".to_owned(),
    };
    format!("{how} {}. First touch: {touch}.", counted.join(", "))
}

fn counts(simulated: &Simulated) -> [(&'static str, usize); 4] {
    let told = || {
        simulated.events.iter().filter_map(|event| match event {
            Event::Told(entry) => Some((entry.kind, entry.channel)),
            Event::Waits(_) | Event::Unheard(_) => None,
        })
    };
    let count = |kind, channel: Option<Channel>| {
        told().filter(|(k, c)| *k == kind && (channel.is_none() || *c == channel)).count()
    };
    [
        ("tasks", count(EntryKind::TaskOpened, None)),
        ("sms", count(EntryKind::Sent, Some(Channel::Sms))),
        ("ai_calls", count(EntryKind::CallPlaced, None)),
        ("emails", count(EntryKind::Sent, Some(Channel::Email))),
    ]
}

fn object(event: &Event) -> serde_json::Result<Value> {
    let (kind, value) = match event {
        Event::Told(entry) => return serde_json::to_value(entry),
        Event::Waits(waiting) => ("waits", serde_json::to_value(waiting)?),
        Event::Unheard(unheard) => ("unheard", serde_json::to_value(unheard)?),
    };
    let mut object = json!({ "kind": kind });
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), value) {
        object.extend(fields);
    }
    Ok(object)
}

fn summary(simulated: &Simulated) -> Value {
    let first = simulated.first_touch_at();
    let mut summary = json!({
        "kind": "summary", "at": simulated.ended_at, "began_at": simulated.began_at, "first_touch_at": first, "ending": simulated.ending,
    });
    if let Some(fields) = summary.as_object_mut() {
        fields.extend(counts(simulated).map(|(name, count)| (name.to_owned(), json!(count))));
    }
    summary
}
