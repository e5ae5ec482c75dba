//! A message as leads read it: one of whom everything is known, and one of whom hardly anything is.

use minijinja::ErrorKind;

use super::segments::{self, measure};
use crate::{
    law::OPT_OUT_WORDS,
    records::{
        Message, Settings,
        message::Copy,
        problem::{Problem, quoted},
    },
    sources::ZILLOW_ATTRIBUTES,
    template::{TemplateError, Variables, check_template, render_part, variables},
};

/// A message as both leads read it.
pub(super) struct Read {
    company: String,
    postal_address: String,
    /// The text, or an email's body, for a lead of whom everything is known.
    words: String,
    /// The same for one of whom hardly anything is known.
    bare_words: String,
}

/// Something that a message has to carry and doesn't.
#[derive(Clone, Copy)]
pub(super) struct Lack {
    what: &'static str,
    remedy: &'static str,
}

impl Lack {
    pub(super) fn warning(self, path: impl Into<String>, subject: &str) -> Problem {
        Problem::warning(path, format!("{subject} {}.", self.what), self.remedy)
    }
}

impl Read {
    /// Reads it; what keeps leads from reading it are problems.
    pub(super) fn of(message: &Message, settings: Option<&Settings>) -> (Option<Self>, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut read = |path, source, is_email| rendered(path, source, is_email, settings, &mut problems);
        let words = match &message.copy {
            Copy::Text(text) => read("text", text, false),
            Copy::Email { subject, body } => {
                let (subject, body) = (read("subject", subject, true), read("body", body, true));
                subject.and(body)
            }
        };
        let read = words.map(|(words, bare_words)| Self {
            company: settings.map_or(example("company"), |settings| &settings.company).to_owned(),
            postal_address: settings.map_or(example("postal_address"), |settings| &settings.postal_address).to_owned(),
            words,
            bare_words,
        });
        (read, problems)
    }

    /// What the first text that a lead gets has to carry.
    pub(super) fn first_text_lacks(&self) -> impl Iterator<Item = Lack> {
        let opt_out = Lack { what: "does not say how to opt out", remedy: "Add \"Reply STOP to opt out\"." };
        let company = Lack { what: "does not name the company", remedy: "Add {{ company }}." };
        let tells = tells_the_way_out(&self.words) && tells_the_way_out(&self.bare_words);
        let is_named = self.says(&self.company);
        (!tells).then_some(opt_out).into_iter().chain((!is_named).then_some(company))
    }

    /// What the first written message that a lead gets has to carry, whatever its channel.
    pub(super) fn first_written_lacks(&self) -> impl Iterator<Item = Lack> {
        let name =
            Lack { what: "does not name the loan officer", remedy: "Add {{ lo_first_name }} {{ lo_last_name }}." };
        let licence =
            Lack { what: "does not carry the loan officer's NMLS id", remedy: "Add \"NMLS {{ lo_nmls_id }}\"." };
        let is_named = self.says(example("lo_first_name")) || self.says(example("lo_last_name"));
        let is_licensed = self.says(example("lo_nmls_id"));
        (!is_named).then_some(name).into_iter().chain((!is_licensed).then_some(licence))
    }

    /// What the law wants in every email.
    pub(super) fn email_lacks(&self) -> impl Iterator<Item = Problem> {
        let unsubscribe = (!self.says(example("unsubscribe_url"))).then(|| {
            Problem::error(
                "body",
                "The email does not say how to unsubscribe.",
                "Add a line such as \"Unsubscribe: {{ unsubscribe_url }}\".",
            )
        });
        let address = (!self.says(&self.postal_address)).then(|| {
            let sentence = "The email does not carry the company's postal address.";
            Problem::error("body", sentence, "Add {{ postal_address }}.")
        });
        unsubscribe.into_iter().chain(address)
    }

    /// What makes it dear as a text.
    pub(super) fn costs(&self, path: &str, subject: &str) -> Vec<Problem> {
        let measured = measure(&self.words);
        let mut problems: Vec<Problem> = segments::odd_problem(path, subject, &measured.odd).into_iter().collect();
        if measured.parts > MOST_PARTS {
            let lead = format!("{} {}", example("lead_first_name"), example("lead_last_name"));
            problems.push(Problem::warning(
                path,
                format!(
                    "{subject} is sent in {} parts, each of which is paid for: it has {} characters for a lead such as {lead}.",
                    measured.parts, measured.characters
                ),
                format!("Shorten it to {} characters, which fit into {MOST_PARTS}.", MOST_PARTS * measured.part_holds),
            ));
        }
        problems
    }

    /// What is missing in the words for a lead of whom hardly anything is known: a mark after a space, or two spaces.
    pub(super) fn gaps(&self, path: &str) -> Option<Problem> {
        let marks = [" ,", " .", " !", " ?", "  "];
        let gap =
            marks.into_iter().find(|mark| self.bare_words.matches(mark).count() > self.words.matches(mark).count())?;
        let at = self.bare_words.find(gap)?;
        let (before, after) = self.bare_words.split_at_checked(at)?;
        let begins = before.char_indices().rev().take(GAP_SHOWN).last().map_or(at, |(begins, _)| begins);
        let last = before.get(begins..)?;
        let first: String = after.chars().take(GAP_SHOWN).collect();
        let shown = format!("{last}{first}").replace('\n', " ");
        let sentence = format!("A lead of whom little is known reads a gap here: {}.", quoted(&shown));
        Some(Problem::warning(path, sentence, "Give what may be missing a stand-in: {{ lead_first_name or 'there' }}."))
    }

    /// Whether both leads read that, however it is spaced and spelt.
    fn says(&self, what: &str) -> bool {
        let what = plain(what);
        [&self.words, &self.bare_words].into_iter().all(|words| plain(words).contains(&what))
    }
}

/// How many characters are shown on either side of a gap.
const GAP_SHOWN: usize = 12;
/// A text of more parts than that is rather an email.
const MOST_PARTS: usize = 2;

/// One part of a message for both leads; `None`, and a problem, where it can't be rendered.
fn rendered(
    path: &str,
    source: &str,
    is_email: bool,
    settings: Option<&Settings>,
    problems: &mut Vec<Problem>,
) -> Option<(String, String)> {
    let render = |is_known| render_part(&path, source, &Variables::example(settings, is_email, is_known));
    let words = check_template(source, settings).and_then(|()| render(true));
    let words = words.map_err(|error| problems.push(template_problem(path, &error))).ok()?;
    let bare_words = match render(false) {
        Err(TemplateError::Empty { .. }) => {
            problems.push(Problem::warning(
                path,
                "This comes out empty for a lead of whom little is known, and such a lead gets no message then.",
                STAND_IN,
            ));
            None
        }
        bare => bare.map_err(|error| problems.push(template_problem(path, &error))).ok(),
    };
    Some((words, bare_words?))
}

const STAND_IN: &str = "Write it more simply, or give it a stand-in: {{ city or \"your area\" }}.";
const CALCULATE: &str = "Write it more simply. What may not be known of a lead takes a stand-in, {{ city or \"your area\" }}; to calculate with it write {{ attributes.loan_amount | amount }}.";

/// What keeps a template from being rendered, in words for those who write it.
pub(super) fn template_problem(path: &str, error: &TemplateError) -> Problem {
    let (sentence, remedy) = match error {
        TemplateError::UnknownVariable { line, name, guess, .. } => (
            format!("Line {line} uses the variable {}, which does not exist.", quoted(name)),
            guess.map_or_else(|| no_variable(name), |guess| format!("Did you mean \"{guess}\"?")),
        ),
        TemplateError::UnknownSnippet { line, name, guess, .. } => (
            format!("Line {line} uses the snippet {}, which does not exist.", quoted(name)),
            match guess {
                Some(guess) => format!("Did you mean \"{guess}\"?"),
                None => "Add it to \"snippets\" in the settings first, or correct the name.".to_owned(),
            },
        ),
        TemplateError::SnippetMisused { line, why, .. } => (
            format!("Line {line} can't be read as a template: {why}."),
            "Write {{ snippets.signature }} in a message.".to_owned(),
        ),
        TemplateError::CurlyQuotes { line, .. } => (
            format!("Line {line} has curly quotes where a template needs straight ones."),
            "Write them as in {{ lead_first_name or 'there' }}.".to_owned(),
        ),
        TemplateError::Syntax { line, detail, .. } => (
            format!("Line {line} can't be read as a template: {detail}."),
            "Write variables as {{ lead_first_name }}, and conditions as {% if city %}in {{ city }}{% endif %}."
                .to_owned(),
        ),
        TemplateError::Failed { line, kind: ErrorKind::OutOfFuel, .. } => {
            (format!("Line {line} repeats something far too often."), "Write it without the repetition.".to_owned())
        }
        TemplateError::Failed { line, kind, .. } => {
            (format!("Line {line} does something that can't be done for every lead: {kind}."), CALCULATE.to_owned())
        }
        TemplateError::TooLong { .. } => ("The message comes out far too long.".to_owned(), "Shorten it.".to_owned()),
        TemplateError::AnotherKind { is, sends, .. } => {
            (format!("The message is {is}, but the step sends {sends}."), "Name another message.".to_owned())
        }
        TemplateError::Missing | TemplateError::Empty { .. } => {
            ("The message comes out empty.".to_owned(), "Write what it says.".to_owned())
        }
    };
    Problem::error(path, sentence, remedy)
}

/// What to do about a name that is like no variable: it may be an attribute's, or words that lack their quotes.
fn no_variable(name: &str) -> String {
    if ZILLOW_ATTRIBUTES.iter().any(|(attribute, _)| *attribute == name) {
        return format!("What the source sends is written {{{{ attributes.{name} }}}}.");
    }
    let names: Vec<&str> = variables().iter().map(|variable| variable.name).collect();
    let words =
        if name.contains('_') { String::new() } else { format!("If it is words, put them in quotes: '{name}'. ") };
    format!("{words}If the source sends it, write {{{{ attributes.{name} }}}}. The variables are {}.", names.join(", "))
}

/// Whether a text says with which word to opt out: `Reply STOP to opt out`, but not `stop by our office`.
fn tells_the_way_out(text: &str) -> bool {
    let text = text.replace(['-', '\n'], " ");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_asked = |before: Option<&&str>| before.is_some_and(|word| ASKS.contains(&word.to_lowercase().as_str()));
    words.iter().enumerate().any(|(at, word)| {
        let is_word = OPT_OUT_WORDS.contains(&word.to_lowercase().as_str());
        let is_shouted = word.chars().all(char::is_uppercase);
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        is_word && (is_shouted || is_asked(before))
    }) || OPT_OUT_WORDS.iter().filter(|word| word.contains(' ')).any(|phrase| text.to_lowercase().contains(phrase))
}

/// The words before the one that a lead is asked to send.
const ASKS: [&str; 9] = ["reply", "text", "txt", "send", "answer", "respond", "write", "say", "with"];

/// What a declared variable stands for in the example.
fn example(variable: &str) -> &'static str {
    variables().iter().find(|known| known.name == variable).map_or("", |known| known.example)
}

/// What is left of words where neither spacing, case nor punctuation counts.
fn plain(words: &str) -> String {
    words.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_the_way_out_only_if_it_asks_for_a_word_that_counts() {
        for text in [
            "Reply STOP to opt out",
            "STOP=end",
            "text \"stop\" to end",
            "Txt quit 2 quit",
            "To opt-out, let me know",
            "Send 'cancel'",
            "UNSUBSCRIBE to leave",
        ] {
            assert!(tells_the_way_out(text), "{text}");
        }
        for text in
            ["Stop by our office", "When does your lease end?", "Nonstop service, STOPPING never", "", "Do not stop"]
        {
            assert!(!tells_the_way_out(text), "{text}");
        }
    }
}
