//! A draft: a record as somebody wrote it, to be checked.

use serde_json::Value;

use super::{Known, cadence, found, in_vain, unsaid, user};
use crate::records::{
    Record, Status,
    parse::{Counted, as_written, read_record},
    problem::{Problem, Severity, capped},
};

/// What could be read of a record as it was written.
pub struct Draft<'a> {
    content: &'a Value,
    read: Option<Record>,
    unreadable: Vec<Problem>,
    at_work: Option<Record>,
    before: Option<Record>,
}

impl<'a> Draft<'a> {
    /// Reads the record of that key; `content` is the item without its keys and without what publish wrote back.
    pub fn read(pk: &str, content: &'a Value) -> Self {
        let (read, unreadable) = read_record(pk, content);
        Self { content, read, unreadable, at_work: None, before: None }
    }

    /// The same as an edit of what is at work.
    pub fn over(self, at_work: Option<Record>) -> Self {
        Self { at_work, ..self }
    }

    /// The same where the edit is at work already, so that what it changed stays said: what was at work before it.
    pub fn since(self, before: Option<Record>) -> Self {
        Self { before, ..self }
    }

    /// Whether it says what is at work.
    pub fn is_at_work(&self) -> bool {
        self.unreadable.is_empty() && self.read.is_some() && self.read == self.at_work
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
        let is_readable = problems.is_empty();
        let goes_on = self.at_work.as_ref().and_then(|at_work| in_vain::goes_on(content, at_work));
        let before = self.before.as_ref().or(self.at_work.as_ref());
        if let Some(record) = &self.read {
            problems.extend(unsaid::check(content, record, self.at_work.as_ref()));
            problems.extend(unsaid::lost(content, record, before));
        }
        let read = match self.read {
            Some(record) if is_readable => {
                let all = found(&record, before, known);
                problems.extend(forgiven(all, &record, self.at_work.as_ref(), known).into_iter().map(place));
                Some(record)
            }
            Some(Record::Cadence(cadence)) => {
                problems.extend(cadence::names(&cadence, known).filter(Problem::is_error).map(place));
                None
            }
            Some(Record::User(user)) => {
                problems.extend(user::names(&user, known).filter(Problem::is_error).map(place));
                None
            }
            Some(_) | None => None,
        };
        if let Some(goes_on) = goes_on.filter(|_| problems.iter().any(Problem::is_error)) {
            problems.insert(0, goes_on);
        }
        (read, capped(problems))
    }
}

/// Errors of a cadence or a user that the version at work has too, as often as it has them, are warnings: another record brought them about,
/// or they were none when it was published. Refusing the edit would leave it at work with them, and whoever wants to pause it could not.
fn forgiven(mut all: Vec<Problem>, record: &Record, at_work: Option<&Record>, known: &Known) -> Vec<Problem> {
    let Some(at_work) = at_work.filter(|_| all.iter().any(Problem::is_error)) else { return all };
    let goes_on = match (record, at_work) {
        (Record::Cadence(edited), Record::Cadence(cadence)) => {
            cadence.status != Status::Archived || edited.status == Status::Archived
        }
        (Record::User(edited), Record::User(user)) => user.active || !edited.active,
        _ => false,
    };
    if !goes_on {
        return all;
    }
    let mut same = found(at_work, None, known);
    same.retain(Problem::is_error);
    for problem in all.iter_mut().filter(|problem| problem.is_error()) {
        if let Some(place) = same.iter().position(|other| other.sentence == problem.sentence) {
            same.swap_remove(place);
            problem.severity = Severity::Warning;
        }
    }
    all
}
