//! Intake: what a webhook's lead is known by, whose it is and which cadence is for it.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    LeadId, SourceId,
    law::{self, State},
    lead::{ChannelConsent, Consent, Facts, Lead, Proof},
    records::{Cadence, Source, Status, User, source::SourceConsent},
    sources::Inbound,
    time::Zones,
};

/// What tells a webhook from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key.
    pub text: String,
    /// True where nothing but the body tells, so that the key holds for a day only.
    pub is_body_hash: bool,
}

/// Whom a vendor sent a lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerHints {
    /// The loan officer's email address.
    pub email: Option<String>,
    /// The loan officer's NMLS id.
    pub nmls_id: Option<String>,
}

/// Past this age a lead is not texted or called by a machine at once.
const STALE_AFTER: TimeDelta = TimeDelta::hours(2);
/// Ids of vendors that are longer are hashed, since keys of items are limited.
const MAX_ID: usize = 200;

/// The vendor's event id, else the `Idempotency-Key` header, else the body's hash.
pub fn idempotency_key(source: &SourceId, inbound: &Inbound, header: Option<&str>, body: &[u8]) -> IdempotencyKey {
    let named = inbound.vendor_event_id.as_deref().map(|id| ("id", id)).or(header.map(|key| ("key", key)));
    match named {
        Some((kind, id)) if id.len() <= MAX_ID => key(format!("{source}#{kind}#{id}"), false),
        Some((kind, id)) => key(format!("{source}#{kind}-hash#{}", hex(&Sha256::digest(id.as_bytes()))), false),
        None => key(format!("{source}#body#{}", hex(&Sha256::digest(body))), true),
    }
}

fn key(text: String, is_body_hash: bool) -> IdempotencyKey {
    IdempotencyKey { text, is_body_hash }
}

/// The keyed hash of a phone number or an email address: what is stored of it outlives the lead, the address doesn't.
pub fn address_hash(key: &[u8], address: &str) -> String {
    // HMAC takes a key of any length, so there is always a hash.
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mut mac| {
        mac.update(address.as_bytes());
        mac.finalize().into_bytes()
    });
    hex(&mac.unwrap_or_default())
}

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

/// A lead that nobody knew, without its addresses' hashes.
pub fn new_lead(
    id: LeadId,
    inbound: &Inbound,
    source: &Source,
    owner: Option<&User>,
    now: DateTime<Utc>,
) -> (Lead, Facts) {
    let own = inbound.consent.as_ref();
    let consent = own.unwrap_or(&source.consent);
    let lead = Lead {
        id,
        revision: 1,
        phone: inbound.phone.clone(),
        email: inbound.email.clone(),
        phone_hash: None,
        email_hash: None,
        state: inbound.state.clone(),
        zones: zones(inbound, inbound.state.as_deref(), inbound.phone.as_deref()),
        owner: owner.map(|user| user.id.clone()),
        consent: channels(consent),
        opt_outs: Default::default(),
        touches: Default::default(),
    };
    let facts = Facts {
        first_name: inbound.first_name.clone(),
        last_name: inbound.last_name.clone(),
        source: source.id.clone(),
        consent_proof: proof(consent, own.is_some(), &source.id, inbound, now),
        city: inbound.city.clone(),
        zip: inbound.zip.clone(),
        purpose: inbound.purpose.clone(),
        attributes: inbound.attributes.clone(),
    };
    (lead, facts)
}

/// A known lead and what a newer webhook adds; `None` where it adds nothing. What was known of where the lead is and how to reach it
/// stays; facts for messages follow the newest word.
pub fn merge_lead(
    lead: &Lead,
    facts: &Facts,
    inbound: &Inbound,
    source: &Source,
    now: DateTime<Utc>,
) -> Option<(Lead, Facts)> {
    let mut merged = lead.clone();
    merged.phone = merged.phone.or_else(|| inbound.phone.clone());
    merged.email = merged.email.or_else(|| inbound.email.clone());
    merged.state = merged.state.or_else(|| inbound.state.clone());
    if merged.state != lead.state || merged.zones.is_none() {
        merged.zones = zones(inbound, merged.state.as_deref(), merged.phone.as_deref()).or(merged.zones);
    }
    let mut told = facts.clone();
    for (known, new) in [(&mut told.first_name, &inbound.first_name), (&mut told.last_name, &inbound.last_name)] {
        if !new.is_empty() {
            known.clone_from(new);
        }
    }
    for (known, new) in
        [(&mut told.city, &inbound.city), (&mut told.zip, &inbound.zip), (&mut told.purpose, &inbound.purpose)]
    {
        if new.is_some() {
            known.clone_from(new);
        }
    }
    told.attributes.extend(inbound.attributes.clone());
    if let (Some(known), Some(new)) = (&lead.phone, &inbound.phone)
        && known != new
    {
        // Nobody has it, or that lead would have been found by it; it is kept for people.
        told.attributes.insert("other_phone".to_owned(), new.as_str().into());
    }
    let own = inbound.consent.as_ref();
    let consent = own.unwrap_or(&source.consent);
    merged.consent = newer(merged.consent, channels(consent), own.is_some());
    if merged.consent != lead.consent {
        told.consent_proof = proof(consent, own.is_some(), &source.id, inbound, now);
    }
    (merged != *lead || told != *facts).then_some((merged, told))
}

/// Whether a lead is too old for an instant text or AI call.
pub fn is_stale(created_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - created_at > STALE_AFTER
}

/// Compares secrets in a time that tells neither where nor whether in length they differ.
pub fn same_secret(given: &[u8], expected: &[u8]) -> bool {
    Sha256::digest(given).ct_eq(&Sha256::digest(expected)).into()
}

fn zones(inbound: &Inbound, state: Option<&str>, phone: Option<&str>) -> Option<Zones> {
    let state = state.and_then(State::parse);
    law::resolve_zones(inbound.time_zone.as_deref(), inbound.zip.as_deref(), state.as_ref(), phone)
}

fn channels(consent: &SourceConsent) -> ChannelConsent {
    ChannelConsent { call: consent.call, sms: consent.sms, email: consent.email }
}

/// A newer word takes consent back, or gives more of it; what it doesn't mention stays. What was taken back only the lead's own
/// word gives again.
fn newer(known: ChannelConsent, told: ChannelConsent, is_leads_own: bool) -> ChannelConsent {
    let channel = |known: Consent, told: Consent| match told {
        Consent::None => known,
        Consent::Revoked => told,
        _ if known == Consent::Revoked && !is_leads_own => known,
        Consent::Express | Consent::ExpressWritten => known.max(told),
    };
    ChannelConsent {
        call: channel(known.call, told.call),
        sms: channel(known.sms, told.sms),
        email: channel(known.email, told.email),
    }
}

fn proof(
    consent: &SourceConsent,
    is_leads_own: bool,
    source: &SourceId,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Proof {
    let from = if is_leads_own { "lead".to_owned() } else { format!("source:{source}") };
    Proof { text: consent.proof.clone(), source: from, at: inbound.created_at.unwrap_or(now) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{
        fixtures::{cadence, facts, lead, minutes, tuesday, user, users, zones},
        records::Format,
    };

    fn inbound() -> Inbound {
        Inbound::default()
    }

    fn key_of(id: Option<&str>, header: Option<&str>, body: &str) -> IdempotencyKey {
        let inbound = Inbound { vendor_event_id: id.map(str::to_owned), ..inbound() };
        idempotency_key(&"zillow".into(), &inbound, header, body.as_bytes())
    }

    /// A source that declares nothing.
    fn source() -> Source {
        Source {
            id: "zillow".into(),
            format: Format::Zillow,
            secret: "zillow".to_owned(),
            consent: SourceConsent::default(),
        }
    }

    #[test]
    fn what_a_source_declares_counts_for_a_known_lead_too_but_gives_back_nothing_that_was_taken_back() {
        let declared = SourceConsent {
            sms: Consent::ExpressWritten,
            email: Consent::Express,
            proof: "yes".to_owned(),
            ..SourceConsent::default()
        };
        let declaring = Source { consent: declared, ..source() };
        let mut known = lead();
        known.consent = ChannelConsent { call: Consent::Express, sms: Consent::Express, email: Consent::Revoked };
        let (merged, told) = merge_lead(&known, &facts(), &inbound(), &declaring, tuesday()).unwrap();
        let expected = ChannelConsent { call: Consent::Express, sms: Consent::ExpressWritten, email: Consent::Revoked };
        assert_eq!(merged.consent, expected);
        assert_eq!((told.consent_proof.source.as_str(), told.consent_proof.text.as_str()), ("source:zillow", "yes"));
    }

    #[test]
    fn the_vendors_id_tells_webhooks_apart_else_the_header_else_the_body() {
        for (id, header, expected, is_body_hash) in [
            (Some("LC-1"), Some("h-1"), "zillow#id#LC-1", false),
            (None, Some("h-1"), "zillow#key#h-1", false),
            (None, None, "zillow#body#", true),
        ] {
            let key = key_of(id, header, "{}");
            assert!(key.text.starts_with(expected), "{}", key.text);
            assert_eq!(key.is_body_hash, is_body_hash);
        }
        assert_eq!(key_of(None, None, "{}"), key_of(None, None, "{}"));
        assert_ne!(key_of(None, None, "{}"), key_of(None, None, "{ }"));
        assert_ne!(key_of(Some("1"), None, ""), key_of(None, Some("1"), ""), "an id is no header");
        let other = idempotency_key(&"gizmo".into(), &inbound(), Some("h-1"), b"");
        assert_ne!(other, key_of(None, Some("h-1"), ""), "each source counts for itself");
    }

    #[test]
    fn an_id_of_any_length_makes_a_key_that_fits() {
        for length in [200, 201, 100_000] {
            let key = key_of(Some(&"x".repeat(length)), None, "");
            assert!(key.text.len() < 300, "{length}");
        }
        assert_ne!(key_of(Some(&"x".repeat(201)), None, ""), key_of(Some(&"x".repeat(202)), None, ""));
    }

    #[test]
    fn an_addresses_hash_depends_on_key_and_address_and_is_64_hex_digits() {
        let hash = address_hash(b"key", "+14155550123");
        assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(hash, address_hash(b"key", "+14155550123"));
        assert_ne!(hash, address_hash(b"other", "+14155550123"));
        assert_ne!(hash, address_hash(b"key", "+14155550124"));
    }

    #[test]
    fn only_the_secret_itself_is_the_secret() {
        for (given, same) in [("s3cret", true), ("s3creT", false), ("s3cre", false), ("s3cret ", false), ("", false)] {
            assert_eq!(same_secret(given.as_bytes(), b"s3cret"), same, "{given:?}");
        }
    }

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

    #[test]
    fn what_is_known_of_a_lead_stays_and_what_it_lacked_is_added() {
        let bare = Lead { phone: None, email: None, state: None, zones: None, ..lead() };
        let new = Inbound {
            phone: Some("+14155550199".to_owned()),
            email: Some("new@example.com".to_owned()),
            state: Some("NY".to_owned()),
            ..inbound()
        };
        let (merged, _) = merge_lead(&bare, &facts(), &new, &source(), tuesday()).unwrap();
        assert_eq!((merged.phone.as_deref(), merged.email.as_deref()), (Some("+14155550199"), Some("new@example.com")));
        assert_eq!((merged.state.as_deref(), merged.zones), (Some("NY"), Some(zones(&["America/New_York"]))));
        let (kept, _) = merge_lead(&lead(), &facts(), &new, &source(), tuesday()).unwrap();
        assert_eq!(kept, lead(), "where and how to reach the lead is known");
    }

    #[test]
    fn a_state_that_becomes_known_places_a_lead_whose_zone_was_guessed() {
        let guessed = Lead { state: None, zones: Some(zones(&["America/New_York"])), ..lead() };
        let new = Inbound { state: Some("CA".to_owned()), zip: Some("94607".to_owned()), ..inbound() };
        let (merged, _) = merge_lead(&guessed, &facts(), &new, &source(), tuesday()).unwrap();
        assert_eq!(merged.zones, Some(zones(&["America/Los_Angeles"])));
    }

    #[test]
    fn facts_for_messages_follow_the_newest_word_and_silence_takes_nothing_back() {
        let new = Inbound {
            first_name: "Robyn".to_owned(),
            purpose: Some("refinance".to_owned()),
            attributes: [("rate".to_owned(), json!(6))].into(),
            ..inbound()
        };
        let (_, told) = merge_lead(&lead(), &facts(), &new, &source(), tuesday()).unwrap();
        assert_eq!((told.first_name.as_str(), told.last_name.as_str()), ("Robyn", "Example"));
        assert_eq!((told.purpose.as_deref(), told.city.as_deref()), (Some("refinance"), Some("Oakland")));
        assert_eq!(told.attributes["rate"], 6);
        assert_eq!(merge_lead(&lead(), &facts(), &inbound(), &source(), tuesday()), None);
    }

    #[test]
    fn a_second_phone_number_is_kept_for_people_and_not_called() {
        let new = Inbound { phone: Some("+14155550188".into()), ..inbound() };
        let (merged, told) = merge_lead(&lead(), &facts(), &new, &source(), tuesday()).unwrap();
        assert_eq!(merged.phone, lead().phone);
        assert_eq!(told.attributes["other_phone"], "+14155550188");
    }

    #[rstest]
    #[case::more(Consent::Express, Consent::ExpressWritten, Consent::ExpressWritten)]
    #[case::less_takes_nothing(Consent::ExpressWritten, Consent::Express, Consent::ExpressWritten)]
    #[case::silence(Consent::ExpressWritten, Consent::None, Consent::ExpressWritten)]
    #[case::taken_back(Consent::ExpressWritten, Consent::Revoked, Consent::Revoked)]
    #[case::given_again(Consent::Revoked, Consent::ExpressWritten, Consent::ExpressWritten)]
    #[case::not_given_again(Consent::Revoked, Consent::None, Consent::Revoked)]
    fn consent_is_widened_by_a_newer_word_and_ended_by_taking_it_back(
        #[case] known: Consent,
        #[case] told: Consent,
        #[case] expected: Consent,
    ) {
        let known = Lead { consent: ChannelConsent { call: known, sms: known, email: known }, ..lead() };
        let own = SourceConsent { call: told, sms: told, email: told, proof: "new words".to_owned() };
        let new = Inbound { consent: Some(own), ..inbound() };
        let merged = merge_lead(&known, &facts(), &new, &source(), tuesday());
        let consent = merged.as_ref().map_or(known.consent, |(lead, _)| lead.consent);
        assert_eq!(consent, ChannelConsent { call: expected, sms: expected, email: expected });
        if let Some((_, facts)) = merged {
            assert_eq!((facts.consent_proof.text.as_str(), facts.consent_proof.source.as_str()), ("new words", "lead"));
        }
    }

    #[test]
    fn a_lead_is_stale_past_two_hours() {
        for (age, stale) in [(-60, false), (0, false), (120, false), (121, true)] {
            assert_eq!(is_stale(tuesday() - minutes(age), tuesday()), stale, "{age} minutes");
        }
    }

    #[test]
    fn the_proof_of_consent_is_dated_by_the_vendor_where_it_says_when() {
        let source = Source {
            id: "zillow".into(),
            format: Format::Zillow,
            secret: "s".to_owned(),
            consent: SourceConsent { proof: "I agree.".to_owned(), ..SourceConsent::default() },
        };
        for (created_at, expected) in [(Some(tuesday() - minutes(5)), tuesday() - minutes(5)), (None, tuesday())] {
            let inbound = Inbound { created_at, ..inbound() };
            let (_, facts) = new_lead("a".into(), &inbound, &source, None, tuesday());
            assert_eq!(
                facts.consent_proof,
                Proof { text: "I agree.".to_owned(), source: "source:zillow".to_owned(), at: expected }
            );
        }
    }
}
