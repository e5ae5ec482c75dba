//! Users.

use serde_json::{Value, json};

use crate::{Broken, assert_told, user};

#[test]
fn what_is_wrong_with_a_user_is_said() {
    assert_told("users", broken());
}

/// A user who is away while Morgan is, and counts on that one.
fn away(stand_in: &str) -> Value {
    user(json!({"time_zone": "America/Chicago",
        "out_of_office": {"from": "2027-01-01", "until": "2027-01-09", "stand_in": stand_in}}))
}

fn broken() -> Vec<Broken> {
    vec![
        ("a user without anything", "USER#lo-riley", json!({"note": "half-saved"})),
        (
            "a user's contacts unreadable",
            "USER#lo-riley",
            user(json!({"phone": "call me", "sms_number": "555-0123", "email": "riley"})),
        ),
        (
            "a user's field misspelt",
            "USER#lo-riley",
            user(json!({"licenses": ["CA"], "licences": null, "active": "maybe"})),
        ),
        ("a user's licence unreadable", "USER#lo-riley", user(json!({"licences": ["CA", "XX"]}))),
        ("an NMLS id in words", "USER#lo-riley", user(json!({"nmls_id": "pending"}))),
        ("a user who can't act", "USER#lo-riley", user(json!({"licences": [], "sms_number": null, "nmls_id": ""}))),
        ("a zone in short", "USER#lo-riley", user(json!({"time_zone": "EST"}))),
        ("a zone misspelt", "USER#lo-riley", user(json!({"time_zone": "America/Los Angles"}))),
        ("a zone by its city", "USER#lo-riley", user(json!({"time_zone": "Chicago"}))),
        ("hours without their zone", "USER#lo-riley", user(json!({"hours": "Mon-Fri 9-5"}))),
        ("a group with a space", "USER#lo-riley", user(json!({"groups": "callers, early birds"}))),
        (
            "days away unreadable",
            "USER#lo-riley",
            user(
                json!({"time_zone": "America/Chicago", "out_of_office": [{"from": "Christmas", "stand-in": "lo-morgan"},
                {"from": "2027-01-02", "until": "2026-12-20"}, "all week"]}),
            ),
        ),
        (
            "a stand-in who does not exist, and neither zone nor name",
            "USER#lo-riley",
            user(
                json!({"first_name": "", "out_of_office": {"from": "2027-01-01", "until": "2027-01-09", "stand_in": "lo-mogran"}}),
            ),
        ),
        ("a stand-in who does not exist", "USER#lo-riley", away("lo-mogran")),
        ("a stand-in with errors of their own", "USER#lo-riley", away("lo-sam")),
        (
            "one absence in a list",
            "USER#lo-riley",
            user(json!({"time_zone": "America/Chicago", "out_of_office": [{"from": "2026-07-20", "until": "x"}]})),
        ),
        (
            "one absence",
            "USER#lo-riley",
            user(json!({"time_zone": "America/Chicago", "out_of_office": {"from": "2026-07-20"}})),
        ),
        ("a stand-in for oneself", "USER#lo-riley", away("USER#lo-riley")),
        ("a stand-in who is away too", "USER#new", away("lo-morgan")),
        ("a stand-in who takes no leads", "USER#lo-riley", away("jules")),
        (
            "a stand-in who is licensed elsewhere",
            "USER#new",
            user(json!({"time_zone": "America/Chicago",
                "out_of_office": {"from": "2026-07-20", "until": "2026-07-21", "stand_in": "lo-morgan"}})),
        ),
    ]
}
