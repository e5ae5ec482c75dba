//! What the console does to a record, and what its editors do without harm.

use cadence_core::records::parse_record;
use serde_json::json;

use crate::{cadence, settings, user};

#[test]
fn what_the_console_does_to_a_record_is_forgiven() {
    let plain = cadence(json!({"priority": 3, "skip_holidays": true, "steps": [
        {"id": "call", "do": "dial", "wait": "0m", "attempts": 3, "every": "2h", "on": {"busy": "end"}},
    ]}));
    let edited = cadence(json!({"priority": " 3 ", "skip_holidays": "true", "for_leads": null, "hours": {}, "steps": [
        {"id": " call", " do": "Dial ", "wait": " 0m", "attempts": "3.0", "every": "2h", "message": "", "on": {"busy ": "End"},
         "note": {"anything": [1]}},
    ], "note": "mine"}));
    let pasted = cadence(
        json!({"priority": {"N": "3"}, "skip_holidays": {"BOOL": true}, "for_leads": {"NULL": true}, "steps": {"L": [{"M": {
        "id": {"S": "call"}, "do": {"S": "dial"}, "wait": {"S": "0m"}, "attempts": {"N": "3"}, "every": {"S": "2h"},
        "on": {"M": {"busy": {"S": "end"}}}}}]}}),
    );
    let mixed_up = cadence(json!({"priority": ["3"], "skip_holidays": 1, "hours": [{}], "steps": {
        "id": "'call'", "do": "\"dial\"", "wait": ["0m"], "attempts": 3.0, "every": "2h", "on": [{"busy": ["\"end\""]}]}}));
    let numbered = cadence(json!({"priority": 3, "skip_holidays": "on", "steps": {
        "0": {"id": "call", "do": "dial", "wait": "0m", "attempts": "3", "every": "2h", "on": {"busy": "end"}}}}));
    let read = |record| parse_record("CADENCE#new", &record).unwrap();
    for record in [edited, pasted, mixed_up, numbered] {
        assert_eq!(read(record.clone()), read(plain.clone()), "{record}");
    }
    for (one, other) in [
        (
            json!({"source": "a, b", "state": ["CA, California"], "purpose": ["'purchase' "]}),
            json!({"source": ["a", "b"], "state": ["ca", "California"], "purpose": ["purchase"]}),
        ),
        (json!({"source": ["SOURCE#a "]}), json!({"source": ["a"]})),
        (
            json!({"hold_out": " 10 % ", "attributes": {"loanAmount ": {"at_least": "$100,000", "at_most": null}, "has agent": true}}),
            json!({"hold_out": 10, "attributes": {"loan_amount": {"at_least": 100_000.0}, "has_agent": [true, ""]}}),
        ),
    ] {
        assert_eq!(read(cadence(json!({"for_leads": one}))), read(cadence(json!({"for_leads": other}))));
    }
}

#[test]
fn when_a_lead_is_taken_again_may_be_written_in_any_way() {
    let read = |fields| parse_record("CADENCE#new", &cadence(fields)).unwrap();
    assert_eq!(read(json!({"reenroll": " 30D"})), read(json!({})));
    assert_eq!(read(json!({"reenroll": "Never"})), read(json!({"reenroll": "never", "takes_over": []})));
    let both = json!({"takes_over": ["a", "b"]});
    assert_eq!(read(json!({"takes_over": "CADENCE#a, b"})), read(both.clone()));
    assert_eq!(read(json!({"takes_over": ["a ", "b", "CADENCE#a"]})), read(both));
}

#[test]
fn an_address_that_links_go_on_from_ends_without_a_slash() {
    let read = |url: &str| parse_record("SETTINGS#company", &settings(json!({"unsubscribe_url": url}))).unwrap();
    assert_eq!(read("https://example.com/unsubscribe/"), read("https://example.com/unsubscribe"));
    assert_eq!(read("https://example.com/unsubscribe//"), read("https://example.com/unsubscribe"));
}

#[test]
fn an_nmls_id_is_its_digits() {
    let read = |id: &str| parse_record("USER#lo-riley", &user(json!({ "nmls_id": id }))).unwrap();
    for written in ["NMLS 1000001", "nmls#1000001", "NMLS: 1000001", "#1000001"] {
        assert_eq!(read(written), read("1000001"), "{written}");
    }
}

#[test]
fn a_very_long_list_of_mistakes_still_fits_on_the_record() {
    let long = "x".repeat(300_000);
    let mut fields = json!({});
    for index in 0..1000 {
        fields[format!("{index}{long}").get(..100 + index).unwrap()] = json!(long);
    }
    for record in [
        fields,
        json!({"name": "n", "steps": [{"id": long, "do": long, "wait": long, "hours": long, "on": {long.clone(): long}}]}),
    ] {
        let problems = parse_record("CADENCE#new", &record).unwrap_err();
        let told: usize = problems.iter().map(|problem| problem.to_string().len()).sum();
        assert!(told < 50_000, "{told} bytes");
    }
}
