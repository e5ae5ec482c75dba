//! A timeline's entries in words, and where an enrollment stands.

pub mod standing;

use std::fmt::Write;

use cadence_core::{
    Channel,
    records::Cadence,
    time::{Zone, local_text},
    timeline::{Entry, EntryKind},
};

/// What was said stands under what happened, this far in.
pub const INDENT: &str = "                            ";

/// An entry as a person reads it, in the lead's time: one line, and what was said under it.
pub fn words(entry: &Entry, zone: &Zone) -> String {
    let mut line = format!("{}  {:<13}", local_text(entry.at, zone), title(entry));
    let said: Vec<&str> = entry.text.iter().flat_map(|text| text.lines()).collect();
    // What is about no step says in one line why or from whom; an outcome of none is the lead's own doing.
    let (beside, below) = match (&entry.step, said.as_slice()) {
        (None, all) if entry.kind == EntryKind::Outcome => (Some("the lead"), all),
        (None, [first, rest @ ..]) => (Some(*first), rest),
        (_, all) => (entry.step.as_ref().map(|step| step.as_str()), all),
    };
    if let Some(beside) = beside {
        let _ = write!(line, " {beside}");
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
    for text in below {
        let _ = write!(line, "\n{}", format!("{INDENT}| {text}").trim_end());
    }
    line
}

/// Which of several messages of its step an entry says, as a line under it; `None` where every lead is told the same.
pub fn variant(entry: &Entry, cadence: &Cadence) -> Option<String> {
    let step = cadence.step(entry.step.as_ref()?)?;
    let message = entry.message.as_ref()?;
    (step.messages().count() > 1).then(|| format!("\n{INDENT}| (variant {message})"))
}

fn title(entry: &Entry) -> &'static str {
    match entry.kind {
        EntryKind::LeadIn => "LEAD IN",
        EntryKind::Enrolled => "ENROLLED",
        EntryKind::HeldOut => "HELD OUT",
        EntryKind::TaskOpened => "TASK",
        EntryKind::TaskClosed => "TASK CLOSED",
        EntryKind::Sent => match entry.channel {
            Some(Channel::Sms) => "SMS",
            Some(Channel::Email) => "EMAIL",
            Some(Channel::Call) | None => "SENT",
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
        EntryKind::VersionChanged => "NEW VERSION",
        EntryKind::Assigned => "ASSIGNED",
        EntryKind::OptedOut => "OPTED OUT",
        EntryKind::Ended => "ENDED",
    }
}

#[cfg(test)]
mod tests {
    use cadence_core::{LeadId, Outcome};
    use chrono::DateTime;

    use super::*;

    #[test]
    fn an_entry_is_one_line_in_the_leads_time_with_what_was_said_under_it() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        let at = DateTime::parse_from_rfc3339("2026-12-01T18:03:00Z").unwrap().to_utc();
        let entry = |kind| Entry::new(kind, &LeadId::new("l1"), at);
        let call =
            Entry { step: Some("first-call".into()), outcome: Some(Outcome::Voicemail), ..entry(EntryKind::Outcome) };
        for (entry, expected) in [
            (
                entry(EntryKind::LeadIn).text("from zillow"),
                "Tue Dec 1 10:03:00 PST  LEAD IN       from zillow".to_owned(),
            ),
            (entry(EntryKind::Ended), "Tue Dec 1 10:03:00 PST  ENDED        ".to_owned()),
            (
                call.text("left a message"),
                format!("Tue Dec 1 10:03:00 PST  OUTCOME       first-call: voicemail\n{INDENT}| left a message"),
            ),
        ] {
            assert_eq!(words(&entry, &zone), expected);
        }
    }
}
