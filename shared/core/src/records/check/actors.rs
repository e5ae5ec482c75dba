//! Checks whether there is somebody to act in a cadence: for its leads, and on its steps.

use super::{Known, again};
use crate::{
    Channel, Do, GroupId, UserId,
    records::{
        Assign, Cadence, OnOverdue, Step, User,
        problem::{Problem, did_you_mean, quoted},
    },
};

pub(super) fn check(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let mut problems: Vec<Problem> = owners(cadence, known).into_iter().chain(numbers(cadence, known)).collect();
    for (index, step) in cadence.steps.iter().enumerate() {
        problems.extend(assigned(&format!("steps[{index}].assign"), &step.assign, cadence, step, known));
        if let Some(OnOverdue::Assign(other)) = &step.on_overdue {
            let path = format!("steps[{index}].on_overdue.assign");
            problems.extend(assigned(&path, other, cadence, step, known));
            problems.extend(again::check(
                &path,
                &step.assign,
                other,
                |user| unfit(user, cadence, step).is_none(),
                known,
            ));
        }
    }
    problems
}

/// Whether every lead gets an owner, for without one its cadence rests.
fn owners(cadence: &Cadence, known: &Known) -> Option<Problem> {
    if !may_act(known, None).any(|_| true) {
        let sentence = "No active user is licensed in any state, so every lead of this cadence waits for one.";
        return Some(Problem::warning("", sentence, "Publish a user with \"licences\"."));
    }
    let nobody: Vec<&str> = states(cadence).filter(|state| !may_act(known, Some(state)).any(|_| true)).collect();
    (!nobody.is_empty()).then(|| {
        let sentence =
            format!("No active user is licensed in {}, so leads from there wait for one.", nobody.join(", "));
        Problem::warning("for_leads.state", sentence, "Add the licence to a user's record, or remove the state.")
    })
}

/// Whether texts have a number to come from, for without one they are left out.
fn numbers(cadence: &Cadence, known: &Known) -> Option<Problem> {
    let text = cadence.steps.iter().position(|step| step.action == Do::CannedSms)?;
    let is_mute = |state: Option<&str>| {
        may_act(known, state).any(|_| true) && may_act(known, state).all(|user| user.sms_number.is_none())
    };
    let path = format!("steps[{text}]");
    if is_mute(None) {
        let sentence = "No user who may act has a number to text from, so every text is left out.";
        return Some(Problem::warning(path, sentence, "Add \"sms_number\" to the users' records."));
    }
    let mute: Vec<&str> = states(cadence).filter(|state| is_mute(Some(state))).collect();
    (!mute.is_empty()).then(|| {
        let sentence = format!(
            "No user who may act in {} has a number to text from, so texts are left out there.",
            mute.join(", ")
        );
        Problem::warning(path, sentence, "Add \"sms_number\" to the users' records.")
    })
}

/// What keeps whom a step names from doing it.
fn assigned(path: &str, assign: &Assign, cadence: &Cadence, step: &Step, known: &Known) -> Option<Problem> {
    match assign {
        Assign::LoanOfficer => None,
        Assign::User(id) => match known.users.get(id) {
            Some(user) => {
                let why = unfit(user, cadence, step)?;
                let sentence = format!("The user {} {why}.", quoted(id.as_str()));
                Some(Problem::warning(path, sentence, "Name another user, or mend that user's record."))
            }
            None => Some(no_such_user(path, id, known)),
        },
        Assign::RoundRobin(group) => in_turn(path, group, cadence, step, known),
    }
}

/// Why a user can't do what a step asks.
fn unfit(user: &User, cadence: &Cadence, step: &Step) -> Option<&'static str> {
    let is_licensed = match states(cadence).next() {
        Some(_) => states(cadence).any(|state| user.is_licensed_in(state)),
        None => !user.licences.is_empty(),
    };
    if !user.active {
        Some("is not active, so the lead's loan officer is asked instead")
    } else if !is_licensed {
        Some("is licensed in no state that this cadence is for, so the lead's loan officer is asked instead")
    } else {
        (step.action.channel() == Channel::Sms && user.sms_number.is_none()).then_some("has no number to text from")
    }
}

fn no_such_user(path: &str, id: &UserId, known: &Known) -> Problem {
    let absent = known.absent("USER", id.as_str(), "", "Write \"loan_officer\", or the id of a user.");
    let is_group = groups(known).any(|group| group.as_str() == id.as_str());
    let remedy = match is_group {
        true => format!("For the group of that name, write \"round_robin: {id}\"."),
        false => did_you_mean(id.as_str(), ["loan_officer"], &absent.remedy),
    };
    Problem::error(path, absent.what + ".", remedy)
}

/// What keeps a group from taking turns at a step.
fn in_turn(path: &str, group: &GroupId, cadence: &Cadence, step: &Step, known: &Known) -> Option<Problem> {
    let name = quoted(group.as_str());
    if groups(known).all(|known| known != group) {
        let groups = groups(known).map(|group| group.as_str());
        let otherwise = known.mend_first("USER");
        let otherwise = otherwise.as_deref().unwrap_or("List it in its members' \"groups\", or correct the name.");
        let remedy = did_you_mean(group.as_str(), groups, otherwise);
        return Some(Problem::error(
            path,
            format!("No user is in a group {name}, so the lead's loan officer would be asked instead."),
            remedy,
        ));
    }
    let mut members = known.users.values().filter(|user| user.groups.contains(group));
    members.all(|member| unfit(member, cadence, step).is_some()).then(|| {
        let sentence = format!("Nobody in the group {name} can do this, so the lead's loan officer is asked instead.");
        let remedy = "See that a member is active, is licensed where the leads are, and has a number to text from.";
        Problem::warning(path, sentence, remedy)
    })
}

/// The groups that users are in.
fn groups(known: &Known) -> impl Iterator<Item = &GroupId> {
    known.users.values().flat_map(|user| &user.groups)
}

/// The users who may act for a lead in that state, or in any.
fn may_act<'a>(known: &'a Known, state: Option<&'a str>) -> impl Iterator<Item = &'a User> {
    let is_licensed = move |user: &User| state.map_or(!user.licences.is_empty(), |state| user.is_licensed_in(state));
    known.users.values().filter(move |user| user.active && is_licensed(user))
}

/// The states that the cadence names.
fn states(cadence: &Cadence) -> impl Iterator<Item = &str> {
    cadence.for_leads.state.iter().map(String::as_str)
}
