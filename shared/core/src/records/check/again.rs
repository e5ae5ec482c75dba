//! Checks whether who is asked when a task is overdue may be the one who already has it.

use super::Known;
use crate::records::{
    Assign, User,
    problem::{Problem, quoted},
};

/// What is said where a step asks `first` and, when that is not done in time, `then`; `can_do` tells which users can do it.
pub(super) fn check(
    path: &str,
    first: &Assign,
    then: &Assign,
    can_do: impl Fn(&User) -> bool,
    known: &Known,
) -> Option<Problem> {
    let mut both = known.users.values().filter(|user| can_do(user) && may_be(first, user) && may_be(then, user));
    let one = both.next()?;
    let name = quoted(one.id.as_str());
    let sentence = match (first, then) {
        // The same name twice is refused as it is read.
        (Assign::LoanOfficer, Assign::LoanOfficer) | (Assign::User(_), Assign::User(_)) => return None,
        (Assign::LoanOfficer, Assign::User(_)) | (Assign::User(_), Assign::LoanOfficer) => {
            format!("Where the lead's loan officer is {name}, that same user would be asked again.")
        }
        (Assign::RoundRobin(group), Assign::User(_)) => {
            let group = quoted(group.as_str());
            format!("{name} takes turns in the group {group}, and after a turn of theirs would be asked again.")
        }
        (Assign::RoundRobin(group), Assign::LoanOfficer) => {
            let group = quoted(group.as_str());
            format!(
                "Where the turn in the group {group} was the lead's loan officer's, as it may be with {name}, that same user would be asked again."
            )
        }
        (_, Assign::RoundRobin(group)) => {
            let mut members = known.users.values().filter(|user| can_do(user) && may_be(then, user));
            if members.nth(1).is_some() {
                return None;
            }
            let group = quoted(group.as_str());
            format!(
                "Nobody in the group {group} but {name} can do this, so where {name} is late the lead's loan officer is asked."
            )
        }
    };
    let remedy =
        "Name a group of several, such as {\"assign\": \"round_robin: callers\"}: its turns leave out who was late.";
    Some(Problem::warning(path, sentence, remedy))
}

/// Whether that may be who is asked.
fn may_be(assign: &Assign, user: &User) -> bool {
    match assign {
        Assign::LoanOfficer => true,
        Assign::User(id) => user.id == *id,
        Assign::RoundRobin(group) => user.groups.contains(group),
    }
}
