//! Which cadence is for a lead.

use crate::{
    SourceId,
    records::{Cadence, Status},
};

/// The live cadence that is for such a lead: the highest priority wins, then the first id in the alphabet.
pub fn pick_cadence<'a>(
    cadences: &'a [Cadence],
    source: &SourceId,
    state: Option<&str>,
    purpose: Option<&str>,
) -> Option<&'a Cadence> {
    let asks = |wanted: &[String], given: Option<&str>| {
        wanted.is_empty() || given.is_some_and(|g| wanted.iter().any(|w| w == g))
    };
    let fits = |cadence: &&Cadence| {
        let wanted = &cadence.for_leads;
        cadence.status == Status::Live
            && asks(&wanted.source, Some(source.as_str()))
            && asks(&wanted.state, state)
            && asks(&wanted.purpose, purpose)
    };
    cadences.iter().filter(fits).max_by(|a, b| a.priority.cmp(&b.priority).then_with(|| b.id.cmp(&a.id)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::fixtures::cadence;

    fn for_leads(id: &str, priority: i64, wanted: serde_json::Value) -> Cadence {
        let steps = json!([{"id": "a", "do": "dial", "wait": "0m"}]);
        Cadence { id: id.into(), ..cadence(json!({"priority": priority, "for_leads": wanted, "steps": steps})) }
    }

    #[rstest]
    #[case::the_most_wanted_wins("zillow", Some("CA"), Some("purchase"), Some("purchase-ca"))]
    #[case::another_state("zillow", Some("NY"), Some("purchase"), Some("purchase"))]
    #[case::unknown_state("zillow", None, Some("purchase"), Some("purchase"))]
    #[case::a_tie_goes_to_the_alphabet("gizmo", Some("CA"), Some("refinance"), Some("any-1"))]
    #[case::unknown_purpose("zillow", Some("CA"), None, Some("any-1"))]
    fn the_cadence_of_the_highest_priority_that_fits_takes_a_lead(
        #[case] source: &str,
        #[case] state: Option<&str>,
        #[case] purpose: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let mut cadences = vec![
            for_leads("any-2", 0, json!({})),
            for_leads("any-1", 0, json!({})),
            for_leads("purchase", 10, json!({"source": ["zillow"], "purpose": ["purchase"]})),
            for_leads("purchase-ca", 20, json!({"source": ["zillow"], "purpose": ["purchase"], "state": ["CA", "OR"]})),
            Cadence { status: Status::Off, ..for_leads("off", 99, json!({})) },
            Cadence { status: Status::Paused, ..for_leads("paused", 99, json!({})) },
        ];
        for _ in 0..cadences.len() {
            cadences.rotate_left(1);
            let picked = pick_cadence(&cadences, &source.into(), state, purpose);
            assert_eq!(picked.map(|cadence| cadence.id.as_str()), expected);
        }
    }

    #[test]
    fn no_cadence_takes_a_lead_whom_none_is_for() {
        let cadences = [for_leads("a", 1, json!({"source": ["gizmo"]})), for_leads("b", 1, json!({"state": ["NY"]}))];
        assert_eq!(pick_cadence(&cadences, &"zillow".into(), Some("CA"), None), None);
        assert_eq!(pick_cadence(&[], &"zillow".into(), Some("CA"), None), None);
    }
}
