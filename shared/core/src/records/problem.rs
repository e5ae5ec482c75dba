//! What is wrong with a record, in words that somebody who never saw the code can act on.

use std::fmt;

/// One finding about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `steps[2].wait`, lists counted from 0 as the console counts them; empty for the record as a whole.
    pub path: String,
    /// What is wrong, as a whole sentence.
    pub sentence: String,
    /// What to do about it, as a whole sentence.
    pub remedy: String,
    /// Whether it keeps the record from being published.
    pub severity: Severity,
}

/// Whether a finding keeps the record from being published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The record is refused.
    Error,
    /// The record is published, but somebody should look.
    Warning,
}

impl Problem {
    /// A finding that keeps the record from being published.
    pub fn error(path: impl Into<String>, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.into(), sentence: sentence.into(), remedy: remedy.into(), severity: Severity::Error }
    }

    /// Whether it keeps the record from being published.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// A finding that somebody should look at.
    pub fn warning(path: impl Into<String>, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, sentence, remedy) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} {}", self.sentence, self.remedy)
    }
}

/// The known word that somebody who wrote `word` most likely meant, if any is close.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(word);
    // A third of the shorter one's letters: what is left of a longer word may be like it by chance.
    let allowed = |candidate: &str| (plain.len().min(candidate.len()) / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (self::plain(candidate), candidate))
        .map(|(known, candidate)| (strsim::damerau_levenshtein(&plain, &known), allowed(&known), candidate))
        .filter(|(distance, allowed, candidate)| distance <= allowed && *distance < candidate.chars().count())
        .map(|(distance, _, candidate)| (distance, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What is left of a word when spelling it with capitals, spaces, hyphens or underscores makes no difference.
/// Cut short, because comparing takes the product of both lengths and a record can hold 400 KB in one field.
fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

/// `Did you mean "wait"?`, or what to do where nothing is close.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    match closest(word, known) {
        Some(guess) => format!("Did you mean \"{guess}\"?"),
        None => otherwise.to_owned(),
    }
}

/// What an editor wrote, quoted and cut to a length that fits a sentence.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    match text.chars().nth(60).is_some() {
        true => format!("\"{shown}...\""),
        false => format!("\"{shown}\""),
    }
}

/// The words with a capital at their beginning.
pub(crate) fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// So many findings fit on the record that is written back (an item holds 400 KB), and more nobody reads at once.
const AT_MOST: usize = 40;

/// The first findings, and one that says how many more there are.
pub(crate) fn capped(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.severity == Severity::Warning);
    let more = problems.len().saturating_sub(AT_MOST);
    if more > 0 {
        let is_refused = problems.iter().skip(AT_MOST).any(|problem| problem.severity == Severity::Error);
        problems.truncate(AT_MOST);
        problems.push(Problem {
            severity: if is_refused { Severity::Error } else { Severity::Warning },
            ..Problem::error("", format!("There are {more} more problems."), "Mend these first.")
        });
    }
    problems
}

/// `"a", "b" or "c"`
pub(crate) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "or")
}

/// `"a", "b" and "c"`
pub(crate) fn all_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "and")
}

fn listed<'a>(words: impl IntoIterator<Item = &'a str>, last_by: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("\"{word}\"")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {last_by} {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood_and_a_different_word_is_not() {
        let known = ["voicemail", "no_answer", "busy", "wait", "on"];
        for (word, meant) in [
            ("voice mail", Some("voicemail")),
            ("Voicemial", Some("voicemail")),
            ("noanswer", Some("no_answer")),
            ("no-answer", Some("no_answer")),
            ("bussy", Some("busy")),
            ("wiat", Some("wait")),
            ("delay", None),
            ("voicemails", Some("voicemail")),
            ("ai_email", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(closest(word, known), meant, "{word}");
        }
    }

    #[test]
    fn words_are_listed_as_a_person_would() {
        assert_eq!(one_of(["a"]), "\"a\"");
        assert_eq!(one_of(["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
        assert_eq!(all_of(["a", "b"]), "\"a\" and \"b\"");
        assert_eq!(one_of([]), "");
    }

    #[test]
    fn a_quote_is_short_and_stays_on_one_line() {
        assert_eq!(quoted("20 mins"), "\"20 mins\"");
        assert_eq!(quoted("a\nb"), "\"a b\"");
        assert_eq!(quoted(&"x".repeat(100)).len(), 65);
    }
}
