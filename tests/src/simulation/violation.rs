//! What must hold in every world, and what was found not to.

use std::fmt;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Per step key at most one effect that somebody can see.
    OneEffect,
    /// What is active has something that will move it on.
    NothingLost,
    /// Nothing is claimed after an opt-out has committed.
    OptOut,
    /// Every effect lies inside the hours of every zone that the lead may be in.
    Hours,
    /// Caps are never exceeded.
    Caps,
    /// A message goes to the person of its enrollment, and says only what is that person's.
    Person,
    /// Generation, round and try only grow.
    Growth,
    /// A finished enrollment emits nothing.
    Finished,
    /// Every accepted webhook is a lead or kept, before it is answered, and one that comes again is the same.
    Webhooks,
    /// Every step ends as something, and the timeline says so.
    Told,
    /// Outcomes may arrive twice and in any order.
    Outcomes,
    /// A second pass of `reconcile` changes no item, and what is not overdue is left alone.
    Settled,
    /// A record is published as it stands, or refused, and what was published stays as it is.
    Records,
    /// No function breaks, and the world comes to rest.
    Alive,
    /// An enrollment passes no step over, begins none early or late, and goes and ends where its cadence or an outcome leads.
    Course,
    /// A machine reaches only whom agreed to it in writing, and nobody acts without a licence.
    Permitted,
}

impl Invariant {
    /// Every one of them.
    pub const ALL: [Self; 16] = [
        Self::OneEffect,
        Self::NothingLost,
        Self::OptOut,
        Self::Hours,
        Self::Caps,
        Self::Person,
        Self::Growth,
        Self::Finished,
        Self::Webhooks,
        Self::Told,
        Self::Outcomes,
        Self::Settled,
        Self::Records,
        Self::Alive,
        Self::Course,
        Self::Permitted,
    ];

    /// What it says.
    pub fn words(self) -> &'static str {
        match self {
            Self::OneEffect => "per step key at most one effect that somebody can see",
            Self::NothingLost => {
                "what is active has an unread change, a timer or message of its generation, or a claim"
            }
            Self::OptOut => "nothing is claimed after an opt-out has committed",
            Self::Hours => "every effect lies inside the allowed hours in every zone the lead may be in",
            Self::Caps => "caps are never exceeded",
            Self::Person => "a message goes to the person of its enrollment and says only that person's facts",
            Self::Growth => "generation, round and try only grow",
            Self::Finished => "a finished enrollment emits nothing",
            Self::Webhooks => {
                "every accepted webhook is a lead or kept, before it is answered, and nobody is two leads"
            }
            Self::Told => "every step ends as sent, skipped, unsure or failed, and the timeline says so",
            Self::Outcomes => "outcomes may arrive twice and in any order",
            Self::Settled => {
                "once all is delivered, a second pass of reconcile changes no item, and it puts back only what is overdue"
            }
            Self::Records => "a record is published as it stands or refused, and what was published stays",
            Self::Alive => "no function breaks, and the world comes to rest",
            Self::Course => {
                "an enrollment passes no step over, begins none early or late, and goes and ends where its cadence or an outcome leads"
            }
            Self::Permitted => "a machine reaches only whom agreed to it in writing, and nobody acts without a licence",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = Self::ALL.iter().position(|known| known == self).map_or(0, |at| at + 1);
        write!(f, "{number}. {}", self.words())
    }
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What should.
    pub invariant: Invariant,
    /// What was found.
    pub found: String,
}

impl Violation {
    pub(crate) fn of(invariant: Invariant, found: impl Into<String>) -> Self {
        Self { invariant, found: found.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.invariant, self.found)
    }
}

/// What a check comes to.
pub(crate) type Held = Result<(), Violation>;
