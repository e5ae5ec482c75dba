//! What is said of a world in which something does not hold: which one it is, what was found, and the shortest way there.

use std::{fmt::Write, process::Command, time::Duration};

use super::{Ran, Run, shrunk};

/// Says what does not hold and how to see it again. Looks for a shorter list of parts with which it still fails for at most so long.
pub fn failure(run: &Run, ran: Ran, shrinking: Duration) -> Option<String> {
    let violation = ran.violation.clone()?;
    let (seed, commit) = (run.seed, commit_of_folder());
    let mut said =
        format!("seed {seed} (commit of this folder: {commit}): this does not hold:\n\n{violation}\n\n{run}\n");
    if !shrinking.is_zero() {
        let (shorter, came) = shrunk(run, ran, shrinking);
        let number = came.parts.len();
        let _ = write!(said, "\nthe shortest list of parts found with which it does not hold, {number} of them:\n\n");
        for (part, words) in &came.parts {
            let _ = writeln!(said, "  {part:<20} {words}");
        }
        if let Some(violation) = &came.violation {
            let _ = write!(said, "\n{violation}\n\n{shorter}\n");
        }
    }
    Some(said)
}

/// The commit that the current folder is at and whether anything was changed since, or that it is unknown. The binary may be of another.
pub fn commit_of_folder() -> String {
    let told = Command::new("git").args(["describe", "--always", "--dirty", "--exclude", "*"]).output();
    let told = told.ok().and_then(|told| String::from_utf8(told.stdout).ok()).unwrap_or_default();
    if told.trim().is_empty() { "unknown".to_owned() } else { told.trim().to_owned() }
}
