mod opt_outs;
mod resting;

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::{
    enrollment::{End, Park, State},
    fixtures::{at, begun, cadence, facts, lead, minutes, settings, tuesday, users},
    lead::{ChannelConsent, Consent},
    records::{Format, Status, source::SourceConsent, user::Absence},
};

fn source() -> Source {
    let consent = SourceConsent {
        call: Consent::ExpressWritten,
        sms: Consent::ExpressWritten,
        email: Consent::Express,
        proof: "I agree.".to_owned(),
    };
    Source { id: "zillow".into(), format: Format::Zillow, secret: "zillow".to_owned(), consent }
}

fn inbound() -> Inbound {
    Inbound {
        created_at: Some(tuesday()),
        first_name: "Robin".to_owned(),
        last_name: "Example".to_owned(),
        phone: Some("+14155550123".to_owned()),
        email: Some("robin@example.com".to_owned()),
        state: Some("CA".to_owned()),
        zip: Some("94607".to_owned()),
        purpose: Some("purchase".to_owned()),
        ..Inbound::default()
    }
}

fn catalogue() -> Catalogue {
    Catalogue { cadences: vec![(crate::fixtures::reference(), 3)], users: users(), settings: settings() }
}

fn known(enrollments: Vec<Enrollment>) -> Known {
    Known { lead: lead(), facts: facts(), enrollments, open_tasks: Vec::new() }
}

/// An enrollment that began then and stands so.
fn enrolled(enrolled_at: DateTime<Utc>, state: State) -> Enrollment {
    let mut enrollment = begun(&crate::fixtures::reference(), enrolled_at);
    enrollment.progress.state = state;
    enrollment
}

fn over() -> State {
    State::Ended { why: End::Completed }
}

/// Addresses that those leads have.
fn addresses(phone: Option<&str>, email: Option<&str>) -> Addresses {
    let of = |lead: Option<&str>| Address { lead: lead.map(LeadId::from), suppressed_at: None };
    Addresses { phone: Some(("phone-hash".to_owned(), of(phone))), email: Some(("email-hash".to_owned(), of(email))) }
}

fn mine() -> Addresses {
    addresses(Some(lead().id.as_str()), Some(lead().id.as_str()))
}

fn arrives_with(inbound: &Inbound, known: Option<&Known>, addresses: &Addresses, catalogue: &Catalogue) -> Arrival {
    let key = IdempotencyKey { text: "zillow#id#1".to_owned(), is_body_hash: false };
    arrive(Read { source: &source(), inbound, key: &key }, known, addresses, catalogue, tuesday())
}

fn arrives(inbound: &Inbound, known: Option<&Known>) -> Arrival {
    let addresses = if known.is_some() { mine() } else { addresses(None, None) };
    arrives_with(inbound, known, &addresses, &catalogue())
}

fn kinds(arrival: &Arrival) -> Vec<EntryKind> {
    arrival.entries.iter().map(|entry| entry.kind).collect()
}

fn texts(arrival: &Arrival) -> Vec<&str> {
    arrival.entries.iter().filter_map(|entry| entry.text.as_deref()).collect()
}

#[test]
fn a_new_lead_is_made_owned_and_enrolled_in_one_go() {
    let arrival = arrives(&inbound(), None);
    let (lead, enrollment) = (arrival.lead.clone().unwrap(), arrival.enrollment.clone().unwrap());
    assert_eq!(arrival.webhook.status, Taken::Enrolled);
    assert_eq!((&arrival.webhook.lead, &arrival.webhook.enrollment), (&lead.id, &Some(enrollment.id.clone())));
    assert_eq!((lead.revision, arrival.read_revision), (1, None));
    assert_eq!(lead.owner, Some("lo-riley".into()));
    assert_eq!(lead.zones.unwrap().first().as_str(), "America/Los_Angeles");
    assert_eq!(lead.consent.sms, Consent::ExpressWritten);
    assert_eq!((lead.phone_hash.as_deref(), lead.email_hash.as_deref()), (Some("phone-hash"), Some("email-hash")));
    assert_eq!(arrival.gains, ["phone-hash", "email-hash"]);
    assert_eq!(enrollment.progress.version, 3);
    assert_eq!(enrollment.progress.next.unwrap().due_at, tuesday());
    assert_eq!(kinds(&arrival), [EntryKind::LeadIn, EntryKind::Enrolled]);
    assert_eq!(arrival.facts.unwrap().consent_proof.source, "source:zillow");
    assert_eq!(arrival.task, None);
}

#[test]
fn a_webhook_with_an_id_is_known_for_good_and_one_without_for_a_day() {
    for (is_body_hash, expires_at) in [(false, None), (true, Some((tuesday() + minutes(24 * 60)).timestamp()))] {
        let key = IdempotencyKey { text: "key".to_owned(), is_body_hash };
        let read = Read { source: &source(), inbound: &inbound(), key: &key };
        let arrival = arrive(read, None, &addresses(None, None), &catalogue(), tuesday());
        assert_eq!((arrival.webhook.expires_at, arrival.webhook_key.as_str()), (expires_at, "key"));
    }
}

#[test]
fn two_webhooks_with_one_body_are_two_leads_and_one_decided_twice_is_one() {
    let key = IdempotencyKey { text: "key".to_owned(), is_body_hash: true };
    let (source, inbound) = (source(), inbound());
    let read = Read { source: &source, inbound: &inbound, key: &key };
    let ids = [tuesday(), tuesday(), tuesday() + TimeDelta::days(2)]
        .map(|now| arrive(read, None, &addresses(None, None), &catalogue(), now).webhook.lead);
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[test]
fn a_lead_whose_cadence_runs_or_rests_gets_no_second_one() {
    for state in
        [State::Active, State::Parked { why: Park::CadencePaused }, State::Parked { why: Park::NoLicensedOwner }]
    {
        let running = enrolled(tuesday() - TimeDelta::days(60), state);
        let old = Enrollment { id: "old".into(), ..enrolled(tuesday() - TimeDelta::days(1), over()) };
        let arrival = arrives(&inbound(), Some(&known(vec![old, running.clone()])));
        assert_eq!(arrival.webhook.status, Taken::Running);
        assert_eq!(arrival.webhook.enrollment, Some(running.id));
        assert_eq!((arrival.enrollment, arrival.task), (None, None));
    }
}

#[test]
fn a_lead_who_asks_again_within_30_days_is_handed_to_the_owner_and_later_enrolled() {
    for (days, asks) in [(1, true), (29, true), (30, false), (400, false)] {
        let latest = enrolled(tuesday() - TimeDelta::days(days), over());
        let older = Enrollment { id: "older".into(), ..enrolled(tuesday() - TimeDelta::days(800), over()) };
        let arrival = arrives(&inbound(), Some(&known(vec![latest.clone(), older])));
        assert_eq!(arrival.webhook.status, if asks { Taken::Asked } else { Taken::Enrolled }, "{days} days");
        assert_eq!(arrival.enrollment.is_none(), asks);
        if let Some(task) = arrival.task {
            assert_eq!((task.kind, task.user.as_str()), (TaskKind::FollowUp, "lo-riley"));
            assert_eq!(task.id.key.enrollment, latest.id);
            assert!(task.text.starts_with("Robin Example: the lead asked again through zillow"), "{}", task.text);
            assert_eq!(TaskId::parse(&task.id.to_string()), Some(task.id));
        }
    }
}

#[test]
fn a_lead_who_asks_twice_in_one_second_is_two_tasks() {
    let known = known(vec![enrolled(tuesday() - TimeDelta::days(1), over())]);
    let ids = ["one", "two"].map(|text| {
        let key = IdempotencyKey { text: text.to_owned(), is_body_hash: true };
        let read = Read { source: &source(), inbound: &inbound(), key: &key };
        arrive(read, Some(&known), &mine(), &catalogue(), tuesday()).task.unwrap().id
    });
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn while_the_owner_is_away_a_lead_who_asks_again_is_the_stand_ins() {
    let day = crate::time::Day::parse("2026-12-01").unwrap();
    let absence = Absence { from: day, until: day, stand_in: Some("lo-morgan".into()) };
    for (licences, user) in [(["CA"], "lo-morgan"), (["NY"], "lo-riley")] {
        let mut catalogue = catalogue();
        catalogue.users[0].out_of_office = vec![absence.clone()];
        catalogue.users[1].licences = licences.map(str::to_owned).to_vec();
        let known = known(vec![enrolled(tuesday() - TimeDelta::days(1), over())]);
        let arrival = arrives_with(&inbound(), Some(&known), &mine(), &catalogue);
        let task = arrival.task.unwrap();
        assert_eq!(task.user.as_str(), user);
        assert!(task.text.starts_with("Yours to do, because "), "{}", task.text);
        assert_eq!(arrival.entries.last().unwrap().to.as_deref(), Some(user));
    }
}

#[test]
fn where_no_owner_can_be_asked_the_timeline_says_so() {
    let mut known = known(vec![enrolled(tuesday() - TimeDelta::days(1), over())]);
    known.lead.owner = None;
    let catalogue = Catalogue { users: Vec::new(), ..catalogue() };
    let arrival = arrives_with(&inbound(), Some(&known), &mine(), &catalogue);
    assert_eq!((arrival.webhook.status, arrival.task.clone()), (Taken::Asked, None));
    assert_eq!(kinds(&arrival), [EntryKind::LeadIn, EntryKind::Skipped]);
}

#[test]
fn a_lead_for_whom_there_is_no_live_cadence_is_kept_and_that_is_said() {
    for status in [Status::Paused, Status::Off, Status::Archived] {
        let mut catalogue = catalogue();
        catalogue.cadences[0].0.status = status;
        let arrival = arrives_with(&inbound(), None, &addresses(None, None), &catalogue);
        assert_eq!(arrival.webhook.status, Taken::NoCadence, "{status:?}");
        assert!(arrival.lead.is_some() && arrival.enrollment.is_none());
        assert_eq!(texts(&arrival), ["from zillow", "no live cadence is for this lead"]);
    }
}

#[test]
fn the_newest_version_of_the_best_cadence_takes_the_lead() {
    let other = Cadence {
        id: "other".into(),
        priority: 99,
        ..cadence(json!({"steps": [{"id": "a", "do": "dial", "wait": "1h"}]}))
    };
    let catalogue = Catalogue { cadences: vec![catalogue().cadences.remove(0), (other, 12)], ..catalogue() };
    let arrival = arrives_with(&inbound(), None, &addresses(None, None), &catalogue);
    let enrollment = arrival.enrollment.unwrap();
    assert_eq!((enrollment.cadence.as_str(), enrollment.progress.version), ("other", 12));
}

#[rstest]
#[case::transferred(Outcome::Transferred, "zillow says transferred, so no cadence begins")]
#[case::appointment_set(Outcome::AppointmentSet, "zillow says appointment set, so no cadence begins")]
#[case::declined(Outcome::Declined, "zillow says declined, so no cadence begins")]
fn a_lead_whom_the_concierge_spoke_with_is_kept_and_not_contacted(#[case] outcome: Outcome, #[case] why: &str) {
    let inbound = Inbound { outcome: Some(outcome), ..inbound() };
    let arrival = arrives(&inbound, None);
    assert_eq!(arrival.webhook.status, Taken::Concluded);
    assert!(arrival.lead.is_some() && arrival.enrollment.is_none() && arrival.webhook.enrollment.is_none());
    assert_eq!(texts(&arrival), ["from zillow", why]);

    for (state, status) in [(State::Active, Taken::Running), (over(), Taken::Concluded)] {
        let known = known(vec![enrolled(tuesday() - TimeDelta::days(1), state)]);
        let arrival = arrives(&inbound, Some(&known));
        assert_eq!(arrival.webhook.status, status);
        assert_eq!(arrival.enrollment, None);
        assert!(arrival.task.unwrap().text.contains("zillow says"), "the owner is told");
    }
}

#[test]
fn whose_a_webhook_is() {
    for (phone, email, expected) in [
        (None, None, None),
        (Some("a"), None, Some("a")),
        (None, Some("b"), Some("b")),
        (Some("a"), Some("a"), Some("a")),
        (Some("a"), Some("b"), Some("a")),
    ] {
        assert_eq!(whose(&addresses(phone, email)).map(LeadId::as_str), expected, "{phone:?} {email:?}");
    }
    let only_email = Addresses { phone: None, ..addresses(None, Some("b")) };
    assert_eq!(whose(&only_email).map(LeadId::as_str), Some("b"));
    assert_eq!(whose(&Addresses::default()), None);
}

#[test]
fn an_email_that_is_another_leads_stays_there_and_both_timelines_say_so() {
    let mut known = known(vec![enrolled(tuesday(), State::Active)]);
    (known.lead.email, known.lead.email_hash) = (None, None);
    let arrival =
        arrives_with(&inbound(), Some(&known), &addresses(Some(lead().id.as_str()), Some("other")), &catalogue());
    assert!(arrival.lead.as_ref().is_none_or(|lead| lead.email.is_none() && lead.email_hash.is_none()));
    assert_eq!(arrival.gains, [""; 0]);
    let told: Vec<&str> = arrival.entries.iter().map(|entry| entry.lead.as_str()).collect();
    assert_eq!(told, [lead().id.as_str(), lead().id.as_str(), "other"]);
}

#[test]
fn a_known_lead_gains_the_address_it_lacked_and_keeps_the_one_it_had() {
    let mut known = known(vec![enrolled(tuesday(), State::Active)]);
    (known.lead.email, known.lead.email_hash) = (None, None);
    let mut named = addresses(Some(lead().id.as_str()), None);
    let arrival = arrives_with(&inbound(), Some(&known), &named, &catalogue());
    let gained = arrival.lead.unwrap();
    assert_eq!(
        (gained.email.as_deref(), gained.email_hash.as_deref()),
        (Some("robin@example.com"), Some("email-hash"))
    );
    assert_eq!((arrival.gains, arrival.read_revision), (vec!["email-hash".to_owned()], Some(1)));
    assert_eq!(gained.revision, 2, "claims that read the lead before are void");

    // Known by the email, with another phone number.
    named = addresses(None, Some(lead().id.as_str()));
    named.phone = Some(("other-hash".to_owned(), Address::default()));
    let other = Inbound { phone: Some("+14155550199".to_owned()), ..inbound() };
    let arrival = arrives_with(&other, Some(&known_with_email()), &named, &catalogue());
    assert_eq!(arrival.lead.map_or(lead().phone, |lead| lead.phone), lead().phone);
    assert_eq!(arrival.gains, [""; 0]);
}

fn known_with_email() -> Known {
    known(vec![enrolled(tuesday(), State::Active)])
}

#[test]
fn an_address_that_was_closed_for_good_is_closed_for_whoever_gains_it() {
    let long_ago = at("2020-01-01T00:00:00Z");
    let mut named = addresses(None, None);
    for (_, address) in named.phone.iter_mut().chain(&mut named.email) {
        address.suppressed_at = Some(long_ago);
    }
    let new = arrives_with(&inbound(), None, &named, &catalogue()).lead.unwrap();
    assert_eq!(new.opt_outs, [(OptOut::Phone, long_ago), (OptOut::Email, long_ago)].into());

    let mut known = known(vec![enrolled(tuesday(), State::Active)]);
    (known.lead.email, known.lead.email_hash) = (None, None);
    named.phone = mine().phone;
    let gained = arrives_with(&inbound(), Some(&known), &named, &catalogue()).lead.unwrap();
    assert_eq!(gained.opt_outs, [(OptOut::Email, long_ago)].into());
}

#[test]
fn a_webhook_that_says_nothing_new_writes_no_lead() {
    let mut known = known(vec![enrolled(tuesday(), State::Active)]);
    known.facts.zip = Some("94607".to_owned());
    let arrival = arrives(&inbound(), Some(&known));
    assert_eq!((arrival.lead, arrival.facts, arrival.read_revision), (None, None, Some(1)));
}

#[test]
fn a_lead_over_two_hours_old_is_enrolled_as_stale() {
    for (age, stale) in [(0, false), (120, false), (121, true), (-10, false)] {
        let inbound = Inbound { created_at: Some(tuesday() - minutes(age)), ..inbound() };
        assert_eq!(arrives(&inbound, None).enrollment.unwrap().progress.stale, stale, "{age} minutes");
    }
    let undated = Inbound { created_at: None, ..inbound() };
    assert!(!arrives(&undated, None).enrollment.unwrap().progress.stale);
}

#[test]
fn what_the_lead_agreed_to_comes_from_its_own_words_before_the_sources() {
    let own = SourceConsent { sms: Consent::Express, proof: "text me".to_owned(), ..SourceConsent::default() };
    let arrival = arrives(&Inbound { consent: Some(own), ..inbound() }, None);
    let expected = ChannelConsent { sms: Consent::Express, ..ChannelConsent::default() };
    assert_eq!(arrival.lead.unwrap().consent, expected);
    let proof = arrival.facts.unwrap().consent_proof;
    assert_eq!((proof.text.as_str(), proof.source.as_str()), ("text me", "lead"));
}

/// A cadence that takes a lead out of the one that it runs in.
fn taking_over(id: &str, fields: serde_json::Value) -> Cadence {
    let mut record = json!({"priority": 99, "steps": [{"id": "a", "do": "dial", "wait": "1h"}]});
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Cadence { id: id.into(), takes_over: vec![crate::fixtures::reference().id], ..cadence(record) }
}

fn with_cadence(cadence: Cadence) -> Catalogue {
    let mut catalogue = catalogue();
    catalogue.cadences.push((cadence, 12));
    catalogue
}

/// The lead's task to call, in the enrollment that runs, and one of an enrollment that is over.
fn tasks() -> Vec<Task> {
    let mut world = crate::fixtures::World::new(crate::fixtures::reference(), tuesday());
    world.run(crate::fixtures::accepted(), tuesday());
    let own = world.task("first-call").clone();
    let mut other = own.clone();
    other.id.key.enrollment = "older".into();
    vec![own, other]
}

#[test]
fn a_cadence_that_takes_over_ends_the_one_that_runs_with_its_tasks_and_begins() {
    let running = enrolled(tuesday() - minutes(30), State::Active);
    let known = Known { open_tasks: tasks(), ..known(vec![running.clone()]) };
    let hot = taking_over("hot", json!({}));
    for (version, rest) in [(1, ""), (3, "; not run: first-call, intro-text, robot-call, intro-email")] {
        let mut known = known.clone();
        known.enrollments[0].progress.version = version;
        let arrival = arrives_with(&inbound(), Some(&known), &mine(), &with_cadence(hot.clone()));
        let (begun, ends) = (arrival.enrollment.clone().unwrap(), arrival.ends.clone().unwrap());
        assert_eq!(arrival.webhook.status, Taken::Switched);
        assert_eq!((begun.cadence.as_str(), begun.progress.version), ("hot", 12));
        assert_eq!(arrival.webhook.enrollment, Some(begun.id));

        assert_eq!(ends.enrollment, known.enrollments[0], "good only for what was read");
        let after = ends.progress.unwrap();
        assert_eq!(after.state, State::Ended { why: End::Switched("hot".into()) });
        assert_eq!((after.next, after.generation), (None, running.progress.generation + 1));
        let closed: Vec<_> = ends.close.iter().map(|(id, closed)| (id.clone(), closed.outcome)).collect();
        assert_eq!(closed, [(known.open_tasks[0].id.clone(), Outcome::Skipped)], "those of another enrollment stay");

        assert_eq!(kinds(&arrival), [EntryKind::LeadIn, EntryKind::Ended, EntryKind::Enrolled]);
        assert_eq!(ends.entries, [], "each is written once");
        let why = format!("moved to the cadence hot, because the lead asked again through zillow{rest}");
        assert_eq!(texts(&arrival)[1], why);
        assert_eq!(arrival.entries[1].enrollment, Some(running.id.clone()));
        assert_eq!(arrival.read_revision, Some(known.lead.revision));
        assert_eq!(arrival.task, None);
    }
}

#[test]
fn a_claim_that_lives_stays_in_place_when_its_enrollment_is_taken_over() {
    let mut world = crate::fixtures::World::new(crate::fixtures::reference(), tuesday());
    let crate::plan::Plan::Send(plan) = world.plan(tuesday()) else { panic!() };
    world.claim(&plan, tuesday());
    let running = world.context.enrollment.clone();
    let arrival = arrives_with(
        &inbound(),
        Some(&known(vec![running.clone()])),
        &mine(),
        &with_cadence(taking_over("hot", json!({}))),
    );
    let ends = arrival.ends.unwrap();
    assert!(ends.enrollment.claim.is_some());
    assert_eq!(ends.enrollment, running);

    // It finds the enrollment ended.
    world.commit(ends);
    world.settle(crate::fixtures::accepted(), tuesday());
    assert_eq!(world.state(), &State::Ended { why: End::Switched("hot".into()) });
    assert_eq!((world.context.enrollment.claim.clone(), world.open()), (None, vec![]));
}

#[test]
fn a_lead_is_not_taken_over_that_a_vendor_says_somebody_spoke_with() {
    let known = known(vec![enrolled(tuesday(), State::Active)]);
    let inbound = Inbound { outcome: Some(Outcome::Transferred), ..inbound() };
    let arrival = arrives_with(&inbound, Some(&known), &mine(), &with_cadence(taking_over("hot", json!({}))));
    assert_eq!((arrival.webhook.status, arrival.ends, arrival.enrollment), (Taken::Running, None, None));
}

#[test]
fn what_a_webhook_tells_of_the_lead_counts_for_which_cadence_takes_it() {
    let large = taking_over("large", json!({"for_leads": {"attributes": {"loan_amount": {"at_least": 500_000}}}}));
    let known = known(vec![enrolled(tuesday(), State::Active)]);
    for (amount, status) in [(499_999, Taken::Running), (500_000, Taken::Switched)] {
        let told = Inbound { attributes: [("loan_amount".to_owned(), json!(amount))].into(), ..inbound() };
        let arrival = arrives_with(&told, Some(&known), &mine(), &with_cadence(large.clone()));
        assert_eq!(arrival.webhook.status, status, "{amount}");
    }
}

#[test]
fn the_timeline_says_which_cadence_held_a_lead_out_whoever_takes_it_then() {
    let half = |id: &str| taking_over(id, json!({"for_leads": {"hold_out": 99}}));
    let held_out = "held out of half, which leaves 99% of its leads to others";

    let arrival = arrives_with(&inbound(), None, &addresses(None, None), &with_cadence(half("half")));
    assert_eq!(arrival.webhook.status, Taken::Enrolled);
    assert_eq!(arrival.enrollment.as_ref().map(|begun| begun.cadence.as_str()), Some("test"));
    assert_eq!(kinds(&arrival), [EntryKind::LeadIn, EntryKind::HeldOut, EntryKind::Enrolled]);
    assert_eq!((texts(&arrival)[1], arrival.entries[1].cadence.as_ref().unwrap().as_str()), (held_out, "half"));

    let alone = Catalogue { cadences: vec![(half("half"), 1)], ..catalogue() };
    let arrival = arrives_with(&inbound(), None, &addresses(None, None), &alone);
    assert_eq!((arrival.webhook.status, arrival.webhook.enrollment.clone()), (Taken::NoCadence, None));
    assert_eq!(texts(&arrival), ["from zillow", held_out, "no other live cadence is for this lead"]);

    let running = known(vec![enrolled(tuesday(), State::Active)]);
    let arrival = arrives_with(&inbound(), Some(&running), &mine(), &with_cadence(half("half")));
    assert_eq!((arrival.webhook.status, texts(&arrival)[1]), (Taken::Running, held_out));
    assert_eq!((arrival.ends, arrival.enrollment), (None, None));

    let before = known(vec![enrolled(tuesday() - TimeDelta::days(60), over())]);
    let arrival = arrives_with(&inbound(), Some(&before), &mine(), &alone);
    assert_eq!((arrival.webhook.status, texts(&arrival)[1]), (Taken::Asked, held_out));
    assert!(arrival.task.is_some(), "a lead who comes back is a person's if no cadence takes it");
}

#[test]
fn a_lead_who_comes_back_is_a_persons_where_no_cadence_is_for_it_any_more() {
    let before = known(vec![enrolled(tuesday() - TimeDelta::days(400), over())]);
    let none = Catalogue { cadences: Vec::new(), ..catalogue() };
    let arrival = arrives_with(&inbound(), Some(&before), &mine(), &none);
    assert_eq!((arrival.webhook.status, arrival.task.is_some()), (Taken::Asked, true));
}
