//! What is said of a world in which something does not hold: which one it is, what was found, and the shortest way there.

use std::{fmt::Write, process::Command, time::Duration};

use super::{Ran, Run, shrunk};

/// Says what does not hold and how to see it again. Looks for a shorter list of parts with which it still fails for at most so long.
pub fn failure(run: &Run, ran: Ran, shrinking: Duration) -> Option<String> {
    let violation = ran.violation.clone()?;
    let mut said = format!("seed {} at commit {}: this does not hold:\n\n{violation}\n\n{run}\n", run.seed, commit());
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

/// The commit that the folder is at, if git knows, and whether anything was changed since.
pub fn commit() -> String {
    let told = Command::new("git").args(["describe", "--always", "--dirty", "--exclude", "*"]).output();
    told.ok().and_then(|told| String::from_utf8(told.stdout).ok()).unwrap_or_default().trim().to_owned()
}
