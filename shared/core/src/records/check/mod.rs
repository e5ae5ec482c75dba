//! Check: what a record says that can't be right, or that somebody should look at, given the other records.

mod actors;
mod again;
mod agents;
mod amounts;
mod cadence;
mod consent;
mod course;
mod draft;
mod enrolling;
mod firsts;
mod graph;
mod hours;
mod in_vain;
mod known;
mod message;
mod misfit;
mod pace;
mod placeholders;
mod read;
mod segments;
mod settings;
mod source;
mod unsaid;
mod user;
mod values;

pub use draft::Draft;
pub use known::{Known, dependents_of};
pub use misfit::kept_for_running;

use super::{
    Record,
    problem::{Problem, capped},
};

/// Everything that the content of a record that could be read gets wrong.
pub fn check(record: &Record, known: &Known) -> Vec<Problem> {
    capped(found(record, None, known))
}

/// The same, however much it is, given what it was before.
fn found(record: &Record, before: Option<&Record>, known: &Known) -> Vec<Problem> {
    match record {
        Record::Cadence(cadence) => cadence::check(cadence, known),
        Record::Message(message) => message::check(message, known),
        Record::User(user) => user::check(user, known),
        Record::Settings(settings) => settings::check(settings, known),
        Record::Source(source) => {
            let before =
                before.and_then(|before| if let Record::Source(before) = before { Some(before) } else { None });
            source::check(source, before, known).into_iter().collect()
        }
    }
}
