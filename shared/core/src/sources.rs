//! Lead sources: each vendor's webhook, read into one shape. Lenient: what a vendor adds or leaves out never fails a lead.

mod fields;
mod form;
mod gizmo;
mod mapped;
mod path;
mod plain;
mod zillow;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    Outcome,
    address::{normalize_email, normalize_phone},
    intake::OwnerHints,
    law::{self, State},
    records::{Format, source::SourceConsent},
};
pub(crate) use fields::snake_case;
use fields::{Fields, MAX_ATTRIBUTES};
pub use path::Path;
pub(crate) use plain::FIELDS as PLAIN_FIELDS;
pub use plain::misspelt;
pub(crate) use zillow::ATTRIBUTES as ZILLOW_ATTRIBUTES;

/// What loans are for, as leads are known to say it.
pub(crate) const PURPOSES: [&str; 3] = ["purchase", "refinance", "home_equity"];

/// What an attribute of a source's leads is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// A number.
    Amount,
    /// True or false.
    Flag,
    /// One of these words or several; a vendor may add to them.
    OneOf(&'static [&'static str]),
    /// Nobody knows.
    Any,
}

/// What a webhook says of a lead, whatever vendor sent it.
#[derive(Clone, Default, PartialEq)]
pub struct Inbound {
    /// The vendor's own id of the event.
    pub vendor_event_id: Option<String>,
    /// When the vendor took the lead.
    pub created_at: Option<DateTime<Utc>>,
    /// First name; may be empty.
    pub first_name: String,
    /// Last name; may be empty.
    pub last_name: String,
    /// E.164.
    pub phone: Option<String>,
    /// Lower-case.
    pub email: Option<String>,
    /// City.
    pub city: Option<String>,
    /// USPS code.
    pub state: Option<String>,
    /// ZIP code.
    pub zip: Option<String>,
    /// IANA name, where the vendor states one.
    pub time_zone: Option<String>,
    /// `purchase`, `refinance`, ...
    pub purpose: Option<String>,
    /// Everything else, by snake_case name.
    pub attributes: BTreeMap<String, Value>,
    /// What the lead agreed to, where the lead's own fields say so.
    pub consent: Option<SourceConsent>,
    /// Whom the vendor sent the lead to.
    pub owner_hints: OwnerHints,
    /// What came of the lead already.
    pub outcome: Option<Outcome>,
    /// What could not be used, in words for the timeline; without the value.
    pub notes: Vec<String>,
}

/// What is wrong with one field of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// Where it is, as a JSON pointer: `/sender/phoneNumber`.
    pub pointer: String,
    /// What is wrong and what to do, without the value.
    pub detail: String,
}

impl std::fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Of the body as a whole the pointer is empty.
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.detail)
    }
}

/// How deep a body may nest.
const MAX_DEPTH: usize = 32;

/// Reads a body as its source writes it; else says, field by field, why it names nobody who can be reached.
///
/// What its `Content-Type` says matters only where a record maps the fields, which may be a form's.
pub fn parse(format: &Format, content_type: Option<&str>, body: &[u8]) -> Result<Inbound, Vec<FieldProblem>> {
    let body = match format {
        Format::Mapped(_) if form::is_form(content_type, body) => form::read(body),
        Format::Zillow | Format::Gizmo | Format::Plain | Format::Mapped(_) => json(body)?,
    };
    let top = Fields::new("", body.as_object());
    match format {
        Format::Zillow => zillow::read(&top),
        Format::Gizmo => gizmo::read(&top),
        Format::Plain => plain::read(&top),
        Format::Mapped(mapping) => mapped::read(&body, mapping),
    }
}

fn json(body: &[u8]) -> Result<Value, Vec<FieldProblem>> {
    let body: Value = serde_json::from_slice(body).map_err(|error| {
        let detail =
            format!("The body is not JSON (line {}, column {}). Send one JSON object.", error.line(), error.column());
        vec![FieldProblem { pointer: String::new(), detail }]
    })?;
    if !body.is_object() {
        return Err(vec![problem("", "The body is not a JSON object. Send one JSON object.")]);
    }
    if is_deeper_than(&body, MAX_DEPTH) {
        return Err(vec![problem("", "The body nests more than 32 levels deep. Send only what is about the lead.")]);
    }
    Ok(body)
}

fn is_deeper_than(value: &Value, levels: usize) -> bool {
    match (value, levels) {
        (Value::Array(_) | Value::Object(_), 0) => true,
        (Value::Array(items), _) => items.iter().any(|item| is_deeper_than(item, levels - 1)),
        (Value::Object(fields), _) => fields.values().any(|field| is_deeper_than(field, levels - 1)),
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => false,
    }
}

/// An instant as RFC 3339 writes it, or in seconds or milliseconds since 1970.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    match (DateTime::parse_from_rfc3339(text), text.parse(), text.len()) {
        (Ok(at), ..) => Some(at.to_utc()),
        (Err(_), Ok(seconds), 10) => DateTime::from_timestamp_secs(seconds),
        (Err(_), Ok(milliseconds), 13) => DateTime::from_timestamp_millis(milliseconds),
        (Err(_), ..) => None,
    }
}

fn problem(pointer: impl Into<String>, detail: impl Into<String>) -> FieldProblem {
    FieldProblem { pointer: pointer.into(), detail: detail.into() }
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("vendor_event_id", &self.vendor_event_id).finish_non_exhaustive()
    }
}

/// The header that says when a webhook came in first, where it is posted again: `redrive` sets it.
pub const CAME_AT_HEADER: &str = "x-cadence-came-at";

impl Inbound {
    /// Dates a lead of whom the vendor doesn't say when it took it by when its webhook came in first, where that is told. What is told
    /// can only make a lead older.
    pub fn that_came_at(self, told: Option<&str>, now: DateTime<Utc>) -> Self {
        let came_at = told.and_then(instant).filter(|at| *at < now);
        Self { created_at: self.created_at.or(came_at), ..self }
    }

    /// Takes phone and email from those fields. One of the two must be of use; the other's fault is noted.
    fn reach(&mut self, phone: (&Fields<'_>, &str), email: (&Fields<'_>, &str)) -> Result<(), Vec<FieldProblem>> {
        let (phone_text, email_text) = (phone.0.text(phone.1), email.0.text(email.1));
        self.phone = phone_text.as_deref().and_then(normalize_phone);
        self.email = email_text.as_deref().and_then(normalize_email);
        let mut problems = Vec::new();
        if self.phone.is_none() {
            let detail = match phone_text {
                Some(_) => {
                    "This is not a phone number that can be dialled. Send ten digits, or + and the country's code."
                }
                None => "There is no phone number. Send one, or an email address.",
            };
            problems.push(problem(phone.0.pointer(phone.1), detail));
        }
        if self.email.is_none() {
            let detail = match email_text {
                Some(_) => "This is not an email address. Send one like name@example.com.",
                None => "There is no email address. Send one, or a phone number.",
            };
            problems.push(problem(email.0.pointer(email.1), detail));
        }
        if self.phone.is_none() && self.email.is_none() {
            return Err(problems);
        }
        if self.phone.is_none() && phone_text.is_some() {
            self.notes.push("the phone number can't be dialled and was left out".to_owned());
        }
        if self.email.is_none() && email_text.is_some() {
            self.notes.push("the email address can't be used and was left out".to_owned());
        }
        Ok(())
    }

    /// Takes where the lead is; a state that is not given is told by the ZIP code.
    fn place(&mut self, fields: &Fields<'_>, city: &str, state: &str, zip: &str) {
        self.city = fields.text(city);
        self.zip = fields.text(zip);
        let stated = fields.text(state);
        let parsed = stated.as_deref().and_then(State::parse);
        if stated.is_some() && parsed.is_none() {
            self.notes.push("the state is none of the United States' and was left out".to_owned());
        }
        let state = parsed.or_else(|| self.zip.as_deref().and_then(law::state_of_zip));
        self.state = state.map(|state| state.code().to_owned());
    }

    /// Takes when the vendor took the lead.
    fn created(&mut self, fields: &Fields<'_>, name: &str) {
        let Some(text) = fields.text(name) else { return };
        self.created_at = instant(&text);
        if self.created_at.is_none() {
            self.notes.push(format!("{name} is not an instant and was left out"));
        }
    }
}
