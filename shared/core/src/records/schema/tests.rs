use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::SCHEMAS;
use crate::{
    Outcome,
    records::{
        parse::{Form, asked_of},
        parse_record,
        settings::Caps,
    },
    sources::PLAIN_FIELDS,
};

/// Records in which everything stands that a record may have.
fn complete() -> Vec<(&'static str, Value)> {
    let on = json!({"busy": "end", "no_answer": {"cadence": "b"}});
    let hours = json!({"call": "any time", "sms": "any time", "email": "any time"});
    vec![
        (
            "CADENCE#a",
            json!({"name": "n", "anytime": on, "hours": hours, "for_leads": {"attributes": {"loan_amount": {"at_least": 1}}},
                "steps": [
                    {"id": "a", "do": "dial", "wait": "0m", "on": on, "due": "1h", "on_overdue": {"assign": {"round_robin": "callers"}}},
                    {"id": "b", "do": "dial", "wait": "0m", "due": "1h", "on_overdue": {"cadence": "b"}, "assign": {"round_robin": "callers"},
                        "message": {"script/a": 50, "script/b": "50%"}}]}),
        ),
        ("MESSAGE#a", json!({"text": "t"})),
        (
            "USER#a",
            json!({"first_name": "f", "last_name": "l", "email": "a@example.com", "phone": "+14155550140", "time_zone": "America/Chicago",
                "out_of_office": [{"from": "2026-12-24", "until": "2026-12-31"}]}),
        ),
        (
            "SOURCE#a",
            json!({"format": "mapped", "fields": {"phone": "lead.phone", "attributes.loan_amount": "loan[0]"}, "consent": {"sms": "express"}}),
        ),
        (
            "SETTINGS#company",
            json!({"company": "c", "postal_address": "p", "notices_from": "a@example.com",
                "unsubscribe_url": "https://example.com", "caps": {"sms_per_day": 1},
                "snippets": {"signature": "{{ lo_first_name }}"}}),
        ),
    ]
}

fn schema_of(pk: &str) -> Value {
    let kind = pk.split('#').next().unwrap().to_lowercase();
    let (_, text) = SCHEMAS.iter().find(|(name, _)| *name == kind).unwrap();
    serde_json::from_str(text).unwrap()
}

/// What a schema says of one field, wherever it says so.
#[derive(Debug, Default)]
struct Said {
    types: BTreeSet<String>,
    words: BTreeSet<String>,
    least: Option<i64>,
    most: Option<i64>,
    is_described: bool,
    is_named: bool,
}

/// What a schema says of each field, by its path: `steps[].on.*.cadence`.
fn fields_of(schema: &Value) -> BTreeMap<String, Said> {
    let mut found = BTreeMap::new();
    gather(schema, schema, "", &mut found);
    found
}

fn gather(root: &Value, schema: &Value, path: &str, found: &mut BTreeMap<String, Said>) {
    let said = found.entry(path.to_owned()).or_default();
    let words =
        |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let types: Vec<String> =
        schema["type"].as_str().map(|one| vec![one.to_owned()]).unwrap_or_else(|| words(&schema["type"]));
    let choices: Vec<String> = words(&schema["enum"]);
    said.types.extend(types);
    said.words.extend(choices);
    said.least = schema["minimum"].as_i64().or(said.least);
    said.most = schema["maximum"].as_i64().or(said.most);
    said.is_described |= schema["description"].is_string();
    said.is_named |= schema["additionalProperties"].is_object();
    if let Some(reference) = schema["$ref"].as_str() {
        gather(root, root.pointer(reference.trim_start_matches('#')).unwrap(), path, found);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        gather(root, field, &at, found);
    }
    if schema["items"].is_object() {
        gather(root, &schema["items"], &format!("{path}[]"), found);
    }
    // What may stand alone is what may stand in the list.
    if schema["then"]["$ref"].is_string() {
        assert_eq!(schema["then"], schema["items"], "{path}");
    }
    if schema["additionalProperties"].is_object() {
        gather(root, &schema["additionalProperties"], &format!("{path}.*"), found);
    }
    for way in ["anyOf", "oneOf"].iter().flat_map(|ways| schema[*ways].as_array().into_iter().flatten()) {
        gather(root, way, path, found);
    }
}

/// What the parser asks of a complete record, by path as a schema has it.
fn asked(pk: &str, content: &Value) -> BTreeMap<String, Vec<Form>> {
    let digits = |path: &str| {
        path.split('[').enumerate().fold(String::new(), |done, (part, text)| match part {
            0 => text.to_owned(),
            _ => format!("{done}[{}", text.trim_start_matches(|c: char| c.is_ascii_digit())),
        })
    };
    let asked = asked_of(pk, content);
    let named: Vec<String> =
        asked.iter().filter(|asked| asked.form == Form::Named).map(|asked| digits(&asked.path)).collect();
    let mut forms: BTreeMap<String, Vec<Form>> = BTreeMap::new();
    for asked in asked {
        let mut path = digits(&asked.path);
        for map in &named {
            if let Some(rest) = path.strip_prefix(&format!("{map}.")) {
                let below = rest.split_once('.').map(|(_, below)| format!(".{below}"));
                path = format!("{map}.*{}", below.unwrap_or_default());
            }
        }
        forms.entry(path).or_default().push(asked.form);
    }
    forms
}

#[test]
fn every_field_that_is_read_is_in_the_schema_and_every_field_of_the_schema_is_read() {
    for (pk, content) in complete() {
        let (fields, asked) = (fields_of(&schema_of(pk)), asked(pk, &content));
        let is_ours = |path: &&String| {
            !path.is_empty()
                && !["pk", "sk"].contains(&path.as_str())
                && !path.ends_with("note")
                && !path.ends_with(['*', ']'])
        };
        let in_schema: BTreeSet<&String> = fields.keys().filter(is_ours).collect();
        let read: BTreeSet<&String> = asked.keys().filter(|path| !path.ends_with('*')).collect();
        assert_eq!(in_schema, read, "{pk}");
        for (path, said) in fields.iter().filter(|(path, _)| is_ours(path)) {
            assert!(said.is_described, "{pk} {path} is not explained");
        }
    }
}

#[test]
fn a_schema_allows_what_the_parser_allows() {
    let caps = serde_json::to_value(Caps::FLOOR).unwrap();
    for (pk, content) in complete() {
        let fields = fields_of(&schema_of(pk));
        for (path, forms) in asked(pk, &content) {
            let said = &fields[&path];
            let has_type = |name: &str| said.types.contains(name);
            for form in forms {
                match form {
                    Form::Any => {}
                    Form::Flag => assert!(has_type("boolean"), "{path}"),
                    Form::Named => assert!(said.is_named, "{path}"),
                    Form::OneOrMore(one) => {
                        assert!(has_type("array") && has_type(one), "{path} stands in a list, or alone");
                    }
                    Form::OneOf(words) => {
                        assert_eq!(said.words, words.into_iter().map(str::to_owned).collect(), "{path}");
                    }
                    Form::Whole(least, most) => {
                        // Caps are read at any height, and then told from the floor.
                        let most = path.strip_prefix("caps.").map_or(Some(most), |cap| caps[cap].as_i64());
                        assert!(has_type("integer"), "{path}");
                        assert_eq!((said.least, said.most), (Some(least), most), "{path}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_schema_names_the_outcomes() {
    let schema = schema_of("CADENCE#a");
    let named: BTreeSet<&str> = schema["$defs"]["outcomes"]["propertyNames"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let outcomes: BTreeSet<&str> = Outcome::BY_STRENGTH.into_iter().map(Outcome::as_str).chain(["note"]).collect();
    assert_eq!(named, outcomes);
}

#[test]
fn a_schema_names_what_a_sources_fields_may_be() {
    let schema = schema_of("SOURCE#a");
    let named = &schema["properties"]["fields"]["propertyNames"]["anyOf"][0]["enum"];
    let named: BTreeSet<&str> = named.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(named, PLAIN_FIELDS.into_iter().chain(["attributes", "consent", "note"]).collect());
}

#[test]
fn a_schema_is_valid_and_its_examples_are_read() {
    for (pk, content) in complete() {
        let schema = schema_of(pk);
        jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{pk}: {error}"));
        assert!(jsonschema::draft202012::is_valid(&schema, &content), "{pk} {content}");
        assert!(parse_record(pk, &content).is_ok(), "{pk}");
    }
}

#[test]
fn what_may_stand_in_a_list_may_stand_alone() {
    let cadence = json!({"name": "n", "steps": [{"id": "a", "do": "dial", "wait": "0m"}]});
    let user = json!({"first_name": "f", "last_name": "l", "email": "a@example.com", "phone": "+14155550140", "time_zone": "America/Chicago"});
    let settings = json!({"company": "c", "postal_address": "p", "notices_from": "a@example.com", "unsubscribe_url": "https://example.com"});
    for (pk, record, field, alone) in [
        ("CADENCE#a", &cadence, "/steps", json!({"id": "a", "do": "dial", "wait": 0})),
        ("CADENCE#a", &cadence, "/takes_over", json!("b")),
        ("CADENCE#a", &cadence, "/takes_over", json!("b, c")),
        ("CADENCE#a", &cadence, "/for_leads/source", json!("zillow, gizmo")),
        ("CADENCE#a", &cadence, "/for_leads/state", json!("CA")),
        ("CADENCE#a", &cadence, "/for_leads/purpose", json!("purchase")),
        ("CADENCE#a", &cadence, "/for_leads/attributes/loan_amount", json!(5)),
        ("USER#a", &user, "/licences", json!("CA, NY")),
        ("USER#a", &user, "/groups", json!("callers, closers")),
        ("USER#a", &user, "/out_of_office", json!({"from": "2026-12-24", "until": "2026-12-31"})),
        ("SETTINGS#company", &settings, "/holidays", json!("2026-12-24, 2026-12-31")),
    ] {
        for value in [json!([alone]), alone] {
            let mut record = record.clone();
            let names: Vec<&str> = field.split('/').skip(1).collect();
            let (name, maps) = names.split_last().unwrap();
            maps.iter().fold(&mut record, |map, name| &mut map[name])[name] = value;
            assert!(jsonschema::draft202012::is_valid(&schema_of(pk), &record), "{record}");
            assert!(parse_record(pk, &record).is_ok(), "{record}");
        }
    }
}

#[test]
fn a_schema_refuses_what_an_editor_should_underline() {
    let step = |changes: Value| {
        let mut step = json!({"id": "a", "do": "dial", "wait": "0m"});
        step.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        ("CADENCE#a", json!({"name": "n", "steps": [step]}))
    };
    for (pk, content) in [
        step(json!({"do": "canned_sms"})),
        step(json!({"do": "ai_dial"})),
        step(json!({"attempts": 3})),
        step(json!({"message": {"script/a": 150}})),
        step(json!({"message": {}})),
        step(json!({"wait": "soon"})),
        step(json!({"wait": 20})),
        step(json!({"wait": "20"})),
        ("CADENCE#a", json!({"name": "n", "steps": {"id": "a", "do": "dail", "wait": "0m"}})),
        step(json!({"mesage": "a"})),
        step(json!({"on": {"voice-mail": "end"}})),
        step(json!({"on": {"busy": {"step": "a"}}})),
        step(json!({"id": "end"})),
        step(json!({"assign": {"group": "callers"}})),
        step(json!({"on_overdue": "end"})),
        step(json!({"on_overdue": "end", "due": "1h", "hold": "1h"})),
        step(json!({"do": "ai_sms", "on_overdue": "end", "due": "1h"})),
        ("CADENCE#a", json!({"name": "n", "steps": []})),
        ("MESSAGE#a", json!({"text": "t", "subject": "s", "body": "b"})),
        ("MESSAGE#a", json!({"subject": "s"})),
        (
            "USER#a",
            json!({"first_name": "f", "last_name": "l", "email": "a@example.com", "phone": "+14155550140", "hours": "any time"}),
        ),
        ("SOURCE#a", json!({"format": "xml"})),
        ("SOURCE#a", json!({"format": "mapped"})),
        ("SOURCE#a", json!({"format": "plain", "fields": {"phone": "a"}})),
        ("SOURCE#a", json!({"format": "mapped", "fields": {"first_name": "a"}})),
        ("SOURCE#a", json!({"format": "mapped", "fields": {"phone": "a", "name": "b"}})),
        ("SETTINGS#company", json!({"caps": {"sms_per_day": 9}})),
        (
            "SETTINGS#company",
            json!({"company": "c", "postal_address": "p", "notices_from": "a@example.com", "unsubscribe_url": "https://example.com",
                "snippets": {"e-mail footer": "a"}}),
        ),
    ] {
        assert!(!jsonschema::draft202012::is_valid(&schema_of(pk), &content), "{content}");
        assert!(parse_record(pk, &content).is_err(), "{content}");
    }
}
