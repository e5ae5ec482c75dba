//! Checks the settings, and what becomes of the messages that use their snippets.

use super::{
    Known, amounts, message,
    read::template_problem,
    segments::{measure, odd_problem},
};
use crate::{
    records::{
        Settings,
        problem::{Problem, quoted},
    },
    template::{check_snippet, uses_snippets},
};

pub(super) fn check(settings: &Settings, known: &Known) -> Vec<Problem> {
    let company = odd_problem("company", "The company's name", &measure(&settings.company).odd);
    let caps = settings.caps;
    let caps = [
        ("contacts_per_day", caps.contacts_per_day, "Nobody is ever called or texted"),
        ("contacts_per_week", caps.contacts_per_week, "Nobody is ever called or texted"),
        ("ai_calls_per_day", caps.ai_calls_per_day, "No AI ever calls"),
        ("sms_per_day", caps.sms_per_day, "Nobody is ever texted"),
        ("emails_per_day", caps.emails_per_day, "Nobody ever gets an email"),
    ];
    let shut = caps.into_iter().filter(|(_, cap, _)| *cap == 0).map(|(name, _, what)| {
        let sentence = format!("{what}: a cap of 0 allows none.");
        Problem::warning(
            format!("caps.{name}"),
            sentence,
            "Make sure that this is meant; else write a number, or remove it.",
        )
    });
    company.into_iter().chain(shut).chain(snippets(settings, known)).collect()
}

/// What keeps snippets from being used, or, where that is nothing, messages from being sent with them as they are meant.
fn snippets(settings: &Settings, known: &Known) -> Vec<Problem> {
    let unreadable = settings.snippets.iter().filter_map(|(name, text)| {
        let error = check_snippet(text).err()?;
        Some(template_problem(&format!("snippets.{name}"), &error))
    });
    let unreadable: Vec<Problem> = unreadable.collect();
    match unreadable.is_empty() {
        true => {
            let snippets = settings.snippets.iter();
            let odd = snippets.filter_map(|(name, text)| amounts::of(&format!("snippets.{name}"), text));
            broken_messages(settings, known).into_iter().chain(odd).collect()
        }
        false => unreadable,
    }
}

/// Published messages that could no longer be sent: they miss a snippet, or no longer say what the law asks.
fn broken_messages(settings: &Settings, known: &Known) -> Vec<Problem> {
    let edited = Known { settings: Some(settings.clone()), ..Known::default() };
    let users = known.messages.values().filter(|message| message.copy.parts().any(uses_snippets));
    let broken = users.filter_map(|message| {
        let error = message::check(message, &edited).into_iter().find(Problem::is_error)?;
        let id = quoted(message.id.as_str());
        let sentence = format!("With these snippets the message {id} can't be sent. {}", error.sentence);
        Some(Problem::error("snippets", sentence, "Put back what it relies on, or edit that message first."))
    });
    broken.collect()
}
