//! Check: what a record says that can't be right, or that somebody should look at, given the other records.

mod actors;
mod cadence;
mod course;
mod enrolling;
mod firsts;
mod graph;
mod hours;
mod known;
mod message;
mod pace;
mod read;
mod segments;

pub use known::{Known, dependents_of};

use super::{
    Record, User,
    problem::{Problem, capped},
};

/// Everything that a record's content gets wrong; one that can't even be read is `parse_record`'s to refuse.
pub fn check(record: &Record, known: &Known) -> Vec<Problem> {
    let problems = match record {
        Record::Cadence(cadence) => cadence::check(cadence, known),
        Record::Message(message) => message::check(message, known),
        Record::User(user) => user_problems(user),
        Record::Source(_) | Record::Settings(_) => Vec::new(),
    };
    capped(problems)
}

fn user_problems(user: &User) -> Vec<Problem> {
    let absent = [
        (
            user.licences.is_empty(),
            "licences",
            "The user is licensed in no state, and so gets no leads.",
            "List the states that license the user.",
        ),
        (
            user.sms_number.is_none(),
            "sms_number",
            "The user has no number that texts and AI calls can come from.",
            "Add the number, written as +14155550123.",
        ),
        (
            user.nmls_id.is_none(),
            "nmls_id",
            "The user has no NMLS id, which the first message to a lead has to carry.",
            "Add the NMLS id.",
        ),
    ];
    let absent = absent.into_iter().filter(|(is_absent, ..)| *is_absent && user.active);
    absent.map(|(_, path, sentence, remedy)| Problem::warning(path, sentence, remedy)).collect()
}
