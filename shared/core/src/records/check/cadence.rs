//! Checks a cadence against the records it refers to, and against itself.

use super::{Known, actors, agents, consent, course, enrolling, firsts, graph::Graph, hours, misfit::Misfit, pace};
use crate::{
    Channel, Do, MessageId,
    records::{
        Assign, Cadence, Step,
        problem::{Problem, quoted},
    },
};

pub(super) fn check(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let graph = Graph::of(cadence);
    let mut problems: Vec<Problem> = names(cadence, known).collect();
    problems.extend(agents::check(cadence, known));
    problems.extend(hours::check(cadence));
    problems.extend(course::check(cadence, &graph, known));
    for (index, step) in cadence.steps.iter().enumerate() {
        problems.extend(idle_fields(&format!("steps[{index}]"), step));
    }
    // What could go round without end, or never opens, is not run.
    if !problems.iter().any(Problem::is_error) {
        problems.extend(pace::check(cadence, known));
    }
    problems.extend(firsts::check(cadence, &graph, known));
    problems
}

/// What is wrong with the records that a cadence names.
pub(super) fn names(cadence: &Cadence, known: &Known) -> impl Iterator<Item = Problem> {
    let enrolling = enrolling::check(cadence, known).into_iter();
    enrolling
        .chain(course::targets(cadence, known))
        .chain(messages(cadence, known))
        .chain(consent::check(cadence, known))
        .chain(actors::check(cadence, known))
}

fn messages(cadence: &Cadence, known: &Known) -> impl Iterator<Item = Problem> {
    let named =
        cadence.steps.iter().enumerate().flat_map(|(index, step)| step.messages().map(move |id| (index, step, id)));
    named.filter_map(|(index, step, id)| message_problem(format!("steps[{index}].message"), id, step, known))
}

fn message_problem(path: String, id: &MessageId, step: &Step, known: &Known) -> Option<Problem> {
    let Some(message) = known.messages.get(id) else {
        let otherwise = "Publish that message first, or correct the name.";
        let absent = known.absent("MESSAGE", id.as_str(), "", otherwise);
        return Some(Problem::error(path, absent.what + ".", absent.remedy));
    };
    let Misfit { is, does, wanted } = Misfit::of(message, step)?;
    let sentence = format!("The message {} is {is}, but this step {does}.", quoted(id.as_str()));
    Some(Problem::error(path, sentence, format!("Name a message that has {wanted}.")))
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
        (
            step.assign != Assign::LoanOfficer && matches!(step.action, Do::CannedSms | Do::CannedEmail | Do::AiDial),
            "assign",
            "No user does this step, so \"assign\" counts only where one is asked to in a machine's place; what is sent comes from the lead's loan officer all the same.",
            "Make sure that this is meant; else remove it.",
        ),
        (
            step.message.is_some() && step.action == Do::AiDial,
            "message",
            "The AI agent reads no message, so \"message\" counts only where a user is asked to call in its place.",
            "Make sure that this is meant; else remove it.",
        ),
        (
            step.due.is_some() && !step.action.is_users(),
            "due",
            "No user does this step, so \"due\" counts only where one is asked to in a machine's place, as for a lead who has not agreed to it.",
            "Make sure that this is meant; else remove it, or write \"hold\" for how long to wait for what comes of the step.",
        ),
    ];
    let idle = idle.into_iter().filter(|(is_idle, ..)| *is_idle);
    idle.map(move |(_, field, sentence, remedy)| Problem::warning(format!("{path}.{field}"), sentence, remedy))
}
