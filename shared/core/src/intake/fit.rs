//! Which cadence is for a lead.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    LeadId, SourceId,
    arrival::Catalogue,
    calendar::Calendar,
    draw,
    enrollment::Enrollment,
    lead::{Facts, Lead},
    records::{Cadence, Reenroll, Status, Wanted, enrolling::amount},
};

/// A lead who asks to be contacted.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The lead as it is now.
    pub lead: &'a Lead,
    /// What is known of it now.
    pub facts: &'a Facts,
    /// Through what it asks.
    pub source: &'a SourceId,
    /// Its enrollments, running and over.
    pub enrollments: &'a [Enrollment],
}

/// Which cadence takes a lead.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The one, and its newest version; `None` where none does.
    pub taken_by: Option<(&'a Cadence, u32)>,
    /// Those that would have, but leave some leads to others, and this is one of them.
    pub held_out: Vec<&'a Cadence>,
}

/// The live cadence that is for such a lead and may take it: the highest priority wins, then the first id in the alphabet.
pub fn choose<'a>(catalogue: &'a Catalogue, asking: Asking<'_>, now: DateTime<Utc>) -> Choice<'a> {
    let may_have_it =
        |(cadence, _): &&(Cadence, u32)| fits(cadence, asking) && may_take(cadence, catalogue, asking, now);
    let mut wanting: Vec<_> = catalogue.cadences.iter().filter(may_have_it).collect();
    wanting.sort_by_key(|(cadence, _)| (Reverse(cadence.priority), &cadence.id));
    let is_held_out = |(cadence, _): &&&(Cadence, u32)| is_held_out(cadence, &asking.lead.id);
    let held_out: Vec<_> = wanting.iter().take_while(is_held_out).map(|(cadence, _)| cadence).collect();
    let taken_by = wanting.get(held_out.len()).map(|(cadence, version)| (cadence, *version));
    Choice { taken_by, held_out }
}

fn fits(cadence: &Cadence, asking: Asking<'_>) -> bool {
    let wanted = &cadence.for_leads;
    let asks = |wanted: &[String], given: Option<&str>| {
        wanted.is_empty() || given.is_some_and(|given| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(given)))
    };
    cadence.status == Status::Live
        && asks(&wanted.source, Some(asking.source.as_str()))
        && asks(&wanted.state, asking.lead.state.as_deref())
        && asks(&wanted.purpose, asking.facts.purpose.as_deref())
        && wanted.attributes.iter().all(|(name, wanted)| is_wanted(wanted, asking.facts, name))
}

/// Whether a lead's attribute is what a cadence wants it to be; of a list, whether one of its values is.
fn is_wanted(wanted: &Wanted, facts: &Facts, name: &str) -> bool {
    let place = match name {
        "city" => facts.city.as_deref(),
        "zip" => facts.zip.as_deref(),
        _ => None,
    };
    match (facts.attributes.get(name), place) {
        (Some(Value::Array(items)), _) => items.iter().any(|item| is_one(wanted, item)),
        (Some(value), _) => is_one(wanted, value),
        (None, Some(place)) => is_one(wanted, &Value::from(place)),
        (None, None) => false,
    }
}

fn is_one(wanted: &Wanted, given: &Value) -> bool {
    let number = |value: &Value| amount(value)?.as_f64();
    match wanted {
        Wanted::OneOf(values) => values.iter().any(|wanted| match (number(wanted), number(given)) {
            (Some(wanted), Some(given)) => wanted == given,
            _ => words(wanted).is_some_and(|wanted| Some(wanted) == words(given)),
        }),
        Wanted::Between { at_least, at_most } => number(given).is_some_and(|given| {
            let is_over = at_least.as_ref().and_then(|least| least.as_f64()).is_none_or(|least| given >= least);
            let is_under = at_most.as_ref().and_then(|most| most.as_f64()).is_none_or(|most| given <= most);
            is_over && is_under
        }),
    }
}

/// A value as text that compares ignoring case; a form says yes where JSON says true.
fn words(value: &Value) -> Option<String> {
    let text = match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_lowercase(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(match text.as_str() {
        "yes" => "true".to_owned(),
        "no" => "false".to_owned(),
        _ => text,
    })
}

/// Whether a cadence may take a lead who was through one, or runs in one.
fn may_take(cadence: &Cadence, catalogue: &Catalogue, asking: Asking<'_>, now: DateTime<Utc>) -> bool {
    let own = |enrollment: &&Enrollment| enrollment.cadence == cadence.id;
    let running = asking.enrollments.iter().find(|enrollment| !enrollment.has_ended());
    let has_been_here = asking.enrollments.iter().any(|enrollment| own(&enrollment));
    let latest = match running {
        Some(running) if !cadence.takes_over.contains(&running.cadence) => return false,
        // A record that names the running cadence means to cut it short, so only how lately this one began holds it back.
        Some(_) => asking.enrollments.iter().filter(own).max_by_key(|enrollment| enrollment.enrolled_at),
        None => asking.enrollments.iter().max_by_key(|enrollment| enrollment.enrolled_at),
    };
    if cadence.reenroll == Reenroll::Never && has_been_here {
        return false;
    }
    let calendar = Calendar::new(asking.lead, cadence, &catalogue.settings);
    latest.is_none_or(|latest| calendar.after(latest.enrolled_at, &cadence.reenroll.wait()) <= now)
}

/// Whether a lead is one of those that a cadence leaves to others: the same ones each time, more of them if the percent grows, and
/// in each cadence others.
fn is_held_out(cadence: &Cadence, lead: &LeadId) -> bool {
    draw::percent(&format!("hold out {} {lead}", cadence.id)) < cadence.for_leads.hold_out
}

#[cfg(test)]
mod tests;
