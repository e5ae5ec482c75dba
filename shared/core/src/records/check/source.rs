//! Checks a source. The secrets themselves are the deployment's, so what other names there are is all that tells a slip of the pen.

use super::Known;
use crate::records::{
    Source,
    problem::{Problem, closest, quoted},
};

/// A secret's name that nearly is another's: the source's leads would be turned away.
pub(super) fn check(source: &Source, before: Option<&Source>, known: &Known) -> Option<Problem> {
    let all = || known.sources.values();
    let others = all().filter(|other| other.id != source.id);
    let named = others.map(|other| other.secret.as_str());
    // What its leads came with until it was edited.
    let before = before.map(|before| before.secret.as_str());
    let own = source.id.as_str();
    if source.secret == own || named.clone().any(|named| named == source.secret) {
        return None;
    }
    let candidates = before.into_iter().chain([own]).chain(named).chain(all().map(|other| other.id.as_str()));
    let meant = closest(&source.secret, candidates.filter(|candidate| *candidate != source.secret))?;
    let sentence = format!(
        "No other source names the secret {}, and this nearly is {}: if the deployment has no secret of that name, every lead of this source is answered with 401.",
        quoted(&source.secret),
        quoted(meant)
    );
    Some(Problem::warning(
        "secret",
        sentence,
        format!("Did you mean {}? If it is one of its own, leave it.", quoted(meant)),
    ))
}
