//! How long it takes to read and check a cadence of 50 steps, each with a message of its own.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "a benchmark may panic")]

use std::hint::black_box;

use cadence_core::records::{Known, Record, check, parse_record};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

const STEPS: usize = 50;

fn cadence() -> Value {
    let kinds = ["dial", "canned_sms", "ai_dial", "canned_email", "custom_sms"];
    let steps: Vec<Value> = (0..STEPS)
        .map(|index| {
            let action = kinds[index % kinds.len()];
            let mut step =
                json!({"id": format!("step-{index}"), "do": action, "wait": "1d at 10:15", "on": {"skipped": "next"}});
            match action {
                "dial" => step["on"] = json!({"bad_number": "step-49", "busy": "next"}),
                "ai_dial" => step["agent"] = json!("first-touch"),
                "canned_sms" => step["message"] = json!(format!("sms/{index}")),
                "canned_email" => step["message"] = json!(format!("email/{index}")),
                _ => {}
            }
            step
        })
        .collect();
    json!({"name": "Fifty steps", "for_leads": {"source": ["zillow"], "state": ["CA", "TX"]}, "anytime": {"replied": "end", "connected": "end"},
        "hours": {"call": "Mon-Sat 09:00-19:30", "sms": "Mon-Sat 09:00-20:00"}, "steps": steps})
}

fn known() -> Known {
    let mut known = Known::default();
    let text = "Hi {{ lead_first_name or 'there' }}, {{ lo_first_name }} (NMLS {{ lo_nmls_id }}) of {{ company }}. Reply STOP to opt out.";
    let body = "Hi {{ lead_first_name or 'there' }},\n\n{{ lo_first_name }}, NMLS {{ lo_nmls_id }}, {{ postal_address }}\n{{ unsubscribe_url }}";
    for index in 0..STEPS {
        known.insert(read(&format!("MESSAGE#sms/{index}"), &json!({"text": text})));
        known.insert(read(&format!("MESSAGE#email/{index}"), &json!({"subject": "Your loan", "body": body})));
        let user = json!({"first_name": "Riley", "last_name": "Example", "email": "riley@example.com", "phone": "+14155550140",
            "sms_number": "+14155550141", "nmls_id": "1000001", "licences": ["CA", "TX"]});
        known.insert(read(&format!("USER#lo-{index}"), &user));
    }
    known.insert(read("SOURCE#zillow", &json!({"format": "zillow"})));
    let settings = json!({"company": "Example Home Loans", "postal_address": "100 Example Street", "notices_from": "notices@example.com",
        "unsubscribe_url": "https://example.com/unsubscribe"});
    known.insert(read("SETTINGS#company", &settings));
    known
}

fn read(pk: &str, content: &Value) -> Record {
    parse_record(pk, content).unwrap_or_else(|problems| panic!("{pk}: {problems:#?}"))
}

fn checking(criterion: &mut Criterion) {
    let (content, known) = (cadence(), known());
    let record = read("CADENCE#fifty", &content);
    criterion.bench_function("read a 50-step cadence", |bencher| {
        bencher.iter(|| parse_record("CADENCE#fifty", black_box(&content)))
    });
    criterion.bench_function("check a 50-step cadence", |bencher| bencher.iter(|| check(black_box(&record), &known)));
    let message =
        read("MESSAGE#email/0", &json!({"subject": "Your loan", "body": "{{ unsubscribe_url }} {{ postal_address }}"}));
    criterion.bench_function("check a message", |bencher| bencher.iter(|| check(black_box(&message), &known)));
}

criterion_group!(benches, checking);
criterion_main!(benches);
