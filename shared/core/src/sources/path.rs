//! Where a field stands in a vendor's body.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::records::problem::quoted;

/// Names parted by dots, and positions in lists from 0: `lead.contact.phone`, `answers.0.text` or `answers[0].text`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path {
    written: String,
    dotted: String,
}

/// Longer ones nobody types.
const LONGEST: usize = 500;

impl Path {
    /// Reads a path; else says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written = text.trim();
        if written.starts_with('/') || written.len() > LONGEST {
            return Err(format!("{} is no path", quoted(text)));
        }
        // Some tools that show a body name its top `$`.
        let dotted = written.strip_prefix("$.").unwrap_or(written).replace('[', ".").replace(']', "");
        let dotted = dotted.strip_prefix('.').filter(|_| written.starts_with('[')).unwrap_or(&dotted);
        let is_balanced = written.matches('[').count() == written.matches(']').count();
        match is_balanced && dotted.split('.').all(|part| !part.is_empty()) {
            true => Ok(Self { written: written.to_owned(), dotted: dotted.to_owned() }),
            false => Err(format!("{} is no path, because a name in it is missing", quoted(text))),
        }
    }

    /// What stands there in a body. A name that holds dots or brackets itself, as a form's may, is found too.
    pub(super) fn find<'a>(&self, body: &'a Value) -> Option<&'a Value> {
        body.get(&self.written).or_else(|| find(body, &self.dotted)).filter(|value| !value.is_null())
    }

    /// Whether it leads to that field at the body's top, or into it.
    pub(super) fn begins_at(&self, name: &str) -> bool {
        let rest = self.dotted.strip_prefix(name);
        self.written == name || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// As a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        format!("/{}", self.dotted.replace('~', "~0").replace('/', "~1").replace('.', "/"))
    }
}

fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let inner = match value {
        Value::Object(fields) => match fields.get(path) {
            Some(whole) => return Some(whole),
            None => fields.get(name),
        },
        Value::Array(items) => name.parse().ok().and_then(|position: usize| items.get(position)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    match rest {
        Some(rest) => find(inner?, rest),
        None => inner,
    }
}

impl TryFrom<String> for Path {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.written
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_maps_and_lists() {
        let body = json!({
            "lead": {"contact": {"phone": "1"}, "e.mail": "2"}, "answers": [{"text": "3"}, ["4"]], "a.b": "5", "lead[zip]": "6",
            "0": "7", "none": null, "no": false,
        });
        for (path, expected) in [
            ("lead.contact.phone", Some(json!("1"))),
            (" $.lead.contact.phone ", Some(json!("1"))),
            ("lead[contact][phone]", Some(json!("1"))),
            ("lead.e.mail", Some(json!("2"))),
            ("answers.0.text", Some(json!("3"))),
            ("answers[0].text", Some(json!("3"))),
            ("answers[1][0]", Some(json!("4"))),
            ("a.b", Some(json!("5"))),
            ("lead[zip]", Some(json!("6"))),
            ("[0]", Some(json!("7"))),
            ("no", Some(json!(false))),
            ("none", None),
            ("answers.2.text", None),
            ("answers.-1", None),
            ("answers.text", None),
            ("lead.contact.phone.more", None),
            ("Lead.contact", None),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(&body), expected.as_ref(), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for (path, part) in [
            ("", "missing"),
            ("a..b", "missing"),
            (".a", "missing"),
            ("a.", "missing"),
            ("a[0", "missing"),
            ("a[].b", "missing"),
            ("/lead/phone", "is no path"),
        ] {
            let error = Path::parse(path).unwrap_err();
            assert!(error.contains(part), "{path}: {error}");
        }
        assert!(Path::parse(&"a".repeat(501)).is_err());
    }

    #[test]
    fn a_path_names_its_place_as_a_pointer_and_its_field_at_the_top() {
        for (path, pointer) in [("a[0].b", "/a/0/b"), ("x/y.z~", "/x~1y/z~0"), ("phone", "/phone")] {
            assert_eq!(Path::parse(path).unwrap().pointer(), pointer);
        }
        let path = Path::parse("lead[contact].phone").unwrap();
        assert!(path.begins_at("lead") && path.begins_at("lead[contact].phone"));
        assert!(!path.begins_at("le") && !path.begins_at("contact") && !path.begins_at("leads"));
    }

    #[test]
    fn a_path_is_stored_as_it_was_written() {
        let path = Path::parse("answers[0].text").unwrap();
        assert_eq!(json!(path), "answers[0].text");
        assert_eq!(serde_json::from_value::<Path>(json!(path)).unwrap(), path);
    }
}
