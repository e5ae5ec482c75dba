//! The parsers of `cadence-core`: bodies, events, links, keys, and the little languages that ops write.

use std::collections::BTreeMap;

use cadence_core::{
    LeadId, Outcome, StepKey, TaskId,
    address::{normalize_email, normalize_phone},
    intake, law,
    links::LinkKey,
    records::{Format, parse_record},
    sources::{self, Path},
    template::check_template,
    time::{Day, Holidays, LocalTime, Wait, Zone, after, local_text, parse_hours},
    vapi,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    Ways,
    damage::{damaged, damaged_value, one_of},
    fuzz,
};

/// A good body of each format, and what it calls itself. Its id, number and address hold a zero that may be counted up.
pub(crate) fn bodies() -> Vec<(Format, Option<&'static str>, Vec<u8>)> {
    let zillow = json!({
        "id": "ID-000000", "created": "2026-12-01T18:00:00Z", "type": "longForm", "source": "Zillow", "price": 55.0,
        "conciergeStatus": "Transferred",
        "sender": { "firstName": "Jordan", "lastName": "Sample", "emailAddress": "e000000@example.com", "phoneNumber": "415-555-0100" },
        "recipient": { "emailAddress": "riley@example.com", "nmlsLicense": "1000001" },
        "details": { "loanPurpose": "Purchase", "loanAmount": 350_000, "city": "Oakland", "stateAbbreviation": "CA",
            "zipCode": "94607", "hasAgent": true, "desiredPrograms": ["Fixed30Year", "Fixed15Year"] },
    });
    let gizmo = json!({
        "crmId": "ID-000000", "firstName": "Jane", "lastName": "Sample", "email": "e000000@example.com", "phone": "212-555-0100",
        "streetAddress": null, "city": "Oakland", "state": "ca", "zip": "94607", "leadProviderSlug": "zillow",
    });
    let plain = json!({
        "id": "ID-000000", "created_at": "2026-12-01T18:00:00Z", "first_name": "Avery", "last_name": "Sample",
        "phone": "(510) 555-0100", "email": "e000000@example.com", "city": "Oakland", "state": "CA", "zip": "94607",
        "time_zone": "America/Los_Angeles", "purpose": "Refinance", "attributes": { "loan_amount": 350_000, "programs": ["fixed"] },
        "consent": { "call": "express", "sms": "express_written", "email": "express", "text": "Text me about my loan." },
        "loan_officer_email": "riley@example.com", "loan_officer_nmls_id": "1000001",
    });
    let nested = json!({
        "event": { "id": "ID-000000" },
        "lead": { "name": "Avery Sample", "phones": ["303-555-0100"], "email": "e000000@example.com", "agrees": { "sms": "yes", "words": "Yes." } },
        "answers": [{ "question": "amount", "text": "350000" }], "utm": "spring",
    });
    let form = "name=Avery+Sample&phone=213-555-0100&email=e000000%40example.com&agrees=on&words=Yes%21&tag=a&tag=b";
    let of = |value: &Value| value.to_string().into_bytes();
    vec![
        (Format::Zillow, None, of(&zillow)),
        (Format::Gizmo, Some("application/json"), of(&gizmo)),
        (Format::Plain, Some("application/json"), of(&plain)),
        (
            Format::Mapped(mapping(&[
                ("id", "event.id"),
                ("full_name", "lead.name"),
                ("phone", "lead.phones[0]"),
                ("email", "lead.email"),
                ("consent.sms", "lead.agrees.sms"),
                ("consent.text", "lead.agrees.words"),
                ("attributes.amount", "answers.0.text"),
            ])),
            Some("application/json"),
            of(&nested),
        ),
        (
            Format::Mapped(mapping(&[
                ("full_name", "name"),
                ("phone", "phone"),
                ("email", "email"),
                ("consent.sms", "agrees"),
                ("consent.text", "words"),
            ])),
            Some("application/x-www-form-urlencoded"),
            form.as_bytes().to_vec(),
        ),
    ]
}

fn mapping(places: &[(&str, &str)]) -> BTreeMap<String, Path> {
    places.iter().map(|(name, path)| ((*name).to_owned(), Path::parse(path).unwrap())).collect()
}

/// More bytes than one text that is kept of a lead may have.
const LONGEST_TEXT: usize = 500 * 4;

#[test]
fn a_body_is_a_lead_within_bounds_or_is_refused_by_field() {
    let (bodies, ways) = (bodies(), Ways::default());
    fuzz!(one_of(bodies.len()), |(body, edits): &(usize, Vec<_>)| {
        let (format, content_type, good) = &bodies[*body];
        let body = damaged(good, edits);
        let read = sources::parse(format, *content_type, &body);
        ways.went(read.is_ok());
        match read {
            Ok(lead) => {
                assert!(lead.phone.is_some() || lead.email.is_some());
                assert_eq!(lead.phone.as_deref().and_then(normalize_phone), lead.phone, "a number has one form");
                assert_eq!(lead.email.as_deref().and_then(normalize_email), lead.email, "an address has one form");
                let texts = [Some(&lead.first_name), Some(&lead.last_name), lead.city.as_ref(), lead.zip.as_ref()];
                let texts = texts.into_iter().chain([lead.vendor_event_id.as_ref(), lead.purpose.as_ref()]).flatten();
                for text in texts.chain(&lead.notes) {
                    assert!(text.len() <= LONGEST_TEXT && !text.contains(char::is_control), "{text:?}");
                }
                assert!(lead.attributes.len() <= 102, "{}", lead.attributes.len());
                assert!(lead.attributes.keys().all(|name| name.len() <= LONGEST_TEXT));
                assert!(intake::idempotency_key(&"zillow".into(), &lead, Some("key"), &body).text.len() <= 1_024);
            }
            Err(problems) => {
                assert!(!problems.is_empty());
                for problem in problems {
                    assert!(problem.pointer.is_empty() || problem.pointer.starts_with('/'), "{problem:?}");
                    assert!(problem.detail.ends_with('.') && problem.detail.len() < 300, "{problem:?}");
                }
            }
        }
    });
    ways.assert("bodies", 400);
}

/// Good texts, and what each is.
fn texts<const N: usize>(good: [&str; N]) -> [Vec<u8>; N] {
    good.map(|text| text.as_bytes().to_vec())
}

/// Tries what comes of good texts; bytes that are no text are read as Lambda reads them.
fn fuzz_text<const N: usize>(good: [&str; N], test: impl Fn(&str) + std::panic::RefUnwindSafe) {
    let good = texts(good);
    fuzz!(one_of(N), |(text, edits): &(usize, Vec<_>)| {
        test(&String::from_utf8_lossy(&damaged(&good[*text], edits)));
    });
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_148_000, 0).unwrap()
}

#[test]
fn an_event_of_the_voice_agent_is_a_report_within_bounds_or_says_what_it_lacks() {
    let event = json!({ "message": {
        "type": "end-of-call-report", "endedReason": "customer-ended-call",
        "call": { "id": "c1", "metadata": { "lead": "a1", "step_key": "e1.robot-call.1" } },
        "analysis": { "summary": "They will call back.", "structuredData": { "outcome": "appointment_set" } },
    }});
    let failed = json!({ "message": {
        "type": "end-of-call-report", "endedReason": "pipeline-error-openai-failed",
        "call": { "metadata": { "lead": "a1", "step_key": "e1.robot-call.1" } },
    }});
    fuzz_text([&event.to_string(), &failed.to_string()], |text| {
        if let Ok(Some(report)) = vapi::parse_report(text.as_bytes(), now()) {
            assert!(report.note.is_none_or(|note| note.chars().count() <= 1_000));
            assert!(report.lead.as_str().len() <= 300 && report.key.to_string().len() <= 300, "they become keys");
        }
    });
}

#[test]
fn only_a_link_that_was_signed_names_a_lead() {
    let links = LinkKey::new("key");
    let lead = LeadId::new("0190a1b2c3d4");
    let url = links.unsubscribe_url("", &lead);
    let token = url.trim_start_matches('/');
    fuzz_text([token, "a.b", ".", "."], |text| {
        if links.unsubscribing(text).is_some() {
            assert!(text.eq_ignore_ascii_case(token), "{text}");
        }
    });
}

#[test]
fn a_key_that_is_read_prints_as_one_that_reads_the_same() {
    fuzz_text(["a1.e1.first-call.1", "e1.first-call~review.12", "e1..0"], |text| {
        if let Some(key) = StepKey::parse(text) {
            assert_eq!(StepKey::parse(&key.to_string()), Some(key));
        }
        if let Some(id) = TaskId::parse(text) {
            assert_eq!(TaskId::parse(&id.to_string()), Some(id));
        }
    });
}

#[test]
fn an_address_is_normalized_once_and_for_all() {
    fuzz_text(["+1 (415) 555-0123 ext. 7", "tel:+44-20-7946-0958", "4155550123", "jordan@example.com"], |text| {
        if let Some(number) = normalize_phone(text) {
            assert!(number.starts_with('+') && number.len() <= 16 && normalize_phone(&number) == Some(number));
        }
        if let Some(address) = normalize_email(text) {
            assert!(address.chars().count() <= 254 && normalize_email(&address) == Some(address));
        }
    });
}

#[test]
fn a_place_is_one_that_the_law_knows_or_none() {
    fuzz_text(["94607", "CA", "California", "America/Los_Angeles", "94607-1234"], |text| {
        let state = law::State::parse(text).or_else(|| law::state_of_zip(text));
        assert!(state.is_none_or(|state| law::State::parse(state.code()).is_some()));
        if let Some(zone) = Zone::parse(text) {
            assert!(local_text(now(), &zone).len() < 60);
        }
    });
}

#[test]
fn a_guess_at_a_zone_is_a_zone() {
    let good = texts(["Los Angeles", "America/New_Yrok", "central"]);
    // Each is compared with some 600 names.
    fuzz!(50, one_of(good.len()), |(text, edits): &(usize, Vec<_>)| {
        let text = damaged(&good[*text], edits);
        let guess = Zone::closest(&String::from_utf8_lossy(&text));
        assert!(guess.is_none_or(|name| Zone::parse(&name).is_some()));
    });
}

#[test]
fn a_wait_is_an_instant_ahead_or_says_what_is_wrong() {
    let zone = Zone::parse("America/Los_Angeles").unwrap();
    fuzz_text(["0m", "20m", "2h", "1d", "3bd", "1d at 10:15", "90d at 23:59"], |text| match Wait::parse(text) {
        Ok(wait) => {
            let at = after(now(), &wait, &zone, &Holidays::federal_and(&[]));
            // The longest, 365 business days, are a year and a half.
            assert!((0..600).contains(&(at - now()).num_days()) && !wait.in_words().is_empty(), "{text}");
        }
        Err(error) => assert!(error.to_string().len() <= text.len() + 300, "{error}"),
    });
}

#[test]
fn hours_are_a_week_or_say_what_is_wrong() {
    fuzz_text(
        [
            "Mon-Sat 09:00-19:30",
            "daily 09:00-20:00",
            "any time",
            "Mon 9-12, Tue-Fri 13:00-17:00",
            "Sun-Mon 22:00-24:00",
        ],
        |text| match parse_hours(text) {
            Ok(hours) => assert!(hours.is_within(&hours), "{text}"),
            Err(error) => assert!(error.to_string().len() <= text.len() + 400, "{error}"),
        },
    );
}

#[test]
fn a_day_and_a_local_time_are_read_or_refused() {
    let zone = Zone::parse("America/Vancouver").unwrap();
    fuzz_text(
        ["2026-12-24", "09:30", "Tue 09:30", "2026-12-01 09:30", "2026-12-01T09:30", "9999-12-31 23:59"],
        |text| {
            if let Ok(day) = Day::parse(text) {
                assert_eq!(Day::parse(&day.to_string()), Ok(day));
            }
            if let Some(local) = LocalTime::parse(text) {
                assert!(local.is_dated() || local.after(now(), &zone) >= now(), "{text}");
            }
            let _ = Holidays::is_date(text);
        },
    );
}

#[test]
fn a_template_is_checked_in_bounded_time_and_words() {
    fuzz_text(
        [
            "Hi {{ lead_first_name }}, this is {{ lo_first_name }}.",
            "{% if lead_city %}In {{ lead_city | upper }}?{% else %}Where?{% endif %}",
            "{% for a in lead_first_name %}{% for b in lead_first_name %}{{ loop.index }}{% endfor %}{% endfor %}",
            "{{ ((((lead_first_name)))) ~ 'a' * 3 | default('x') }} {# note #} {%- raw -%} {{ {%- endraw -%}",
        ],
        |text| {
            if let Err(error) = check_template(text, None) {
                assert!(error.to_string().len() < 500, "{error}");
            }
        },
    );
}

#[test]
fn a_path_into_a_body_prints_as_one_that_reads_the_same() {
    fuzz_text(["lead.contact.phone", "$.answers[0].text", "['a'].b", "a~b/c"], |text| match Path::parse(text) {
        Ok(path) => assert_eq!(Path::parse(&String::from(path.clone())), Ok(path)),
        Err(sentence) => assert!(sentence.chars().count() < 300, "{sentence}"),
    });
}

#[test]
fn a_record_as_it_is_stored_is_read_or_refused_in_few_words() {
    let shipped = [
        include_str!("../../../infra/cadences/cadence-zillow-purchase.json"),
        include_str!("../../../infra/cadences/settings-company.json"),
        include_str!("../../../infra/cadences/source-zillow.json"),
        include_str!("../../../infra/cadences/user-lo-riley.json"),
        include_str!("../../../infra/cadences/message-email-intro.json"),
        include_str!("../../../infra/cadences/message-sms-intro.json"),
    ];
    let mapped = json!({
        "pk": "SOURCE#vendor", "sk": "CURRENT", "secret": "plain", "format": "mapped",
        "fields": { "full_name": "lead.name", "phone": "$.lead.phones[0]", "consent.sms": "['may text']", "attributes.amount": "answers.0.text" },
        "consent": { "email": "express", "proof": "Yes." },
    });
    let records: Vec<Value> =
        shipped.map(|text| serde_json::from_str(text).unwrap()).into_iter().chain([mapped]).collect();
    let content = |mut record: Value| {
        let pk = record["pk"].as_str().unwrap().to_owned();
        record.as_object_mut().unwrap().retain(|name, _| !["pk", "sk"].contains(&name.as_str()));
        (pk, record)
    };
    let (records, ways) = (records.into_iter().map(content).collect::<Vec<_>>(), Ways::default());
    fuzz!(one_of(records.len()), |(record, edits): &(usize, Vec<_>)| {
        let (pk, good) = &records[*record];
        let read = parse_record(pk, &damaged_value(good, edits));
        ways.went(read.is_ok());
        if let Err(problems) = read {
            assert!(!problems.is_empty() && problems.iter().all(|problem| problem.to_string().len() < 1_500));
        }
    });
    ways.assert("records", 400);
}

#[test]
fn an_outcome_is_a_word_of_the_list_or_none() {
    let words = Outcome::BY_STRENGTH.map(Outcome::as_str);
    fuzz_text(words, |text| {
        let read: Option<Outcome> = serde_json::from_value(Value::from(text)).ok();
        assert_eq!(read.map(Outcome::as_str), words.into_iter().find(|word| *word == text));
    });
}
