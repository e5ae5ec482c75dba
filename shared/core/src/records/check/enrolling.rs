//! Checks which leads a cadence takes against the records it refers to.

use super::{Known, values};
use crate::records::{
    Cadence, Source,
    problem::{Problem, closest, quoted},
};

pub(super) fn check(cadence: &Cadence, known: &Known) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, source) in cadence.for_leads.source.iter().enumerate() {
        if known.source(source).is_none() {
            let absent = known.absent("SOURCE", source, "", "Write the source's record, or correct the name.");
            let sentence = format!("{}, so no lead comes from it.", absent.what);
            problems.push(Problem::warning(format!("for_leads.source[{index}]"), sentence, absent.remedy));
        }
    }
    problems.extend(values::check(cadence, known));
    problems.extend(cadence.for_leads.attributes.keys().filter_map(|name| misspelt(name, known)));
    for (index, other) in cadence.takes_over.iter().enumerate() {
        if !known.cadences.contains_key(other) {
            let (own, otherwise) = (cadence.id.as_str(), "Publish that cadence first, or correct the name.");
            let absent = known.absent("CADENCE", other.as_str(), own, otherwise);
            problems.push(Problem::error(format!("takes_over[{index}]"), absent.what + ".", absent.remedy));
        } else if known.cadences.get(other).is_some_and(|other| other.takes_over.contains(&cadence.id)) {
            let sentence = format!("The cadence {} takes leads over from this one too.", quoted(other.as_str()));
            let remedy = "Remove one of the two, or a lead who asks again and again begins them by turns.";
            problems.push(Problem::warning(format!("takes_over[{index}]"), sentence, remedy));
        }
    }
    problems
}

/// Sources may send any attribute, so only a name that nearly is one that is sent for sure is taken for a slip of the pen.
fn misspelt(name: &str, known: &Known) -> Option<Problem> {
    let is_longer_or_shorter = |sent: &&str| sent.starts_with(name) || name.starts_with(sent);
    let sent = known.sources.values().flat_map(Source::attributes);
    let meant = closest(name, sent.filter(|sent| *sent == name || !is_longer_or_shorter(sent)))?;
    (meant != name).then(|| {
        Problem::warning(
            format!("for_leads.attributes.{name}"),
            "No source's record says that it sends such an attribute; a lead that lacks it does not fit.",
            format!("Did you mean \"{meant}\"?"),
        )
    })
}
