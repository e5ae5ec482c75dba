//! Hours that the law narrows, or that never open.

use serde_json::json;

use crate::{Broken, assert_told, cadence};

#[test]
fn what_the_law_leaves_of_hours_is_said() {
    assert_told("hours", broken());
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
        (
            "hours that a state's law leaves nothing of",
            cadence(json!({"hours": {"call": "Mon-Fri 18:00-20:00"}, "for_leads": {"state": ["RI", "CT"]}})),
        ),
        (
            "hours that their only state's law leaves nothing of",
            cadence(json!({"hours": {"call": "Mon-Fri 18:00-20:00"}, "for_leads": {"state": ["RI"]}})),
        ),
    ];
    cadences.into_iter().map(|(title, record)| (title, "CADENCE#new", record)).collect()
}
