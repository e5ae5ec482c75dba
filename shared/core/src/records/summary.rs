//! A cadence's timeline in one line, for whoever looks at its record.

use super::{Assign, Cadence, OnOverdue, Status, Step, Target};
use crate::{Do, Outcome};

/// More steps than that nobody reads in one line.
const AT_MOST: usize = 30;

/// What the cadence does and when, and what ends it: `call at once; text after 20m; ends on replied`. Of one that is not live it says
/// that first.
pub fn summary(cadence: &Cadence) -> String {
    let status = match cadence.status {
        Status::Live => "",
        Status::Paused => "PAUSED, nothing goes out: ",
        Status::Off => "OFF, takes no new leads: ",
        Status::Archived => "ARCHIVED, nothing runs: ",
    };
    let mut parts: Vec<String> = cadence.steps.iter().take(AT_MOST).map(step).collect();
    let more = cadence.steps.len().saturating_sub(AT_MOST);
    if more > 0 {
        parts.push(format!("{more} more steps"));
    }
    let mut ways: Vec<(String, Vec<&str>)> = Vec::new();
    for (outcome, target) in &cadence.anytime {
        let Some(way) = way(target) else { continue };
        match ways.iter_mut().find(|(known, _)| *known == way) {
            Some((_, outcomes)) => outcomes.push(outcome.as_str()),
            None => ways.push((way, vec![Outcome::as_str(*outcome)])),
        }
    }
    parts.extend(ways.into_iter().map(|(way, outcomes)| format!("{way} on {}", outcomes.join(", "))));
    format!("{status}{}", parts.join("; "))
}

fn step(step: &Step) -> String {
    let what = match step.action {
        Do::Dial => "call",
        Do::CustomSms => "custom text",
        Do::CustomEmail => "custom email",
        Do::AiDial => "AI call",
        Do::AiSms => "AI text",
        Do::AiEmail => "AI email",
        Do::CannedSms => "text",
        Do::CannedEmail => "email",
    };
    let by = match &step.assign {
        Assign::LoanOfficer => String::new(),
        other if step.action.is_users() => format!(" by {}", who(other)),
        Assign::User(_) | Assign::RoundRobin(_) => String::new(),
    };
    let rounds = match &step.every {
        Some(every) if step.attempts > 1 => format!(", up to {} times every {every}", step.attempts),
        Some(_) | None => String::new(),
    };
    let hold = step.hold.as_ref().map_or_else(String::new, |hold| format!(", then waits up to {hold} for its outcome"));
    let overdue = match (&step.on_overdue, &step.due) {
        (Some(OnOverdue::Assign(other)), Some(due)) => format!(" (if not done in {due}: by {})", who(other)),
        (Some(OnOverdue::Go(target)), Some(due)) => {
            way(target).map_or_else(String::new, |way| format!(" (if not done in {due}: {way})"))
        }
        (Some(_), None) | (None, _) => String::new(),
    };
    let variants = match step.messages().count() {
        0 | 1 => String::new(),
        count => format!(" in {count} variants"),
    };
    format!("{what}{variants}{by} {}{rounds}{hold}{overdue}", step.wait.in_words())
}

fn who(assign: &Assign) -> String {
    match assign {
        Assign::LoanOfficer => "the loan officer".to_owned(),
        Assign::User(user) => user.to_string(),
        Assign::RoundRobin(group) => format!("{group} in turn"),
    }
}

/// What an outcome does whatever the step; `None` where it only goes on.
fn way(target: &Target) -> Option<String> {
    match target {
        Target::Next => None,
        Target::End => Some("ends".to_owned()),
        Target::Pause => Some("pauses".to_owned()),
        Target::Step(step) => Some(format!("goes to {step}")),
        Target::Cadence(cadence) => Some(format!("moves to {cadence}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::{cadence, reference, steps};

    #[test]
    fn the_reference_story_is_told_in_one_line() {
        assert_eq!(
            summary(&reference()),
            "call at once; text at once; AI call after 20m; email after 20m; ends on replied, connected, appointment_set"
        );
    }

    #[test]
    fn a_cadence_that_is_not_live_says_so_first() {
        for (status, words) in [
            (Status::Paused, "PAUSED, nothing goes out: call at once;"),
            (Status::Off, "OFF, takes no new leads: call at once;"),
            (Status::Archived, "ARCHIVED, nothing runs: call at once;"),
        ] {
            let told = summary(&Cadence { status, ..reference() });
            assert!(told.starts_with(words), "{told}");
        }
    }

    #[test]
    fn each_kind_of_step_wait_and_way_has_its_words() {
        let record = json!({
            "anytime": {"replied": "end", "declined": "pause", "busy": "next", "connected": "end", "failed": {"cadence": "nurture"},
                "bounced": "last"},
            "steps": [
                {"id": "a", "do": "dial", "wait": "1bd at 10:15", "attempts": 3, "every": "1bd", "hold": "4h", "assign": "lo-riley"},
                {"id": "b", "do": "custom_sms", "wait": "0h", "assign": "round_robin: callers"},
                {"id": "c", "do": "custom_email", "wait": "0d at 09:00", "due": "4h", "on_overdue": {"assign": "round_robin: callers"}},
                {"id": "d", "do": "ai_sms", "wait": "2h", "message": {"sms/a": 50, "sms/b": 50}},
                {"id": "last", "do": "ai_email", "wait": "1d"}]});
        assert_eq!(
            summary(&cadence(record)),
            "call by lo-riley after 1bd at 10:15, up to 3 times every 1bd, then waits up to 4h for its outcome; custom text by callers in turn at once; custom email at 09:00 (if not done in 4h: by callers in turn); \
             AI text in 2 variants after 2h; AI email after 1d; goes to last on bounced; ends on replied, connected; pauses on declined; \
             moves to nurture on failed"
        );
    }

    #[test]
    fn a_long_cadence_is_cut_short() {
        let all: Vec<Value> =
            (0..50).map(|index| json!({"id": format!("s{index}"), "do": "dial", "wait": "1d"})).collect();
        let said = summary(&steps(json!(all)));
        assert!(said.ends_with("call after 1d; 20 more steps"), "{said}");
    }
}
