use chrono::TimeDelta;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::{
    enrollment::{End, Park, State},
    fixtures::{begun, cadence, facts, lead, settings, tuesday, users},
};

/// A live cadence of that id; what is not given is silent.
fn of(id: &str, fields: Value) -> Cadence {
    let mut record = json!({"steps": [{"id": "a", "do": "dial", "wait": "0m"}]});
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Cadence { id: id.into(), ..cadence(record) }
}

fn for_leads(id: &str, priority: i64, wanted: Value) -> Cadence {
    of(id, json!({"priority": priority, "for_leads": wanted}))
}

fn catalogue(cadences: impl IntoIterator<Item = Cadence>) -> Catalogue {
    let cadences = cadences.into_iter().map(|cadence| (cadence, 3)).collect();
    Catalogue { cadences, users: users(), settings: settings() }
}

/// Who takes the lead, and who leaves it out.
fn chosen(
    cadences: &[Cadence],
    lead: &Lead,
    facts: &Facts,
    enrollments: &[Enrollment],
) -> (Option<String>, Vec<String>) {
    let catalogue = catalogue(cadences.to_vec());
    let asking = Asking { lead, facts, source: &"zillow".into(), enrollments };
    let choice = choose(&catalogue, asking, tuesday());
    let taken_by = choice.taken_by.map(|(cadence, version)| {
        assert_eq!(version, 3);
        cadence.id.to_string()
    });
    (taken_by, choice.held_out.iter().map(|cadence| cadence.id.to_string()).collect())
}

fn taken_by(cadences: &[Cadence], enrollments: &[Enrollment]) -> Option<String> {
    chosen(cadences, &lead(), &facts(), enrollments).0
}

/// An enrollment in a cadence that began so many days ago.
fn enrolled(id: &str, days_ago: i64, state: State) -> Enrollment {
    let mut enrollment = begun(&of(id, json!({})), tuesday() - TimeDelta::days(days_ago));
    (enrollment.cadence, enrollment.progress.state) = (id.into(), state);
    enrollment
}

fn over(id: &str, days_ago: i64) -> Enrollment {
    enrolled(id, days_ago, State::Ended { why: End::Completed })
}

#[test]
fn case_is_nothing_that_a_lead_must_fit() {
    let wanted = json!({"source": [" 'Zillow' "], "purpose": "Purchase", "state": "ca"});
    assert_eq!(taken_by(&[for_leads("a", 0, wanted)], &[]).as_deref(), Some("a"));
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
        of("off", json!({"priority": 99, "status": "off"})),
        of("paused", json!({"priority": 99, "status": "paused"})),
    ];
    let lead = Lead { state: state.map(str::to_owned), ..lead() };
    let facts = Facts { purpose: purpose.map(str::to_owned), ..facts() };
    for _ in 0..cadences.len() {
        cadences.rotate_left(1);
        let catalogue = catalogue(cadences.clone());
        let asking = Asking { lead: &lead, facts: &facts, source: &source.into(), enrollments: &[] };
        let choice = choose(&catalogue, asking, tuesday());
        assert_eq!(choice.taken_by.map(|(cadence, _)| cadence.id.as_str()), expected);
    }
}

#[test]
fn no_cadence_takes_a_lead_whom_none_is_for() {
    let cadences = [for_leads("a", 1, json!({"source": ["gizmo"]})), for_leads("b", 1, json!({"state": ["NY"]}))];
    assert_eq!(taken_by(&cadences, &[]), None);
    assert_eq!(taken_by(&[], &[]), None);
}

#[rstest]
#[case::a_number(json!(350_000), json!(350_000), true)]
#[case::a_number_as_text(json!("350000"), json!(350_000.0), true)]
#[case::text_as_a_number(json!(350_000), json!("$350,000"), true)]
#[case::another_number(json!(350_000), json!(350_001), false)]
#[case::text_whatever_its_case(json!("TownHouse"), json!(" townhouse "), true)]
#[case::other_text(json!("TownHouse"), json!("Modular"), false)]
#[case::true_is_true(json!(true), json!(true), true)]
#[case::true_is_yes(json!(true), json!("Yes"), true)]
#[case::no_is_false(json!("no"), json!(false), true)]
#[case::true_is_not_false(json!(true), json!(false), false)]
#[case::true_is_not_one(json!(true), json!(1), false)]
#[case::one_of_a_list(json!(["TownHouse", "Modular"]), json!("MODULAR"), true)]
#[case::none_of_a_list(json!(["TownHouse", "Modular"]), json!("Condo"), false)]
#[case::a_list_that_has_it(json!("Fixed30Year"), json!(["ARM5", "fixed30year"]), true)]
#[case::a_list_that_lacks_it(json!("Fixed30Year"), json!(["ARM5"]), false)]
#[case::at_least(json!({"at_least": 100_000}), json!(100_000), true)]
#[case::less(json!({"at_least": 100_000}), json!(99_999.99), false)]
#[case::at_most(json!({"at_most": "766,550"}), json!("766550"), true)]
#[case::more(json!({"at_most": 766_550}), json!("766551"), false)]
#[case::within(json!({"at_least": 100_000, "at_most": 766_550}), json!(350_000), true)]
#[case::below_both(json!({"at_least": 100_000, "at_most": 766_550}), json!(99_999), false)]
#[case::above_both(json!({"at_least": 100_000, "at_most": 766_550}), json!(766_551), false)]
#[case::no_amount(json!({"at_least": 0}), json!("200000 - 250000"), false)]
#[case::a_map(json!("a"), json!({"a": "a"}), false)]
fn a_lead_fits_whose_attribute_is_what_the_record_says(
    #[case] wanted: Value,
    #[case] given: Value,
    #[case] expected: bool,
) {
    let cadences = [for_leads("a", 0, json!({"attributes": {"loanAmount": wanted}}))];
    let told = Facts { attributes: [("loan_amount".to_owned(), given)].into(), ..facts() };
    assert_eq!(chosen(&cadences, &lead(), &told, &[]).0.is_some(), expected);
    assert_eq!(chosen(&cadences, &lead(), &facts(), &[]).0, None, "a lead without the attribute doesn't fit");
}

#[test]
fn all_attributes_must_fit_and_city_and_zip_are_attributes_too() {
    let cadences =
        [for_leads("a", 0, json!({"attributes": {"city": "oakland", "zip": ["94607", 94608], "has_agent": false}}))];
    for (zip, has_agent, fits) in [
        (Some("94607"), json!(false), true),
        (Some("94608"), json!("false"), true),
        (Some("94609"), json!(false), false),
        (None, json!(false), false),
        (Some("94607"), json!(true), false),
    ] {
        let told =
            Facts { zip: zip.map(str::to_owned), attributes: [("has_agent".to_owned(), has_agent)].into(), ..facts() };
        assert_eq!(chosen(&cadences, &lead(), &told, &[]).0.is_some(), fits, "{zip:?}");
    }
}

/// The leads, of so many, that a cadence with that hold-out leaves out.
fn held_out(id: &str, percent: u8, count: u32) -> Vec<u32> {
    let cadence = for_leads(id, 0, json!({"hold_out": percent}));
    (0..count).filter(|number| is_held_out(&cadence, &LeadId::new(format!("{number:032x}")))).collect()
}

#[test]
fn so_many_percent_are_held_out_the_same_each_time_and_more_if_the_percent_grows() {
    for (percent, least, most) in [(0, 0, 0), (10, 70, 130), (50, 440, 560), (99, 970, 1000)] {
        let out = held_out("zillow-purchase", percent, 1000);
        assert!((least..=most).contains(&out.len()), "{percent}: {}", out.len());
        assert_eq!(out, held_out("zillow-purchase", percent, 1000));
        let more = held_out("zillow-purchase", percent.saturating_add(20).min(99), 1000);
        assert!(out.iter().all(|lead| more.contains(lead)), "{percent}");
    }
}

#[test]
fn another_cadence_draws_another_half() {
    let (one, other) = (held_out("zillow-purchase", 50, 1000), held_out("zillow-refinance", 50, 1000));
    let both = one.iter().filter(|lead| other.contains(lead)).count();
    // Draws that have nothing to do with each other leave a quarter out of both.
    assert!((190..=310).contains(&both), "{both}");
}

#[test]
fn a_lead_that_is_held_out_is_the_next_cadences_that_fits() {
    let test = for_leads("test", 20, json!({"hold_out": "50%"}));
    let also = for_leads("test-too", 10, json!({"hold_out": 50}));
    let rest = for_leads("rest", 0, json!({}));
    let mut shares = std::collections::BTreeMap::new();
    for number in 0..400 {
        let lead = Lead { id: LeadId::new(format!("{number:032x}")), ..lead() };
        let all = [rest.clone(), also.clone(), test.clone()];
        let (taken, held_out) = chosen(&all, &lead, &facts(), &[]);
        let expected: &[&str] = match taken.as_deref() {
            Some("test") => &[],
            Some("test-too") => &["test"],
            _ => &["test", "test-too"],
        };
        assert_eq!(held_out, expected);
        *shares.entry(taken.unwrap()).or_insert(0) += 1;
        assert_eq!(
            chosen(&all[1..], &lead, &facts(), &[]).0.is_none(),
            held_out.len() == 2,
            "and nobody's without one"
        );
    }
    assert!(shares["test"] > 150 && shares["test-too"] > 60 && shares["rest"] > 60, "{shares:?}");
}

#[rstest]
#[case::the_default_holds_30_days(json!({}), &[("a", 29)], false)]
#[case::and_no_longer(json!({}), &[("a", 30)], true)]
#[case::in_whatever_cadence(json!({}), &[("b", 29)], false)]
#[case::the_latest_counts(json!({}), &[("b", 400), ("a", 29), ("b", 100)], false)]
#[case::a_shorter_wait(json!({"reenroll": "7d"}), &[("a", 7), ("b", 8)], true)]
#[case::a_longer_wait(json!({"reenroll": "90d"}), &[("a", 89)], false)]
#[case::no_wait(json!({"reenroll": "0m"}), &[("a", 0)], true)]
#[case::never_again(json!({"reenroll": "never"}), &[("a", 4000), ("b", 300)], false)]
#[case::never_is_of_this_cadence(json!({"reenroll": "Never"}), &[("b", 30)], true)]
#[case::never_is_no_less_than_the_default(json!({"reenroll": "never"}), &[("b", 29)], false)]
#[case::who_never_was_in_one(json!({"reenroll": "never"}), &[], true)]
fn a_lead_who_asks_again_is_taken_once_the_record_allows_it(
    #[case] fields: Value,
    #[case] before: &[(&str, i64)],
    #[case] expected: bool,
) {
    let before: Vec<_> = before.iter().map(|(id, days)| over(id, *days)).collect();
    assert_eq!(taken_by(&[of("a", fields)], &before).is_some(), expected);
}

#[test]
fn a_lead_whom_the_first_cadence_may_not_have_again_is_the_nexts() {
    let cadences = [of("a", json!({"priority": 9})), of("again", json!({"reenroll": "1d"}))];
    assert_eq!(taken_by(&cadences, &[over("a", 5)]).as_deref(), Some("again"));
    assert_eq!(taken_by(&cadences, &[over("a", 30)]).as_deref(), Some("a"));
}

#[test]
fn a_running_lead_moves_only_to_a_cadence_that_takes_over_from_its_own() {
    for state in [State::Active, State::Parked { why: Park::Outcome }] {
        let running = |days| enrolled("nurture", days, state.clone());
        for (case, fields, before, expected) in [
            ("none is named", json!({}), vec![running(1)], false),
            ("another is named", json!({"takes_over": ["other"]}), vec![running(1)], false),
            ("it is named", json!({"takes_over": ["other", "CADENCE#nurture"]}), vec![running(1)], true),
            ("it is named as text", json!({"takes_over": "other, nurture"}), vec![running(0)], true),
            ("it is off", json!({"takes_over": ["nurture"], "status": "off"}), vec![running(1)], false),
            (
                "it is for others",
                json!({"takes_over": ["nurture"], "for_leads": {"state": "NY"}}),
                vec![running(1)],
                false,
            ),
            ("it began lately", json!({"takes_over": ["nurture"]}), vec![over("hot", 29), running(1)], false),
            ("it began long ago", json!({"takes_over": ["nurture"]}), vec![over("hot", 30), running(1)], true),
            ("a third began lately", json!({"takes_over": ["nurture"]}), vec![over("other", 2), running(1)], true),
            (
                "never again",
                json!({"takes_over": ["nurture"], "reenroll": "never"}),
                vec![over("hot", 400), running(1)],
                false,
            ),
            ("not yet", json!({"takes_over": ["nurture"], "reenroll": "never"}), vec![running(1)], true),
        ] {
            assert_eq!(taken_by(&[of("hot", fields)], &before).is_some(), expected, "{case}");
        }
    }
}

#[test]
fn of_several_that_take_over_the_best_does_and_the_own_cadence_does_not_begin_anew() {
    let cadences = [
        of("nurture", json!({"priority": 99})),
        of("b", json!({"priority": 5, "takes_over": ["nurture"]})),
        of("a", json!({"priority": 5, "takes_over": ["nurture"]})),
        of("better", json!({"priority": 50})),
    ];
    let running = [enrolled("nurture", 1, State::Active)];
    assert_eq!(taken_by(&cadences, &running).as_deref(), Some("a"));
    assert_eq!(taken_by(&cadences[..1], &running), None);
}

proptest! {
    #[test]
    fn the_order_of_records_makes_no_difference(
        priorities in prop::collection::vec((0_i64..3, 0_u8..100), 1..6),
        lead_id in "[0-9a-f]{32}",
        turn in any::<prop::sample::Index>(),
    ) {
        let lead = Lead { id: LeadId::new(lead_id), ..lead() };
        let mut cadences: Vec<_> = priorities.iter().enumerate().map(|(index, (priority, percent))| {
            for_leads(&format!("c{index}"), *priority, json!({"hold_out": percent}))
        }).collect();
        let before = chosen(&cadences, &lead, &facts(), &[]);
        let count = cadences.len();
        cadences.rotate_left(turn.index(count));
        prop_assert_eq!(before, chosen(&cadences, &lead, &facts(), &[]));
    }
}
