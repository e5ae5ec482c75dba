//! Zillow Mortgages' lender contact notification.
//!
//! Top level: <https://mortgageapi.zillow.com/api/zillowLenderContactNotification>; what is inside is documented by third parties only,
//! so nothing in it is required but a way to reach the lead.

use super::{FieldProblem, Inbound, Values, fields::Fields, snake_case};
use crate::{Outcome, intake::OwnerHints};

const PLACED: [&str; 5] = ["loanPurpose", "city", "stateAbbreviation", "zipCode", "conciergeStatus"];

/// What leads come with, besides what has a place of its own. Zillow may add to it.
pub(crate) const ATTRIBUTES: [(&str, Values); 11] = [
    ("county", Values::Any),
    ("credit_score_high", Values::Amount),
    ("credit_score_low", Values::Amount),
    ("desired_programs", Values::OneOf(&PROGRAMS)),
    ("down_payment", Values::Amount),
    ("has_agent", Values::Flag),
    ("has_bankruptcy", Values::Flag),
    ("lead_cost", Values::Amount),
    ("loan_amount", Values::Amount),
    ("property_type", Values::OneOf(&["SingleFamilyHome", "TownHouse", "Modular"])),
    ("property_value", Values::Amount),
];

const PROGRAMS: [&str; 7] = ["Fixed30Year", "Fixed20Year", "Fixed15Year", "Fixed10Year", "ARM7", "ARM5", "ARM3"];

pub(super) fn read(top: &Fields<'_>) -> Result<Inbound, Vec<FieldProblem>> {
    let (sender, recipient, details) = (top.object("sender"), top.object("recipient"), top.object("details"));
    let mut inbound = Inbound {
        vendor_event_id: top.text("id"),
        first_name: sender.text("firstName").unwrap_or_default(),
        last_name: sender.text("lastName").unwrap_or_default(),
        purpose: details.text("loanPurpose").map(|purpose| snake_case(&purpose)),
        attributes: details.attributes_but(&PLACED),
        owner_hints: OwnerHints { email: recipient.text("emailAddress"), nmls_id: recipient.text("nmlsLicense") },
        ..Inbound::default()
    };
    inbound.reach((&sender, "phoneNumber"), (&sender, "emailAddress"))?;
    inbound.place(&details, "city", "stateAbbreviation", "zipCode");
    inbound.created(top, "created");
    inbound.attributes.extend(top.number("price").map(|price| ("lead_cost".to_owned(), price)));
    if let Some(status) = top.text("conciergeStatus").or_else(|| details.text("conciergeStatus")) {
        inbound.outcome = concierge_outcome(&status);
        inbound.notes.push(format!("Zillow's concierge says {}", snake_case(&status)));
    }
    Ok(inbound)
}

/// What Zillow's own call to the lead came to; statuses that ask for a call are no outcome.
fn concierge_outcome(status: &str) -> Option<Outcome> {
    match status {
        "Transferred" => Some(Outcome::Transferred),
        "AppointmentSet" => Some(Outcome::AppointmentSet),
        "DoNotCall" => Some(Outcome::OptedOut),
        "NotInterested" => Some(Outcome::Declined),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{records::Format, sources};

    fn notification() -> Value {
        json!({
            "id": "LC-EXAMPLE", "created": "2026-01-22T10:30:00-08:00", "type": "longForm", "source": "Zillow",
            "brand": "zillow", "channel": "web", "price": 55.0,
            "recipient": {"firstName": "Jane", "emailAddress": "jane.lo@example.com", "nmlsLicense": "123456"},
            "sender": {"firstName": "John", "lastName": "Doe", "emailAddress": "John@Example.com", "phoneNumber": "415-555-0123"},
            "details": {"loanPurpose": "Purchase", "loanAmount": 350000, "city": "Beverly Hills", "stateAbbreviation": "CA",
                "zipCode": "90210", "hasBankruptcy": false, "desiredPrograms": ["Fixed30Year"]}
        })
    }

    fn parse(body: &Value) -> Result<Inbound, Vec<FieldProblem>> {
        sources::parse(&Format::Zillow, None, body.to_string().as_bytes())
    }

    #[test]
    fn a_notification_reads_as_a_lead() {
        let inbound = parse(&notification()).unwrap();
        assert_eq!(inbound.vendor_event_id.as_deref(), Some("LC-EXAMPLE"));
        assert_eq!(inbound.created_at.unwrap().to_rfc3339(), "2026-01-22T18:30:00+00:00");
        assert_eq!(
            (inbound.phone.as_deref(), inbound.email.as_deref()),
            (Some("+14155550123"), Some("john@example.com"))
        );
        assert_eq!((inbound.state.as_deref(), inbound.purpose.as_deref()), (Some("CA"), Some("purchase")));
        assert_eq!(inbound.owner_hints.nmls_id.as_deref(), Some("123456"));
        let attributes = json!({"loan_amount": 350000, "has_bankruptcy": false, "desired_programs": ["Fixed30Year"], "lead_cost": 55.0});
        assert_eq!(serde_json::to_value(&inbound.attributes).unwrap(), attributes);
        assert_eq!(inbound.notes, Vec::<String>::new());
    }

    #[test]
    fn unknown_missing_and_odd_fields_never_fail_a_lead() {
        let odd = [
            ("/type", json!("somethingNew")),
            ("/recipient", Value::Null),
            ("/created", json!("yesterday")),
            ("/details", json!("none")),
            ("/details/loanAmount", json!("350000")),
            ("/details/stateAbbreviation", json!("Atlantis")),
            ("/sender/emailAddress", json!("not an address")),
            ("/price", json!("55")),
        ];
        for (pointer, value) in odd {
            let mut body = notification();
            *body.pointer_mut(pointer).unwrap() = value;
            assert!(parse(&body).is_ok(), "{pointer}");
        }
    }

    #[test]
    fn a_price_beyond_all_bounds_is_kept_as_text() {
        let mut body = notification();
        body["price"] = json!(1e300);
        assert_eq!(parse(&body).unwrap().attributes["lead_cost"], "1e+300");
    }

    #[test]
    fn a_lead_that_nobody_can_reach_is_refused_by_the_names_of_its_fields() {
        let mut body = notification();
        body["sender"] = json!({"firstName": "John", "phoneNumber": "12"});
        let problems = parse(&body).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/sender/phoneNumber", "/sender/emailAddress"]);
        assert!(problems.iter().all(|problem| !problem.detail.contains("12")), "{problems:?}");
    }

    #[test]
    fn the_concierges_status_is_an_outcome() {
        for (status, expected) in [
            ("Transferred", Some(Outcome::Transferred)),
            ("AppointmentSet", Some(Outcome::AppointmentSet)),
            ("DoNotCall", Some(Outcome::OptedOut)),
            ("NotInterested", Some(Outcome::Declined)),
            ("LenderMustCall", None),
            ("SomethingNew", None),
        ] {
            let mut body = notification();
            body["conciergeStatus"] = json!(status);
            assert_eq!(parse(&body).unwrap().outcome, expected, "{status}");
        }
    }

    #[test]
    fn bodies_that_are_no_lead_are_refused_in_words() {
        let deep = format!("{}1{}", "{\"a\":".repeat(33), "}".repeat(33));
        for (body, part) in
            [("{", "not JSON"), ("[]", "not a JSON object"), ("\u{0}", "not JSON"), (deep.as_str(), "32 levels")]
        {
            let problems = sources::parse(&Format::Zillow, None, body.as_bytes()).unwrap_err();
            assert!(problems[0].detail.contains(part), "{problems:?}");
        }
    }
}
