//! Assign: who is asked to do a step, and why that is not whom its record names.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::{
    GroupId, UserId,
    enrollment::{Claim, Enrollment},
    gate,
    intake::{self, OwnerHints},
    lead::Lead,
    plan::StepContext,
    records::{Assign, Cadence, Step, User},
};

/// The number of each user's last turn in a group. Turns are numbered, not timed: clocks differ, and instants may be the same.
pub type Turns = BTreeMap<GroupId, BTreeMap<UserId, u64>>;

/// A user's turn in a group, taken with the claim of the step that they are asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The group.
    pub group: GroupId,
    /// Whose turn it is.
    pub user: UserId,
    /// The number of the user's last turn when this was decided; taken only if it still is.
    pub last: Option<u64>,
    /// The number of this one: one more than any that was taken.
    pub number: u64,
}

/// Who is asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    /// The user.
    pub(crate) user: &'a User,
    /// Why it is this one and not whom the record names: each an end of "yours to do, because".
    pub(crate) why: Vec<String>,
    /// The turn that it is.
    pub(crate) turn: Option<Turn>,
}

/// The group whose turns decide who is asked to do the step in hand.
pub fn group_in_hand<'a>(cadence: &'a Cadence, enrollment: &Enrollment) -> Option<&'a GroupId> {
    match cadence.step(enrollment.step_in_hand()?)?.assign(enrollment.overdue_for().is_some()) {
        Assign::RoundRobin(group) => Some(group),
        Assign::LoanOfficer | Assign::User(_) => None,
    }
}

/// Whether nobody but the owner can be asked anything now, so that no other user has to be known.
pub fn is_owners_alone(owner: &User, lead: &Lead, cadence: &Cadence, enrollment: &Enrollment) -> bool {
    let step = enrollment.step_in_hand().and_then(|step| cadence.step(step));
    let asks_owner = enrollment.overdue_for().is_none() && step.is_none_or(|step| step.assign == Assign::LoanOfficer);
    let asked = enrollment.claim.as_ref().and_then(|claim| claim.user.as_ref());
    gate::may_act(owner, lead)
        && owner.out_of_office.is_empty()
        && asks_owner
        && asked.is_none_or(|asked| *asked == owner.id)
}

/// Who does what is that user's to do: they themselves or, while they are away, their stand-in, if that one is there and may act for the
/// lead.
pub(crate) fn stood_in<'a>(user: &'a User, users: &'a [User], lead: &Lead, now: DateTime<Utc>) -> Asked<'a> {
    let asked = |user, why: Option<String>| Asked { user, why: why.into_iter().collect(), turn: None };
    let Some(absence) = user.absence(now) else { return asked(user, None) };
    let named = absence.stand_in.as_ref().and_then(|id| users.iter().find(|user| user.id == *id));
    match named.filter(|user| is_there(user, lead, now)) {
        Some(stand_in) => asked(stand_in, Some(format!("{} is out of office", user.full_name()))),
        None => asked(user, Some("nobody who may act for this lead stands in for you".to_owned())),
    }
}

/// Who takes up what is the owner's to do: they or their stand-in or, where the lead has no owner who may act for it any more, whose it
/// would be now. `None` only if it never had an owner and nobody may act for it.
pub(crate) fn asked_owner<'a>(lead: &Lead, users: &'a [User], now: DateTime<Utc>) -> Option<Asked<'a>> {
    let owner = lead.owner.as_ref().and_then(|owner| users.iter().find(|user| user.id == *owner));
    if let Some(owner) = owner.filter(|owner| gate::may_act(owner, lead)) {
        return Some(stood_in(owner, users, lead, now));
    }
    let next = intake::pick_owner(users, &lead.id, lead.state.as_deref(), &OwnerHints::default());
    let mut asked = stood_in(next.or(owner)?, users, lead, now);
    if next.is_some() {
        let why = owner.map(|owner| format!("{} may no longer act for this lead", owner.full_name()));
        asked.why.insert(0, why.unwrap_or_else(|| "this lead is nobody's".to_owned()));
    }
    Some(asked)
}

fn is_there(user: &User, lead: &Lead, now: DateTime<Utc>) -> bool {
    gate::may_act(user, lead) && user.absence(now).is_none()
}

/// What is to be done, after why it is whose it is.
pub(crate) fn because(why: &[String], text: &str) -> String {
    match why {
        [] => text.to_owned(),
        why => format!("Yours to do, because {}.\n\n{text}", why.join(", and ")),
    }
}

impl StepContext {
    /// The user of that id, if published.
    pub(crate) fn user(&self, id: &UserId) -> Option<&User> {
        self.users.iter().find(|user| user.id == *id)
    }

    /// Who is asked to do the step in hand: whom it names, or whose turn it is, or else the owner; in place of who is away, their
    /// stand-in. Where somebody was asked who didn't do it in time, it is another, if another may act.
    pub(crate) fn asked(&self, step: &Step, now: DateTime<Utc>) -> Option<Asked<'_>> {
        let is_overdue = self.enrollment.overdue_for().is_some();
        let mut asked = self.named(step.assign(is_overdue), now)?;
        asked.why.splice(0..0, self.why_again(step, asked.user));
        Some(asked)
    }

    /// Why a step is asked of that user that somebody was asked to do before.
    fn why_again(&self, step: &Step, user: &User) -> Option<String> {
        let late = self.enrollment.overdue_for()?;
        Some(match (user.id == *late, step.assign(true)) {
            (true, Assign::RoundRobin(_)) => "nobody else may act for this lead".to_owned(),
            (true, Assign::LoanOfficer | Assign::User(_)) => {
                "it was not done in time, and the cadence names nobody else".to_owned()
            }
            (false, _) => {
                let name = self.user(late).map_or_else(|| late.to_string(), User::full_name);
                format!("{name} did not do it in time")
            }
        })
    }

    fn named(&self, assign: &Assign, now: DateTime<Utc>) -> Option<Asked<'_>> {
        let nobody = match assign {
            Assign::LoanOfficer => return self.asked_owner(now),
            Assign::User(id) => match self.user(id).filter(|user| gate::may_act(user, &self.lead)) {
                Some(user) => return Some(self.stood_in(user, now)),
                None => format!("{id} may not act for this lead"),
            },
            Assign::RoundRobin(group) => match self.whose_turn(group, now) {
                Some(asked) => return Some(asked),
                None => format!("nobody in the group {group} may act for this lead"),
            },
        };
        let mut asked = self.asked_owner(now)?;
        asked.why.insert(0, nobody);
        Some(asked)
    }

    /// Who was asked when the claim was taken: whoever comes or goes since, the notice went to them.
    pub(crate) fn asked_by(&self, claim: &Claim, step: &Step, now: DateTime<Utc>) -> Option<Asked<'_>> {
        let asked = self.asked(step, now);
        match claim.user.as_ref().and_then(|id| self.user(id)) {
            Some(user) if asked.as_ref().is_none_or(|asked| asked.user.id != user.id) => {
                Some(Asked { user, why: self.why_again(step, user).into_iter().collect(), turn: None })
            }
            Some(_) | None => asked,
        }
    }

    /// Who takes up what is the owner's to do.
    pub(crate) fn asked_owner(&self, now: DateTime<Utc>) -> Option<Asked<'_>> {
        asked_owner(&self.lead, &self.users, now)
    }

    fn stood_in<'a>(&'a self, user: &'a User, now: DateTime<Utc>) -> Asked<'a> {
        stood_in(user, &self.users, &self.lead, now)
    }

    /// Of the group's members who may act and are there, first those at work, the one whose last turn is longest ago. Who was late has had
    /// this one.
    fn whose_turn(&self, group: &GroupId, now: DateTime<Utc>) -> Option<Asked<'_>> {
        let late = self.enrollment.overdue_for();
        let members = self.users.iter().filter(|user| user.groups.contains(group) && late != Some(&user.id));
        let members = members.filter(|user| is_there(user, &self.lead, now));
        let turns = self.turns.get(group);
        let last = |user: &User| turns.and_then(|turns| turns.get(&user.id)).copied();
        let user = members.min_by_key(|user| (user.at_work_from(now) > now, last(user), &user.id))?;
        let newest = turns.and_then(|turns| turns.values().max());
        let number = newest.map_or(1, |newest| newest + 1);
        let turn = Turn { group: group.clone(), user: user.id.clone(), last: last(user), number };
        Some(Asked { user, why: Vec::new(), turn: Some(turn) })
    }
}

#[cfg(test)]
mod tests;
