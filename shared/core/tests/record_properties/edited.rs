//! What an editor, or a console, may make of a record.

use proptest::prelude::*;
use serde_json::Value;

use crate::written;

pub(crate) fn keys() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["CADENCE#a", "MESSAGE#sms/a", "USER#a", "SOURCE#a", "SETTINGS#company"])
        .prop_map(str::to_owned)
}

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}|[ -~\n]{0,12}|0m|dial|end|any time|CA".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = "steps|id|do|wait|on|note|hours|for_leads|attributes|text|consent|caps|S|M|L|[a-z_ ]{0,8}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A good record in which one value, anywhere, is another.
pub(crate) fn changed() -> impl Strategy<Value = (String, Value)> {
    (written::records(), any::<prop::sample::Index>(), any_json()).prop_map(|((pk, mut content), at, other)| {
        let places = places(&content, "");
        if let Some(place) = content.pointer_mut(at.get(&places).as_str()) {
            *place = other;
        }
        (pk, content)
    })
}

/// The JSON pointers of all values.
pub(crate) fn places(value: &Value, here: &str) -> Vec<String> {
    let mut found = vec![here.to_owned()];
    match value {
        Value::Object(map) => {
            let name = |name: &str| name.replace('~', "~0").replace('/', "~1");
            found.extend(map.iter().flat_map(|(field, value)| places(value, &format!("{here}/{}", name(field)))));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            found.extend(items.flat_map(|(index, value)| places(value, &format!("{here}/{index}"))));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}
