use serde_json::json;

use super::*;

fn cadence() -> Value {
    json!({
        "name": "Spring", "status": "live", "for_leads": { "source": ["zillow"] }, "priority": 10, "apply_to": "new_leads",
        "hours": { "call": "Mon-Sat 09:00-19:30" }, "note": "Ask Sam.",
        "steps": [
            { "id": "first-call", "do": "dial", "wait": "0m", "note": "At once." },
            { "id": "intro-text", "do": "canned_sms", "wait": "0m", "message": "sms/intro", "on": { "replied": "end" } },
            { "id": "robot-call", "do": "ai_dial", "wait": "20m", "agent": "first-touch" },
        ],
    })
}

fn of_cadence(edit: impl FnOnce(&mut Value)) -> Option<Difference> {
    let mut new = cadence();
    edit(&mut new);
    let context = Context { leads: Some("12 on version 7, 3 on version 6"), used_by: &[] };
    difference("CADENCE#spring", &cadence(), &new, context)
}

#[test]
fn a_step_is_told_by_its_id_and_leads_that_run_keep_their_version() {
    let told = of_cadence(|cadence| cadence["steps"][2]["wait"] = json!("40m")).unwrap();
    assert_eq!(told.changes, ["step robot-call waits 40m instead of 20m"]);
    assert_eq!(
        told.matters,
        [
            "for leads that enroll from now on; those that run (12 on version 7, 3 on version 6 when last counted) keep their version"
        ]
    );
}

#[test]
fn of_a_list_of_words_those_are_told_that_come_or_go() {
    for (old, new, told) in [
        (json!(["CA", "NV"]), json!(["CA", "NV", "WY"]), "licences has WY too"),
        (json!(["CA", "NV"]), json!(["NV"]), "licences has CA no more"),
        (json!(["CA", "NV"]), json!(["TX", "NV"]), "licences has TX instead of CA"),
        (json!(["CA", "NV"]), json!(["NV", "CA"]), r#"licences is ["NV","CA"] instead of ["CA","NV"]"#),
    ] {
        assert_eq!(fields::changes(&json!({ "licences": old }), &json!({ "licences": new })), [told]);
    }
}

#[test]
fn steps_that_come_go_and_change_places_are_told_so() {
    let told = of_cadence(|cadence| {
        let steps = cadence["steps"].as_array_mut().unwrap();
        steps.remove(0);
        steps.swap(0, 1);
        steps.push(json!({ "id": "last", "do": "canned_email", "wait": "1d", "message": "email/last" }));
        steps[1]["on"] = json!({ "replied": "next", "bounced": "last" });
        cadence["apply_to"] = json!("everyone");
    });
    let told = told.unwrap();
    assert_eq!(
        told.changes,
        [
            "apply_to is everyone instead of new_leads",
            "the steps come in another order: robot-call, intro-text",
            "step first-call is gone",
            "step intro-text: on.bounced is last; there was none",
            "step intro-text: on.replied is next instead of end",
            "step last is new, after intro-text: canned_email after 1d, message email/last",
        ]
    );
    assert_eq!(
        told.matters,
        [
            "for leads that enroll from now on, and for those that run (12 on version 7, 3 on version 6 when last counted), each when its \
             next step is due and still exists",
            "who waits for first-call when this is published runs it still, as it was, and moves when the step after it is due",
            "steps are followed in their new order: who waits for intro-text then never runs robot-call; \
             who waits for robot-call then runs intro-text again",
        ]
    );
    let told = of_cadence(|cadence| drop(cadence["steps"].as_array_mut().unwrap().remove(0))).unwrap();
    assert_eq!(told.matters.len(), 1, "whoever runs keeps the version: {told:?}");
}

#[test]
fn who_runs_steps_again_or_never_because_they_changed_places_is_told() {
    let order = |ids: &[usize]| {
        let told = of_cadence(|cadence| {
            let steps = cadence["steps"].clone();
            cadence["steps"] = ids.iter().map(|id| steps[*id].clone()).collect();
            cadence["apply_to"] = json!("everyone");
        });
        told.unwrap().matters.pop().unwrap()
    };
    assert_eq!(
        order(&[2, 0, 1]),
        "steps are followed in their new order: who waits for first-call or intro-text then never runs robot-call; \
         who waits for robot-call then runs first-call and intro-text again"
    );
    assert_eq!(
        order(&[2, 1, 0]),
        "steps are followed in their new order: who waits for first-call then never runs robot-call or intro-text; \
         who waits for intro-text then runs first-call again, and never robot-call; \
         who waits for robot-call then runs intro-text and first-call again"
    );
    assert!(order(&[0, 1]).starts_with("who waits for robot-call"), "what is gone is not run again");
    let told = of_cadence(|cadence| cadence["steps"].as_array_mut().unwrap().swap(0, 2)).unwrap();
    assert_eq!(told.matters.len(), 1, "whoever runs keeps the order: {told:?}");
}

#[test]
fn whom_a_cadence_takes_and_whether_it_runs_are_heeded_apart_from_its_version() {
    for (status, words) in [
        ("paused", "at once: nothing more is sent"),
        ("off", "at once: takes no new leads"),
        ("archived", "at once: takes no new leads, and ends for each that runs"),
    ] {
        let told = of_cadence(|cadence| cadence["status"] = json!(status)).unwrap();
        assert_eq!(told.changes, [format!("status is {status} instead of live")]);
        assert!(told.matters.len() == 1 && told.matters[0].starts_with(words), "{told:?}");
    }
    let told =
        of_cadence(|cadence| cadence["for_leads"] = json!({ "source": ["zillow", "gizmo"], "state": "CA" })).unwrap();
    assert_eq!(told.changes, ["for_leads.source has gizmo too", r#"for_leads.state is ["CA"]; there was none"#]);
    assert_eq!(told.matters, ["whom it takes: for leads that arrive from now on"]);
}

#[test]
fn notes_and_the_same_again_change_nothing() {
    assert_eq!(of_cadence(|_| {}), None);
    let told = of_cadence(|cadence| cadence["steps"][0]["note"] = json!("Now.")).unwrap();
    assert!(told.changes.len() == 1 && told.changes[0].starts_with("only notes or the spelling differ"), "{told:?}");
    assert_eq!(told.matters, [""; 0]);
}

#[test]
fn a_long_text_is_told_by_the_lines_that_differ() {
    let text = |last: &str| json!({ "subject": "Hi", "body": format!("Hello,\n\nthis is the body.\n{last}") });
    let context = Context { leads: None, used_by: &["new-lead", "spring"] };
    let told = difference("MESSAGE#email/intro", &text("Bye"), &text("See you"), context).unwrap();
    assert_eq!(told.changes, ["body reads otherwise:\n      - Bye\n      + See you"]);
    assert_eq!(
        told.matters,
        ["for everything that is sent with it from now on, also to leads that run already (used by new-lead, spring)"]
    );
}

#[test]
fn every_kind_says_when_it_is_heeded() {
    for (pk, words) in [
        ("USER#lo-riley", "for all of the user's leads"),
        ("SOURCE#zillow", "for leads that arrive"),
        ("SETTINGS#company", "for everything that is sent"),
    ] {
        let told = difference(pk, &json!({ "a": 1 }), &json!({ "a": "2, 3" }), Context::default()).unwrap();
        assert_eq!(told.changes, ["a is \"2, 3\" instead of 1"], "{pk}");
        assert!(told.matters[0].starts_with(words), "{pk}: {told:?}");
    }
}

#[test]
fn spelling_and_what_goes_without_saying_are_no_difference() {
    let told = of_cadence(|cadence| {
        cadence["priority"] = json!("10");
        cadence["steps"][1]["assign"] = json!("Loan_Officer");
        cadence["steps"][2]["wait"] = json!(" 20 m");
        cadence.as_object_mut().unwrap().remove("status");
    });
    assert!(told.unwrap().changes[0].starts_with("only notes or the spelling differ"));
    let told = of_cadence(|cadence| drop(cadence.as_object_mut().unwrap().remove("priority"))).unwrap();
    assert_eq!(told.changes, ["priority is 0 instead of 10"]);
}

#[test]
fn what_cannot_be_read_is_compared_as_it_is_written() {
    let told = of_cadence(|cadence| cadence["steps"][2]["wait"] = json!("soon")).unwrap();
    assert_eq!(told.changes, ["step robot-call waits soon instead of 20m"]);
}

#[test]
fn what_a_version_leaves_unsaid_is_said_where_another_thing_is_at_work() {
    let paused = json!({ "status": "paused", "priority": 10 });
    for (content, said) in [
        (json!({ "name": "A" }), json!({ "name": "A", "status": "live", "priority": 0 })),
        (json!({ "status": "", "priority": 5 }), json!({ "status": "live", "priority": 5 })),
    ] {
        assert_eq!(said_outright("CADENCE#a", content.clone(), Some(&paused)), said);
        assert_eq!(said_outright("CADENCE#a", content.clone(), Some(&json!({ "name": "A" }))), content);
    }
    assert_eq!(said_outright("USER#a", json!({}), Some(&json!({ "active": false }))), json!({ "active": true }));
}
