//! Edits of what is at work: fields that got lost while they were saved, and what other records broke meanwhile.

use cadence_core::records::Draft;
use serde_json::{Value, json};

use crate::{cadence, known, read, step, told_of, user};

#[test]
fn what_an_edit_leaves_unsaid_and_what_others_broke_before_it_is_said() {
    let told: Vec<String> = edits()
        .into_iter()
        .map(|(title, pk, at_work, edited)| {
            let draft = Draft::read(pk, &edited).over(Some(read(pk, &at_work)));
            format!("# {title}\n{}", told_of(&draft.check(&known()).1))
        })
        .collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("edits", told.join("\n"));
    });
}

#[test]
fn a_new_error_is_one_however_many_the_version_at_work_has() {
    let steps = |last: &str| {
        let step = |number: usize| {
            let group = if number == 45 { last } else { "gone" };
            json!({"id": format!("s{number}"), "do": "dial", "wait": "1d", "assign": format!("round_robin: {group}")})
        };
        cadence(json!({ "steps": (1..=45).map(step).collect::<Vec<_>>() }))
    };
    let told = |edited: &Value| {
        let draft = Draft::read("CADENCE#new", edited).over(Some(read("CADENCE#new", &steps("gone"))));
        draft.check(&known()).1
    };
    assert!(!told(&steps("gone")).iter().any(|problem| problem.is_error()));
    let problems = told(&steps("nosuch"));
    let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).map(|problem| &problem.path).collect();
    assert_eq!(errors, ["steps[44].assign"]);
    assert_eq!(problems.last().unwrap().sentence, "There are 5 more problems.");
    let mut one_more = steps("gone");
    let again = json!({"id": "again", "do": "dial", "wait": "1d", "assign": "round_robin: gone"});
    one_more["steps"].as_array_mut().unwrap().push(again);
    assert!(told(&one_more).iter().any(|problem| problem.is_error()), "one more than there were");
}

#[test]
fn what_an_edit_lost_is_said_for_as_long_as_it_is_at_work() {
    for (pk, before, now, word) in [
        (
            "CADENCE#new",
            cadence(json!({"for_leads": {"source": "zillow"}})),
            without("for_leads"),
            "though the version before had it",
        ),
        (
            "SOURCE#website",
            json!({"format": "plain", "secret": "lead-portal"}),
            json!({"format": "plain", "secret": "lead-portl"}),
            "lead-portal",
        ),
    ] {
        let checked_again = |before: Option<&Value>| {
            let draft = Draft::read(pk, &now).over(Some(read(pk, &now))).since(before.map(|before| read(pk, before)));
            assert!(draft.is_at_work());
            told_of(&draft.check(&known()).1)
        };
        assert!(checked_again(Some(&before)).contains(word), "{pk}");
        assert!(!checked_again(None).contains(word), "{pk}");
    }
}

/// A good cadence that lost a field.
fn without(field: &str) -> Value {
    let mut record = cadence(json!({}));
    record.as_object_mut().unwrap().remove(field);
    record
}

fn edits() -> Vec<(&'static str, &'static str, Value, Value)> {
    let (new, riley) = ("CADENCE#new", "USER#lo-riley");
    let is = |status: &str| cadence(json!({ "status": status }));
    let broken = |status: &str| {
        let mut record = step(json!({"assign": "round_robin: gone"}));
        record["status"] = json!(status);
        record
    };
    let away = |active: Value| {
        let absence = json!({"from": "2026-12-20", "until": "2026-12-24", "stand_in": "gone"});
        user(json!({"active": active, "time_zone": "America/Los_Angeles", "out_of_office": absence}))
    };
    let other = |mut record: Value| {
        record["steps"][1]["assign"] = json!("round_robin: nobody");
        record
    };
    vec![
        ("a paused cadence whose status is removed", new, is("paused"), without("status")),
        ("a cadence that is off whose status is emptied", new, is("off"), is("")),
        ("an archived cadence whose status is null", new, is("archived"), cadence(json!({"status": null}))),
        ("a paused cadence that can't be read", new, is("paused"), cadence(json!({"steps": [], "status": null}))),
        ("a paused cadence that is made live", new, is("paused"), is("live")),
        ("a live cadence whose status is removed", new, is("live"), without("status")),
        (
            "a paused edit of which something else is wrong",
            new,
            is("live"),
            cadence(json!({"status": "Paused ", "priority": "high"})),
        ),
        ("an edit that is archived and names nobody's group", new, is("live"), {
            let mut record = step(json!({"assign": "round_robin: nobody"}));
            record["status"] = json!("archived");
            record
        }),
        ("a user who is to go, with a stand-in who isn't there", riley, user(json!({})), away(json!("false"))),
        ("a user who is not active and whose flag is removed", riley, user(json!({"active": false})), user(json!({}))),
        (
            "a user who is not active and whose flag is emptied",
            riley,
            user(json!({"active": false})),
            user(json!({"active": " "})),
        ),
        (
            "a live cadence that lost whom it takes, when, and what ends it",
            new,
            cadence(
                json!({"for_leads": {"source": "zillow"}, "hours": {"call": "daily 10:00-18:00"}, "anytime": {"replied": "end"}}),
            ),
            cadence(json!({"for_leads": null, "hours": ""})),
        ),
        (
            "a live cadence that asks nothing any more, outright",
            new,
            cadence(json!({"for_leads": {"source": "zillow"}, "anytime": {"replied": "end"}})),
            cadence(json!({"for_leads": {}, "anytime": {}})),
        ),
        (
            "a source's secret that nearly is the one before",
            "SOURCE#website",
            json!({"format": "plain", "secret": "lead-portal"}),
            json!({"format": "plain", "secret": "lead-portl"}),
        ),
        ("a user who is active", riley, user(json!({"active": true})), user(json!({}))),
        ("a group that is gone: paused", new, broken("live"), broken("paused")),
        ("a group that is gone: live again", new, broken("paused"), broken("live")),
        ("a group that is gone: an archived cadence made live", new, broken("archived"), broken("live")),
        ("a stand-in who is gone: not active", riley, away(json!(true)), away(json!(false))),
        ("a stand-in who is gone: active again", riley, away(json!(false)), away(json!(true))),
        ("a group that is gone, and one that never was", new, broken("live"), other(broken("live"))),
    ]
}
