//! Checks which leads a cadence takes against the records it refers to.

use std::cmp::Reverse;

use super::{Known, values};
use crate::records::{
    Cadence, Reenroll, Source, Status,
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
    problems.extend(left_none(cadence, known));
    problems.extend(leaves_none(cadence, known));
    problems.extend(left_alone(cadence, known));
    problems
}

/// That leads whom the cadence takes no more, or leaves to others, may be nobody's. Not said of one that takes none because others hand it theirs.
fn left_alone(cadence: &Cadence, known: &Known) -> Option<Problem> {
    let others = || known.cadences.values().filter(|other| other.id != cadence.id);
    let path = match cadence.status {
        Status::Live if cadence.for_leads.hold_out == 0 => return None,
        Status::Live => "for_leads.hold_out",
        Status::Off if others().any(|other| hands_to(other, cadence)) => return None,
        Status::Off | Status::Paused | Status::Archived => "status",
    };
    if others().any(|other| other.status == Status::Live && other.for_leads.covers(&cadence.for_leads)) {
        return None;
    }
    let sentence = "No other live cadence takes every lead that this one is for: those that fit none are kept, and nobody contacts them.";
    let remedy = "Have a live cadence of a low \"priority\" that takes every lead, with \"for_leads\": {}.";
    Some(Problem::warning(path, sentence, remedy))
}

/// Whether an outcome moves leads of the one cadence to the other.
fn hands_to(from: &Cadence, to: &Cadence) -> bool {
    from.targets().any(|target| *target == to.id)
}

/// Whether a cadence takes whatever lead another is for, so that none is left for that one: none that runs elsewhere, or asks again either.
fn takes_all(first: &Cadence, other: &Cadence) -> bool {
    let goes_first = |cadence: &Cadence| (Reverse(cadence.priority), cadence.id.clone());
    first.id != other.id
        && first.status == Status::Live
        && other.status == Status::Live
        && goes_first(first) < goes_first(other)
        && first.for_leads.covers(&other.for_leads)
        && first.reenroll != Reenroll::Never
        && first.reenroll.wait() == other.reenroll.wait()
        && other.takes_over.iter().all(|taken| first.takes_over.contains(taken))
}

/// Why the first of two cadences goes first.
fn why_first(first: &Cadence, other: &Cadence) -> &'static str {
    match first.priority == other.priority {
        true => "of the same priority the first name in the alphabet goes first",
        false => "its priority is higher",
    }
}

/// That this cadence takes whatever lead another is for. Said here too, since here is where it was brought about.
fn leaves_none(cadence: &Cadence, known: &Known) -> Option<Problem> {
    let others = || known.cadences.values().filter(|other| other.id != cadence.id);
    let is_handed = |other: &Cadence| others().chain([cadence]).any(|from| hands_to(from, other));
    let other = others().find(|other| takes_all(cadence, other) && !is_handed(other))?;
    let why = why_first(cadence, other);
    let sentence = format!(
        "This takes every lead that the cadence {} is for, so that one gets none: {why}.",
        quoted(other.id.as_str())
    );
    let remedy = "If that isn't meant, narrow \"for_leads\", set \"priority\" to less than the other's, or write \"status\": \"off\" until this is ready.";
    Some(Problem::warning("priority", sentence, remedy))
}

/// That another cadence takes whatever lead this one is for, so that none is left. Not said where an outcome hands some to it.
fn left_none(cadence: &Cadence, known: &Known) -> Option<Problem> {
    let others = || known.cadences.values();
    if others().any(|other| hands_to(other, cadence)) {
        return None;
    }
    let other = others().find(|other| takes_all(other, cadence))?;
    let why = why_first(other, cadence);
    let sentence = format!(
        "The cadence {} takes every lead that this one is for, so this one gets none: {why}.",
        quoted(other.id.as_str())
    );
    let remedy = format!(
        "Set \"priority\" to more than {}, or narrow the other's \"for_leads\"; to have both try, let the other \"hold_out\" some.",
        other.priority
    );
    Some(Problem::warning("priority", sentence, remedy))
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::records::{Record, check, parse_record};

    fn cadence(id: &str, fields: &Value) -> Record {
        let mut record = json!({"name": "A", "steps": [{"id": "a", "do": "dial", "wait": "0m"}]});
        for (name, value) in fields.as_object().unwrap() {
            record[name] = value.clone();
        }
        parse_record(&format!("CADENCE#{id}"), &record).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    #[test]
    fn a_cadence_that_leaves_leads_to_nobody_says_so() {
        let zillow = json!({"source": ["zillow"]});
        // The other one, this one, and where it says so.
        for (other, this, path) in [
            (json!({}), json!({}), None),
            (json!({}), json!({"status": "paused", "for_leads": zillow}), None),
            (json!({"for_leads": zillow}), json!({"status": "paused", "for_leads": zillow}), None),
            (json!({"for_leads": zillow}), json!({"status": "paused"}), Some("status")),
            (json!({"status": "off"}), json!({"status": "archived", "for_leads": zillow}), Some("status")),
            (json!({"for_leads": zillow}), json!({"status": "off"}), Some("status")),
            (json!({"for_leads": zillow, "anytime": {"replied": {"cadence": "this"}}}), json!({"status": "off"}), None),
            (json!({"for_leads": zillow}), json!({"for_leads": {"hold_out": 50}}), Some("for_leads.hold_out")),
            (json!({}), json!({"for_leads": {"hold_out": 50}}), None),
            (json!({"for_leads": {"hold_out": 1}}), json!({"status": "paused"}), Some("status")),
        ] {
            let (first, second) = (cadence("other", &other), cadence("this", &this));
            let mut known = Known::default();
            [&first, &second].into_iter().cloned().for_each(|record| known.insert(record));
            let said = check(&second, &known).into_iter().find(|problem| problem.sentence.contains("nobody contacts"));
            assert_eq!(said.as_ref().map(|problem| problem.path.as_str()), path, "{other} and {this}");
        }
    }

    #[test]
    fn a_cadence_that_is_left_no_lead_is_told_who_takes_them() {
        let narrow = json!({"source": ["zillow"], "state": ["CA"], "attributes": {"loan_amount": {"at_least": 300_000}, "veteran": ["yes"]}});
        let own = json!({"for_leads": narrow, "priority": 5});
        let with = |name: &str, value: Value| {
            let mut record = own.clone();
            record[name] = value;
            record
        };
        let amount = |amount: Value| json!({"priority": 9, "for_leads": {"attributes": {"loan_amount": amount}}});
        // The other one, this one, and why this one is left none.
        for (other, this, why) in [
            (json!({"priority": 9}), &own, Some("its priority is higher")),
            (json!({"priority": 5}), &own, Some("the first name in the alphabet goes first")),
            (json!({"priority": 4}), &own, None),
            (json!({"priority": 9, "status": "paused"}), &own, None),
            (json!({"priority": 9}), &with("status", json!("off")), None),
            (
                json!({"priority": 9, "for_leads": {"source": ["Zillow", "plain"], "state": ["CA"]}}),
                &own,
                Some("higher"),
            ),
            (json!({"priority": 9, "for_leads": {"source": ["plain"]}}), &own, None),
            (json!({"priority": 9, "for_leads": {"purpose": ["purchase"]}}), &own, None),
            (json!({"priority": 9, "for_leads": {"hold_out": 1}}), &own, None),
            (amount(json!({"at_least": 200_000})), &own, Some("higher")),
            (amount(json!({"at_least": 400_000})), &own, None),
            (amount(json!({"at_least": 200_000, "at_most": 900_000})), &own, None),
            (json!({"priority": 9, "for_leads": {"attributes": {"veteran": ["yes", "soon"]}}}), &own, Some("higher")),
            (json!({"priority": 9, "for_leads": {"attributes": {"veteran": ["soon"]}}}), &own, None),
            // This one may have those who ask again, run elsewhere or are handed to it.
            (json!({"priority": 9, "reenroll": "never"}), &own, None),
            (json!({"priority": 9}), &with("reenroll", json!("never")), Some("higher")),
            (json!({"priority": 9}), &with("reenroll", json!("7d")), None),
            (json!({"priority": 9}), &with("takes_over", json!(["first"])), None),
            (json!({"priority": 9, "anytime": {"replied": {"cadence": "second"}}}), &own, None),
        ] {
            let (first, second) = (cadence("first", &other), cadence("second", this));
            let mut known = Known::default();
            [&first, &second].into_iter().cloned().for_each(|record| known.insert(record));
            let told = |record: &Record| {
                let told = check(record, &known).into_iter().find(|problem| problem.path == "priority");
                told.map(|problem| problem.to_string())
            };
            let said = told(&second);
            assert_eq!(said.is_some(), why.is_some(), "{other} and {this}: {said:?}");
            let words = |said: &str| said.contains("\"first\" takes every lead") && said.contains(why.unwrap());
            assert!(said.as_deref().is_none_or(words), "{other} and {this}: {said:?}");
            // The other is told of it as well.
            let takes = told(&first);
            assert_eq!(takes.is_some(), why.is_some(), "{other} and {this}: {takes:?}");
            assert!(takes.is_none_or(|takes| takes.contains("the cadence \"second\" is for, so that one gets none")));
        }
    }
}
