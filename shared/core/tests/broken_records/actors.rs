//! Cadences whose leads and steps have nobody to act.

use cadence_core::records::{Known, check};
use serde_json::{Value, json};

use crate::{cadence, known, read, user};

/// What is said of a cadence with a text and an assigned call, where these are the users.
fn told(changes: Value, assign: &str, users: &[(&str, Value)]) -> String {
    let mut known = Known { users: Default::default(), ..known() };
    for (id, changes) in users {
        known.insert(read(&format!("USER#{id}"), &user(changes.clone())));
    }
    let mut record = cadence(changes);
    record["steps"] = json!([
        {"id": "text", "do": "canned_sms", "wait": "0m", "message": "sms/intro"},
        {"id": "call", "do": "dial", "wait": "1d", "assign": assign},
        {"id": "write", "do": "custom_sms", "wait": "1d", "assign": assign}]);
    let problems = check(&read("CADENCE#new", &record), &known);
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn who_cannot_act_is_said_with_what_comes_of_it() {
    let california = || json!({"for_leads": {"state": ["CA", "NY"]}});
    let cases = [
        ("nobody", told(json!({}), "loan_officer", &[])),
        ("nobody at work", told(json!({}), "loan_officer", &[("a", json!({"active": false}))])),
        ("nobody licensed", told(json!({}), "loan_officer", &[("a", json!({"licences": []}))])),
        ("nobody licensed in a state", told(california(), "loan_officer", &[("a", json!({}))])),
        ("nobody with a number", told(json!({}), "loan_officer", &[("a", json!({"sms_number": null}))])),
        (
            "nobody with a number in a state",
            told(
                california(),
                "loan_officer",
                &[("a", json!({})), ("b", json!({"licences": ["NY"], "sms_number": ""}))],
            ),
        ),
        ("a named user who is not active", told(json!({}), "b", &[("a", json!({})), ("b", json!({"active": false}))])),
        ("a named user without a licence", told(json!({}), "b", &[("a", json!({})), ("b", json!({"licences": []}))])),
        (
            "a named user licensed elsewhere",
            told(json!({"for_leads": {"state": "CA"}}), "b", &[("a", json!({})), ("b", json!({"licences": ["NY"]}))]),
        ),
        (
            "a named user without a number",
            told(json!({}), "b", &[("a", json!({})), ("b", json!({"sms_number": null}))]),
        ),
        ("somebody for everything", told(json!({"for_leads": {"state": "CA"}}), "a", &[("a", json!({}))])),
    ];
    let told: Vec<String> = cases.into_iter().map(|(title, told)| format!("# {title}\n{told}\n")).collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("actors", told.join("\n"));
    });
}

#[test]
fn who_may_be_asked_again_is_said() {
    let users = |known: &mut Known, users: &[(&str, Value)]| {
        known.users.clear();
        users.iter().for_each(|(id, changes)| known.insert(read(&format!("USER#{id}"), &user(changes.clone()))));
    };
    let member = || json!({"groups": "callers"});
    let elsewhere = || json!({"groups": "callers", "licences": ["NY"]});
    let (riley, morgan) = (("lo-riley", member()), ("lo-morgan", member()));
    let both = [riley.clone(), morgan];
    let cases = [
        ("the owner, then a user", "loan_officer", json!("lo-riley"), &both[..]),
        ("a user, then the owner", "lo-riley", json!("loan_officer"), &both),
        ("a group, then one of it", "round_robin: callers", json!("lo-riley"), &both),
        ("a group, then the owner", "round_robin: callers", json!("loan_officer"), &both),
        ("the owner, then a group of one", "loan_officer", json!({"round_robin": "callers"}), &both[..1]),
        ("a group of one, then the same", "round_robin: callers", json!("round_robin: callers"), &both[..1]),
        (
            "the owner, then a group of whom one can",
            "loan_officer",
            json!("round_robin: callers"),
            &[riley.clone(), ("lo-morgan", elsewhere())],
        ),
        ("the owner, then a group", "loan_officer", json!("round_robin: callers"), &both),
        ("a user, then another", "lo-riley", json!("lo-morgan"), &both),
        (
            "the owner, then a user who can't be one",
            "loan_officer",
            json!("lo-morgan"),
            &[riley.clone(), ("lo-morgan", elsewhere())],
        ),
    ];
    let told = cases.into_iter().map(|(title, assign, then, who)| {
        let mut known = known();
        users(&mut known, who);
        let step = json!({"id": "call", "do": "dial", "wait": "0m", "due": "1h", "assign": assign, "on_overdue": {"assign": then}});
        let record = cadence(json!({"for_leads": {"state": "CA"}, "steps": [step]}));
        let problems = check(&read("CADENCE#new", &record), &known);
        let said = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        format!("# {title}\n{said}\n")
    });
    let told: Vec<String> = told.collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("asked_again", told.join("\n"));
    });
}
