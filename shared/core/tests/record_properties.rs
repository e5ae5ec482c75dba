//! Whatever an editor does to a record, it is read or refused; reading never fails in another way.

use cadence_core::records::{Known, Record, check, parse_record};
use proptest::prelude::*;
use serde_json::{Value, json};

proptest! {
    #[test]
    fn any_json_is_read_or_refused_with_findings(kind in kinds(), content in any_json()) {
        if let Err(problems) = parse_record(&kind, &content) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn any_key_is_read_or_refused(pk in "\\PC{0,20}|(CADENCE|USER|SETTINGS)#?\\PC{0,5}", content in any_json()) {
        let _ = parse_record(&pk, &content);
    }

    #[test]
    fn a_good_record_with_one_thing_changed_is_read_or_refused(changed in mutated()) {
        let (kind, content) = changed;
        match parse_record(&kind, &content) {
            Ok(record) => {
                let problems = check(&record, &Known::default());
                prop_assert!(problems.iter().all(|problem| !problem.sentence.is_empty() && !problem.remedy.is_empty()));
                prop_assert_eq!(&parse_record(&kind, &content), &Ok(record));
            }
            Err(problems) => {
                for problem in problems {
                    let told = problem.to_string();
                    prop_assert!(told.len() < 1_500 && !told.contains('\n'), "{told}");
                    prop_assert!(problem.sentence.ends_with('.'), "{told}");
                }
            }
        }
    }

    #[test]
    fn what_was_read_can_be_stored_and_read_back(priority in -1000_i64..1000, attempts in 1_u32..20, wait in "[1-9][0-9]?(m|h|d|bd)") {
        let record = json!({"name": "n", "priority": priority.to_string(), "steps": [
            {"id": "a", "do": "dial", "wait": wait, "attempts": attempts, "every": "2h", "on": {"busy": "a", "declined": {"cadence": "b"}}}]});
        let Ok(Record::Cadence(cadence)) = parse_record("CADENCE#x", &record) else {
            panic!("{record} is good");
        };
        prop_assert_eq!(cadence.priority, priority);
        prop_assert_eq!(cadence.steps[0].attempts, attempts);
        let stored = serde_json::to_value(&cadence).unwrap();
        prop_assert_eq!(serde_json::from_value::<cadence_core::records::Cadence>(stored).unwrap(), cadence);
    }
}

fn kinds() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["CADENCE#a", "MESSAGE#sms/a", "USER#a", "SOURCE#a", "SETTINGS#company"])
        .prop_map(str::to_owned)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}|[ -~\n]{0,12}|0m|dial|end|any time|CA".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = "steps|id|do|wait|on|note|hours|for_leads|text|consent|caps|[a-z_ ]{0,8}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn good() -> Vec<(&'static str, Value)> {
    vec![
        (
            "CADENCE#a",
            json!({"name": "n", "status": "live", "for_leads": {"source": ["zillow"], "state": ["CA"],
                "attributes": {"loan_amount": {"at_least": 1, "at_most": 2}, "has_agent": [true, "x"]}, "hold_out": "10%"}, "priority": 1,
            "reenroll": "never", "takes_over": ["b"],
            "hours": {"call": "Mon-Sat 09:00-19:30"}, "skip_holidays": true, "anytime": {"replied": "end"},
            "steps": [{"id": "a", "do": "ai_dial", "wait": "0m", "agent": "x", "attempts": 2, "every": "2h", "on": {"busy": "b"}},
                {"id": "b", "do": "canned_sms", "wait": "1d at 10:15", "message": "sms/a"}]}),
        ),
        ("MESSAGE#email/a", json!({"subject": "Hi {{ city }}", "body": "{{ unsubscribe_url }}, {{ postal_address }}"})),
        (
            "USER#a",
            json!({"first_name": "A", "last_name": "B", "email": "a@example.com", "phone": "+14155550140", "licences": ["CA"]}),
        ),
        ("SOURCE#a", json!({"format": "plain", "consent": {"sms": "express_written", "proof": "yes"}})),
        (
            "SETTINGS#company",
            json!({"company": "C", "postal_address": "D", "notices_from": "a@example.com",
            "unsubscribe_url": "https://example.com", "holidays": ["2026-12-24"], "caps": {"sms_per_day": 1}}),
        ),
    ]
}

/// A good record in which one value, anywhere, is another.
fn mutated() -> impl Strategy<Value = (String, Value)> {
    (prop::sample::select(good()), any::<prop::sample::Index>(), any_json()).prop_map(
        |((kind, mut content), at, other)| {
            let places = places(&content, "");
            if let Some(place) = content.pointer_mut(at.get(&places).as_str()) {
                *place = other;
            }
            (kind.to_owned(), content)
        },
    )
}

/// The JSON pointers of all values.
fn places(value: &Value, here: &str) -> Vec<String> {
    let mut found = vec![here.to_owned()];
    match value {
        Value::Object(map) => {
            found.extend(map.iter().flat_map(|(name, value)| places(value, &format!("{here}/{name}"))))
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            found.extend(items.flat_map(|(index, value)| places(value, &format!("{here}/{index}"))));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}
