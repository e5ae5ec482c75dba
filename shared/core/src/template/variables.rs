//! What a template may say of a lead, its loan officer and the company.

use std::{collections::BTreeMap, sync::Arc};

use minijinja::{Value, value::Object};

use super::snippets::SNIPPETS;
use crate::{
    lead::{Facts, Lead},
    records::{Settings, User},
};

/// A name that templates may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// What it stands for.
    pub doc: &'static str,
    /// What it stands for in an example, about as long as such words come.
    pub example: &'static str,
}

/// Every name that templates may use; where nothing is known of it, it is empty text.
pub fn variables() -> &'static [Variable] {
    &DECLARED
}

const fn declared(name: &'static str, doc: &'static str, example: &'static str) -> Variable {
    Variable { name, doc, example }
}

const DECLARED: [Variable; 16] = [
    declared("lead_first_name", "the lead's first name", "Christina"),
    declared("lead_last_name", "the lead's last name", "Hernandez"),
    declared("city", "the city of the lead or the property", "San Francisco"),
    declared("state", "its state's two letters", "CA"),
    declared("purpose", "what the loan is for: purchase, refinance, ...", "refinance"),
    declared("source", "the id of the source that sent the lead", "zillow"),
    declared("lo_first_name", "the loan officer's first name", "Elizabeth"),
    declared("lo_last_name", "the loan officer's last name", "Richardson"),
    declared("lo_phone", "the loan officer's phone number, as people write it", "(415) 555-0140"),
    declared("lo_email", "the loan officer's email address", "elizabeth.richardson@example.com"),
    declared("lo_nmls_id", "the loan officer's NMLS id", "1000001"),
    declared("company", "the company's name", "Example Home Loans"),
    declared("postal_address", "the company's postal address", "100 Example Street, Springfield, IL 62701"),
    declared(
        "unsubscribe_url",
        "where this lead may unsubscribe; empty but in emails",
        "https://example.com/unsubscribe/ab12",
    ),
    declared(ATTRIBUTES, "all else that the source sent, by name: attributes.loan_amount", "350000"),
    declared(SNIPPETS, "texts that the settings keep, by name: snippets.signature", "Talk to you soon"),
];

/// What is empty where little is known of a lead.
const OFTEN_UNKNOWN: [&str; 5] = ["lead_first_name", "lead_last_name", "city", "state", "purpose"];

const ATTRIBUTES: &str = "attributes";

pub(super) fn is_declared(name: &str) -> bool {
    DECLARED.iter().any(|variable| variable.name == name)
}

/// What the declared names stand for, for one lead. Each is told only where a template names it.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    of: Of<'a>,
    /// The settings' snippets as they are written; `None` within a snippet.
    pub(super) snippets: Option<&'a BTreeMap<String, String>>,
}

/// Whom they are about.
#[derive(Clone, Copy)]
enum Of<'a> {
    Lead {
        lead: &'a Lead,
        facts: &'a Facts,
        owner: Option<&'a User>,
        settings: &'a Settings,
        unsubscribe_url: Option<&'a str>,
    },
    Example {
        settings: Option<&'a Settings>,
        is_email: bool,
        is_known: bool,
    },
    Nobody,
}

static NO_SNIPPETS: BTreeMap<String, String> = BTreeMap::new();

impl<'a> Variables<'a> {
    /// What they stand for, for this lead, its owner and the company.
    pub fn new(
        lead: &'a Lead,
        facts: &'a Facts,
        owner: Option<&'a User>,
        settings: &'a Settings,
        unsubscribe_url: Option<&'a str>,
    ) -> Self {
        let of = Of::Lead { lead, facts, owner, settings, unsubscribe_url };
        Self { of, snippets: Some(&settings.snippets) }
    }

    /// A made-up lead of that company, of whom everything is known, or hardly anything; `is_email` tells where it may unsubscribe.
    pub(crate) fn example(settings: Option<&'a Settings>, is_email: bool, is_known: bool) -> Self {
        Self::sample(Of::Example { settings, is_email, is_known }, settings)
    }

    /// Nothing at all, for checks.
    pub(super) fn none_known(settings: Option<&'a Settings>) -> Self {
        Self::sample(Of::Nobody, settings)
    }

    fn sample(of: Of<'a>, settings: Option<&'a Settings>) -> Self {
        Self { of, snippets: Some(settings.map_or(&NO_SNIPPETS, |settings| &settings.snippets)) }
    }

    /// The same for a snippet's own text.
    pub(super) fn within_snippet(self) -> Self {
        Self { snippets: None, ..self }
    }

    /// What a declared name stands for, snippets aside.
    pub(super) fn value(self, variable: &Variable) -> Value {
        match variable.name {
            ATTRIBUTES => Value::from_object(self.attributes()),
            _ => Value::from(self.text(variable)),
        }
    }

    fn attributes(self) -> Attributes {
        let (values, otherwise) = match self.of {
            Of::Lead { facts, .. } => {
                let values = facts.attributes.iter();
                (values.filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect(), Value::from(""))
            }
            Of::Example { is_known: true, .. } => (BTreeMap::new(), Value::from(350_000)),
            Of::Example { .. } | Of::Nobody => (BTreeMap::new(), Value::from("")),
        };
        Attributes { values, otherwise }
    }

    fn text(self, variable: &Variable) -> String {
        match self.of {
            Of::Lead { lead, facts, owner, settings, unsubscribe_url } => {
                of_lead(variable.name, lead, facts, owner, settings, unsubscribe_url)
            }
            Of::Example { settings, is_email, is_known } => match (variable.name, settings) {
                ("company", Some(settings)) => one_line(&settings.company),
                ("postal_address", Some(settings)) => settings.postal_address.clone(),
                ("unsubscribe_url", _) if !is_email => String::new(),
                (name, _) if !is_known && OFTEN_UNKNOWN.contains(&name) => String::new(),
                _ => variable.example.to_owned(),
            },
            Of::Nobody => String::new(),
        }
    }
}

fn of_lead(
    name: &str,
    lead: &Lead,
    facts: &Facts,
    owner: Option<&User>,
    settings: &Settings,
    unsubscribe_url: Option<&str>,
) -> String {
    let of = |value: &Option<String>| word(value.as_deref().unwrap_or_default());
    let own = |get: fn(&User) -> &str| one_line(owner.map(get).unwrap_or_default());
    match name {
        "lead_first_name" => word(&facts.first_name),
        "lead_last_name" => word(&facts.last_name),
        "city" => of(&facts.city),
        "state" => of(&lead.state),
        "purpose" => of(&facts.purpose),
        "source" => one_line(facts.source.as_str()),
        "lo_first_name" => own(|user| &user.first_name),
        "lo_last_name" => own(|user| &user.last_name),
        "lo_phone" => spoken(&own(|user| &user.phone)),
        "lo_email" => own(|user| &user.email),
        "lo_nmls_id" => own(|user| user.nmls_id.as_deref().unwrap_or_default()),
        "company" => one_line(&settings.company),
        "postal_address" => settings.postal_address.clone(),
        "unsubscribe_url" => unsubscribe_url.unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

/// What the names that stand in one template stand for.
pub(super) struct Filled(pub(super) Vec<(&'static str, Value)>);

impl Object for Filled {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        let name = name.as_str()?;
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

/// What the source sent besides. One that this lead came without is empty: what a source sends can't be declared.
struct Attributes {
    values: BTreeMap<String, Value>,
    otherwise: Value,
}

impl Object for Attributes {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        let value = self.values.get(name.as_str()?);
        Some(value.unwrap_or(&self.otherwise).clone())
    }

    fn render(self: &Arc<Self>, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

/// An attribute that fits into a sentence; lists and maps don't.
fn scalar(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::Bool(flag) => Some(Value::from(*flag)),
        serde_json::Value::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            // Amounts often arrive as 350000.0, and nobody wants to read that.
            (None, Some(number)) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(number as i64),
            (None, Some(number)) => Value::from(number),
            (None, None) => return None,
        }),
        serde_json::Value::String(text) => Some(Value::from(one_line(text))),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}

/// Names and places come from strangers, who may put anybody's address on a form: no link of theirs goes out.
fn word(text: &str) -> String {
    let text = one_line(text);
    let lower = text.to_lowercase();
    match lower.contains("://") || lower.contains("www.") {
        true => String::new(),
        false => text,
    }
}

/// No name, place or amount is longer.
const LONGEST_VALUE: usize = 300;

/// One line of printable text: whatever breaks a line is a space.
pub(super) fn one_line(text: &str) -> String {
    let is_plain = |c: u8| c.is_ascii_graphic() || c == b' ';
    let is_one_line = text.bytes().all(is_plain) && text.trim_ascii() == text && !text.contains("  ");
    if is_one_line && text.len() <= LONGEST_VALUE {
        return text.to_owned();
    }
    let spaced = text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c });
    let kept: String = spaced.filter(|c| !is_unprintable(*c)).collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_VALUE).collect()
}

/// Control characters, and those that turn the direction in which text reads.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// An American number as people write it: `(415) 555-0123`.
fn spoken(phone: &str) -> String {
    let parts = phone.strip_prefix("+1").filter(|digits| digits.len() == 10).and_then(|digits| {
        let (area, local) = digits.split_at_checked(3)?;
        let (exchange, line) = local.split_at_checked(3)?;
        Some(format!("({area}) {exchange}-{line}"))
    });
    parts.unwrap_or_else(|| phone.to_owned())
}

impl std::fmt::Debug for Filled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Filled")
    }
}

impl std::fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Variables")
    }
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attributes")
    }
}
