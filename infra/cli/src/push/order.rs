//! In which order records are written, so that each is published at once: what is added before what points at it, what is removed
//! after what pointed at it.

use std::borrow::Cow;

use cadence_core::records::{Draft, KINDS, Known, Problem, Record, dependents_of, parse_record};
use serde_json::{Value, json};

use crate::{diff::Change, difference::filled};

/// One write of a record.
pub(crate) struct Write<'a> {
    pub(crate) change: &'a Change,
    /// What is written: what the record is to say, or what it says until others no longer need what it loses.
    pub(crate) content: Cow<'a, Value>,
}

/// Records of which each has to be published before the others, and why each is refused.
pub(crate) type Stuck = Vec<(String, Vec<Problem>)>;

/// The order, which `publish` is asked for record by record as it will be, given what is at work.
pub(crate) fn order<'a>(changes: &[&'a Change], mut known: Known) -> Result<Vec<Write<'a>>, Stuck> {
    let mut left = changes.to_vec();
    left.sort_by_key(|change| (KINDS.iter().position(|kind| *kind == kind_of(&change.pk)), &change.pk));
    let mut writes = Vec::new();
    while !left.is_empty() {
        let is_published = |change: &&Change| errors(&change.pk, &change.content, &known).is_empty();
        let is_harmless = |change: &&Change| is_published(change) && breaks_none(change, &left, &known);
        let place = left.iter().position(is_harmless);
        match place.or_else(|| left.iter().position(is_published)) {
            Some(place) => {
                let change = left.remove(place);
                learn(&mut known, &change.pk, &change.content);
                writes.push(Write { change, content: Cow::Borrowed(&change.content) });
            }
            None => match left.iter().find_map(|change| Some((change, with_old_snippets(change, &known)?))) {
                Some((change, content)) => {
                    learn(&mut known, &change.pk, &content);
                    writes.push(Write { change, content: Cow::Owned(content) });
                }
                None => {
                    let why = |change: &&Change| (change.pk.clone(), errors(&change.pk, &change.content, &known));
                    return Err(left.iter().map(why).collect());
                }
            },
        }
    }
    Ok(writes)
}

fn kind_of(pk: &str) -> &str {
    pk.split('#').next().unwrap_or_default()
}

/// What keeps it from being published as an edit of what is known of it.
fn errors(pk: &str, content: &Value, known: &Known) -> Vec<Problem> {
    wrong(Draft::read(pk, content).over(known.record(pk)), known)
}

fn wrong(draft: Draft<'_>, known: &Known) -> Vec<Problem> {
    let (_, mut problems) = draft.check(known);
    problems.retain(Problem::is_error);
    problems
}

fn learn(known: &mut Known, pk: &str, content: &Value) {
    if let Ok(record) = parse_record(pk, content) {
        known.insert(record);
    }
}

/// Whether what is at work of the others would still be published after it: else it is refused until they are written too.
fn breaks_none(change: &Change, left: &[&Change], known: &Known) -> bool {
    let mut after = known.clone();
    learn(&mut after, &change.pk, &change.content);
    let others = left.iter().filter(|other| other.pk != change.pk);
    let is_right = |pk: &str, content: &Value, known: &Known| {
        wrong(Draft::read(pk, &filled(pk, content.clone())), known).is_empty()
    };
    let dependents = others.filter(|other| dependents_of(kind_of(&change.pk)).contains(&kind_of(&other.pk)));
    dependents
        .filter_map(|other| Some((&other.pk, other.at_work.as_ref()?)))
        .all(|(pk, content)| is_right(pk, content, &after) || !is_right(pk, content, known))
}

/// Settings with the snippets, too, that they are to lose: where one takes another's place, messages can neither follow nor go first.
fn with_old_snippets(change: &Change, known: &Known) -> Option<Value> {
    let old = known.settings.as_ref().filter(|_| kind_of(&change.pk) == "SETTINGS")?;
    let mut content = change.content.clone();
    let snippets = content.as_object_mut()?.entry("snippets").or_insert_with(|| json!({})).as_object_mut()?;
    for (name, text) in &old.snippets {
        snippets.entry(name.clone()).or_insert_with(|| text.as_str().into());
    }
    let Ok(Record::Settings(both)) = parse_record(&change.pk, &content) else { return None };
    (both != *old && errors(&change.pk, &content, known).is_empty()).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulled::Since;

    const TEXT: &str =
        "{{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }}. Reply STOP to opt out.";

    fn settings(snippets: Value) -> Value {
        json!({"company": "Example Home Loans", "postal_address": "100 Example Street, Springfield, IL 62701",
            "notices_from": "notices@example.com", "unsubscribe_url": "https://example.com/unsubscribe", "snippets": snippets})
    }

    fn text(more: &str) -> Value {
        json!({ "text": format!("{TEXT}{more}") })
    }

    fn cadence(message: &str, to: &str) -> Value {
        json!({"name": "A", "status": "live", "for_leads": {}, "anytime": {"replied": if to.is_empty() { json!("end") } else { json!({ "cadence": to }) }},
            "steps": [{"id": "a", "do": "canned_sms", "wait": "0m", "message": message}]})
    }

    /// The order of the writes, given what is at work and what is to be.
    fn ordered(at_work: &[(&str, Value)], to_be: &[(&str, Value)]) -> Result<Vec<String>, Vec<String>> {
        let mut known = Known::default();
        at_work.iter().for_each(|(pk, content)| learn(&mut known, pk, content));
        let changes: Vec<Change> = to_be
            .iter()
            .map(|(pk, content)| Change {
                pk: (*pk).to_owned(),
                content: content.clone(),
                read: None,
                at_work: at_work.iter().find(|(other, _)| other == pk).map(|(_, content)| content.clone()),
                difference: None,
                in_place_of: None,
                since: Since::Current,
            })
            .collect();
        let mark = |write: &Write<'_>| if *write.content == write.change.content { "" } else { " with what it loses" };
        let told = |write: Write<'_>| format!("{}{}", write.change.pk, mark(&write));
        let order = order(&changes.iter().collect::<Vec<_>>(), known)
            .map_err(|stuck| stuck.into_iter().map(|(pk, _)| pk).collect::<Vec<_>>())?;
        // Each is published as it comes.
        let mut known = Known::default();
        at_work.iter().for_each(|(pk, content)| learn(&mut known, pk, content));
        for Write { change, content } in &order {
            assert_eq!(errors(&change.pk, content, &known), [], "{}", change.pk);
            learn(&mut known, &change.pk, content);
        }
        Ok(order.into_iter().map(told).collect())
    }

    #[test]
    fn what_is_added_comes_before_what_points_at_it() {
        let to_be = [
            ("CADENCE#april", cadence("sms/new", "may")),
            ("CADENCE#may", cadence("sms/new", "")),
            ("MESSAGE#sms/new", text(" {{ snippets.sign }}")),
            ("SETTINGS#company", settings(json!({"sign": "Bye."}))),
        ];
        let order = ["SETTINGS#company", "MESSAGE#sms/new", "CADENCE#may", "CADENCE#april"];
        assert_eq!(ordered(&[("SETTINGS#company", settings(json!({})))], &to_be).unwrap(), order);
    }

    #[test]
    fn what_is_removed_goes_after_what_pointed_at_it() {
        let at_work = [
            ("SETTINGS#company", settings(json!({"sign": "Bye."}))),
            ("MESSAGE#sms/old", text(" {{ snippets.sign }}")),
            ("CADENCE#april", cadence("sms/old", "")),
        ];
        let to_be = [("MESSAGE#sms/old", text("")), ("SETTINGS#company", settings(json!({})))];
        assert_eq!(ordered(&at_work, &to_be).unwrap(), ["MESSAGE#sms/old", "SETTINGS#company"]);
    }

    #[test]
    fn what_takes_anothers_place_stands_beside_it_until_nothing_points_there() {
        let at_work = [
            ("SETTINGS#company", settings(json!({"sign": "Bye."}))),
            ("MESSAGE#sms/old", text(" {{ snippets.sign }}")),
        ];
        let to_be = [
            ("MESSAGE#sms/old", text(" {{ snippets.signature }}")),
            ("SETTINGS#company", settings(json!({"signature": "Bye."}))),
        ];
        let order = ["SETTINGS#company with what it loses", "MESSAGE#sms/old", "SETTINGS#company"];
        assert_eq!(ordered(&at_work, &to_be).unwrap(), order);
    }

    #[test]
    fn a_group_is_left_after_nobody_is_asked_in_it() {
        let user = |groups: Value| {
            json!({"first_name": "Riley", "last_name": "Example", "email": "riley@example.com", "phone": "+14155550140",
                "sms_number": "+14155550141", "nmls_id": "1000001", "licences": ["CA"], "groups": groups})
        };
        let dial =
            |assign: &str| json!({"name": "A", "steps": [{"id": "a", "do": "dial", "wait": "0m", "assign": assign}]});
        let company = ("SETTINGS#company", settings(json!({})));
        let at_work =
            [company.clone(), ("CADENCE#a", dial("round_robin: team")), ("USER#lo-riley", user(json!(["team"])))];
        let to_be = [("CADENCE#a", dial("loan_officer")), ("USER#lo-riley", user(json!([])))];
        assert_eq!(ordered(&at_work, &to_be).unwrap(), ["CADENCE#a", "USER#lo-riley"]);
        let joined = [("CADENCE#a", dial("round_robin: team")), ("USER#lo-riley", user(json!(["team"])))];
        let before = [company, ("CADENCE#a", dial("loan_officer")), ("USER#lo-riley", user(json!([])))];
        assert_eq!(ordered(&before, &joined).unwrap(), ["USER#lo-riley", "CADENCE#a"]);
    }

    #[test]
    fn records_that_each_wait_for_the_other_are_told() {
        let at_work = [("SETTINGS#company", settings(json!({}))), ("MESSAGE#sms/a", text(""))];
        let to_be = [("CADENCE#a", cadence("sms/a", "b")), ("CADENCE#b", cadence("sms/a", "a"))];
        assert_eq!(ordered(&at_work, &to_be).unwrap_err(), ["CADENCE#a", "CADENCE#b"]);
    }
}
