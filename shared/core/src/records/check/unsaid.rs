//! Checks what a record leaves unsaid, or empty, where more would go out by that: an item that is saved half-way must hold things as they are.

use serde_json::Value;

use crate::records::{
    ForLeads, Record, Status,
    cadence::ChannelHours,
    parse::{Said, said},
    problem::Problem,
};

/// What is wrong with fields that are missing or empty, given the version at work.
pub(super) fn check(content: &Value, record: &Record, at_work: Option<&Record>) -> Vec<Problem> {
    let is_silent = |name: &str| said(content, &[name]) != Said::Something;
    match (record, at_work) {
        (Record::Cadence(_), Some(Record::Cadence(at_work)))
            if at_work.status != Status::Live && is_silent("status") =>
        {
            let (is, stays) = match at_work.status {
                Status::Paused | Status::Live => ("paused", "\"paused\""),
                Status::Off => ("off", "\"off\""),
                Status::Archived => ("archived", "\"archived\""),
            };
            let sentence = format!("The field \"status\" is missing or empty, though the cadence is {is}.");
            let remedy = format!(
                "Write \"status\": {stays} to leave it so, or \"status\": \"live\" to have it take and run leads."
            );
            [Problem::error("status", sentence, remedy)].into_iter().chain(lists(content)).collect()
        }
        (Record::User(_), Some(Record::User(at_work))) if !at_work.active && is_silent("active") => {
            let sentence = "The field \"active\" is missing or empty, though the user is not active.";
            let remedy = "Write \"active\": false to leave it so, or \"active\": true to give the user leads.";
            vec![Problem::error("active", sentence, remedy)]
        }
        (Record::Cadence(_), None) => {
            let status = is_silent("status").then(|| {
                let sentence = "The field \"status\" is missing or empty, and nothing of this cadence is at work yet.";
                let remedy = "Write \"status\": \"live\" to have it take leads at once, or \"status\": \"off\" until it is ready.";
                Problem::error("status", sentence, remedy)
            });
            let for_leads = is_silent("for_leads").then(|| {
                let sentence =
                    "The field \"for_leads\" is missing or empty, so leads of all sources, states and purposes are taken.";
                Problem::warning("for_leads", sentence, "Say which, or write \"for_leads\": {} if that is meant.")
            });
            status.into_iter().chain(for_leads).chain(lists(content)).collect()
        }
        (Record::Cadence(_), _) => lists(content).collect(),
        (Record::Message(_) | Record::User(_) | Record::Source(_) | Record::Settings(_), _) => Vec::new(),
    }
}

/// What a cadence no longer says at all and its version before did: an empty map says outright that nothing is asked.
pub(super) fn lost(content: &Value, record: &Record, before: Option<&Record>) -> Vec<Problem> {
    let (Record::Cadence(_), Some(Record::Cadence(before))) = (record, before) else { return Vec::new() };
    let fields = [
        ("for_leads", before.for_leads != ForLeads::default(), "leads of all sources, states and purposes are taken"),
        ("hours", before.hours != ChannelHours::default(), "the default hours hold"),
        ("anytime", !before.anytime.is_empty(), "outcomes act only where a step says so"),
    ];
    let lost = fields.into_iter().filter(|(name, was_said, _)| *was_said && said(content, &[name]) != Said::Something);
    let problem = |(name, _, what): (&'static str, bool, &str)| {
        let sentence =
            format!("The field \"{name}\" is missing or empty, though the version before had it, so {what}.");
        Problem::warning(name, sentence, format!("Write it again, or \"{name}\": {{}} if that is meant."))
    };
    lost.map(problem).collect()
}

/// Lists of `for_leads` that are there and hold nothing, and so ask nothing.
fn lists(content: &Value) -> impl Iterator<Item = Problem> {
    let lists = [
        ("source", "leads of all sources are taken"),
        ("state", "leads of all states are taken"),
        ("purpose", "leads are taken whatever their purpose"),
    ];
    let empty = lists.into_iter().filter(|(name, _)| said(content, &["for_leads", name]) == Said::Nothing);
    empty.map(|(name, what)| {
        let sentence = format!("\"{name}\" is empty, so {what}.");
        Problem::warning(format!("for_leads.{name}"), sentence, "Say which, or remove the field if that is meant.")
    })
}
