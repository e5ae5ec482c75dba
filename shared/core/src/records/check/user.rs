//! Checks a user.

use super::Known;
use crate::records::{
    User,
    problem::{Problem, quoted},
    user::Absence,
};

pub(super) fn check(user: &User, known: &Known) -> Vec<Problem> {
    let mut problems = absent(user);
    problems.extend(names(user, known));
    problems.extend(leaves(user, known));
    for (index, absence) in user.out_of_office.iter().enumerate() {
        problems.extend(is_needed(format!("out_of_office[{index}]"), user, absence, known));
    }
    problems
}

/// What is wrong with the users that a user names.
pub(super) fn names(user: &User, known: &Known) -> impl Iterator<Item = Problem> {
    let absences = user.out_of_office.iter().enumerate();
    absences.filter_map(|(index, absence)| {
        stand_in_problem(&format!("out_of_office[{index}].stand_in"), user, absence, known)
    })
}

fn absent(user: &User) -> Vec<Problem> {
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

/// In which states nobody may act any more once the user is not active.
fn leaves(user: &User, known: &Known) -> Option<Problem> {
    let is_covered = |state: &&String| {
        known.users.values().any(|other| other.id != user.id && other.active && other.is_licensed_in(state))
    };
    let left: Vec<&str> = user.licences.iter().filter(|state| !is_covered(state)).map(String::as_str).collect();
    if user.active || left.is_empty() {
        return None;
    }
    let (named, more) = left.split_at(left.len().min(MOST_STATES));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more states", more.len()) };
    let sentence = format!(
        "No other active user is licensed in {}{more}: leads there rest, and new ones wait, until somebody is.",
        named.join(", ")
    );
    Some(Problem::warning("active", sentence, "Add the states to another user's \"licences\"."))
}

/// How many states are named.
const MOST_STATES: usize = 6;

/// Why the stand-in of an absence can't take the user's tasks.
fn stand_in_problem(path: &str, user: &User, absence: &Absence, known: &Known) -> Option<Problem> {
    let id = absence.stand_in.as_ref()?;
    if *id == user.id {
        return Some(Problem::error(path, "A user can't stand in for themselves.", "Name another user, or remove it."));
    }
    let name = quoted(id.as_str());
    let Some(stand_in) = known.users.get(id) else {
        let absent = known.absent("USER", id.as_str(), user.id.as_str(), "Publish that user first, or name another.");
        return Some(Problem::error(path, absent.what + ".", absent.remedy));
    };
    let stays = "the user's tasks wait for the user";
    let sentence = if !stand_in.active {
        format!("The user {name} takes no leads, so {stays}.")
    } else if let Some(own) = stand_in.out_of_office.iter().find(|own| own.overlaps(absence)) {
        format!("The user {name} is away from {} to {} too; on those days {stays}.", own.from, own.until)
    } else if !user.licences.iter().any(|state| stand_in.is_licensed_in(state)) {
        format!("The user {name} is licensed in none of this user's states, so {stays}.")
    } else {
        return None;
    };
    Some(Problem::warning(path, sentence, "Name another user, who may act then."))
}

/// Whether somebody counts on the user on days on which the user is away.
fn is_needed(path: String, user: &User, absence: &Absence, known: &Known) -> Option<Problem> {
    let counts = |other: &&User| {
        let mut absences = other.out_of_office.iter();
        other.id != user.id && absences.any(|away| away.stand_in.as_ref() == Some(&user.id) && away.overlaps(absence))
    };
    let other = known.users.values().find(counts)?;
    let sentence = format!("On some of these days the user stands in for {}.", quoted(other.id.as_str()));
    Some(Problem::warning(path, sentence, "Name somebody else as the stand-in on that user's record."))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{
        fixtures::user,
        records::{Record, check},
    };

    #[rstest]
    #[case::at_work(true, &["CA"], &[], None)]
    #[case::covered(false, &["CA"], &["CA", "NV"], None)]
    #[case::not_everywhere(false, &["CA", "NV"], &["CA"], Some("licensed in NV:"))]
    #[case::nowhere(false, &["AK", "AL", "AR", "AZ", "CA", "CO", "CT", "DE"], &[], Some("AK, AL, AR, AZ, CA, CO and 2 more states:"))]
    fn who_leaves_states_to_nobody_is_told_which(
        #[case] is_active: bool,
        #[case] own: &[&str],
        #[case] others: &[&str],
        #[case] expected: Option<&str>,
    ) {
        let leaves = User { active: is_active, ..user("lo-leaves", "A", own) };
        let mut known = Known::default();
        [&leaves, &user("lo-stays", "B", others)].into_iter().for_each(|user| known.insert(Record::User(user.clone())));
        let said = check(&Record::User(leaves), &known).into_iter().find(|problem| problem.path == "active");
        assert_eq!(said.is_some(), expected.is_some(), "{said:?}");
        assert!(said.is_none_or(|said| said.sentence.contains(expected.unwrap_or_default())));
    }
}
