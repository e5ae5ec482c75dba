//! The script of a simulation: what vendors answer, and what users and the lead do, a line each.
//!
//! ```text
//! first-call=no_answer                     # each time that the step runs, a plausible while later
//! +5m first-call=connected "wants a quote"  # five minutes after the step ran
//! 09:30 intro-text=replied                 # the next 09:30 where the lead is, after the step ran
//! second-call#3=connected                  # the third round only, instead of what is said of all rounds
//! intro-text=later                         # the vendor's answer: accepted, rejected, later or unknown
//! 2026-12-02T09:30:00-08:00 lead=opted_out # at that instant, about no step
//! ```

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::{
    Outcome, StepId,
    calendar::Calendar,
    delivery::Delivery,
    records::problem::{closest, did_you_mean, one_of, quoted},
    time::{LocalTime, Wait},
};

/// What vendors answer, and what users and the lead do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Its lines, in order.
    pub lines: Vec<Line>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which line it is, counted from 1.
    pub number: usize,
    /// The line as it is written.
    pub written: String,
    /// When it happens.
    pub when: When,
    /// What it is about.
    pub about: About,
    /// What happens.
    pub what: What,
    /// What was said.
    pub note: Option<String>,
}

/// When a line of a script happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// A plausible while after what it is about.
    Soon,
    /// That long after what it is about.
    After(Wait),
    /// At the next such local time after what it is about.
    Local(LocalTime),
    /// Then.
    At(DateTime<Utc>),
}

/// What a line of a script is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The lead; times count from its arrival.
    Lead,
    /// A step, in each round or in one; times count from when it ran.
    Step {
        /// The step.
        id: StepId,
        /// The round; `None` for each that no other line names.
        round: Option<u32>,
    },
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Something comes of a step.
    Outcome(Outcome),
    /// The vendor answers a try so.
    Answer(Delivery),
}

/// A line that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {sentence} {remedy}", quoted(.written))]
pub struct ScriptError {
    /// Which line it is, counted from 1.
    pub number: usize,
    /// The line as it is written.
    pub written: String,
    /// What is wrong, as the rest of a sentence.
    pub sentence: String,
    /// What to do about it, as a whole sentence.
    pub remedy: String,
}

/// What stands for the lead where a step's id could.
const LEAD: &str = "lead";
/// What only the engine itself says of a step.
const ENGINES: [Outcome; 3] = [Outcome::Expired, Outcome::Failed, Outcome::Unknown];
/// What a lead does that is about no step.
const LEADS: [Outcome; 8] = [
    Outcome::Replied,
    Outcome::CalledBack,
    Outcome::AppointmentSet,
    Outcome::AppointmentCancelled,
    Outcome::Declined,
    Outcome::OptedOut,
    Outcome::Unsubscribed,
    Outcome::Complained,
];
const ANSWERS: [&str; 4] = ["accepted", "rejected", "later", "unknown"];
const WRITE_LIKE: &str =
    "Write it like first-call=no_answer, +5m first-call=connected, or 09:30 intro-text=replied \"call me\".";
const WHEN_LIKE: &str =
    "Write when like +5m, +1d at 10:15, 09:30, Tue 09:30, 2026-12-01 09:30 or 2026-12-01T09:30:00-08:00.";

impl Script {
    /// Reads a script; empty lines and what follows a `#` at a line's begin or after a space count for nothing. Else says what is wrong
    /// with each line.
    pub fn parse(text: &str) -> Result<Self, Vec<ScriptError>> {
        let (mut lines, mut errors) = (Vec::new(), Vec::new());
        for (number, written) in (1..).zip(text.lines()) {
            let line = without_comment(written).trim();
            if line.is_empty() {
                continue;
            }
            match read(number, line) {
                Ok(line) => lines.push(line),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self { lines }) } else { Err(errors) }
    }

    /// The lines that name none of these steps.
    pub fn unknown_steps<'a>(&self, steps: impl IntoIterator<Item = &'a StepId>) -> Vec<ScriptError> {
        let known: BTreeSet<&str> = steps.into_iter().map(StepId::as_str).chain([LEAD]).collect();
        let unknown = self.lines.iter().filter_map(|line| match &line.about {
            About::Step { id, .. } if !known.contains(id.as_str()) => Some((line, id)),
            About::Step { .. } | About::Lead => None,
        });
        let error = |(line, id): (&Line, &StepId)| {
            let otherwise = format!("The steps are {}.", one_of(known.iter().copied()));
            let remedy = did_you_mean(id.as_str(), known.iter().copied(), &otherwise);
            line.error(format!("names {}, which is no step of this cadence.", quoted(id.as_str())), remedy)
        };
        unknown.map(error).collect()
    }
}

impl When {
    /// Whether it is an instant of its own, whatever happens before.
    pub(super) fn is_dated(&self) -> bool {
        match self {
            Self::Soon | Self::After(_) => false,
            Self::Local(time) => time.is_dated(),
            Self::At(_) => true,
        }
    }
}

impl Line {
    /// When it happens, if what it is about was at `base`.
    pub(super) fn at(&self, base: DateTime<Utc>, soon: &Wait, calendar: &Calendar<'_>) -> DateTime<Utc> {
        match &self.when {
            When::Soon => calendar.after(base, soon),
            When::After(wait) => calendar.after(base, wait),
            When::Local(time) => time.after(base, calendar.zone()),
            When::At(at) => *at,
        }
    }

    fn error(&self, sentence: impl Into<String>, remedy: impl Into<String>) -> ScriptError {
        error(self.number, &self.written, sentence, remedy)
    }
}

fn error(number: usize, written: &str, sentence: impl Into<String>, remedy: impl Into<String>) -> ScriptError {
    ScriptError { number, written: written.to_owned(), sentence: sentence.into(), remedy: remedy.into() }
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        quoted ^= c == '"';
        if c == '#' && !quoted && before.is_whitespace() {
            return line.get(..index).unwrap_or(line);
        }
        before = c;
    }
    line
}

fn read(number: usize, written: &str) -> Result<Line, ScriptError> {
    let fail = |sentence: String, remedy: &str| error(number, written, sentence, remedy);
    let (said, note) = match written.split_once('"') {
        Some((said, rest)) => {
            let note = rest.trim_end().strip_suffix('"');
            let note = note.ok_or_else(|| fail("has a note that does not end.".to_owned(), "Put a \" after it."))?;
            (said.trim(), Some(note.to_owned()).filter(|note| !note.is_empty()))
        }
        None => (written, None),
    };
    let (left, right) = said.split_once('=').ok_or_else(|| fail("has no =.".to_owned(), WRITE_LIKE))?;
    let (when, about) = left.trim().rsplit_once(char::is_whitespace).unwrap_or(("", left.trim()));
    let word = right.trim();
    if word.contains(char::is_whitespace) {
        return Err(fail("has words after the outcome.".to_owned(), "Put what was said into quotes."));
    }
    let when = read_when(when.trim())
        .ok_or_else(|| fail(format!("begins with {}, which is no time.", quoted(when.trim())), WHEN_LIKE))?;
    let about = read_about(about).ok_or_else(|| fail("names no step.".to_owned(), WRITE_LIKE))?;
    let what = read_what(&about, word).map_err(|(sentence, remedy)| fail(sentence, &remedy))?;
    Ok(Line { number, written: written.to_owned(), when, about, what, note })
}

fn read_when(text: &str) -> Option<When> {
    if text.is_empty() {
        return Some(When::Soon);
    }
    if let Some(wait) = text.strip_prefix('+') {
        return Wait::parse(wait).ok().map(When::After);
    }
    let instant = DateTime::parse_from_rfc3339(text).ok().map(|at| When::At(at.to_utc()));
    instant.or_else(|| LocalTime::parse(text).map(When::Local))
}

fn read_about(text: &str) -> Option<About> {
    let (id, round) = match text.split_once('#') {
        Some((id, round)) => (id, Some(round.parse().ok().filter(|round| *round > 0)?)),
        None => (text, None),
    };
    match (id, round) {
        ("", _) => None,
        (LEAD, None) => Some(About::Lead),
        (id, round) => Some(About::Step { id: StepId::new(id), round }),
    }
}

fn read_what(about: &About, word: &str) -> Result<What, (String, String)> {
    let outcome = Outcome::BY_STRENGTH.into_iter().find(|outcome| outcome.as_str() == word);
    let may_be = |outcome: &Outcome| match about {
        About::Lead => LEADS.contains(outcome),
        About::Step { .. } => !ENGINES.contains(outcome),
    };
    if let Some(outcome) = outcome.filter(may_be) {
        return Ok(What::Outcome(outcome));
    }
    let reason = |what: &str| format!("{what}, as the script says");
    match (about, word) {
        (About::Step { .. }, "accepted") => {
            return Ok(What::Answer(Delivery::Accepted { vendor_id: "script".to_owned() }));
        }
        (About::Step { .. }, "rejected") => {
            return Ok(What::Answer(Delivery::Rejected { reason: reason("the vendor refuses it") }));
        }
        (About::Step { .. }, "later") => {
            return Ok(What::Answer(Delivery::Later { reason: reason("the vendor is busy") }));
        }
        (About::Step { .. }, "unknown") => {
            return Ok(What::Answer(Delivery::Unknown { reason: reason("the vendor does not answer") }));
        }
        (About::Step { .. } | About::Lead, _) => {}
    }
    let known: Vec<&str> = Outcome::BY_STRENGTH.iter().filter(|outcome| may_be(outcome)).map(|o| o.as_str()).collect();
    Err(match (outcome, about) {
        (Some(Outcome::Failed), About::Step { .. }) => (
            "can't fail by itself.".to_owned(),
            "Write rejected: the vendor refuses it, and by that it fails.".to_owned(),
        ),
        (Some(Outcome::Expired), About::Step { .. }) => {
            ("can't expire by itself.".to_owned(), "Leave the line out: what nothing is heard of expires.".to_owned())
        }
        (Some(_), _) => (
            format!("says that the lead is {}, which is said of a step.", quoted(word)),
            format!("Write which one, like first-call={word}; of the lead itself only {}.", one_of(known)),
        ),
        (None, About::Step { .. }) => {
            let words = known.iter().copied().chain(ANSWERS);
            (
                format!("says {}, which is no outcome.", quoted(word)),
                match closest(word, words.clone()) {
                    Some(guess) => format!("Did you mean \"{guess}\"?"),
                    None => format!("Use {}.", one_of(words)),
                },
            )
        }
        (None, About::Lead) => (
            format!("says {}, which no lead does.", quoted(word)),
            did_you_mean(word, known.iter().copied(), &format!("Use {}.", one_of(known.iter().copied()))),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> String {
        let script = Script::parse(line).unwrap();
        let [line] = script.lines.as_slice() else { panic!("{script:?}") };
        let when = match &line.when {
            When::Soon => "soon".to_owned(),
            When::After(wait) => format!("after {wait}"),
            When::Local(_) => "local".to_owned(),
            When::At(at) => at.to_rfc3339(),
        };
        let what = match &line.what {
            What::Outcome(outcome) => outcome.as_str().to_owned(),
            What::Answer(Delivery::Accepted { .. }) => "accept".to_owned(),
            What::Answer(Delivery::Rejected { .. }) => "reject".to_owned(),
            What::Answer(Delivery::Later { .. }) => "answer later".to_owned(),
            What::Answer(Delivery::Unknown { .. }) => "answer nothing".to_owned(),
        };
        let about = match &line.about {
            About::Lead => "the lead".to_owned(),
            About::Step { id, round } => format!("{id} {}", round.map_or("each".to_owned(), |round| round.to_string())),
        };
        format!("{when}, {about}: {what} {:?}", line.note.as_deref().unwrap_or_default())
    }

    #[test]
    fn a_line_says_when_of_what_and_what() {
        for (line, expected) in [
            ("first-call=no_answer", "soon, first-call each: no_answer \"\""),
            ("+5m first-call=connected", "after 5m, first-call each: connected \"\""),
            ("  +1d at 10:15 first-call = connected  ", "after 1d at 10:15, first-call each: connected \"\""),
            (
                "+5m first-call=connected \"wants a quote = soon # 1\"",
                "after 5m, first-call each: connected \"wants a quote = soon # 1\"",
            ),
            ("09:30 intro-text=replied # they answer", "local, intro-text each: replied \"\""),
            ("Tue 09:30 intro-text=replied", "local, intro-text each: replied \"\""),
            ("2026-12-02 09:30 intro-text=replied", "local, intro-text each: replied \"\""),
            ("2026-12-02T09:30:00-08:00 lead=opted_out", "2026-12-02T17:30:00+00:00, the lead: opted_out \"\""),
            ("second-call#3=voicemail \"\"", "soon, second-call 3: voicemail \"\""),
            ("intro-text=later", "soon, intro-text each: answer later \"\""),
            ("intro-text=accepted", "soon, intro-text each: accept \"\""),
            ("intro-text=rejected", "soon, intro-text each: reject \"\""),
            ("intro-text=unknown", "soon, intro-text each: answer nothing \"\""),
        ] {
            assert_eq!(parsed(line), expected, "{line}");
        }
    }

    #[test]
    fn what_says_nothing_counts_for_nothing() {
        let script = Script::parse("# a story\n\n   \nfirst-call=busy\n  # and more").unwrap();
        assert_eq!(script.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn a_line_that_cant_be_used_is_refused_with_the_remedy() {
        let lines = [
            "first-call",
            "=connected",
            "first-call=",
            "soon first-call=connected",
            "+5 first-call=connected",
            "25:00 first-call=connected",
            "first-call#0=connected",
            "first-call=conected",
            "first-call=talked",
            "first-call=expired",
            "first-call=failed",
            "first-call=connected talked",
            "first-call=connected \"talked",
            "lead=voicemail",
            "lead=optedout",
            "lead=rejected",
        ];
        let errors = Script::parse(&lines.join("\n")).unwrap_err();
        assert_eq!(errors.len(), lines.len());
        let told: Vec<String> = errors.iter().map(|error| format!("{}: {error}", error.number)).collect();
        insta::assert_snapshot!("script_errors", told.join("\n"));
    }

    #[test]
    fn a_step_that_the_cadence_does_not_have_is_told_with_what_was_meant() {
        let script = Script::parse("first-cal=busy\nlead=replied\nfirst-call=busy\nzzz=busy").unwrap();
        let known = ["first-call".into(), "intro-text".into()];
        let told: Vec<String> = script.unknown_steps(&known).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "\"first-cal=busy\" names \"first-cal\", which is no step of this cadence. Did you mean \"first-call\"?",
                "\"zzz=busy\" names \"zzz\", which is no step of this cadence. The steps are \"first-call\", \"intro-text\" or \"lead\".",
            ]
        );
    }
}
