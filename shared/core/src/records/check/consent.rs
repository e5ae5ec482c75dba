//! Checks whether the leads of a cadence agreed to what its machines do.

use super::Known;
use crate::{
    Channel,
    gate::{AskUser, asks_user},
    records::{
        Cadence, Source,
        problem::{Problem, all_of},
    },
};

/// What machines may not do for leads of the sources that the cadence names.
pub(super) fn check(cadence: &Cadence, known: &Known) -> impl Iterator<Item = Problem> {
    let sources: Vec<&Source> = cadence.for_leads.source.iter().filter_map(|id| known.source(id)).collect();
    cadence.steps.iter().enumerate().filter_map(move |(index, step)| {
        let asks = |source: &Source| asks_user(step.action, source.consent.channels(), false);
        let silent = sources.iter().filter(|source| asks(source) == Some(AskUser::NoWrittenConsent));
        let silent = all_of(silent.map(|source| source.id.as_str()));
        let (agree, users) = match step.action.channel() {
            Channel::Call => ("calls of an AI", "dial"),
            Channel::Sms => ("such texts", "custom_sms"),
            Channel::Email => ("emails", "custom_email"),
        };
        (!silent.is_empty()).then(|| {
            let sentence = format!(
                "Leads of {silent} come without written consent to {agree}, so a user is asked to do \"{}\", unless a lead's own webhook says more.",
                step.id
            );
            let remedy = format!("Write \"consent\" on the source's record if its leads do agree, or write \"do\": \"{users}\".");
            Problem::warning(format!("steps[{index}].do"), sentence, remedy)
        })
    })
}
