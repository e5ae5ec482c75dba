//! What was done, and what came of it, for people to read.

use std::{collections::BTreeMap, fmt};

use super::{PASSES, Pass, Verdict};

/// What was done, and what came of it.
#[derive(Debug)]
pub struct Report {
    /// Functions' processes that were killed, by function.
    pub functions_killed: BTreeMap<String, u32>,
    /// Of these, those that were at an invocation, by what the cloud says of it.
    pub invocations_killed: u32,
    /// How often the whole cloud was killed.
    pub clouds_killed: u32,
    /// What each pass of `reconcile` did after the last kill.
    pub passes: Vec<Pass>,
    /// What is found in the tables and in the outbox.
    pub verdict: Verdict,
}

impl Report {
    /// What went wrong; nothing where the promises were kept.
    pub fn failures(&self) -> Vec<String> {
        let mut failures: Vec<String> = self.verdict.failures().cloned().collect();
        if self.passes.iter().skip(PASSES).any(|pass| *pass != Pass::default()) {
            failures.push(format!("a pass after the first {PASSES} still had something to do"));
        }
        failures
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { functions_killed, invocations_killed, clouds_killed, passes, verdict } = self;
        let processes: u32 = functions_killed.values().sum();
        let kills = processes + clouds_killed;
        writeln!(f, "kills      {kills}: {clouds_killed} of the whole cloud, {processes} of a function's process")?;
        let by_function: Vec<String> = functions_killed.iter().map(|(name, count)| format!("{count} {name}")).collect();
        writeln!(f, "           {}", by_function.join(", "))?;
        writeln!(f, "           {invocations_killed} invocations were cut off while the cloud lived on")?;
        for (number, Pass { requeued, settled, released, failed }) in (1..).zip(passes) {
            writeln!(
                f,
                "pass {number}     requeued {requeued}, settled {settled}, released {released}, failed {failed}"
            )?;
        }
        writeln!(f, "{verdict}")?;
        let is_kept = self.failures().is_empty();
        write!(f, "result     {}", if is_kept { "the promises were kept" } else { "promises were broken" })
    }
}
