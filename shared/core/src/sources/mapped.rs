//! A vendor's own body, whose fields a source's record says the places of. It is put into the shape of a plain lead and read as one.

use serde_json::{Map, Value};

use super::{FieldProblem, Inbound, MAX_ATTRIBUTES, fields::Fields, plain, snake_case};
use crate::{lead::Consent, records::source::Mapping};

pub(super) fn read(body: &Value, mapping: &Mapping) -> Result<Inbound, Vec<FieldProblem>> {
    let mut notes = Vec::new();
    let shaped = shaped(body, mapping, &mut notes);
    let mut inbound = plain::read(&Fields::new("", Some(&shaped)))
        .map_err(|problems| problems.into_iter().filter_map(|problem| placed(problem, mapping)).collect::<Vec<_>>())?;
    inbound.notes.append(&mut notes);
    Ok(inbound)
}

/// The body as a plain lead; what is mapped nowhere becomes an attribute where it stands at the top.
fn shaped(body: &Value, mapping: &Mapping, notes: &mut Vec<String>) -> Map<String, Value> {
    let (mut lead, mut attributes, mut consent) = (Map::new(), Map::new(), Map::new());
    for (name, path) in mapping {
        let Some(value) = path.find(body) else { continue };
        match name.split_once('.') {
            Some(("attributes", name)) => attributes.insert(name.to_owned(), value.clone()),
            Some((_, name)) => consent.insert(name.to_owned(), one(value)),
            None => lead.insert(name.to_owned(), one(value)),
        };
    }
    let is_mapped = |name: &str| mapping.values().any(|path| path.begins_at(name));
    let unmapped = body.as_object().into_iter().flatten().filter(|(name, _)| !is_mapped(name));
    let room = MAX_ATTRIBUTES.saturating_sub(attributes.len());
    for (name, value) in unmapped.filter(|(_, value)| !value.is_object()).take(room) {
        attributes.entry(snake_case(name)).or_insert_with(|| value.clone());
    }
    lead.insert("attributes".to_owned(), Value::Object(attributes));
    // Where a record says which field carries consent, a lead without it gave none: forms leave out a box that isn't ticked.
    if mapping.keys().any(|name| name.starts_with("consent.")) {
        lead.insert("consent".to_owned(), Value::Object(readable(consent, notes)));
    }
    lead
}

/// Of a field that a form repeats, what it says first.
fn one(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.first().cloned().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => value.clone(),
    }
}

/// What a lead agreed to, as far as it can be read. A vendor can't be told to write it as we do, so what can't counts as not given; a
/// mere yes doesn't say that it was in writing.
fn readable(mut consent: Map<String, Value>, notes: &mut Vec<String>) -> Map<String, Value> {
    let proof = consent.remove("text").filter(|text| text.as_str().is_some_and(|text| !text.trim().is_empty()));
    let mut read = Map::new();
    for (channel, said) in consent {
        let word = match &said {
            Value::String(text) => snake_case(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => said.to_string(),
        };
        let degree = match word.as_str() {
            "yes" | "true" | "1" | "on" => Some(Consent::Express),
            "no" | "false" | "0" | "off" | "null" | "" => Some(Consent::None),
            word => serde_json::from_value(word.into()).ok(),
        };
        let is_given = degree.is_some_and(|degree| degree > Consent::None);
        if degree.is_none() {
            notes.push(format!("what the lead agreed to for {channel} can't be read and counts as nothing"));
        } else if is_given && proof.is_none() {
            notes.push(format!(
                "the words that the lead agreed to for {channel} are missing, so that it counts as nothing"
            ));
        }
        let counts = degree.filter(|_| !is_given || proof.is_some()).unwrap_or_default();
        read.insert(channel, serde_json::json!(counts));
    }
    read.extend(proof.map(|proof| ("text".to_owned(), proof)));
    read
}

/// A problem with a field of a plain lead, at the place where the vendor writes it; `None` where the vendor doesn't.
fn placed(problem: FieldProblem, mapping: &Mapping) -> Option<FieldProblem> {
    let name = problem.pointer.trim_start_matches('/').replace('/', ".");
    let pointer = mapping.get(&name)?.pointer();
    Some(FieldProblem { pointer, ..problem })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{
        records::{Format, Record, parse_record},
        sources,
    };

    fn format(fields: &Value) -> Format {
        let record = json!({"format": "mapped", "fields": fields});
        match parse_record("SOURCE#vendor", &record) {
            Ok(Record::Source(source)) => source.format,
            other => panic!("{other:?}"),
        }
    }

    fn parse(fields: &Value, body: &Value) -> Result<Inbound, Vec<FieldProblem>> {
        sources::parse(&format(fields), Some("application/json"), body.to_string().as_bytes())
    }

    fn everything() -> Value {
        json!({
            "id": "lead.leadExternalId", "created_at": "lead.at", "first_name": "lead.contact.firstName", "last_name": "lead.contact.lastName",
            "phone": "lead.contact.phones[0].number", "email": "lead.contact.email", "city": "lead.home.city", "state": "lead.home.state",
            "zip": "lead.home.zip", "time_zone": "lead.zone", "purpose": "lead.loan.purpose", "loan_officer_email": "to.email",
            "loan_officer_nmls_id": "to.nmls", "consent.sms": "lead.consent.sms", "consent.text": "lead.consent.words",
            "attributes.loanAmount": "lead.loan.amount", "attributes": {"programs": "lead.loan.programs"},
        })
    }

    #[test]
    fn all_that_a_plain_lead_can_say_is_found_where_the_record_says() {
        let body = json!({
            "lead": {
                "leadExternalId": 4711, "at": "2026-01-22T10:30:00-08:00", "zone": "America/Denver",
                "contact": {"firstName": "Avery", "lastName": "Sample", "phones": [{"number": "(415) 555-0123"}], "email": "Avery@Example.com"},
                "home": {"city": "Oakland", "state": "california", "zip": 94607},
                "loan": {"purpose": "Purchase", "amount": "$350,000", "programs": ["ARM5", {"x": 1}]},
                "consent": {"sms": "express_written", "words": "Text me."},
            },
            "to": {"email": "riley@example.com", "nmls": 1_000_001},
            "campaignName": "spring", "score": 7, "tags": ["a"], "tracking": {"ip": "192.0.2.1"}, "nothing": null,
        });
        let inbound = parse(&everything(), &body).unwrap();
        let plain = sources::parse(&Format::Plain, None, json!({
            "id": "4711", "created_at": "2026-01-22T18:30:00Z", "first_name": "Avery", "last_name": "Sample", "phone": "4155550123",
            "email": "avery@example.com", "city": "Oakland", "state": "CA", "zip": "94607", "time_zone": "America/Denver",
            "purpose": "purchase", "loan_officer_email": "riley@example.com", "loan_officer_nmls_id": "1000001",
            "consent": {"sms": "express_written", "text": "Text me."},
            "attributes": {"loan_amount": "$350,000", "programs": ["ARM5"], "campaign_name": "spring", "score": 7, "tags": ["a"]},
        }).to_string().as_bytes()).unwrap();
        assert!(inbound == plain, "{:?}", (inbound.attributes, inbound.notes));
    }

    #[test]
    fn what_stands_at_the_top_and_is_mapped_nowhere_is_an_attribute_and_takes_no_fields_place() {
        let fields = json!({"phone": "mobile", "attributes.loan_amount": "amount", "first_name": "who.first"});
        let body = json!({"mobile": 4_155_550_123_u64, "phone": "landline", "amount": 5, "loanAmount": 6, "state": "NY", "id": "x",
            "who": {"first": "Avery", "last": "Sample"}, "consent": true});
        let inbound = parse(&fields, &body).unwrap();
        assert_eq!(
            (inbound.phone.as_deref(), inbound.vendor_event_id, inbound.state),
            (Some("+14155550123"), None, None)
        );
        assert_eq!((inbound.first_name.as_str(), inbound.last_name.as_str(), inbound.consent), ("Avery", "", None));
        let expected = json!({"phone": "landline", "loan_amount": 5, "state": "NY", "id": "x", "consent": true});
        assert_eq!(serde_json::to_value(inbound.attributes).unwrap(), expected);
    }

    #[test]
    fn a_mapped_attribute_is_kept_however_much_else_a_body_holds() {
        let mut body: Map<String, Value> = (0..300).map(|number| (format!("a{number:03}"), json!(number))).collect();
        body.insert("phone".to_owned(), json!("415-555-0123"));
        body.insert("zz".to_owned(), json!({"amount": 9}));
        let inbound = parse(&json!({"phone": "phone", "attributes.zz": "zz.amount"}), &Value::Object(body)).unwrap();
        assert_eq!((inbound.attributes.len(), &inbound.attributes["zz"]), (100, &json!(9)));
    }

    #[test]
    fn a_full_name_is_parted() {
        let fields = json!({"email": "email", "full_name": "name", "first_name": "first"});
        for (body, first, last) in [
            (json!({"name": "Avery Jo  Sample"}), "Avery", "Jo  Sample"),
            (json!({"name": "Avery"}), "Avery", ""),
            (json!({"name": "Avery Sample", "first": "Jordan"}), "Jordan", ""),
            (json!({}), "", ""),
        ] {
            let mut body = body;
            body["email"] = json!("avery@example.com");
            let inbound = parse(&fields, &body).unwrap();
            assert_eq!((inbound.first_name.as_str(), inbound.last_name.as_str()), (first, last), "{body}");
        }
    }

    #[rstest]
    #[case::rfc_3339(json!("2026-01-22T10:30:00-08:00"), true)]
    #[case::seconds(json!(1_769_106_600), true)]
    #[case::milliseconds_as_text(json!("1769106600000"), true)]
    #[case::a_year(json!(2026), false)]
    #[case::words(json!("yesterday"), false)]
    fn when_a_lead_was_taken_is_read_as_vendors_write_it(#[case] written: Value, #[case] is_read: bool) {
        let body = json!({"phone": "415-555-0123", "at": written});
        let inbound = parse(&json!({"phone": "phone", "created_at": "at"}), &body).unwrap();
        let at = inbound.created_at.map(|at| at.to_rfc3339());
        assert_eq!(at.as_deref(), is_read.then_some("2026-01-22T18:30:00+00:00"));
        assert_eq!(inbound.notes.len(), usize::from(!is_read));
    }

    #[test]
    fn a_form_is_read_by_its_names() {
        let format = format(
            &json!({"first_name": "your-name", "phone": "lead[phone]", "email": "e.mail", "attributes.programs": "program"}),
        );
        let body = b"your-name=Avery&lead%5Bphone%5D=415+555+0123&e.mail=avery%40example.com&e.mail=second%40example.com&program=ARM&program=FHA&loanAmount=350000";
        let inbound = sources::parse(&format, Some("application/x-www-form-urlencoded"), body).unwrap();
        assert_eq!((inbound.first_name.as_str(), inbound.phone.as_deref()), ("Avery", Some("+14155550123")));
        assert_eq!(inbound.email.as_deref(), Some("avery@example.com"), "of a repeated field, the first");
        assert_eq!(
            serde_json::to_value(inbound.attributes).unwrap(),
            json!({"programs": ["ARM", "FHA"], "loan_amount": "350000"})
        );
        assert!(sources::parse(&format, Some("application/json"), body).is_err());
        for other in [Format::Plain, Format::Gizmo, Format::Zillow] {
            let problems =
                sources::parse(&other, Some("application/x-www-form-urlencoded"), b"phone=4155550123").unwrap_err();
            assert!(problems[0].detail.contains("not JSON"), "{problems:?}");
        }
    }

    #[test]
    fn a_lead_that_nobody_can_reach_is_refused_by_the_vendors_own_names() {
        let fields = json!({"phone": "lead.phones[0]", "email": "lead.mail", "state": "lead.state"});
        let body = json!({"lead": {"phones": ["12"], "state": "CA"}});
        let problems = parse(&fields, &body).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/lead/phones/0", "/lead/mail"]);
        let problems = parse(&json!({"email": "mail"}), &json!({"mail": "nobody", "phone": "4155550123"})).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/mail"], "what is mapped nowhere is none of the vendor's business");
    }

    #[rstest]
    #[case::in_our_words(json!({"sms": "express_written", "words": "Text me."}), Consent::ExpressWritten, 0)]
    #[case::in_other_letters(json!({"sms": "Express Written", "words": "Text me."}), Consent::ExpressWritten, 0)]
    #[case::a_mere_yes(json!({"sms": "Yes", "words": "Text me."}), Consent::Express, 0)]
    #[case::a_box_ticked(json!({"sms": true, "words": "Text me."}), Consent::Express, 0)]
    #[case::a_no(json!({"sms": "no", "words": "Text me."}), Consent::None, 0)]
    #[case::a_box_not_ticked(json!({"words": "Text me."}), Consent::None, 0)]
    #[case::taken_back(json!({"sms": "revoked"}), Consent::Revoked, 0)]
    #[case::without_its_words(json!({"sms": "express_written", "words": " "}), Consent::None, 1)]
    #[case::what_nobody_understands(json!({"sms": "perhaps", "words": "Text me."}), Consent::None, 1)]
    #[case::a_list(json!({"sms": [["x"]], "words": "Text me."}), Consent::None, 1)]
    fn consent_that_cannot_be_read_counts_as_not_given(
        #[case] said: Value,
        #[case] expected: Consent,
        #[case] notes: usize,
    ) {
        let fields = json!({"phone": "phone", "consent": {"sms": "sms", "text": "words"}});
        let mut body = said;
        body["phone"] = json!("415-555-0123");
        let inbound = parse(&fields, &body).unwrap();
        let consent = inbound.consent.unwrap();
        assert_eq!((consent.sms, consent.call, consent.email), (expected, Consent::None, Consent::None));
        assert_eq!(inbound.notes.len(), notes, "{:?}", inbound.notes);
    }
}
