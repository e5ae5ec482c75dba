//! Seals: what functions read says of itself that it is what was published. An edit by hand breaks the seal, and by that it is noticed.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    StoreError,
    item::{Item, read, s},
};

/// The attribute that holds an item's seal.
pub(crate) const SEAL: &str = "seal";

/// Seals an item: its keys and all that it says.
pub(crate) fn sealed(mut item: Item) -> Result<Item, StoreError> {
    let image: Value = read(item.clone())?;
    item.insert(SEAL.to_owned(), s(seal_of(&image)));
    Ok(item)
}

/// Whether an image of an item is as it was sealed.
pub fn is_sealed(image: &Value) -> bool {
    image.get(SEAL).and_then(Value::as_str) == Some(seal_of(image).as_str())
}

fn seal_of(image: &Value) -> String {
    let mut digest = Sha256::new();
    match image.as_object() {
        Some(fields) => digest_fields(fields.iter().filter(|(name, _)| *name != SEAL), &mut digest),
        None => digest_value(image, &mut digest),
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each value with its kind and length before it, so that no two come to the same.
fn digest_value(value: &Value, digest: &mut Sha256) {
    match value {
        Value::Null => digest.update("null"),
        Value::Bool(flag) => digest.update(if *flag { "true" } else { "false" }),
        // DynamoDB gives 3.0 back as 3.
        Value::Number(number) => digest.update(format!("n{};", number.as_f64().unwrap_or_default())),
        Value::String(text) => digest.update(format!("s{};{text}", text.len())),
        Value::Array(items) => {
            digest.update(format!("l{};", items.len()));
            items.iter().for_each(|item| digest_value(item, digest));
        }
        Value::Object(fields) => digest_fields(fields.iter(), digest),
    }
}

fn digest_fields<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, digest: &mut Sha256) {
    let mut fields: Vec<_> = fields.collect();
    fields.sort_by_key(|(name, _)| *name);
    digest.update(format!("m{};", fields.len()));
    for (name, value) in fields {
        digest.update(format!("{};{name}", name.len()));
        digest_value(value, digest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_seal_holds_however_a_table_gives_numbers_back_and_breaks_with_any_edit() {
        let image = json!({"pk": "CADENCE#a", "sk": "VERSION#0001", "record": {"b": [350_000.0, null, 0.5], "a": "x"}});
        let with = |pointer: &str, value: Value| {
            let mut image = image.clone();
            image["seal"] = json!(seal_of(&image));
            *image.pointer_mut(pointer).unwrap() = value;
            image
        };
        assert!(!is_sealed(&image));
        assert!(is_sealed(&with("/record/b/0", json!(350_000))));
        for (pointer, value) in [
            ("/record/a", json!("y")),
            ("/record/b/1", json!("")),
            ("/record/b", json!([350_000, null])),
            ("/sk", json!("VERSION#0002")),
            ("/seal", json!("")),
        ] {
            assert!(!is_sealed(&with(pointer, value)), "{pointer}");
        }
        let mut more = with("/record/a", json!("x"));
        more["note"] = json!("mine");
        assert!(!is_sealed(&more));
    }
}
