//! Checks a message.

use minijinja::ErrorKind;

use super::Known;
use crate::{
    records::{
        Message,
        message::Copy,
        problem::{Problem, quoted},
    },
    template::{TemplateError, check_template, variables, variables_of},
};

pub(super) fn check(message: &Message, known: &Known) -> Vec<Problem> {
    match &message.copy {
        Copy::Text(text) => {
            let mut problems: Vec<Problem> = template_problem("text", text).into_iter().collect();
            if problems.is_empty() && is_first_text(message) {
                let company = known.company.as_deref();
                problems.extend(first_text_lacks(&message.copy, company).map(|lack| lack.warning("text", "This text")));
            }
            problems
        }
        Copy::Email { subject, body } => {
            let mut problems: Vec<Problem> = template_problem("subject", subject).into_iter().collect();
            match template_problem("body", body) {
                Some(problem) => problems.push(problem),
                None => problems.extend(unlawful(body)),
            }
            problems
        }
    }
}

/// Whether ops named it as the text that comes first.
fn is_first_text(message: &Message) -> bool {
    let id = message.id.as_str();
    id.starts_with("sms/") && id.contains("intro")
}

/// What the law wants in every email.
fn unlawful(body: &str) -> impl Iterator<Item = Problem> {
    let used = variables_of(body);
    let unsubscribe = (!used.contains("unsubscribe_url")).then(|| {
        Problem::error(
            "body",
            "The email does not say how to unsubscribe.",
            "Add a line such as \"Unsubscribe: {{ unsubscribe_url }}\".",
        )
    });
    let address = (!used.contains("postal_address")).then(|| {
        Problem::warning("body", "The email does not carry the company's postal address.", "Add {{ postal_address }}.")
    });
    unsubscribe.into_iter().chain(address)
}

/// Something that a first message has to carry and doesn't.
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

/// What the first text that a lead gets has to carry.
pub(super) fn first_text_lacks(copy: &Copy, company: Option<&str>) -> impl Iterator<Item = Lack> {
    let words = words_of(copy).to_lowercase();
    let stops = words.contains("stop") || words.contains("opt out");
    let opt_out = Lack { what: "does not say how to opt out", remedy: "Add \"Reply STOP to opt out\"." };
    let named = company.is_some_and(|company| words.contains(&company.to_lowercase()));
    let company = Lack { what: "does not name the company", remedy: "Add {{ company }}." };
    let is_named = named || uses(copy, "company");
    (!stops).then_some(opt_out).into_iter().chain((!is_named).then_some(company))
}

/// What the first written message that a lead gets has to carry, whatever its channel.
pub(super) fn first_written_lacks(copy: &Copy) -> impl Iterator<Item = Lack> {
    let name = Lack { what: "does not name the loan officer", remedy: "Add {{ lo_first_name }} {{ lo_last_name }}." };
    let licence = Lack { what: "does not carry the loan officer's NMLS id", remedy: "Add \"NMLS {{ lo_nmls_id }}\"." };
    let is_named = uses(copy, "lo_first_name") || uses(copy, "lo_last_name");
    let is_licensed = uses(copy, "lo_nmls_id");
    (!is_named).then_some(name).into_iter().chain((!is_licensed).then_some(licence))
}

fn words_of(copy: &Copy) -> &str {
    match copy {
        Copy::Text(text) => text,
        Copy::Email { body, .. } => body,
    }
}

fn uses(copy: &Copy, variable: &str) -> bool {
    variables_of(words_of(copy)).contains(variable)
}

/// What keeps a template from being rendered, in words for those who write it.
fn template_problem(path: &str, source: &str) -> Option<Problem> {
    let error = check_template(source).err()?;
    let (sentence, remedy) = match error {
        TemplateError::UnknownVariable { line, name, guess, .. } => (
            format!("Line {line} uses the variable {}, which does not exist.", quoted(&name)),
            match guess {
                Some(guess) => format!("Did you mean \"{guess}\"?"),
                None => {
                    let names: Vec<&str> = variables().iter().map(|variable| variable.name).collect();
                    format!("The variables are {}.", names.join(", "))
                }
            },
        ),
        TemplateError::Syntax { line, detail, .. } => (
            format!("Line {line} can't be read as a template: {detail}."),
            "Write variables as {{ lead_first_name }}, and conditions as {% if city %}in {{ city }}{% endif %}."
                .to_owned(),
        ),
        TemplateError::Failed { line, kind: ErrorKind::OutOfFuel, .. } => {
            (format!("Line {line} repeats something far too often."), "Write it without the repetition.".to_owned())
        }
        TemplateError::Failed { line, kind, .. } => (
            format!("Line {line} does something that can't be done when little is known of a lead: {kind}."),
            "Write it more simply, or give it a stand-in: {{ city or \"your area\" }}.".to_owned(),
        ),
        TemplateError::TooLong { .. } => ("The message comes out far too long.".to_owned(), "Shorten it.".to_owned()),
        TemplateError::Missing | TemplateError::Empty { .. } => {
            ("The message comes out empty.".to_owned(), "Write what it says.".to_owned())
        }
    };
    Some(Problem::error(path, sentence, remedy))
}
