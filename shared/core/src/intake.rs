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
pub fn merge_lead(lead: &Lead, facts: &Facts, inbound: &Inbound, now: DateTime<Utc>) -> Option<(Lead, Facts)> {
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
    if let Some(own) = &inbound.consent {
        merged.consent = newer(merged.consent, channels(own));
        if merged.consent != lead.consent {
            told.consent_proof = proof(own, true, &facts.source, inbound, now);
        }
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

/// A newer word takes consent back, or gives more of it; what it doesn't mention stays.
fn newer(known: ChannelConsent, told: ChannelConsent) -> ChannelConsent {
    let channel = |known: Consent, told: Consent| if told == Consent::Revoked { told } else { known.max(told) };
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
