//! Checks what a record leaves unsaid, or empty, where more would go out by that: an item that is saved half-way must hold things as they are.

use serde_json::Value;

use crate::records::{
    Record, Status,
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
        (Record::Cadence(_), _) => lists(content).collect(),
        (Record::Message(_) | Record::User(_) | Record::Source(_) | Record::Settings(_), _) => Vec::new(),
    }
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
