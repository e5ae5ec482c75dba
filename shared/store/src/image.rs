//! Images: items as JSON, whatever an editor made of them.

use std::collections::HashMap;

use cadence_core::records::BINARY;
use serde_dynamo::{AttributeValue, Item};
use serde_json::Value;

use crate::{StoreError, keys};

/// An item as JSON. Bytes, which JSON has not, are a map that no field of a record takes, so that the check tells of them.
pub fn image(item: impl Into<Item>) -> Result<Value, StoreError> {
    let item: HashMap<String, AttributeValue> =
        item.into().iter().map(|(name, value)| (name.clone(), without_bytes(value))).collect();
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        Some(_) | None => String::new(),
    };
    let (pk, sk) = (text(keys::PK), text(keys::SK));
    serde_dynamo::from_item(Item::from(item)).map_err(|source| StoreError::Unreadable { pk, sk, source })
}

fn without_bytes(value: &AttributeValue) -> AttributeValue {
    let told = |bytes: &[u8]| {
        let text = AttributeValue::S(String::from_utf8_lossy(bytes).into_owned());
        AttributeValue::M(HashMap::from([(BINARY.to_owned(), text)]))
    };
    match value {
        AttributeValue::B(bytes) => told(bytes),
        AttributeValue::Bs(all) => AttributeValue::L(all.iter().map(|bytes| told(bytes)).collect()),
        AttributeValue::L(items) => AttributeValue::L(items.iter().map(without_bytes).collect()),
        AttributeValue::M(fields) => {
            AttributeValue::M(fields.iter().map(|(name, value)| (name.clone(), without_bytes(value))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_are_told_as_such_wherever_they_stand() {
        let bytes = || AttributeValue::B(b"hello".to_vec());
        let item = HashMap::from([
            ("pk".to_owned(), AttributeValue::S("CADENCE#a".to_owned())),
            ("note".to_owned(), bytes()),
            ("all".to_owned(), AttributeValue::Bs(vec![b"a".to_vec(), vec![0xff]])),
            (
                "steps".to_owned(),
                AttributeValue::L(vec![AttributeValue::M(HashMap::from([("wait".to_owned(), bytes())]))]),
            ),
        ]);
        let told = |text: &str| json!({ "Binary": text });
        let expected = json!({
            "pk": "CADENCE#a", "note": told("hello"), "all": [told("a"), told("\u{fffd}")], "steps": [{ "wait": told("hello") }],
        });
        assert_eq!(image(Item::from(item)).unwrap(), expected);
    }
}
