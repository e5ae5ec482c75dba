//! Which leads a cadence takes, and which again.

use serde_json::{Value, json};

use crate::{Broken, assert_told, cadence};

#[test]
fn every_mistake_about_which_leads_are_taken_is_said() {
    assert_told("enrolling", broken());
}

fn broken() -> Vec<Broken> {
    let attributes = |attributes: Value| cadence(json!({"for_leads": {"attributes": attributes}}));
    let cadences = vec![
        ("a cadence that takes all leads of another", cadence(json!({"priority": 5}))),
        ("attributes that are no map", attributes(json!(["loan_amount"]))),
        (
            "bounds that exclude each other",
            attributes(json!({"loan_amount": {"at_least": 766_550, "at_most": "$100,000"}})),
        ),
        ("bounds without a bound", attributes(json!({"loan_amount": {"note": "ask Morgan"}}))),
        ("a bound misspelt", attributes(json!({"loan_amount": {"at_lest": 5, "at_most": 9}}))),
        ("a bound in words", attributes(json!({"loan_amount": {"at_least": "high", "at_most": [9]}}))),
        ("a bound as text", attributes(json!({"loan_amount": ">= 100000"}))),
        ("a value that is a list in a list", attributes(json!({"property_type": ["TownHouse", ["Modular"]]}))),
        ("a value that is a map in a list", attributes(json!({"property_type": [{"is": "Modular"}]}))),
        ("no value", attributes(json!({"property_type": [], "county": " ", "has_agent": [null]}))),
        ("an attribute twice", attributes(json!({"loanAmount": 1, "loan_amount": 2}))),
        ("an attribute without a name", attributes(json!({"?": 1}))),
        ("what is no attribute", attributes(json!({"state": "CA", "Purpose": "purchase"}))),
        (
            "an attribute misspelt",
            attributes(json!({"loanAmmount": 1, "shoe_size": 43, "credit_score": 700, "has_agent": true})),
        ),
        ("lists that were emptied", cadence(json!({"for_leads": {"source": "", "state": [], "purpose": [" "]}}))),
        ("a percent in words", cadence(json!({"for_leads": {"hold_out": "half"}}))),
        ("more than everybody", cadence(json!({"for_leads": {"hold_out": "110%"}}))),
        ("everybody", cadence(json!({"for_leads": {"hold_out": 100}}))),
        ("a part of a percent", cadence(json!({"for_leads": {"hold_out": 0.5}}))),
        ("a list of percents", cadence(json!({"for_leads": {"hold_out": [10, 20]}}))),
        ("again after a while", cadence(json!({"reenroll": "a while"}))),
        ("never misspelt", cadence(json!({"reenroll": "nevr"}))),
        ("again without a unit", cadence(json!({"reenroll": 30}))),
        ("again as a map", cadence(json!({"reenroll": {"after": "30d"}}))),
        (
            "a purpose misspelt",
            cadence(json!({"for_leads": {"purpose": ["Purchse", "reverse", "Home Equity, refinence"]}})),
        ),
        ("a purpose misspelt that stands alone", cadence(json!({"for_leads": {"purpose": "purchse"}}))),
        (
            "values that a source does not send",
            attributes(json!({"propertyType": ["Town House", "Castle"], "loan_amount": ["high", 5], "has_agent": "ye",
                "has_bankruptcy": {"at_most": 1}, "desired_programs": {"at_least": 30}})),
        ),
        (
            "values of a source that says nothing of them",
            cadence(
                json!({"for_leads": {"source": "plain", "attributes": {"property_type": "Town House", "has_agent": "ye"}}}),
            ),
        ),
        (
            "values that fit",
            attributes(json!({"property_type": "townhouse", "loan_amount": "$350,000", "has_agent": ["yes", true]})),
        ),
        (
            "attributes that stand among the fields",
            cadence(
                json!({"for_leads": {"loan_amount": 5, "loanPurpose": "purchase", "sorce": "zillow", "lead.veteran": true, "attributes.Veteran": true}}),
            ),
        ),
    ];
    cadences.into_iter().chain(others()).map(|(title, record)| (title, "CADENCE#new", record)).collect()
}

/// What leads agreed to, and which are taken again.
fn others() -> Vec<(&'static str, Value)> {
    vec![
        ("leads who agreed to less", agreed_to_less()),
        ("again after years", cadence(json!({"reenroll": "999d"}))),
        ("taking over from a cadence that does not exist", cadence(json!({"takes_over": ["longterm", "other-thing"]}))),
        ("taking over from itself", cadence(json!({"takes_over": ["long-term", "new"]}))),
        ("taking over from each other", cadence(json!({"takes_over": ["asks-again"]}))),
        ("taking over from a map", cadence(json!({"takes_over": {"cadence": "nurture"}}))),
        (
            "fields of it misspelt",
            cadence(
                json!({"re_enroll": "never", "take_over": ["nurture"], "for_leads": {"holdout": 5, "attribute": {}}}),
            ),
        ),
    ]
}

fn agreed_to_less() -> Value {
    cadence(json!({"for_leads": {"source": ["zillow", "partner"]}, "steps": [
        {"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro"},
        {"id": "ai-call", "do": "ai_dial", "wait": "1h", "agent": "voice"},
        {"id": "email", "do": "canned_email", "wait": "2h", "message": "email/intro"},
        {"id": "call", "do": "dial", "wait": "1d"}]}))
}
