//! A draft: a record as somebody wrote it, to be checked.

use serde_json::Value;

use super::{Known, cadence, check, user};
use crate::records::{
    Record,
    parse::{Counted, as_written, read_record},
    problem::{Problem, capped},
};

/// What could be read of a record as it was written.
pub struct Draft<'a> {
    content: &'a Value,
    read: Option<Record>,
    unreadable: Vec<Problem>,
}

impl<'a> Draft<'a> {
    /// Reads the record of that key; `content` is the item without its keys and without what publish wrote back.
    pub fn read(pk: &str, content: &'a Value) -> Self {
        let (read, unreadable) = read_record(pk, content);
        Self { content, read, unreadable }
    }

    /// The kinds of record that its check looks at.
    pub fn refers_to(&self) -> Vec<&'static str> {
        self.read.as_ref().map(Record::refers_to).unwrap_or_default()
    }

    /// Everything that is wrong or odd, given the other records; and the record, if it could be read whole. Of one that could not, what
    /// its names stand for is looked up all the same, so that whoever mends it hears of everything at once.
    pub fn check(self, known: &Known) -> (Option<Record>, Vec<Problem>) {
        let content = self.content;
        let place = |mut problem: Problem| {
            problem.path = as_written(&problem.path, content, Counted::Read);
            problem
        };
        let mut problems = self.unreadable;
        match self.read {
            Some(record) if problems.is_empty() => {
                let problems = check(&record, known).into_iter().map(place).collect();
                (Some(record), problems)
            }
            Some(Record::Cadence(cadence)) => {
                problems.extend(cadence::names(&cadence, known).filter(Problem::is_error).map(place));
                (None, capped(problems))
            }
            Some(Record::User(user)) => {
                problems.extend(user::names(&user, known).filter(Problem::is_error).map(place));
                (None, capped(problems))
            }
            Some(_) | None => (None, capped(problems)),
        }
    }
}
