//! What happened, as the demo tells it: a line for people in the lead's time, or a JSON object for machines.

use std::io::Write;

use cadence_core::{time::Zone, timeline::Entry};
use cadence_local::words::words;

/// How the demo tells what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// In words.
    Words,
    /// One JSON object a line.
    Json,
}

impl Telling {
    /// Tells an entry of a lead's timeline.
    pub(crate) fn entry(self, entry: &Entry, zone: &Zone) -> anyhow::Result<()> {
        print(&match self {
            Self::Words => words(entry, zone),
            Self::Json => serde_json::to_string(entry)?,
        });
        Ok(())
    }

    /// Tells something that is no lead's entry, in words only.
    pub(crate) fn heading(self, text: &str) {
        if self == Self::Words {
            print(text);
        }
    }

    /// Tells an object to machines only.
    pub(crate) fn object(self, object: &serde_json::Value) {
        if self == Self::Json {
            print(&object.to_string());
        }
    }
}

/// Prints a line. Whoever reads it may stop reading: that is no failure.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints rows of as many columns, each as wide as its widest cell.
pub(crate) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    for row in rows {
        let cells: Vec<String> =
            row.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = width(column))).collect();
        print(cells.join("  ").trim_end());
    }
}

/// Tells somebody who watches, apart from what is printed.
#[expect(clippy::print_stderr, reason = "a command tells its user what is wrong")]
pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}
