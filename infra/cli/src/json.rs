//! JSON as people write it: what would be lost of it in silence is an error.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// Reads a file's text. A field that stands twice in one object is an error that names it; what editors on Windows put first is none.
pub(crate) fn read(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str::<Written>(text.strip_prefix('\u{feff}').unwrap_or(text)).map(|Written(value)| value)
}

/// What is wrong with a text that is no JSON, and what to do about it, for whoever wrote it by hand.
pub(crate) fn explained(error: &serde_json::Error) -> (String, &'static str) {
    let (mut line, column) = (error.line(), error.column());
    let said = error.to_string();
    let said = said.rsplit_once(" at line").map_or(said.as_str(), |(said, _)| said);
    let (what, remedy) = match said {
        _ if error.is_eof() => ("the file ends before everything in it is closed", "Close what is open: } ] or \"."),
        "trailing comma" => ("a comma stands before a closing bracket", "Remove it."),
        "expected `,` or `}`" | "expected `,` or `]`" => (
            "something stands where what is before it has not ended",
            "Put a comma between them, or close the bracket. Text such as 20m stands in straight double quotes, and has none within.",
        ),
        "expected `:`" => ("a name is not followed by a colon", "Write \"name\": and what it is."),
        "key must be a string" => (
            "a field's name has to stand here, in straight double quotes",
            "Put the name in quotes, remove a comma too many, or close a bracket before this. JSON has no comments.",
        ),
        "expected value" | "expected ident" => (
            "something is no value",
            "Put text in straight double quotes; without them only numbers, true, false, lists and maps can stand.",
        ),
        "trailing characters" => {
            ("something stands after the end", "A file is one record, { ... }, or a list of them, [ ... ].")
        }
        // It is the end of the line before.
        _ if said.starts_with("control character") && column == 0 => {
            line = line.saturating_sub(1);
            ("a text has no end on its line", "Close it with \", or write \\n where it is to have a new line.")
        }
        _ if said.starts_with("control character") => {
            ("a text has a tab or the like in it", "Put a space in its place.")
        }
        said => (said, "Mend it, or move the file away."),
    };
    let place = if column == 0 { format!("Line {line}") } else { format!("Line {line}, column {column}") };
    (format!("{place}: {what}."), remedy)
}

/// A value that was written down whole.
struct Written(Value);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Written(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("the field \"{name}\" stands twice in one object")));
            }
            let Written(value) = fields.next_value()?;
            map.insert(name, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_once_is_read_as_it_is() {
        let value = json!({"a": [null, true, -1, 18446744073709551615u64, 0.5, "x\n", {}, []], "b": {"a": {"a": 1}}});
        for mark in ["", "\u{feff}"] {
            assert_eq!(read(&format!("{mark}{value:#}")).unwrap(), value);
        }
        assert!(read("\u{feff}\u{feff}{}").is_err() && read("{} 1").is_err());
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place_and_the_remedy() {
        for (text, place, what) in [
            ("{\"a\": 1,}", "Line 1, column 9", "a comma stands before a closing bracket. Remove it."),
            ("{\"a\": 1\n\"b\": 2}", "Line 2, column 1", "has not ended. Put a comma between them"),
            ("[1 2]", "Line 1, column 4", "has not ended. Put a comma between them"),
            ("{\"a\" 1}", "Line 1, column 6", "not followed by a colon"),
            ("{a: 1}", "Line 1, column 2", "a field's name has to stand here"),
            ("{\"a\": 20m}", "Line 1, column 9", "Text such as 20m stands in straight double quotes"),
            ("{\"a\": “b”}", "Line 1, column 7", "something is no value. Put text in straight double quotes"),
            ("{\"a\": \"b\nc\"}", "Line 1:", "a text has no end on its line. Close it"),
            ("{\"a\": \"b\tc\"}", "Line 1, column 9", "a tab or the like"),
            ("{\"a\": [1", "Line 1, column 8", "the file ends before everything in it is closed"),
            ("{} {}", "Line 1, column 4", "something stands after the end. A file is one record"),
        ] {
            let (sentence, remedy) = explained(&read(text).unwrap_err());
            assert!(
                sentence.starts_with(place) && format!("{sentence} {remedy}").contains(what),
                "{text}: {sentence} {remedy}"
            );
        }
    }

    #[test]
    fn a_field_that_stands_twice_is_named() {
        let told = read("{\"a\": [\n{\"wait\": 1, \"b\": {\"wait\": 1}, \"wait\": 2}]}").unwrap_err().to_string();
        assert!(told.starts_with("the field \"wait\" stands twice in one object at line 2 column 3"), "{told}");
    }
}
