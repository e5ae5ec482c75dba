//! How many steps are simulated in a second, each lead from its arrival to its end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark may panic")]

use std::{collections::BTreeMap, fs, hint::black_box, path::Path};

use cadence_core::{
    CadenceId,
    arrival::Catalogue,
    records::{Format, Record, Source, parse_record},
    simulation::{Arriving, Published, Script, Simulated, simulate},
    sources,
};
use chrono::{DateTime, Utc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;

/// The records that ship, and the source whose leads agree to everything.
fn shipped() -> (Published, Source) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/cadences");
    let (mut cadences, mut users, mut messages) = (Vec::new(), Vec::new(), BTreeMap::new());
    let (mut settings, mut zillow) = (None, None);
    for file in fs::read_dir(folder).unwrap() {
        let mut item: Value = serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        let fields = item.as_object_mut().unwrap();
        let pk = fields.remove("pk").unwrap();
        fields.remove("sk");
        match parse_record(pk.as_str().unwrap(), &item).unwrap_or_else(|problems| panic!("{problems:?}")) {
            Record::Cadence(cadence) => cadences.push((cadence, 1)),
            Record::User(user) => users.push(user),
            Record::Message(message) => drop(messages.insert(message.id.clone(), message)),
            Record::Settings(company) => settings = Some(company),
            Record::Source(source) if source.id.as_str() == "zillow" => zillow = Some(source),
            Record::Source(_) => {}
        }
    }
    let catalogue = Catalogue { cadences, users, settings: settings.unwrap() };
    (Published { catalogue, messages }, zillow.unwrap())
}

fn simulating(criterion: &mut Criterion) {
    let (published, source) = shipped();
    let body = br#"{"first_name": "Robin", "last_name": "Example", "phone": "415-555-0123", "email": "robin@example.com", "state": "CA"}"#;
    let inbound = sources::parse(&Format::Plain, None, body).unwrap();
    let at = DateTime::parse_from_rfc3339("2026-12-01T10:00:00-08:00").unwrap().to_utc();
    for (cadence, script) in [("zillow-purchase", ""), ("new-lead", "second-call=no_answer")] {
        let (id, script) = (CadenceId::new(cadence), Script::parse(script).unwrap());
        let takers = published.only(&id);
        let run = |at: DateTime<Utc>| -> Simulated {
            let begun = published.arrive(Arriving { source: &source, inbound: &inbound, takers: &takers, at }).unwrap();
            simulate(&published, begun, &script).unwrap()
        };
        let steps: usize = run(at).worlds.iter().map(|world| world.claims.len()).sum();
        let mut group = criterion.benchmark_group("simulate");
        group.throughput(Throughput::Elements(steps as u64));
        group.bench_function(format!("{cadence}, {steps} steps"), |bencher| bencher.iter(|| run(black_box(at))));
        group.finish();
    }
}

criterion_group!(benches, simulating);
criterion_main!(benches);
