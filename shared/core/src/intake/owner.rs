//! Whose a lead is.

use sha2::{Digest, Sha256};

use crate::{LeadId, records::User};

/// Whom a vendor sent a lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerHints {
    /// The loan officer's email address.
    pub email: Option<String>,
    /// The loan officer's NMLS id.
    pub nmls_id: Option<String>,
}

/// The user who gets a lead: whom the vendor sent it to if they are active and licensed in its state, else one who is, the
/// same one for the same lead whoever else comes or goes. Without a state only the vendor's word counts.
pub fn pick_owner<'a>(users: &'a [User], lead: &LeadId, state: Option<&str>, hints: &OwnerHints) -> Option<&'a User> {
    let may = |user: &&User| user.active && state.is_none_or(|state| user.is_licensed_in(state));
    let hinted = users.iter().find(|user| {
        let by_email = hints.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(&user.email));
        by_email || (hints.nmls_id.is_some() && hints.nmls_id == user.nmls_id)
    });
    // Each user draws a number for this lead and the highest has it, so a user who comes or goes moves no other's leads.
    let draw = |user: &&User| Sha256::digest(format!("{lead} {}", user.id).as_bytes());
    hinted.filter(may).or_else(|| state.and_then(|_| users.iter().filter(may).max_by_key(draw)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::fixtures::{lead, user, users};

    #[rstest]
    #[case::by_email(Some("LO-Morgan@example.com"), None, Some("NY"), Some("lo-morgan"))]
    #[case::by_nmls_id(None, Some("nmls-lo-morgan"), Some("NY"), Some("lo-morgan"))]
    #[case::without_a_licence_there(Some("lo-morgan@example.com"), None, Some("CA"), Some("lo-riley"))]
    #[case::nobody_we_know(Some("who@example.com"), Some("1"), Some("CA"), Some("lo-riley"))]
    #[case::no_hint(None, None, Some("CA"), Some("lo-riley"))]
    #[case::nobody_licensed(None, None, Some("TX"), None)]
    #[case::unknown_state_and_no_hint(None, None, None, None)]
    #[case::unknown_state_and_a_hint(Some("lo-morgan@example.com"), None, None, Some("lo-morgan"))]
    fn a_lead_goes_to_whom_the_vendor_sent_it_if_they_may_else_to_who_is_licensed(
        #[case] email: Option<&str>,
        #[case] nmls_id: Option<&str>,
        #[case] state: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let hints = OwnerHints { email: email.map(str::to_owned), nmls_id: nmls_id.map(str::to_owned) };
        let users = users();
        let picked = pick_owner(&users, &lead().id, state, &hints);
        assert_eq!(picked.map(|user| user.id.as_str()), expected);
    }

    #[test]
    fn a_user_who_is_away_gets_no_leads_and_one_without_an_nmls_id_no_hint() {
        let away = [User { active: false, ..user("a", "A", &["CA"]) }];
        let hints = OwnerHints { email: Some("a@example.com".to_owned()), nmls_id: None };
        assert_eq!(pick_owner(&away, &lead().id, Some("CA"), &hints), None);
        let nameless = [User { nmls_id: None, ..user("a", "A", &["NY"]) }, user("b", "B", &["CA"])];
        let picked = pick_owner(&nameless, &lead().id, None, &OwnerHints::default());
        assert_eq!(picked, None, "nobody's id is not everybody's");
    }

    proptest! {
        #[test]
        fn a_user_who_comes_or_goes_moves_no_others_leads(lead in "[0-9a-f]{32}", count in 2_usize..8, gone in any::<prop::sample::Index>()) {
            let everybody: Vec<User> = (0..count).map(|number| user(&format!("lo-{number}"), "A", &["CA"])).collect();
            let (lead, hints) = (LeadId::new(lead), OwnerHints::default());
            let before = pick_owner(&everybody, &lead, Some("CA"), &hints).unwrap().id.clone();
            let mut rest = everybody.clone();
            let left = rest.remove(gone.index(count)).id;
            rest.reverse();
            let after = pick_owner(&rest, &lead, Some("CA"), &hints).unwrap().id.clone();
            prop_assert!(before == left || before == after);
        }
    }

    #[test]
    fn leads_are_shared_among_all_who_may_have_them() {
        let users: Vec<User> = (0..4).map(|number| user(&format!("lo-{number}"), "A", &["CA"])).collect();
        let mut shares: BTreeMap<&str, u32> = BTreeMap::new();
        for number in 0..400 {
            let lead = LeadId::new(format!("{number:032x}"));
            let picked = pick_owner(&users, &lead, Some("CA"), &OwnerHints::default()).unwrap();
            *shares.entry(picked.id.as_str()).or_default() += 1;
        }
        assert!(shares.len() == 4 && shares.values().all(|share| *share > 60), "{shares:?}");
    }
}
