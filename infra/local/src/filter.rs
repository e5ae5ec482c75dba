//! Event patterns, as EventBridge rules and Lambda's event filters use them.
//!
//! A pattern has the shape of the event: all of its fields must match, and a field matches if one of the tests in its list
//! does. What we do not use of the language (numeric, wildcard, cidr, ...) is refused when the pattern is read, so that no
//! filter is quietly wider or narrower here than on AWS.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use serde_json::Value;

/// A pattern that was read and can be matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Vec<Clause>);

#[derive(Clone, Debug, PartialEq)]
enum Clause {
    Field(String, Field),
    AnyOf(Vec<Pattern>),
}

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Within(Pattern),
    OneOf(Vec<Test>),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Equals(Value),
    Prefix(String),
    Suffix(String),
    AnythingBut(Vec<Value>),
    Exists(bool),
}

/// What is wrong with a pattern, and where: `dynamodb.Keys.sk`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Neither an object of fields nor a list of tests, or an empty one.
    #[error("the pattern at '{path}' is neither an object of fields nor a list of values, or it is empty")]
    Shape {
        /// Where.
        path: String,
    },
    /// An operator that this matcher does not have.
    #[error("the pattern at '{path}' uses the operator '{operator}', which the local cloud does not have")]
    Operator {
        /// Where.
        path: String,
        /// Which.
        operator: String,
    },
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(pattern: &Value) -> Result<Self, PatternError> {
        parse_fields(pattern, "")
    }

    /// Whether the event matches.
    pub fn matches(&self, event: &Value) -> bool {
        self.holds(Some(event))
    }

    fn holds(&self, event: Option<&Value>) -> bool {
        self.0.iter().all(|clause| match clause {
            Clause::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.holds(event)),
            Clause::Field(name, field) => field.holds(event.and_then(|event| event.get(name))),
        })
    }
}

/// Whether one of the patterns matches, or there is none: a source without filters delivers all.
pub fn wanted(patterns: &[Pattern], event: &Value) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(event))
}

impl Field {
    fn holds(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Within(pattern), Some(Value::Array(elements))) => {
                elements.iter().any(|element| pattern.holds(Some(element)))
            }
            // Fields of an object that is not there are absent, which is what `exists: false` asks for.
            (Self::Within(pattern), found) => pattern.holds(found),
            (Self::OneOf(tests), found) => tests.iter().any(|test| test.holds(found)),
        }
    }
}

impl Test {
    fn holds(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            // Only leaves exist for AWS: an object is the way to its fields.
            (Self::Exists(expected), found) => *expected == found.is_some_and(|found| !found.is_object()),
            (_, None) => false,
            (Self::AnythingBut(refused), Some(Value::Array(elements))) => {
                elements.iter().any(|element| !refused.contains(element))
            }
            (Self::AnythingBut(refused), Some(found)) => !found.is_object() && !refused.contains(found),
            (test, Some(Value::Array(elements))) => elements.iter().any(|element| test.holds(Some(element))),
            (Self::Equals(expected), Some(found)) => expected == found,
            (Self::Prefix(prefix), Some(found)) => found.as_str().is_some_and(|text| text.starts_with(prefix.as_str())),
            (Self::Suffix(suffix), Some(found)) => found.as_str().is_some_and(|text| text.ends_with(suffix.as_str())),
        }
    }
}

fn parse_fields(pattern: &Value, path: &str) -> Result<Pattern, PatternError> {
    let fields = pattern.as_object().filter(|fields| !fields.is_empty());
    let fields = fields.ok_or_else(|| shape(path))?;
    let clauses = fields.iter().map(|(name, value)| {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if name == "$or" {
            return parse_list(value, &path, parse_fields).map(Clause::AnyOf);
        }
        let field = match value {
            Value::Object(_) => parse_fields(value, &path).map(Field::Within),
            _ => parse_list(value, &path, parse_test).map(Field::OneOf),
        };
        field.map(|field| Clause::Field(name.clone(), field))
    });
    clauses.collect::<Result<_, _>>().map(Pattern)
}

fn parse_list<T>(
    list: &Value,
    path: &str,
    parse: impl Fn(&Value, &str) -> Result<T, PatternError>,
) -> Result<Vec<T>, PatternError> {
    let elements = list.as_array().filter(|elements| !elements.is_empty());
    let elements = elements.ok_or_else(|| shape(path))?;
    elements.iter().map(|element| parse(element, path)).collect()
}

fn parse_test(test: &Value, path: &str) -> Result<Test, PatternError> {
    let operator = match test {
        Value::Object(operator) => operator,
        Value::Array(_) => return Err(shape(path)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(Test::Equals(test.clone())),
    };
    let mut operator = operator.iter();
    let (Some((name, operand)), None) = (operator.next(), operator.next()) else {
        return Err(shape(path));
    };
    let unknown = || PatternError::Operator { path: path.to_owned(), operator: format!("{name}: {operand}") };
    match (name.as_str(), operand) {
        ("exists", Value::Bool(expected)) => Ok(Test::Exists(*expected)),
        ("prefix", Value::String(prefix)) => Ok(Test::Prefix(prefix.clone())),
        ("suffix", Value::String(suffix)) => Ok(Test::Suffix(suffix.clone())),
        ("anything-but", Value::String(_) | Value::Number(_)) => Ok(Test::AnythingBut(vec![operand.clone()])),
        ("anything-but", Value::Array(refused)) => Ok(Test::AnythingBut(refused.clone())),
        _ => Err(unknown()),
    }
}

fn shape(path: &str) -> PatternError {
    PatternError::Shape { path: path.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "eventName": "MODIFY",
            "dynamodb": {
                "Keys": {"pk": {"S": "LEAD#1"}, "sk": {"S": "ENROLLMENT#9"}},
                "NewImage": {"status": {"S": "active"}, "tags": ["a", "b"], "count": 3, "gone": null}
            }
        })
    }

    #[test]
    fn each_operator_matches_what_aws_documents() {
        let cases = [
            (json!({"eventName": ["MODIFY"]}), true),
            (json!({"eventName": ["INSERT", "MODIFY"]}), true),
            (json!({"eventName": ["INSERT"]}), false),
            (json!({"eventName": ["modify"]}), false),
            (json!({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "ENROLLMENT#"}]}}}}), true),
            (json!({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "TASK#"}]}}}}), false),
            (json!({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "TASK#"}, {"suffix": "#9"}]}}}}), true),
            (json!({"dynamodb": {"Keys": {"sk": [{"prefix": "ENROLLMENT#"}]}}}), false),
            (json!({"dynamodb": {"NewImage": {"status": {"S": [{"exists": true}]}}}}), true),
            (json!({"dynamodb": {"NewImage": {"status": {"S": [{"exists": false}]}}}}), false),
            (json!({"dynamodb": {"NewImage": {"status": [{"exists": true}]}}}), false),
            (json!({"dynamodb": {"OldImage": {"sk": {"S": [{"exists": false}]}}}}), true),
            (json!({"dynamodb": {"OldImage": {"sk": {"S": [{"exists": true}]}}}}), false),
            (json!({"dynamodb": {"NewImage": {"gone": [null]}}}), true),
            (json!({"dynamodb": {"NewImage": {"absent": [null]}}}), false),
            (json!({"dynamodb": {"NewImage": {"count": [3]}}}), true),
            (json!({"dynamodb": {"NewImage": {"count": ["3"]}}}), false),
            (json!({"dynamodb": {"NewImage": {"tags": ["b"]}}}), true),
            (json!({"dynamodb": {"NewImage": {"tags": ["c"]}}}), false),
            (json!({"eventName": [{"anything-but": "REMOVE"}]}), true),
            (json!({"eventName": [{"anything-but": ["MODIFY", "REMOVE"]}]}), false),
            (json!({"absent": [{"anything-but": ["x"]}]}), false),
            (json!({"eventName": ["MODIFY"], "dynamodb": {"Keys": {"pk": {"S": ["LEAD#2"]}}}}), false),
            (json!({"$or": [{"eventName": ["INSERT"]}, {"dynamodb": {"Keys": {"pk": {"S": ["LEAD#1"]}}}}]}), true),
            (json!({"$or": [{"eventName": ["INSERT"]}, {"eventName": ["REMOVE"]}]}), false),
            (json!({"eventName": ["REMOVE"], "$or": [{"eventName": ["MODIFY"]}, {"eventName": ["REMOVE"]}]}), false),
        ];
        for (pattern, expected) in cases {
            let read = Pattern::parse(&pattern).unwrap();
            assert_eq!(read.matches(&record()), expected, "{pattern}");
        }
    }

    #[test]
    fn a_source_without_filters_wants_all_and_one_with_filters_what_any_of_them_matches() {
        let insert = Pattern::parse(&json!({"eventName": ["INSERT"]})).unwrap();
        let modify = Pattern::parse(&json!({"eventName": ["MODIFY"]})).unwrap();
        assert!(wanted(&[], &record()));
        assert!(wanted(&[insert.clone(), modify], &record()));
        assert!(!wanted(&[insert], &record()));
    }

    #[test]
    fn what_cannot_be_matched_as_aws_would_is_refused_with_its_place() {
        let cases = [
            (json!([]), "the pattern at ''"),
            (json!({}), "the pattern at ''"),
            (json!({"a": "x"}), "at 'a'"),
            (json!({"a": []}), "at 'a'"),
            (json!({"a": {"b": [["x"]]}}), "at 'a.b'"),
            (json!({"a": {"b": [{"numeric": [">", 1]}]}}), "'numeric: [\">\",1]'"),
            (json!({"a": [{"exists": "yes"}]}), "'exists: \"yes\"'"),
            (json!({"a": [{"prefix": "x", "suffix": "y"}]}), "at 'a'"),
            (json!({"$or": {"a": ["x"]}}), "at '$or'"),
        ];
        for (pattern, expected) in cases {
            let error = Pattern::parse(&pattern).unwrap_err().to_string();
            assert!(error.contains(expected), "{pattern}: {error}");
        }
    }
}
