//! What a webhook makes of a lead whose cadence rests.

use super::*;

#[test]
fn a_lead_who_asks_again_while_an_outcome_pauses_the_cadence_is_the_owners_to_let_go_on() {
    let running = enrolled(tuesday() - TimeDelta::days(60), State::Parked { why: Park::Outcome });
    let arrival = arrives(&inbound(), Some(&known(vec![running.clone()])));
    assert_eq!((arrival.webhook.status, arrival.enrollment), (Taken::Asked, None));
    let task = arrival.task.unwrap();
    assert_eq!((task.kind, task.id.key.enrollment), (TaskKind::Resume, running.id));
    let text = "Robin Example: the lead asked again through zillow, while its cadence rests. Please take it up. \
                Once you complete this task the cadence goes on, unless what you say of it ends, moves or pauses it.";
    assert_eq!(task.text, text);
}

#[test]
fn a_lead_without_an_owner_gets_the_one_whom_a_later_webhook_names_if_they_may_act() {
    let nobodys = Lead { owner: None, state: None, ..lead() };
    for (owner, names, state, active, expected) in [
        (None, Some("lo-morgan@example.com"), None, true, Some("lo-morgan")),
        (None, Some("lo-morgan@example.com"), None, false, None),
        (None, Some("nobody@example.com"), None, true, None),
        (None, None, None, true, None),
        (None, None, Some("CA"), true, Some("lo-riley")),
        (None, Some("lo-morgan@example.com"), Some("CA"), true, Some("lo-riley")),
        (Some("lo-riley"), Some("lo-morgan@example.com"), None, true, Some("lo-riley")),
    ] {
        let mut catalogue = catalogue();
        catalogue.users[1].active = active;
        let rests = enrolled(tuesday(), State::Parked { why: Park::NoLicensedOwner });
        let owner = owner.map(crate::UserId::from);
        let known = Known { lead: Lead { owner: owner.clone(), ..nobodys.clone() }, ..known(vec![rests]) };
        let mut inbound = Inbound { state: state.map(str::to_owned), zip: None, ..inbound() };
        inbound.owner_hints.email = names.map(str::to_owned);
        let arrival = arrives_with(&inbound, Some(&known), &mine(), &catalogue);
        let now = arrival.lead.as_ref().unwrap_or(&known.lead);
        assert_eq!(now.owner.as_ref().map(crate::UserId::as_str), expected, "{names:?} {state:?} {active}");
        assert_eq!(kinds(&arrival).contains(&EntryKind::Assigned), owner.is_none() && expected.is_some());
        assert!(arrival.lead.is_none_or(|lead| lead.revision == known.lead.revision + 1));
    }
}
