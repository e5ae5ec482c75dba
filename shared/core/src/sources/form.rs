//! A body as HTML forms post it, read as the JSON object that it stands for.

use serde_json::{Map, Value};

const FORM: &str = "application/x-www-form-urlencoded";

/// Whether a body is a form's. Some tools call everything so, and no form begins like a JSON object.
pub(super) fn is_form(content_type: Option<&str>, body: &[u8]) -> bool {
    let media_type = content_type.and_then(|stated| stated.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(FORM) && body.trim_ascii_start().first() != Some(&b'{')
}

/// The fields of a form, each a text; one that is repeated is a list.
pub(super) fn read(body: &[u8]) -> Value {
    let mut fields = Map::new();
    for (name, text) in form_urlencoded::parse(body) {
        let text = Value::from(text.as_ref());
        match fields.get_mut(name.as_ref()) {
            Some(Value::Array(texts)) => texts.push(text),
            Some(first) => *first = Value::Array(vec![first.take(), text]),
            None => drop(fields.insert(name.into_owned(), text)),
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_is_told_by_its_content_type_unless_it_is_json_after_all() {
        let form = Some("application/x-www-form-urlencoded");
        for (content_type, body, expected) in [
            (form, "a=1", true),
            (Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8"), "a=1", true),
            (form, " {\"a\": 1}", false),
            (form, "", true),
            (Some("application/json"), "a=1", false),
            (Some("multipart/form-data; boundary=x"), "a=1", false),
            (None, "a=1", false),
        ] {
            assert_eq!(is_form(content_type, body.as_bytes()), expected, "{content_type:?} {body}");
        }
    }

    #[test]
    fn a_forms_fields_are_texts_and_repeated_ones_lists() {
        let body = b"first+name=Avery&e-mail=avery%40example.com&a%5B0%5D=x&program=ARM&program=Fixed&program=FHA&empty=&bare&bad=%ff%zz";
        let expected = json!({"first name": "Avery", "e-mail": "avery@example.com", "a[0]": "x", "program": ["ARM", "Fixed", "FHA"],
            "empty": "", "bare": "", "bad": "\u{fffd}%zz"});
        assert_eq!(read(body), expected);
        assert_eq!(read(b""), json!({}));
    }
}
