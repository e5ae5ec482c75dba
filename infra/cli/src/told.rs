//! What happened, as the demo tells it: a line for people in the lead's time, or a JSON object for machines.

use std::fmt::Write;

use cadence_core::{
    time::{Zone, local_text},
    timeline::{Entry, EntryKind},
};

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

#[expect(clippy::print_stdout, reason = "the demo's output is what it is for")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}

fn words(entry: &Entry, zone: &Zone) -> String {
    let mut line = format!("{}  {:<13}", local_text(entry.at, zone), title(entry));
    if let Some(step) = &entry.step {
        let _ = write!(line, " {step}");
    }
    if let Some(outcome) = entry.outcome.filter(|_| entry.kind == EntryKind::Outcome) {
        let _ = write!(line, ": {}", outcome.as_str());
    }
    match (&entry.from, &entry.to) {
        (Some(from), Some(to)) => {
            let _ = write!(line, "  {from} -> {to}");
        }
        (None, Some(to)) => {
            let _ = write!(line, "  -> {to}");
        }
        (_, None) => {}
    }
    if let Some(until) = entry.until {
        let word = match entry.kind {
            EntryKind::TaskOpened => "due",
            EntryKind::Enrolled => "first step",
            _ => "until",
        };
        let _ = write!(line, "  ({word} {})", local_text(until, zone));
    }
    for text in entry.text.iter().flat_map(|text| text.lines()) {
        let _ = write!(line, "\n{}", format!("                            | {text}").trim_end());
    }
    line
}

fn title(entry: &Entry) -> &'static str {
    match entry.kind {
        EntryKind::LeadIn => "LEAD IN",
        EntryKind::Enrolled => "ENROLLED",
        EntryKind::TaskOpened => "TASK",
        EntryKind::TaskClosed => "TASK CLOSED",
        EntryKind::Sent => match entry.channel {
            Some(cadence_core::Channel::Sms) => "SMS",
            Some(cadence_core::Channel::Email) => "EMAIL",
            Some(cadence_core::Channel::Call) | None => "SENT",
        },
        EntryKind::CallPlaced => "AI CALL",
        EntryKind::Outcome => "OUTCOME",
        EntryKind::Deferred => "WAITS",
        EntryKind::Skipped => "SKIPPED",
        EntryKind::Retried => "RETRIES",
        EntryKind::Unsure => "UNSURE",
        EntryKind::Failed => "FAILED",
        EntryKind::Parked => "PARKED",
        EntryKind::Released => "RELEASED",
        EntryKind::Assigned => "ASSIGNED",
        EntryKind::OptedOut => "OPTED OUT",
        EntryKind::Ended => "ENDED",
    }
}
