//! Arrival: what a webhook makes of the leads that are known.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    EnrollmentId, LeadId, Outcome, StepId, StepKey, TaskId, enroll,
    enrollment::Enrollment,
    intake::{self, IdempotencyKey},
    lead::{Facts, Lead, OptOut},
    onward::TAKE_UP_WITHIN,
    records::{Cadence, Settings, Source, User},
    sources::Inbound,
    task::{Task, TaskKind},
    timeline::{Entry, EntryKind},
};

/// What a webhook came to; told again if it comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// The lead it made or updated.
    pub lead: LeadId,
    /// The enrollment it began, or found running.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrollment: Option<EnrollmentId>,
    /// What became of it.
    pub status: Taken,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Until when it is known, in epoch seconds; `None` for good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<i64>,
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// A cadence took the lead.
    Enrolled,
    /// The lead was known and its cadence goes on.
    Running,
    /// The lead was through a cadence lately: its owner was asked to take it up.
    Asked,
    /// Somebody has spoken with the lead already, as the source says: no cadence takes it.
    Concluded,
    /// No live cadence is for it.
    NoCadence,
}

/// A lead that is known already.
#[derive(Clone, Debug)]
pub struct Known {
    /// The lead.
    pub lead: Lead,
    /// What is known of it.
    pub facts: Facts,
    /// Its enrollments, running and over.
    pub enrollments: Vec<Enrollment>,
}

/// What is stored of an address: whose it is, and whether it is closed for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The lead who has it; `None` once the lead is erased.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lead: Option<LeadId>,
    /// When it was closed for good; outlives the lead.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suppressed_at: Option<DateTime<Utc>>,
}

/// The addresses that a webhook names: the hash and what is stored under it.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// The phone's.
    pub phone: Option<(String, Address)>,
    /// The email's.
    pub email: Option<(String, Address)>,
}

/// What new leads are matched with.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Every published cadence, with its newest version.
    pub cadences: Vec<(Cadence, u32)>,
    /// Every published user.
    pub users: Vec<User>,
    /// The settings.
    pub settings: Settings,
}

/// One webhook's transaction.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The webhook's idempotency key.
    pub webhook_key: String,
    /// What it comes to.
    pub webhook: Webhook,
    /// The lead to write; `None` leaves it.
    pub lead: Option<Lead>,
    /// The revision that this was decided on; `None` for a new lead.
    pub read_revision: Option<u64>,
    /// What is known of the lead now; `None` leaves it.
    pub facts: Option<Facts>,
    /// Hashes of addresses that the lead gains.
    pub gains: Vec<String>,
    /// The hash of the phone number that closes for good, because the source says that the lead wants no calls.
    pub closes: Option<String>,
    /// The enrollment that begins.
    pub enrollment: Option<Enrollment>,
    /// A task for the owner.
    pub task: Option<Task>,
    /// What the timeline says of it.
    pub entries: Vec<Entry>,
}

/// How long after a cadence began the same lead does not begin another by asking again.
pub const REENROLL_AFTER: TimeDelta = TimeDelta::days(30);
/// How long a body that carries no id of its own is told from a new one.
const BODY_KNOWN_FOR: TimeDelta = TimeDelta::hours(24);

/// What a webhook was read as.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// The source it came from.
    pub source: &'a Source,
    /// What it says.
    pub inbound: &'a Inbound,
    /// What tells it from others.
    pub key: &'a IdempotencyKey,
}

/// Whose address a webhook names: the phone's lead wins over the email's.
pub fn whose(addresses: &Addresses) -> Option<&LeadId> {
    let of =
        |found: &'_ Option<(String, Address)>| found.as_ref().and_then(|(_, address)| address.lead.clone()).is_some();
    let first = if of(&addresses.phone) { &addresses.phone } else { &addresses.email };
    first.as_ref().and_then(|(_, address)| address.lead.as_ref())
}

/// What a webhook makes of the lead it is about, known or new.
pub fn arrive(
    read: Read<'_>,
    known: Option<&Known>,
    addresses: &Addresses,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) -> Arrival {
    let mut arrival = match known {
        Some(known) => update(read, known, addresses, now),
        None => begin(read, addresses, catalogue, now),
    };
    let enrollments = known.map_or(&[][..], |known| &known.enrollments);
    let running = enrollments.iter().find(|enrollment| !enrollment.has_ended());
    let latest = running.or_else(|| enrollments.iter().max_by_key(|enrollment| enrollment.enrolled_at));
    let is_recent = latest.is_some_and(|latest| latest.enrolled_at + REENROLL_AFTER > now);
    let (source, concluded) = (&read.source.id, read.inbound.outcome.filter(|outcome| concludes(*outcome)));
    let (status, ask) = match (running, concluded) {
        (Some(_), None) => (Taken::Running, None),
        (Some(_), Some(outcome)) => {
            (Taken::Running, Some(format!("{source} says {}, while a cadence runs", outcome.in_words())))
        }
        (None, Some(outcome)) => {
            (Taken::Concluded, Some(format!("{source} says {}, so no cadence begins", outcome.in_words())))
        }
        (None, None) if is_recent => {
            (Taken::Asked, Some(format!("the lead asked again through {source}, after a cadence that is over")))
        }
        (None, None) => {
            enroll_in_best(&mut arrival, read, known, catalogue, now);
            return arrival;
        }
    };
    arrival.webhook.status = status;
    arrival.webhook.enrollment = latest.map(|latest| latest.id.clone());
    if let Some(why) = ask {
        ask_owner(&mut arrival, known, latest, &why, now);
    }
    arrival
}

/// Whether somebody has spoken with the lead, so that a cadence would begin again what is done.
fn concludes(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Transferred | Outcome::AppointmentSet | Outcome::Declined | Outcome::Connected)
}

fn begin(read: Read<'_>, addresses: &Addresses, catalogue: &Catalogue, now: DateTime<Utc>) -> Arrival {
    let id = LeadId::from_uuid(fresh(read, "lead", now));
    let inbound = read.inbound;
    let owner = intake::pick_owner(&catalogue.users, &id, inbound.state.as_deref(), &inbound.owner_hints);
    let (mut lead, facts) = intake::new_lead(id, inbound, read.source, owner, now);
    take_addresses(&mut lead, addresses, now);
    let mut arrival = arrival(read, &lead.id, now);
    arrival.gains = gained(addresses, &lead);
    arrival.entries.push(lead_in(read, &lead.id, now));
    heed_opt_out(&mut arrival, &mut lead, read, now);
    arrival.facts = Some(facts);
    arrival.lead = Some(lead);
    arrival
}

fn update(read: Read<'_>, known: &Known, addresses: &Addresses, now: DateTime<Utc>) -> Arrival {
    let id = &known.lead.id;
    let mut arrival = arrival(read, id, now);
    arrival.read_revision = Some(known.lead.revision);
    arrival.entries.push(lead_in(read, id, now));
    let merged = intake::merge_lead(&known.lead, &known.facts, read.inbound, now);
    let (mut lead, facts) = merged.unwrap_or_else(|| (known.lead.clone(), known.facts.clone()));
    take_addresses(&mut lead, addresses, now);
    heed_opt_out(&mut arrival, &mut lead, read, now);
    if lead != known.lead || facts != known.facts {
        lead.revision = known.lead.revision + 1;
        arrival.gains = gained(addresses, &lead);
        arrival.lead = Some(lead);
        arrival.facts = Some(facts);
    }
    let others = addresses.email.iter().filter_map(|(_, address)| address.lead.as_ref()).filter(|other| *other != id);
    for other in others {
        let text = format!(
            "the email address stays with the lead {other}, whose it was first; the phone number told this lead"
        );
        arrival.entries.push(Entry::new(EntryKind::LeadIn, id, now).text(text));
        let text = format!("a webhook for the lead {id} named this lead's email address, which stays here");
        arrival.entries.push(Entry::new(EntryKind::LeadIn, other, now).text(text));
    }
    arrival
}

/// Closes the phone of a lead who told the source not to be called.
fn heed_opt_out(arrival: &mut Arrival, lead: &mut Lead, read: Read<'_>, now: DateTime<Utc>) {
    if read.inbound.outcome == Some(Outcome::OptedOut) && !lead.opt_outs.contains_key(&OptOut::Phone) {
        lead.opt_outs.insert(OptOut::Phone, now);
        arrival.closes.clone_from(&lead.phone_hash);
        let text = format!("{} says that the lead wants no calls", read.source.id);
        arrival.entries.push(Entry::new(EntryKind::OptedOut, &lead.id, now).text(text));
    }
}

/// Gives the lead the addresses that nobody else has, and with them what they have closed for good.
fn take_addresses(lead: &mut Lead, addresses: &Addresses, now: DateTime<Utc>) {
    let is_free = |address: &Address| address.lead.as_ref().is_none_or(|owner| *owner == lead.id);
    let phone = addresses.phone.as_ref().filter(|(_, address)| is_free(address));
    let email = addresses.email.as_ref().filter(|(_, address)| is_free(address));
    if lead.phone.is_some() && lead.phone_hash.is_none() {
        lead.phone_hash = phone.map(|(hash, _)| hash.clone());
    }
    if lead.email.is_some() && lead.email_hash.is_none() {
        lead.email_hash = email.map(|(hash, _)| hash.clone());
    }
    for (closes, found) in [(OptOut::Phone, phone), (OptOut::Email, email)] {
        if let Some((_, Address { suppressed_at: Some(at), .. })) = found {
            lead.opt_outs.entry(closes).or_insert((*at).min(now));
        }
    }
    if lead.phone_hash.is_none() {
        lead.phone = None;
    }
    if lead.email_hash.is_none() {
        lead.email = None;
    }
}

fn gained(addresses: &Addresses, lead: &Lead) -> Vec<String> {
    let mine = [lead.phone_hash.as_ref(), lead.email_hash.as_ref()];
    let named = addresses.phone.iter().chain(&addresses.email);
    named
        .filter(|(hash, address)| address.lead.is_none() && mine.contains(&Some(hash)))
        .map(|(hash, _)| hash.clone())
        .collect()
}

fn enroll_in_best(
    arrival: &mut Arrival,
    read: Read<'_>,
    known: Option<&Known>,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) {
    let Some(lead) = arrival.lead.as_ref().or(known.map(|known| &known.lead)) else {
        return;
    };
    let purpose = arrival.facts.as_ref().or(known.map(|known| &known.facts)).and_then(|facts| facts.purpose.as_deref());
    let cadences: Vec<Cadence> = catalogue.cadences.iter().map(|(cadence, _)| cadence.clone()).collect();
    let picked = intake::pick_cadence(&cadences, &read.source.id, lead.state.as_deref(), purpose);
    let Some((cadence, version)) =
        picked.and_then(|picked| catalogue.cadences.iter().find(|(cadence, _)| cadence.id == picked.id))
    else {
        arrival.webhook.status = Taken::NoCadence;
        let text = "no live cadence is for this lead";
        arrival.entries.push(Entry::new(EntryKind::Skipped, &lead.id, now).text(text));
        return;
    };
    let id = EnrollmentId::from_uuid(fresh(read, "enrollment", now));
    let stale = read.inbound.created_at.is_some_and(|created_at| intake::is_stale(created_at, now));
    let begun = enroll::begin(id, lead, (cadence, *version), &catalogue.settings, stale, now);
    arrival.entries.push(enroll::entry(&begun, cadence, now));
    arrival.webhook.enrollment = Some(begun.id.clone());
    arrival.webhook.status = Taken::Enrolled;
    arrival.enrollment = Some(begun);
}

/// A person takes up a lead whom no cadence takes. The timeline says why, also where nobody can be asked.
fn ask_owner(arrival: &mut Arrival, known: Option<&Known>, latest: Option<&Enrollment>, why: &str, now: DateTime<Utc>) {
    let lead = arrival.webhook.lead.clone();
    // A task belongs to an enrollment, which a new lead doesn't have.
    let asked = known.zip(latest).and_then(|(known, latest)| Some((known, latest, known.lead.owner.clone()?)));
    let Some((known, latest, user)) = asked else {
        return arrival.entries.push(Entry::new(EntryKind::Skipped, &lead, now).text(why));
    };
    let entry = Entry::new(EntryKind::TaskOpened, &lead, now).text(why);
    arrival.entries.push(Entry { enrollment: Some(latest.id.clone()), to: Some(user.to_string()), ..entry });
    let step = StepId::new(format!("lead~asked-again-{}", now.timestamp()));
    let lead_name = known.facts.full_name();
    arrival.task = Some(Task {
        id: TaskId { lead, key: StepKey { enrollment: latest.id.clone(), step, round: 1 } },
        kind: TaskKind::FollowUp,
        user,
        text: format!("{lead_name}: {why}. Please take it up."),
        lead_name,
        reach: known.lead.phone.clone().or_else(|| known.lead.email.clone()),
        opened_at: now,
        task_due_at: now + TAKE_UP_WITHIN,
        closed: None,
    });
}

fn arrival(read: Read<'_>, lead: &LeadId, now: DateTime<Utc>) -> Arrival {
    let expires_at = read.key.is_body_hash.then(|| (now + BODY_KNOWN_FOR).timestamp());
    Arrival {
        webhook_key: read.key.text.clone(),
        webhook: Webhook { lead: lead.clone(), enrollment: None, status: Taken::NoCadence, at: now, expires_at },
        lead: None,
        read_revision: None,
        facts: None,
        gains: Vec::new(),
        closes: None,
        enrollment: None,
        task: None,
        entries: Vec::new(),
    }
}

fn lead_in(read: Read<'_>, lead: &LeadId, now: DateTime<Utc>) -> Entry {
    let mut text = format!("from {}", read.source.id);
    for note in &read.inbound.notes {
        text.push_str("; ");
        text.push_str(note);
    }
    Entry::new(EntryKind::LeadIn, lead, now).text(text)
}

/// An id of this webhook's own. A repeated webhook is refused by its key, not by these; the instant tells apart two that share a body.
fn fresh(read: Read<'_>, what: &str, now: DateTime<Utc>) -> Uuid {
    let text = format!("{what} {} {}", read.key.text, now.timestamp_micros());
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{
        enrollment::{End, Park, State},
        fixtures::{at, begun, cadence, facts, lead, minutes, settings, tuesday, users},
        lead::{ChannelConsent, Consent},
        records::{Format, Status, source::SourceConsent},
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
        Known { lead: lead(), facts: facts(), enrollments }
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
        Addresses {
            phone: Some(("phone-hash".to_owned(), of(phone))),
            email: Some(("email-hash".to_owned(), of(email))),
        }
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
        for state in [State::Active, State::Parked { why: Park::Outcome }] {
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
    fn where_no_owner_can_be_asked_the_timeline_says_so() {
        let mut known = known(vec![enrolled(tuesday() - TimeDelta::days(1), over())]);
        known.lead.owner = None;
        let arrival = arrives(&inbound(), Some(&known));
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
}
