//! Which zones a lead may be in: what it stated, else where its ZIP code and state lie, else its area code.

use super::{
    State,
    area_codes::zones_of_area_code,
    places::{STATES_BY_ZIP3, STATES_BY_ZIP5, ZONES_BY_STATE, ZONES_BY_ZIP3},
};
use crate::time::{Zone, Zones};

/// Every zone that the lead may be in, by the best that is known of it; `None` where nothing tells.
///
/// `stated` is an IANA name, `phone` E.164. Where ZIP code and state disagree, the zones of both are given.
pub fn resolve_zones(
    stated: Option<&str>,
    zip: Option<&str>,
    state: Option<&State>,
    phone: Option<&str>,
) -> Option<Zones> {
    stated
        .and_then(stated_zone)
        .map(Zones::one)
        .or_else(|| zones_of_place(zip, state))
        .or_else(|| named(phone.and_then(zones_of_area_code)))
}

/// The state in which a ZIP code lies; `None` for what is none, or where its prefix serves several.
pub fn state_of_zip(zip: &str) -> Option<State> {
    let mut states = states_of(five_digits(zip)?);
    let only = states.next()?;
    states.next().is_none().then_some(only)
}

/// Software states UTC when it knows no better, and abbreviations such as EST are no place, so a stated zone must name one.
fn stated_zone(name: &str) -> Option<Zone> {
    let zone = Zone::parse(name)?;
    let area = zone.as_str().split_once('/')?.0;
    (area != "Etc").then_some(zone)
}

fn zones_of_place(zip: Option<&str>, state: Option<&State>) -> Option<Zones> {
    let zip = zip.and_then(five_digits).filter(|zip| states_of(zip).next().is_some());
    let stray = state.filter(|state| zip.is_none_or(|zip| states_of(zip).all(|of_zip| of_zip != **state)));
    named(zip.map(zones_of_zip).into_iter().flatten().chain(stray.map(|state| zones_of_state(*state))))
}

/// Its prefix's zones where that is unambiguous, else those of each state that it may lie in.
fn zones_of_zip(zip: &str) -> Vec<&'static str> {
    let by_prefix = match look_up(STATES_BY_ZIP5, zip) {
        Some(_) => None,
        None => look_up(ZONES_BY_ZIP3, zip),
    };
    by_prefix.map_or_else(|| states_of(zip).map(zones_of_state).collect(), |zones| vec![zones])
}

fn zones_of_state(state: State) -> &'static str {
    ZONES_BY_STATE
        .iter()
        .find(|(_, states)| states.split_whitespace().any(|code| code == state.code()))
        .map_or("", |(zones, _)| zones)
}

fn states_of(zip: &str) -> impl Iterator<Item = State> {
    look_up(STATES_BY_ZIP5, zip)
        .or_else(|| look_up(STATES_BY_ZIP3, zip))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(State::parse)
}

/// The zones of lists of names.
fn named(lists: impl IntoIterator<Item = &'static str>) -> Option<Zones> {
    Zones::of(lists.into_iter().flat_map(str::split_whitespace).filter_map(Zone::parse))
}

/// What the first row whose prefixes cover the ZIP code says.
fn look_up(rows: &'static [(&str, &str)], zip: &str) -> Option<&'static str> {
    rows.iter().find(|(_, prefixes)| prefixes.split(' ').any(|prefix| covers(prefix, zip))).map(|(says, _)| *says)
}

/// Whether `350-369`, or `055` alone, covers the ZIP code. Digits of equal number order as text as they do as numbers.
fn covers(prefixes: &str, zip: &str) -> bool {
    let (first, last) = prefixes.split_once('-').unwrap_or((prefixes, prefixes));
    zip.get(..first.len()).is_some_and(|prefix| first <= prefix && prefix <= last)
}

/// The five digits of `94105`, `94105-1234` or `941051234`; `None` for anything else.
fn five_digits(zip: &str) -> Option<&str> {
    let zip = zip.trim();
    let (five, rest) = zip.split_at_checked(5)?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let is_zip = matches!(rest.len(), 0 | 4) && five.bytes().chain(rest.bytes()).all(|digit| digit.is_ascii_digit());
    is_zip.then_some(five)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// The prefixes that post offices use, military ones left out.
    const ZIP3_IN_USE: &str = "005-089 100-212 214-268 270-339 341-342 344 346-347 349-352 354-418 420-427 430-516 \
        520-528 530-532 534-535 537-551 553-567 569-577 580-588 590-620 622-631 633-641 644-658 660-662 664-681 \
        683-693 700-701 703-708 710-714 716-731 733-741 743-770 772-816 820-838 840-847 850-853 855-857 859-860 \
        863-865 870-871 873-885 888-891 893-895 897-898 900-908 910-928 930-961 967-986 988-999";

    fn names(zones: Option<Zones>) -> Vec<String> {
        zones.map_or_else(Vec::new, |zones| zones.iter().map(|zone| zone.as_str().to_owned()).collect())
    }

    #[rstest]
    #[case::stated_wins("America/Denver", "94105", "NY", "+12125550123", &["America/Denver"])]
    #[case::stated_in_another_case(" america/denver ", "", "", "", &["America/Denver"])]
    #[case::stated_nonsense("Pacific Time", "94105", "", "", &["America/Los_Angeles"])]
    #[case::stated_by_software("UTC", "94105", "", "", &["America/Los_Angeles"])]
    #[case::stated_by_software_too("Etc/UTC", "94105", "", "", &["America/Los_Angeles"])]
    #[case::zip_beats_area_code("", "94105-1234", "", "+12125550123", &["America/Los_Angeles"])]
    #[case::state_beats_area_code("", "", "CA", "+12125550123", &["America/Los_Angeles"])]
    #[case::zip_narrows_its_state("", "33101", "FL", "", &["America/New_York"])]
    #[case::zip_and_state_disagree("", "94105", "NY", "", &["America/Los_Angeles", "America/New_York"])]
    #[case::broken_zip("", "9410", "NY", "+14155550123", &["America/New_York"])]
    #[case::zip_of_nowhere("", "00000", "", "+14155550123", &["America/Los_Angeles"])]
    #[case::military_zip("", "09012", "", "", &[])]
    #[case::area_code_last("", "", "", "+14155550123", &["America/Los_Angeles"])]
    #[case::toll_free("", "", "", "+18005550123", &[])]
    #[case::canada("", "", "", "+16045550123", &[])]
    #[case::nothing("", "", "", "", &[])]
    fn the_best_that_is_known_decides(
        #[case] stated: &str,
        #[case] zip: &str,
        #[case] state: &str,
        #[case] phone: &str,
        #[case] expected: &[&str],
    ) {
        let zones = resolve_zones(Some(stated), Some(zip), State::parse(state).as_ref(), Some(phone));
        assert_eq!(names(zones), expected);
    }

    #[test]
    fn a_split_state_gives_both_zones_and_its_zip_codes_what_is_sure() {
        let (eastern, central, mountain, pacific) =
            ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles");
        for (zip, expected) in [
            ("32501", vec![central]),
            ("32401", vec![central, eastern]),
            ("37201", vec![central]),
            ("37902", vec![eastern]),
            ("37321", vec![central, eastern]),
            ("42101", vec![central]),
            ("40202", vec![eastern]),
            ("46402", vec![central]),
            ("46204", vec!["America/Indiana/Indianapolis"]),
            ("47586", vec![central, "America/Indiana/Indianapolis"]),
            ("48201", vec!["America/Detroit"]),
            ("49938", vec![central, "America/Detroit"]),
            ("58102", vec![central]),
            ("58601", vec![central, mountain]),
            ("57701", vec![mountain]),
            ("69361", vec![mountain]),
            ("67735", vec![central, mountain]),
            ("79901", vec![mountain]),
            ("79830", vec![central, mountain]),
            ("77002", vec![central]),
            ("83702", vec!["America/Boise"]),
            ("83814", vec![pacific]),
            ("83501", vec!["America/Boise", pacific]),
            ("97914", vec!["America/Boise", pacific]),
            ("97201", vec![pacific]),
            ("85001", vec!["America/Phoenix"]),
            ("86504", vec![mountain, "America/Phoenix"]),
            ("89883", vec![mountain, pacific]),
            ("99546", vec!["America/Adak", "America/Anchorage"]),
            ("99801", vec!["America/Anchorage"]),
            ("96813", vec!["Pacific/Honolulu"]),
            ("96799", vec!["Pacific/Pago_Pago"]),
            ("96913", vec!["Pacific/Guam"]),
            ("00901", vec!["America/Puerto_Rico"]),
        ] {
            assert_eq!(names(resolve_zones(None, Some(zip), None, None)), expected, "{zip}");
        }
    }

    #[test]
    fn overlays_of_two_zones_give_both() {
        for (phone, count) in [("+14485550123", 2), ("+13645550123", 2), ("+19305550123", 2), ("+12125550123", 1)] {
            assert_eq!(names(resolve_zones(None, None, None, Some(phone))).len(), count, "{phone}");
        }
    }

    #[test]
    fn a_zip_code_tells_its_state_unless_its_prefix_serves_several() {
        for (zip, state) in [
            ("94105", Some("CA")),
            (" 10001-0001 ", Some("NY")),
            ("100010001", Some("NY")),
            ("06390", Some("NY")),
            ("06830", Some("CT")),
            ("00501", Some("NY")),
            ("99950", Some("AK")),
            ("73301", Some("TX")),
            ("83414", Some("WY")),
            ("96799", Some("AS")),
            ("96701", Some("HI")),
            ("96950", Some("MP")),
            ("96999", None),
            ("09012", None),
            ("34001", None),
            ("00000", None),
            ("9410", None),
            ("941055", None),
            ("K1A 0B1", None),
            ("9410\u{e9}", None),
            ("", None),
        ] {
            assert_eq!(state_of_zip(zip).map(State::code), state, "{zip}");
        }
    }

    #[test]
    fn every_prefix_in_use_lies_in_a_state_and_tells_zones_of_it() {
        for prefix in (0..1000).map(|prefix| format!("{prefix:03}")) {
            if !ZIP3_IN_USE.split_whitespace().any(|used| covers(used, &prefix)) {
                continue;
            }
            let zip = format!("{prefix}00");
            let possible: Vec<String> =
                states_of(&zip).flat_map(|state| names(named([zones_of_state(state)]))).collect();
            let zones = names(resolve_zones(None, Some(&zip), None, None));
            assert!(!zones.is_empty(), "{zip}");
            assert!(zones.iter().all(|zone| possible.contains(zone)), "{zip}: {zones:?}");
        }
    }

    #[test]
    fn every_state_has_zones_and_every_name_in_the_data_exists() {
        for state in State::all() {
            assert!(resolve_zones(None, None, Some(&state), None).is_some(), "{state}");
        }
        for (zones, _) in ZONES_BY_STATE.iter().chain(ZONES_BY_ZIP3) {
            assert!(zones.split(' ').all(|zone| Zone::parse(zone).is_some()), "{zones}");
        }
        let states = STATES_BY_ZIP5.iter().chain(STATES_BY_ZIP3).map(|(states, _)| *states);
        for code in states.chain(ZONES_BY_STATE.iter().map(|(_, states)| *states)).flat_map(|codes| codes.split(' ')) {
            assert!(State::parse(code).is_some(), "{code}");
        }
    }

    #[test]
    fn no_prefix_is_claimed_twice() {
        for rows in [STATES_BY_ZIP3, ZONES_BY_ZIP3] {
            for prefix in (0..1000).map(|prefix| format!("{prefix:03}00")) {
                let claims = rows.iter().flat_map(|(_, prefixes)| prefixes.split(' ')).filter(|p| covers(p, &prefix));
                assert!(claims.count() <= 1, "{prefix}");
            }
        }
    }

    proptest! {
        #[test]
        fn more_knowledge_never_loses_the_zone(zip in "[0-9]{5}", state in 0usize..59, area in 200u16..1000) {
            let state = State::all().nth(state).unwrap();
            let phone = format!("+1{area}5550123");
            let zones = resolve_zones(None, Some(&zip), Some(&state), Some(&phone));
            prop_assert!(zones.is_some());
            prop_assert_eq!(zones, resolve_zones(None, Some(&zip), Some(&state), None), "place beats area code");
        }

        #[test]
        fn any_text_is_read_without_a_panic(stated in "\\PC{0,12}", zip in "\\PC{0,12}", phone in "\\PC{0,12}") {
            resolve_zones(Some(&stated), Some(&zip), None, Some(&phone));
            state_of_zip(&zip);
        }
    }
}
