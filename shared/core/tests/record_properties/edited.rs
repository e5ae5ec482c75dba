//! What an editor, or a console, may make of a record.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

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

/// A good record, and the same as a console and those who paste into it may leave it.
pub(crate) fn left_by_the_console() -> impl Strategy<Value = (String, Value, Value)> {
    (written::records(), prop::collection::vec(0_u8..12, 60)).prop_map(|((pk, content), dice)| {
        let mut dice = dice.into_iter().cycle();
        let Value::Object(fields) = &content else { unreachable!() };
        let left = fields.iter().map(|(name, value)| (padded(name, &mut dice), left(name, value, &mut dice)));
        let left = Value::Object(left.collect());
        (pk, content, left)
    })
}

/// A value of that name after an accident, which is rolled for at each place.
fn left(name: &str, value: &Value, dice: &mut impl Iterator<Item = u8>) -> Value {
    // What a lead's attribute must be is compared as what it is.
    if matches!(name, "attributes" | "note") {
        return value.clone();
    }
    let value = match value {
        Value::Object(map) => {
            map.iter().map(|(name, value)| (padded(name, dice), left(name, value, dice))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(|item| left("", item, dice)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    };
    match (dice.next().unwrap(), &value) {
        (0, Value::String(text)) => json!(format!(" {text}\u{200b} ")),
        (1, Value::String(text)) => json!({"S": text}),
        (2, Value::String(_) | Value::Number(_) | Value::Bool(_)) => json!([value]),
        (0, Value::Number(number)) => json!(number.to_string()),
        (1, Value::Number(number)) => json!({"N": format!("{number}")}),
        (0, Value::Bool(flag)) => json!(if *flag { "Yes" } else { "false" }),
        (1, Value::Bool(flag)) => json!({"BOOL": flag}),
        (0, Value::Object(_)) => json!({"M": value}),
        (1, Value::Object(_)) if !name.is_empty() => json!([value]),
        (0, Value::Array(items)) => json!({"L": items}),
        (1, Value::Array(items)) if items.len() == 1 => items[0].clone(),
        _ => value,
    }
}

fn padded(name: &str, dice: &mut impl Iterator<Item = u8>) -> String {
    if dice.next() == Some(3) { format!(" {name}") } else { name.to_owned() }
}
