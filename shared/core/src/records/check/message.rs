//! Checks a message by itself, and as the cadences that use it would send it.

use super::{Known, amounts, firsts, misfit, placeholders, read::Read};
use crate::{
    records::{Message, message::Copy, problem::Problem},
    template::{self, uses_snippets},
};

/// The key of the settings.
const SETTINGS: &str = "SETTINGS#company";

pub(super) fn check(message: &Message, known: &Known) -> Vec<Problem> {
    let mut problems = misfit::steps_left(message, known);
    if known.settings.is_none() && known.refused.contains(SETTINGS) && message.copy.parts().any(uses_snippets) {
        let sentence =
            "The settings have errors of their own, so the snippets that this message uses can't be looked up.";
        let remedy = format!("Mend {SETTINGS} first: what is wrong is said there.");
        problems.push(Problem::error("", sentence, remedy));
        return problems;
    }
    let (read, unread) = Read::of(message, known.settings.as_ref());
    problems.extend(unread);
    problems.extend(placeholders::check(message));
    problems.extend(amounts::check(message));
    match (&message.copy, &read) {
        (Copy::Text(text), read) => {
            problems.extend(read.iter().flat_map(|read| read.gaps("text")));
            let settings = known.settings.as_ref();
            if template::sources(text, settings).any(|source| source.contains("unsubscribe_url")) {
                let sentence = "A text carries no unsubscribe link: the variable is empty there.";
                problems.push(Problem::warning("text", sentence, "Write \"Reply STOP to opt out\" instead."));
            }
            if let Some(read) = read {
                problems.extend(read.costs("text", "The text").into_iter().filter(|_| !is_script(message)));
                let subject = firsts::first_text_of(message, known);
                problems.extend(subject.into_iter().flat_map(|subject| {
                    read.first_text_lacks().map(move |lack| lack.warning("text", &subject)).collect::<Vec<_>>()
                }));
            }
        }
        (Copy::Email { body, .. }, read) => {
            problems.extend(has_markup(body).then(|| {
                let sentence = "The body has HTML in it, which a lead would read as it stands.";
                let remedy = "Write plain text: an empty line begins a paragraph, and addresses of pages become links.";
                Problem::warning("body", sentence, remedy)
            }));
            problems.extend(read.iter().flat_map(|read| read.email_lacks().chain(read.gaps("body"))));
        }
    }
    if let (Some(read), Some(subject)) = (&read, firsts::first_written_of(message, known)) {
        let (path, _) = message.copy.named_parts().last().unwrap_or_default();
        problems.extend(read.first_written_lacks().map(|lack| lack.warning(path, &subject)));
    }
    problems
}

/// Whether a text closes a tag, or breaks a line by one.
fn has_markup(text: &str) -> bool {
    let begins = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic());
    text.split("</").skip(1).any(begins) || text.to_lowercase().contains("<br")
}

/// Whether ops named it as what is read aloud, which no part's length binds.
pub(super) fn is_script(message: &Message) -> bool {
    message.id.as_str().starts_with("script/")
}
