//! Templates: what ops write becomes what one lead reads.
//!
//! Strict: a name that is not declared is an error, never a gap in a message. There are no includes, macros or
//! functions, and neither time nor length runs away, because ops can write anything.

mod amounts;
mod html;
mod snippets;
mod variables;

use std::{
    collections::{BTreeSet, HashMap},
    fmt, io,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};

pub(crate) use amounts::AMOUNT;
pub use html::html_of;
pub use variables::{Variable, Variables, variables};

use crate::records::{Message, Settings, message::Copy, problem::closest};
use snippets::SNIPPETS;
pub(crate) use snippets::{sources, uses_snippets};
use variables::Filled;

/// A message as one lead gets it.
#[derive(Clone, PartialEq, Eq)]
pub enum Rendered {
    /// A text message, or a script to read aloud.
    Text(String),
    /// An email.
    Email {
        /// The subject: one line.
        subject: String,
        /// The body in plain text.
        text: String,
        /// The same body as HTML.
        html: String,
    },
}

/// Why a message can't be rendered. Says nothing of the lead, because it goes into logs and timelines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is none.
    #[error("the step has no message, or it is not published")]
    Missing,
    /// It is not what the step sends.
    #[error("the message {message} is {is} now, but the step sends {sends}, so nothing was sent")]
    AnotherKind {
        /// Its id.
        message: String,
        /// What it is.
        is: &'static str,
        /// What the step sends.
        sends: &'static str,
    },
    /// It does not read as a template.
    #[error("{template}, line {line}: {detail}")]
    Syntax {
        /// Which one.
        template: String,
        /// Counted from 1.
        line: usize,
        /// What the template language says of it.
        detail: String,
    },
    /// It has quotes that only look like those of the template language.
    #[error("{template}, line {line}: curly quotes stand where straight ones have to")]
    CurlyQuotes {
        /// Which one.
        template: String,
        /// Counted from 1.
        line: usize,
    },
    /// It uses a name that is not declared.
    #[error("{template}, line {line}: there is no variable {name}")]
    UnknownVariable {
        /// Which one.
        template: String,
        /// Counted from 1.
        line: usize,
        /// The name.
        name: String,
        /// What was most likely meant.
        guess: Option<&'static str>,
    },
    /// It uses a snippet that the settings don't have.
    #[error("{template}, line {line}: there is no snippet {name}")]
    UnknownSnippet {
        /// Which one.
        template: String,
        /// Counted from 1.
        line: usize,
        /// The name.
        name: String,
        /// What was most likely meant.
        guess: Option<String>,
    },
    /// It uses snippets as they can't be used.
    #[error("{template}, line {line}: {why}")]
    SnippetMisused {
        /// Which one.
        template: String,
        /// Counted from 1.
        line: usize,
        /// How they can be used, or where not.
        why: &'static str,
    },
    /// It reads well, but does something that can't be done.
    #[error("{template}, line {line}: {kind}")]
    Failed {
        /// Which one.
        template: String,
        /// Counted from 1.
        line: usize,
        /// What could not be done.
        kind: ErrorKind,
    },
    /// What comes of it is longer than any message.
    #[error("{template} comes out too long")]
    TooLong {
        /// Which one.
        template: String,
    },
    /// Nothing comes of it.
    #[error("{template} comes out empty")]
    Empty {
        /// Which one.
        template: String,
    },
}

impl Rendered {
    /// What is read as plain text: the whole message, or an email's body.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Email { text, .. } => text,
        }
    }
}

impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Email { .. } => "Email",
        })
    }
}

/// Renders a message for one lead.
pub fn render(message: &Message, variables: &Variables<'_>) -> Result<Rendered, TemplateError> {
    let full =
        |part: &str, source: &str| render_part(&format_args!("message {} ({part})", message.id), source, variables);
    Ok(match &message.copy {
        Copy::Text(text) => Rendered::Text(full("text", text)?),
        Copy::Email { subject, body } => {
            let text = full("body", body)?;
            Rendered::Email { subject: variables::one_line(&full("subject", subject)?), html: html_of(&text), text }
        }
    })
}

/// Renders one part of a message: its text, its subject or its body.
pub(crate) fn render_part(
    name: &dyn fmt::Display,
    source: &str,
    variables: &Variables<'_>,
) -> Result<String, TemplateError> {
    let text = shown(fill(name, source, variables)?);
    match text.is_empty() {
        true => Err(TemplateError::Empty { template: name.to_string() }),
        false => Ok(text),
    }
}

/// Checks that a template reads as one, uses only declared variables and the settings' snippets, and renders for a lead of whom everything
/// or nothing is known.
pub fn check_template(source: &str, settings: Option<&Settings>) -> Result<(), TemplateError> {
    for sample in [Variables::example(settings, true, true), Variables::none_known(settings)] {
        fill(&"template", source, &sample)?;
    }
    Ok(())
}

/// Checks a snippet in the same way; it can't use others.
pub(crate) fn check_snippet(source: &str) -> Result<(), TemplateError> {
    for sample in [Variables::example(None, true, true), Variables::none_known(None)] {
        fill(&"snippet", source, &sample.within_snippet())?;
    }
    Ok(())
}

/// A name as far as it fits a sentence.
fn shortened(name: &str) -> String {
    name.chars().take(100).collect()
}

/// Far more steps than any message takes.
const FUEL: u64 = 20_000;
/// Far more bytes than any message has.
const LONGEST: usize = 100_000;

/// Made once: it takes longer than a message takes to render.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    let functions: Vec<String> = environment.globals().map(|(name, _)| name.to_owned()).collect();
    for function in functions {
        environment.remove_global(&function);
    }
    environment.add_filter(AMOUNT, |value: Value| amounts::amount(&value));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment
});

/// The name under which a template stands in its environment.
const TEMPLATE: &str = "template";
/// More templates than any company has, and longer ones than it sends again and again.
const MOST_READ: usize = 256;
const LONGEST_READ: usize = 10_000;

/// The templates that were read lately, by their source: the same few messages are rendered over and over.
static READ: LazyLock<RwLock<HashMap<String, Arc<Known>>>> = LazyLock::new(RwLock::default);

/// A template that was read.
struct Known {
    environment: Environment<'static>,
    /// What has to be told to fill it: the declared names that stand in it.
    named: Vec<&'static Variable>,
    /// The snippets that it uses; an empty name where it uses them otherwise.
    snippets: BTreeSet<String>,
}

fn fill(name: &dyn fmt::Display, source: &str, variables: &Variables<'_>) -> Result<String, TemplateError> {
    let known = READ.read().unwrap_or_else(PoisonError::into_inner).get(source).cloned();
    let known = match known {
        Some(known) => known,
        None => read(name, source)?,
    };
    let template = known.environment.get_template(TEMPLATE).map_err(|error| sorted(name, &error))?;
    let mut filled: Vec<_> = known.named.iter().map(|named| (named.name, variables.value(named))).collect();
    if !known.snippets.is_empty() {
        filled.push((SNIPPETS, Value::from(snippets::filled(name, &known.snippets, source, variables)?)));
    }
    let mut written = Bounded(Vec::with_capacity(source.len()));
    let filled = Value::from_object(Filled(filled));
    template.render_captured_to(filled, &mut written).map_err(|error| sorted(name, &error))?;
    Ok(String::from_utf8(written.0).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Reads a template that uses only declared names.
fn read(name: &dyn fmt::Display, source: &str) -> Result<Arc<Known>, TemplateError> {
    let mut environment = ENVIRONMENT.clone();
    environment.add_template_owned(TEMPLATE, source.to_owned()).map_err(|error| unread(name, source, &error))?;
    let template = environment.get_template(TEMPLATE).map_err(|error| sorted(name, &error))?;
    let used: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
    if let Some(unknown) = used.into_iter().find(|used| !variables::is_declared(used)) {
        return Err(TemplateError::UnknownVariable {
            template: name.to_string(),
            line: line_of(source, &unknown),
            guess: meant_by(&unknown),
            name: shortened(&unknown),
        });
    }
    let stands = |variable: &&Variable| variable.name != SNIPPETS && source.contains(variable.name);
    let snippets = snippets::names(&template);
    let known = Arc::new(Known { named: self::variables().iter().filter(stands).collect(), snippets, environment });
    if source.len() <= LONGEST_READ {
        let mut read = READ.write().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= MOST_READ {
            read.clear();
        }
        read.insert(source.to_owned(), known.clone());
    }
    Ok(known)
}

/// The variable that was most likely meant: of several that end in the name, the lead's, which is declared first.
pub(crate) fn meant_by(name: &str) -> Option<&'static str> {
    let ends_so = |variable: &&str| variable.strip_suffix(name).is_some_and(|rest| rest.ends_with('_'));
    let names = || variables().iter().map(|variable| variable.name);
    names().find(ends_so).or_else(|| closest(name, names()))
}

/// Why a template can't be read. What was pasted from a word processor has quotes that look alike.
fn unread(name: &dyn fmt::Display, source: &str, error: &minijinja::Error) -> TemplateError {
    let line = error.line().unwrap_or(1);
    let is_curly = |c: char| matches!(c, '\u{2018}'..='\u{201f}');
    let read = source.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    match error.kind() == ErrorKind::SyntaxError && read.contains(is_curly) {
        true => TemplateError::CurlyQuotes { template: name.to_string(), line },
        false => sorted(name, error),
    }
}

/// Details come of the template while it is read, but may quote values once it is filled: those stay out.
fn sorted(name: &dyn fmt::Display, error: &minijinja::Error) -> TemplateError {
    let template = name.to_string();
    let line = error.line().unwrap_or(1);
    let kind = error.kind();
    let is_template_only = matches!(
        kind,
        ErrorKind::SyntaxError | ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction
    );
    match error.detail() {
        _ if kind == ErrorKind::WriteFailure => TemplateError::TooLong { template },
        Some(detail) if is_template_only => {
            TemplateError::Syntax { template, line, detail: detail.chars().take(200).collect() }
        }
        _ => TemplateError::Failed { template, line, kind },
    }
}

/// The first line on which a name stands as a word.
fn line_of(source: &str, name: &str) -> usize {
    let is_word = |line: &str| line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name);
    source.lines().position(is_word).map_or(1, |line| line + 1)
}

/// What a lead may see: no control characters but line ends, none that turn the direction of reading.
fn shown(text: String) -> String {
    let is_plain = |c: u8| c.is_ascii_graphic() || matches!(c, b' ' | b'\n');
    if text.bytes().all(is_plain) {
        return if text.trim().len() == text.len() { text } else { text.trim().to_owned() };
    }
    let text = text.replace("\r\n", "\n").replace('\t', " ");
    let kept = text.chars().filter(|c| *c == '\n' || !variables::is_unprintable(*c));
    kept.collect::<String>().trim().to_owned()
}

/// Takes what is written until it is too long.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
