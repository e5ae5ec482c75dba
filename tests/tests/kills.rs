//! A bounded run of what `cargo run -p cadence-tests --bin kills` does at length. A binary of its own: it builds others and needs the
//! machine's time for itself.

#![cfg(test)]

use std::time::Duration;

use cadence_tests::{
    Tested,
    kills::{self, Plan},
};

#[tokio::test]
async fn processes_killed_at_random_instants_lose_nothing_and_do_nothing_twice() -> Tested {
    let data = tempfile::tempdir()?;
    let plan = Plan {
        kills: 25,
        seed: 7,
        binaries: kills::built()?,
        data: data.path().to_owned(),
        lead_every: Duration::from_millis(700),
    };
    let report = kills::run(&plan, &|_| {}).await?;
    assert!(report.failures().is_empty(), "{report}");
    Ok(())
}
