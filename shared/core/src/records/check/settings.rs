//! Checks the settings.

use super::segments::{measure, odd_problem};
use crate::records::{Settings, problem::Problem};

pub(super) fn check(settings: &Settings) -> Vec<Problem> {
    let company = odd_problem("company", "The company's name", &measure(&settings.company).odd);
    let caps = settings.caps;
    let caps = [
        ("contacts_per_day", caps.contacts_per_day, "Nobody is ever called or texted"),
        ("contacts_per_week", caps.contacts_per_week, "Nobody is ever called or texted"),
        ("ai_calls_per_day", caps.ai_calls_per_day, "No AI ever calls"),
        ("sms_per_day", caps.sms_per_day, "Nobody is ever texted"),
        ("emails_per_day", caps.emails_per_day, "Nobody ever gets an email"),
    ];
    let shut = caps.into_iter().filter(|(_, cap, _)| *cap == 0).map(|(name, _, what)| {
        let sentence = format!("{what}: a cap of 0 allows none.");
        Problem::warning(
            format!("caps.{name}"),
            sentence,
            "Make sure that this is meant; else write a number, or remove it.",
        )
    });
    company.into_iter().chain(shut).collect()
}
