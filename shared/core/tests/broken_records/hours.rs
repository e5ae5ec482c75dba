//! Hours that the law narrows, or that never open.

use serde_json::{Value, json};

use crate::{Broken, assert_told, cadence};

#[test]
fn what_the_law_leaves_of_hours_is_said() {
    assert_told("hours", [broken(), short()].concat());
}

/// A cadence of one step, and of an evening text after an email, with these hours.
fn at(action: &str, wait: &str, hours: Value) -> Value {
    let message = if action == "canned_email" { "email/intro" } else { "sms/intro" };
    let step = json!({"id": "a", "do": action, "wait": wait, "message": message});
    let text = json!({"id": "b", "do": "canned_sms", "wait": "1d at 21:00", "message": "sms/intro"});
    cadence(
        json!({"hours": hours, "steps": if action == "canned_email" { json!([step, text]) } else { json!([step]) }}),
    )
}

/// Hours that are short where a lead may be in two zones.
fn short() -> Vec<Broken> {
    let cadences = vec![
        ("an hour a day", at("dial", "1d", json!({"call": "daily 10:00-11:00"}))),
        ("an hour and a half a day", at("dial", "1d", json!({"call": "daily 10:00-11:30"}))),
        ("an hour a day in states of one zone, and one that has two in summer", {
            let mut record = at("dial", "1d", json!({"call": "daily 10:00-11:00"}));
            record["for_leads"] = json!({"state": ["CA", "AZ"]});
            record
        }),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}

fn broken() -> Vec<Broken> {
    let cadences = vec![
        (
            "hours that the law narrows",
            cadence(json!({"hours": {"call": "any time", "sms": "Mon-Sun 07:00-20:00", "email": "any time"}})),
        ),
        (
            "hours outside the law's",
            cadence(json!({"hours": {"call": "daily 05:00-07:59", "sms": "daily 21:00-24:00"}})),
        ),
        (
            "hours that close as they open",
            cadence(json!({"hours": {"call": "daily 12:00-12:05", "email": "daily 12:00-12:01"}})),
        ),
        ("hours of which the law leaves nothing", cadence(json!({"hours": {"call": "daily 05:00-08:05"}}))),
        ("hours on Sundays only", cadence(json!({"hours": {"call": "Sun 10:00-17:00", "sms": "Sun 10:00-17:00"}}))),
        ("a time of day at which the defaults are shut", at("canned_sms", "1d at 22:00", json!({}))),
        ("a time of day at which the cadence's hours are shut", {
            let mut record = at("dial", "0d at 08:30", json!({"call": "Tue-Sat 09:00-19:30"}));
            record["steps"][0]["attempts"] = json!(2);
            record["steps"][0]["every"] = json!("1d at 19:27");
            record
        }),
        (
            "a time of day at which they are open on one day",
            at("dial", "1d at 08:30", json!({"call": "Mon-Fri 09:00-17:00, Sat 08:00-12:00"})),
        ),
        (
            "a time of day at which the law is shut",
            at("canned_email", "1bd at 05:00", json!({"email": "any time", "sms": "any time"})),
        ),
        (
            "hours that a state's law leaves nothing of",
            cadence(json!({"hours": {"call": "Mon-Fri 18:00-20:00"}, "for_leads": {"state": ["RI", "CT"]}})),
        ),
        (
            "hours that their only state's law leaves nothing of",
            cadence(json!({"hours": {"call": "Mon-Fri 18:00-20:00"}, "for_leads": {"state": ["RI"]}})),
        ),
        ("hours wider than their only state's law, and a time that it shuts", {
            let mut record =
                at("dial", "1d at 20:30", json!({"call": "Mon-Sat 08:00-21:00", "sms": "Mon-Sat 08:00-21:00"}));
            record["for_leads"] = json!({"state": "FL"});
            record
        }),
        ("hours wider than the law of one state of two", {
            let mut record = at("dial", "1d at 20:30", json!({"call": "Mon-Sat 08:00-21:00"}));
            record["for_leads"] = json!({"state": ["FL", "CA"]});
            record
        }),
        ("a time of day at which two states of three are shut, and open at other times", {
            let mut record = at("dial", "1d at 20:30", json!({"call": "Mon-Sat 08:00-21:00"}));
            record["for_leads"] = json!({"state": ["CT", "CA", "FL"]});
            record
        }),
        ("hours wider than the laws of two states", {
            let mut record = at("dial", "1d at 20:30", json!({"call": "Mon-Sat 08:00-21:00"}));
            record["for_leads"] = json!({"state": ["FL", "KY"]});
            record
        }),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}
