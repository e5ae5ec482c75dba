//! The bugs that can be planted: what is wrong, which promise that breaks, and which world shows it.

use std::{fmt, str::FromStr};

use crate::simulation::{Crashes, Run, Scenario, violation::Invariant};

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`words` says what each is")]
pub enum Bug {
    VendorRetries,
    NoClaim,
    ResendOnLeaseExpiry,
    StopOutsideTheTransaction,
    CapPerEnrollment,
    WrongZone,
    GenerationKept,
    StreamFailureSwallowed,
    NoReconcile,
    RandomTimerNames,
    TimersInLocalTime,
    AnsweredBeforeWritten,
    QuarantineForgotten,
    OptOutForgotten,
    AttemptForgotten,
    TimelineForgotten,
    WrongNumber,
    WordsOfTheLeadBefore,
    DueIndexForgotten,
    ClaimNeverCleared,
    OutcomeForgotten,
    EndsAfterItsFirstStep,
    DueADayLater,
    TakenASecondTime,
    SentUnasked,
    OutcomeMovesNothing,
    DueWithoutItsWait,
    RunsEarly,
    GoesBack,
    FollowsAnyVersion,
    ConsentAssumed,
    LicencesIgnored,
    ReviewForgotten,
    FollowUpForgotten,
    AnswersUnread,
    DoNotCallForgotten,
    LeadOfTheOneBefore,
    EnrollmentForgotten,
    TasksLeftOpen,
    EnrolledAgain,
    RestForgotten,
    PauseUntold,
    CapsUnread,
    TasksOutliveTheirCadence,
    PutsBackEarly,
    KnownLeadsUnread,
}

/// What is known of a bug.
struct Known {
    bug: Bug,
    breaks: Invariant,
    shown_by: u64,
    words: &'static str,
}

const KNOWN: [Known; 46] = [
    known(
        Bug::VendorRetries,
        Invariant::OneEffect,
        4,
        "the SDK's retries stand at 3 where a lead is texted, emailed or called",
    ),
    known(Bug::NoClaim, Invariant::OneEffect, 19, "a claim is taken whether or not somebody has it"),
    known(
        Bug::ResendOnLeaseExpiry,
        Invariant::OneEffect,
        19,
        "a claim whose lease ran out is taken for none, and reconcile comes to it half an hour late",
    ),
    known(
        Bug::StopOutsideTheTransaction,
        Invariant::OptOut,
        6,
        "a claim does not ask whether the lead changed since it was read",
    ),
    known(Bug::CapPerEnrollment, Invariant::Caps, 1, "a touch is not counted on the lead"),
    known(Bug::WrongZone, Invariant::Hours, 1, "every lead is taken to live in New York"),
    known(Bug::GenerationKept, Invariant::Growth, 0, "what is due changes without a new generation"),
    known(
        Bug::StreamFailureSwallowed,
        Invariant::NothingLost,
        4,
        "schedule takes a change for done that it could not queue",
    ),
    known(Bug::NoReconcile, Invariant::NothingLost, 4, "reconcile finds nothing"),
    known(Bug::RandomTimerNames, Invariant::OneEffect, 1, "a timer's name is made up each time"),
    known(Bug::TimersInLocalTime, Invariant::NothingLost, 0, "timers are set in local time"),
    known(
        Bug::AnsweredBeforeWritten,
        Invariant::Webhooks,
        0,
        "a webhook is answered whether or not it could be written",
    ),
    known(Bug::QuarantineForgotten, Invariant::Webhooks, 0, "a webhook that can't be used is not kept"),
    known(Bug::OptOutForgotten, Invariant::OptOut, 1, "an unsubscription is confirmed and not written"),
    known(Bug::AttemptForgotten, Invariant::Told, 0, "a try is settled without its record"),
    known(Bug::TimelineForgotten, Invariant::Told, 0, "what happened is not told"),
    known(Bug::WrongNumber, Invariant::Person, 1, "a text goes to whom the one before went"),
    known(Bug::WordsOfTheLeadBefore, Invariant::Person, 0, "an email says what the one before said"),
    known(
        Bug::DueIndexForgotten,
        Invariant::NothingLost,
        0,
        "an enrollment keeps its place in the index of what is due",
    ),
    known(Bug::ClaimNeverCleared, Invariant::NothingLost, 0, "a claim that is settled is not cleared"),
    known(Bug::OutcomeForgotten, Invariant::Outcomes, 0, "what came of a step is not kept"),
    known(Bug::EndsAfterItsFirstStep, Invariant::Course, 0, "a cadence is taken to end after its first step"),
    known(Bug::DueADayLater, Invariant::Course, 0, "what is due is put off by a day"),
    known(Bug::TakenASecondTime, Invariant::Webhooks, 0, "a webhook that was taken is taken again"),
    known(Bug::SentUnasked, Invariant::Told, 0, "an email is told as sent that SES was never given"),
    known(Bug::OutcomeMovesNothing, Invariant::Course, 0, "what came of a step is kept and leads nowhere"),
    known(Bug::DueWithoutItsWait, Invariant::Course, 0, "a step is due at once, whatever its wait says"),
    known(Bug::RunsEarly, Invariant::Course, 0, "timers fire hours early, and nobody asks whether a step is due"),
    known(Bug::GoesBack, Invariant::Course, 0, "after a step comes one that was done before"),
    known(Bug::FollowsAnyVersion, Invariant::Records, 10, "a running lead follows what is published for new leads"),
    known(Bug::ConsentAssumed, Invariant::Permitted, 1, "everybody is taken to have agreed in writing"),
    known(Bug::LicencesIgnored, Invariant::Permitted, 1, "every user is taken to be licensed everywhere"),
    known(Bug::ReviewForgotten, Invariant::Told, 4, "nobody is asked to look at what is unsure"),
    known(Bug::FollowUpForgotten, Invariant::Told, 2, "nobody takes up a lead who replied"),
    known(Bug::AnswersUnread, Invariant::Told, 0, "what a vendor answers is not read"),
    known(Bug::DoNotCallForgotten, Invariant::OptOut, 6, "a source's word that a lead must not be called is not kept"),
    known(Bug::LeadOfTheOneBefore, Invariant::Webhooks, 1, "a known address is taken for that of the lead before"),
    known(Bug::EnrollmentForgotten, Invariant::Webhooks, 0, "a lead is taken and enrolled nowhere"),
    known(Bug::TasksLeftOpen, Invariant::OptOut, 16, "what users were asked to do stays open after an opt-out"),
    known(Bug::EnrolledAgain, Invariant::OneEffect, 1, "a lead is enrolled whatever runs for it or ran"),
    known(Bug::RestForgotten, Invariant::NothingLost, 0, "reconcile sees nothing that rests"),
    known(Bug::PauseUntold, Invariant::NothingLost, 0, "nobody is asked to let go on what an outcome paused"),
    known(Bug::CapsUnread, Invariant::Caps, 7, "the caps that ops set are not heeded, only the law's"),
    known(
        Bug::TasksOutliveTheirCadence,
        Invariant::Finished,
        1,
        "what users were asked to do stays open when its cadence is over",
    ),
    known(Bug::PutsBackEarly, Invariant::Settled, 4, "reconcile takes what is just due for long overdue"),
    known(Bug::KnownLeadsUnread, Invariant::Alive, 1, "a webhook of a lead who is known can't be taken"),
];

const fn known(bug: Bug, breaks: Invariant, shown_by: u64, words: &'static str) -> Known {
    Known { bug, breaks, shown_by, words }
}

impl Bug {
    /// Every one of them.
    pub fn all() -> impl Iterator<Item = Self> {
        KNOWN.iter().map(|known| known.bug)
    }

    /// What is wrong.
    pub fn words(self) -> &'static str {
        self.known().map_or("", |known| known.words)
    }

    /// What it breaks. It may break more: the simulation has to find this.
    pub fn breaks(self) -> Invariant {
        self.known().map_or(Invariant::Alive, |known| known.breaks)
    }

    /// The world that shows it: that of the first seed that does, or a story where seeds take long to come to it.
    pub fn shown(self) -> Run {
        let story = match self {
            Self::RestForgotten => Some("paused-and-resumed"),
            Self::PauseUntold => Some("pauses"),
            _ => None,
        };
        let scenario = story.and_then(Scenario::named).map(|story| (story, Crashes::default()));
        let seed = self.known().map_or(0, |known| known.shown_by);
        Run { planted: Some(self), scenario, ..Run::of_seed(seed) }
    }

    fn known(self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.bug == self)
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(letter.to_lowercase());
        }
        f.pad(&name)
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names: Vec<String> = Self::all().map(|bug| bug.to_string()).collect();
        let found = Self::all().find(|bug| bug.to_string() == name);
        found.ok_or_else(|| format!("there is no bug \"{name}\"; there are {}", names.join(", ")))
    }
}
