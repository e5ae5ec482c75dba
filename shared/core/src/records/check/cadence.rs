//! Checks a cadence against the records it refers to, and against itself.

use super::{
    Known, enrolling,
    message::{Lack, first_text_lacks, first_written_lacks},
};
use crate::{
    Channel, Do, Outcome, law,
    records::{
        Assign, Cadence, Step, Target,
        message::Copy,
        problem::{Problem, did_you_mean, quoted},
    },
    time::WeeklyHours,
};

pub(super) fn check(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let mut problems = enrolling::check(cadence, known);
    problems.extend(wide_hours("hours.call", "calls", cadence.hours.call.as_ref()));
    problems.extend(wide_hours("hours.sms", "texts", cadence.hours.sms.as_ref()));
    for (outcome, target) in &cadence.anytime {
        problems.extend(target_problem(cadence, "anytime", *outcome, target, known));
    }
    for (index, step) in cadence.steps.iter().enumerate() {
        let path = format!("steps[{index}]");
        for (outcome, target) in &step.on {
            problems.extend(target_problem(cadence, &format!("{path}.on"), *outcome, target, known));
        }
        problems.extend(message_problem(&path, step, known));
        problems.extend(assign_problem(&path, step, known));
        problems.extend(idle_fields(&path, step));
    }
    problems.extend(first_messages(cadence, known));
    problems
}

fn wide_hours(path: &str, what: &str, hours: Option<&WeeklyHours>) -> Option<Problem> {
    let hours = hours?;
    let is_lawful = law::floor_windows(None).iter().all(|lawful| hours.is_within(&lawful.hours));
    (!is_lawful).then(|| {
        Problem::warning(
            path,
            format!("These hours for {what} are wider than the law's, 08:00 to 21:00 in the lead's time."),
            "Narrow them so that they say what happens: nothing is sent outside the law's hours.",
        )
    })
}

fn target_problem(cadence: &Cadence, map: &str, outcome: Outcome, target: &Target, known: &Known) -> Option<Problem> {
    let Target::Cadence(to) = target else { return None };
    let path = format!("{map}.{}", outcome.as_str());
    if *to == cadence.id {
        let sentence = "This outcome leads back to this same cadence, which could go on without end.";
        return Some(Problem::error(path, sentence, "Name another cadence, or a step."));
    }
    (!known.cadences.contains(to)).then(|| {
        let ids = known.cadences.iter().map(|id| id.as_str());
        let remedy = did_you_mean(to.as_str(), ids, "Publish that cadence first, or correct the name.");
        Problem::error(path, format!("There is no cadence {}.", quoted(to.as_str())), remedy)
    })
}

fn message_problem(path: &str, step: &Step, known: &Known) -> Option<Problem> {
    let id = step.message.as_ref()?;
    let path = format!("{path}.message");
    match known.messages.get(id) {
        None => {
            let ids = known.messages.keys().map(|id| id.as_str());
            let remedy = did_you_mean(id.as_str(), ids, "Publish that message first, or correct the name.");
            Some(Problem::error(path, format!("There is no message {}.", quoted(id.as_str())), remedy))
        }
        Some(Copy::Email { .. }) if step.action.channel() == Channel::Sms => {
            let sentence = format!("The message {} is an email, but this step sends a text.", quoted(id.as_str()));
            Some(Problem::error(path, sentence, "Name a message that has a \"text\"."))
        }
        Some(Copy::Email { .. } | Copy::Text(_)) => None,
    }
}

fn assign_problem(path: &str, step: &Step, known: &Known) -> Option<Problem> {
    let Assign::User(user) = &step.assign else { return None };
    (!known.users.contains(user)).then(|| {
        let ids = known.users.iter().map(|id| id.as_str()).chain(["loan_officer"]);
        let remedy = did_you_mean(user.as_str(), ids, "Write \"loan_officer\", or the id of a user.");
        let sentence = format!("There is no user {}.", quoted(user.as_str()));
        Problem::error(format!("{path}.assign"), sentence, remedy)
    })
}

/// Fields that do nothing where they stand.
fn idle_fields(path: &str, step: &Step) -> impl Iterator<Item = Problem> {
    let idle = [
        (
            step.every.is_some() && step.attempts == 1,
            "every",
            "\"every\" does nothing without \"attempts\".",
            "Add \"attempts\": 3, or remove \"every\".",
        ),
        (
            step.attempts > 1 && step.action.channel() != Channel::Call,
            "attempts",
            "\"attempts\" does nothing here: a step is repeated after no_answer, voicemail or busy, which only calls end in.",
            "Remove it, or write the step twice.",
        ),
        (
            step.agent.is_some() && step.action != Do::AiDial,
            "agent",
            "\"agent\" does nothing here: only \"ai_dial\" has one.",
            "Remove it, or write \"do\": \"ai_dial\".",
        ),
    ];
    let idle = idle.into_iter().filter(|(is_idle, ..)| *is_idle);
    idle.map(move |(_, field, sentence, remedy)| Problem::warning(format!("{path}.{field}"), sentence, remedy))
}

/// What the first messages of a cadence have to carry.
fn first_messages(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let first = |is_one: fn(Do) -> bool| {
        let (index, step) = cadence.steps.iter().enumerate().find(|(_, step)| is_one(step.action))?;
        let id = step.message.as_ref()?;
        Some((format!("steps[{index}].message"), id, known.messages.get(id)?))
    };
    let company = known.company.as_deref();
    let mut problems = Vec::new();
    if let Some((path, id, copy)) = first(|action| action == Do::CannedSms) {
        let says = |lack: Lack| lack.warning(&path, &format!("The first text, {},", quoted(id.as_str())));
        let is_text = matches!(copy, Copy::Text(_));
        problems.extend(first_text_lacks(copy, company).filter(|_| is_text).map(says));
    }
    if let Some((path, id, copy)) = first(|action| matches!(action, Do::CannedSms | Do::CannedEmail)) {
        let says = |lack: Lack| lack.warning(&path, &format!("The first message, {},", quoted(id.as_str())));
        problems.extend(first_written_lacks(copy).map(says));
    }
    problems
}
