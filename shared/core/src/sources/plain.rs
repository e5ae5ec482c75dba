//! Cadence's own plain JSON lead, for whoever can choose what to send.

use serde_json::Value;

use super::{FieldProblem, Inbound, fields::Fields, problem};
use crate::{
    intake::OwnerHints,
    lead::Consent,
    records::{closest, source::SourceConsent},
    time::Zone,
};

const PLACED: [&str; 16] = [
    "id",
    "created_at",
    "first_name",
    "last_name",
    "full_name",
    "phone",
    "email",
    "city",
    "state",
    "zip",
    "time_zone",
    "purpose",
    "attributes",
    "consent",
    "loan_officer_email",
    "loan_officer_nmls_id",
];

/// All that can be said besides attributes; what is in a map, by its name there.
pub(crate) const FIELDS: [&str; 18] = [
    "id",
    "created_at",
    "first_name",
    "last_name",
    "full_name",
    "phone",
    "email",
    "city",
    "state",
    "zip",
    "time_zone",
    "purpose",
    "loan_officer_email",
    "loan_officer_nmls_id",
    "consent.call",
    "consent.sms",
    "consent.email",
    "consent.text",
];

/// What may stand in `consent`.
const CONSENT: [&str; 4] = ["call", "sms", "email", "text"];

/// The fields of a plain lead that are none, but nearly are: a webhook's are taken for attributes, somebody's who writes one by hand are
/// slips of the pen.
pub fn misspelt(body: &Value) -> Vec<FieldProblem> {
    let names = |value: Option<&Value>| -> Vec<String> {
        value.and_then(Value::as_object).into_iter().flat_map(|fields| fields.keys().cloned()).collect()
    };
    let nearly = |name: &String, known: &'static [&'static str]| {
        let is_other = !known.contains(&name.as_str());
        closest(name, known.iter().copied()).filter(|_| is_other)
    };
    let top = names(Some(body)).into_iter().filter_map(|name| {
        let meant = nearly(&name, &PLACED)?;
        let detail = format!(
            "There is no such field. Did you mean \"{meant}\"? If it is one of its own, move it into \"attributes\"."
        );
        Some(problem(format!("/{name}"), detail))
    });
    let consent = names(body.get("consent")).into_iter().filter(|name| !CONSENT.contains(&name.as_str()));
    let consent = consent.map(|name| {
        let remedy = match nearly(&name, &CONSENT) {
            Some(meant) => format!("Did you mean \"{meant}\"?"),
            None => format!("Use {}.", CONSENT.join(", ")),
        };
        problem(format!("/consent/{name}"), format!("There is no such field. {remedy}"))
    });
    top.chain(consent).collect()
}

pub(super) fn read(top: &Fields<'_>) -> Result<Inbound, Vec<FieldProblem>> {
    let mut attributes = top.attributes_but(&PLACED);
    attributes.extend(top.object("attributes").attributes_but(&[]));
    let mut inbound = Inbound {
        vendor_event_id: top.text("id"),
        first_name: top.text("first_name").unwrap_or_default(),
        last_name: top.text("last_name").unwrap_or_default(),
        purpose: top.text("purpose").map(|purpose| purpose.to_lowercase()),
        attributes,
        owner_hints: OwnerHints { email: top.text("loan_officer_email"), nmls_id: top.text("loan_officer_nmls_id") },
        ..Inbound::default()
    };
    if let (true, true, Some(name)) =
        (inbound.first_name.is_empty(), inbound.last_name.is_empty(), top.text("full_name"))
    {
        let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
        (inbound.first_name, inbound.last_name) = (first.to_owned(), last.trim().to_owned());
    }
    inbound.reach((top, "phone"), (top, "email"))?;
    inbound.place(top, "city", "state", "zip");
    inbound.created(top, "created_at");
    inbound.time_zone = top.text("time_zone").filter(|name| Zone::parse(name).is_some());
    if top.text("time_zone").is_some() && inbound.time_zone.is_none() {
        inbound.notes.push("time_zone is not the name of a time zone and was left out".to_owned());
    }
    inbound.consent = consent(&top.object("consent"))?;
    Ok(inbound)
}

/// What the lead agreed to, which is worth nothing without the words.
fn consent(fields: &Fields<'_>) -> Result<Option<SourceConsent>, Vec<FieldProblem>> {
    let mut problems = Vec::new();
    let mut channel = |name: &str| match fields.value(name) {
        None | Some(Value::Null) => Consent::None,
        Some(value) => serde_json::from_value(value.clone()).unwrap_or_else(|_| {
            problems.push(problem(fields.pointer(name), "Use one of: none, express, express_written, revoked."));
            Consent::None
        }),
    };
    let (call, sms, email) = (channel("call"), channel("sms"), channel("email"));
    let proof = fields.text("text").unwrap_or_default();
    if call.max(sms).max(email) > Consent::None && proof.is_empty() {
        problems.push(problem(fields.pointer("text"), "Send the words that the lead agreed to."));
    }
    match problems.is_empty() {
        true => Ok(fields.is_there().then_some(SourceConsent { call, sms, email, proof })),
        false => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{records::Format, sources};

    fn parse(body: &Value) -> Result<Inbound, Vec<FieldProblem>> {
        sources::parse(&Format::Plain, None, body.to_string().as_bytes())
    }

    #[test]
    fn a_plain_lead_may_state_its_zone_and_what_it_agreed_to() {
        let inbound = parse(&json!({
            "id": "a-1", "first_name": "Sam", "last_name": "Sample", "phone": "(415) 555-0123", "time_zone": "America/Denver",
            "favourite_colour": "red", "attributes": {"loanAmount": 5},
            "consent": {"sms": "express_written", "text": "Yes, text me."}
        }))
        .unwrap();
        assert_eq!(inbound.time_zone.as_deref(), Some("America/Denver"));
        let consent = inbound.consent.unwrap();
        assert_eq!(
            (consent.sms, consent.call, consent.proof.as_str()),
            (Consent::ExpressWritten, Consent::None, "Yes, text me.")
        );
        assert_eq!(
            serde_json::to_value(inbound.attributes).unwrap(),
            json!({"favourite_colour": "red", "loan_amount": 5})
        );
    }

    #[test]
    fn what_nearly_is_a_field_is_told_from_an_attribute() {
        let body = json!({"firstname": "Sam", "Phone": "4155550123", "favourite_colour": "red", "stat": "CA", "city": "Oakland",
            "consent": {"sm": "none", "call": "none", "why": 1}, "attributes": {"Phone": 1}});
        let told: Vec<String> = misspelt(&body).iter().map(ToString::to_string).collect();
        let own = "If it is one of its own, move it into \"attributes\".";
        assert_eq!(
            told,
            [
                format!("/Phone: There is no such field. Did you mean \"phone\"? {own}"),
                format!("/firstname: There is no such field. Did you mean \"first_name\"? {own}"),
                format!("/stat: There is no such field. Did you mean \"state\"? {own}"),
                "/consent/sm: There is no such field. Did you mean \"sms\"?".to_owned(),
                "/consent/why: There is no such field. Use call, sms, email, text.".to_owned(),
            ]
        );
    }

    #[test]
    fn consent_needs_its_words_and_a_known_degree() {
        for (consent, pointer) in [
            (json!({"sms": "express_written"}), "/consent/text"),
            (json!({"sms": "yes", "text": "ok"}), "/consent/sms"),
        ] {
            let problems = parse(&json!({"phone": "4155550123", "consent": consent})).unwrap_err();
            assert_eq!(problems[0].pointer, pointer);
        }
    }
}
