//! Whatever an editor does to a record, it is read or refused; what is read prints and reads back.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "record_properties/edited.rs"]
mod edited;
#[path = "record_properties/written.rs"]
mod written;

use std::collections::BTreeMap;

use cadence_core::records::{self, Known, Record, check, laid_out, parse_record, print};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;

proptest! {
    #[test]
    fn any_json_is_read_or_refused_with_findings(kind in edited::keys(), content in edited::any_json()) {
        if let Err(problems) = parse_record(&kind, &content) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn any_key_is_read_or_refused(pk in "\\PC{0,20}|(CADENCE|USER|SETTINGS)#?\\PC{0,5}", content in edited::any_json()) {
        let _ = parse_record(&pk, &content);
    }

    #[test]
    fn a_record_with_one_thing_changed_is_read_or_refused((pk, content) in edited::changed()) {
        match parse_record(&pk, &content) {
            Ok(record) => {
                let problems = check(&record, &Known::default());
                prop_assert!(problems.iter().all(|problem| !problem.sentence.is_empty() && !problem.remedy.is_empty()));
                prop_assert_eq!(&parse_record(&pk, &content), &Ok(record));
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
    fn what_the_console_does_to_a_record_is_absorbed((pk, content, left) in edited::left_by_the_console()) {
        prop_assert_eq!(read(&pk, &left), read(&pk, &content), "{}", left);
    }

    #[test]
    fn what_is_read_prints_and_reads_back((pk, content) in written::records()) {
        let record = read(&pk, &content);
        let printed = print(&record);
        prop_assert_eq!(&printed["pk"], &Value::from(pk.as_str()));
        prop_assert_eq!(&read(&pk, &content_of(&printed)), &record);
        prop_assert_eq!(&print(&read(&pk, &content_of(&printed))), &printed, "printing is canonical");
        prop_assert_eq!(serde_json::from_str::<Value>(&laid_out(&printed)).unwrap(), printed);
    }

    #[test]
    fn what_prints_is_what_the_schema_says_a_record_is((pk, content) in written::records()) {
        let printed = print(&read(&pk, &content));
        let kind = pk.split('#').next().unwrap().to_lowercase();
        let errors: Vec<String> = SCHEMAS.with(|schemas| {
            schemas[kind.as_str()].iter_errors(&printed).map(|error| error.to_string()).collect()
        });
        prop_assert!(errors.is_empty(), "{}: {:?}", printed, errors);
    }

    #[test]
    fn what_is_read_can_be_published_and_read_back((pk, content) in written::records()) {
        let record = read(&pk, &content);
        let kind = pk.split('#').next().unwrap();
        prop_assert_eq!(Record::from_stored(kind, &record.to_stored().unwrap()), Some(record));
    }

    #[test]
    fn what_has_passed_passes_again((pk, content) in written::records()) {
        let known = written::known();
        let record = read(&pk, &content);
        let problems = check(&record, &known);
        let stored = Record::from_stored(pk.split('#').next().unwrap(), &record.to_stored().unwrap()).unwrap();
        prop_assert_eq!(&check(&stored, &known), &problems, "as published");
        prop_assert_eq!(&check(&read(&pk, &content_of(&print(&record))), &known), &problems, "as printed");
    }
}

thread_local! {
    static SCHEMAS: BTreeMap<&'static str, Validator> = records::SCHEMAS
        .into_iter()
        .map(|(kind, text)| (kind, jsonschema::draft202012::new(&serde_json::from_str(text).unwrap()).unwrap()))
        .collect();
}

fn read(pk: &str, content: &Value) -> Record {
    parse_record(pk, content).unwrap_or_else(|problems| panic!("{pk} {content}: {problems:#?}"))
}

/// An item without its keys.
fn content_of(item: &Value) -> Value {
    let fields = item.as_object().unwrap().clone();
    Value::Object(fields.into_iter().filter(|(name, _)| name != "pk" && name != "sk").collect())
}
