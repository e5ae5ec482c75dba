//! Checks whether an edit that is refused was to stop what then goes on.

use serde_json::Value;

use crate::records::{Record, Status, problem::Problem};

/// That a cadence which was to stop goes on, or a user who was to get no more leads gets them, because the edit as a whole is refused.
pub(super) fn goes_on(content: &Value, at_work: &Record) -> Option<Problem> {
    let says = |name: &str| {
        let said = content.get(name)?;
        Some(said.as_str().map_or_else(|| said.to_string(), |text| text.trim().to_lowercase()))
    };
    let (field, sentence) = match at_work {
        Record::Cadence(cadence) if cadence.status == Status::Live => {
            let status = says("status").filter(|status| ["paused", "off", "archived"].contains(&status.as_str()))?;
            ("status", format!("THE CADENCE IS NOT {}, and goes on contacting leads", status.to_uppercase()))
        }
        Record::User(user) if user.active => {
            says("active").filter(|active| active == "false")?;
            ("active", "THE USER IS STILL ACTIVE, and goes on getting leads".to_owned())
        }
        Record::Cadence(_) | Record::User(_) | Record::Message(_) | Record::Source(_) | Record::Settings(_) => {
            return None;
        }
    };
    let sentence = format!("{sentence}: nothing of this edit counts while anything in it is wrong.");
    Some(Problem::error(field, sentence, "Mend what else is said here, or undo it, and save again."))
}
