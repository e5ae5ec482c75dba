//! What a webhook makes of a lead who wants no calls.

use super::*;

#[test]
fn a_lead_who_wants_no_calls_is_enrolled_with_the_phone_closed() {
    let inbound = Inbound { outcome: Some(Outcome::OptedOut), ..inbound() };
    let arrival = arrives(&inbound, None);
    assert_eq!(arrival.webhook.status, Taken::Enrolled);
    assert_eq!(arrival.lead.clone().unwrap().opt_outs, [(OptOut::Phone, tuesday())].into());
    assert_eq!(arrival.closes.as_deref(), Some("phone-hash"));
    assert!(kinds(&arrival).contains(&EntryKind::OptedOut));
}

#[test]
fn a_known_lead_who_wants_no_more_calls_has_the_phone_closed_even_if_nothing_else_is_new() {
    let running = known(vec![enrolled(tuesday(), State::Active)]);
    let said = Inbound {
        outcome: Some(Outcome::OptedOut),
        first_name: String::new(),
        last_name: String::new(),
        zip: None,
        ..inbound()
    };
    let arrival = arrives(&said, Some(&running));
    let lead = arrival.lead.unwrap();
    assert_eq!((lead.opt_outs.len(), lead.revision), (1, running.lead.revision + 1));
    assert_eq!(arrival.closes.as_deref(), Some("phone-hash"));

    let mut closed = running;
    closed.lead.opt_outs.insert(OptOut::Phone, tuesday());
    assert_eq!(arrives(&said, Some(&closed)).lead, None, "twice is once");
}

#[test]
fn what_users_were_to_call_a_lead_for_is_closed_with_the_phone() {
    let mut world = crate::fixtures::World::new(crate::fixtures::reference(), tuesday());
    world.run(crate::fixtures::accepted(), tuesday());
    let mut known = known(vec![world.context.enrollment.clone()]);
    known.open_tasks = world.context.open_tasks.clone();
    assert_eq!(world.open(), ["first-call"]);
    assert_eq!(arrives(&inbound(), Some(&known)).close, []);
    let said = Inbound { outcome: Some(Outcome::OptedOut), ..inbound() };
    let closed = arrives(&said, Some(&known)).close;
    let expected = Closed { outcome: Outcome::Skipped, at: tuesday(), by: None };
    assert_eq!(closed, [(known.open_tasks[0].id.clone(), expected)]);
}
