//! Intake: what a webhook is known by, whose its lead is, which cadence is for it, and what is known of it then.

mod fit;
mod known_by;
mod owner;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    LeadId, SourceId,
    law::{self, State},
    lead::{ChannelConsent, Consent, Facts, Lead, Proof},
    records::{Source, User, source::SourceConsent},
    sources::Inbound,
    time::Zones,
};

pub use fit::{Asking, Choice, choose};
pub use known_by::{IdempotencyKey, address_hash, idempotency_key, same_secret};
pub use owner::{OwnerHints, pick_owner};

/// Past this age a lead is not texted or called by a machine at once.
const STALE_AFTER: TimeDelta = TimeDelta::hours(2);

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
        consent: consent.channels(),
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
/// stays, but for a zone that was guessed; facts for messages follow the newest word.
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
    merged.zones = merged_zones(lead, inbound, merged.phone.as_deref());
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
    merged.consent = newer(merged.consent, consent.channels(), own.is_some());
    if merged.consent != lead.consent {
        told.consent_proof = proof(consent, own.is_some(), &source.id, inbound, now);
    }
    (merged != *lead || told != *facts).then_some((merged, told))
}

/// Whether a lead is too old for an instant text or AI call.
pub fn is_stale(created_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - created_at > STALE_AFTER
}

/// Where a known lead may be once a webhook told where it is: there, if until then only its phone number told, else also there, so that it is
/// reached within the hours of both.
fn merged_zones(lead: &Lead, inbound: &Inbound, phone: Option<&str>) -> Option<Zones> {
    let by_phone = |phone| zones(&Inbound::default(), None, phone);
    let Some(told) = zones(inbound, inbound.state.as_deref(), None) else {
        return lead.zones.clone().or_else(|| by_phone(phone));
    };
    let is_guess = lead.state.is_none() && lead.zones == by_phone(lead.phone.as_deref());
    let known = lead.zones.iter().filter(|_| !is_guess).flat_map(Zones::iter);
    Zones::of(known.chain(told.iter()).cloned())
}

fn zones(inbound: &Inbound, state: Option<&str>, phone: Option<&str>) -> Option<Zones> {
    let state = state.and_then(State::parse);
    law::resolve_zones(inbound.time_zone.as_deref(), inbound.zip.as_deref(), state.as_ref(), phone)
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

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{
        fixtures::{facts, lead, minutes, tuesday, zones},
        records::Format,
    };

    fn inbound() -> Inbound {
        Inbound::default()
    }

    fn inbound_from(state: Option<&str>, zip: Option<&str>, time_zone: Option<&str>) -> Inbound {
        let [state, zip, time_zone] = [state, zip, time_zone].map(|text| text.map(str::to_owned));
        Inbound { state, zip, time_zone, ..inbound() }
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
        let both = Some(zones(&["America/Los_Angeles", "America/New_York"]));
        assert_eq!(kept, Lead { zones: both, ..lead() }, "how to reach the lead is known");
    }

    #[rstest]
    #[case::a_state(None, &["America/New_York"], inbound_from(Some("CA"), None, None), &["America/Los_Angeles"])]
    #[case::a_zip(None, &["America/New_York"], inbound_from(None, Some("94607"), None), &["America/Los_Angeles"])]
    #[case::a_zone(None, &["America/New_York"], inbound_from(None, None, Some("America/Denver")), &["America/Denver"])]
    #[case::nothing(None, &["America/New_York"], inbound(), &["America/New_York"])]
    #[case::the_same(Some("CA"), &["America/Los_Angeles"], inbound_from(Some("CA"), None, None), &["America/Los_Angeles"])]
    #[case::moved(Some("CA"), &["America/Los_Angeles"], inbound_from(Some("NY"), None, None), &["America/Los_Angeles", "America/New_York"])]
    #[case::travels(Some("CA"), &["America/Los_Angeles"], inbound_from(None, None, Some("America/Denver")), &["America/Denver", "America/Los_Angeles"])]
    #[case::stated(None, &["America/Denver"], inbound_from(Some("CA"), None, None), &["America/Denver", "America/Los_Angeles"])]
    fn a_place_replaces_a_zone_that_only_the_phone_told_and_is_added_to_another(
        #[case] state: Option<&str>,
        #[case] known: &[&str],
        #[case] told: Inbound,
        #[case] expected: &[&str],
    ) {
        let phone = Some("+12125550123".to_owned());
        let known = Lead { state: state.map(str::to_owned), zones: Some(zones(known)), phone, ..lead() };
        let merged = merge_lead(&known, &facts(), &told, &source(), tuesday());
        assert_eq!(merged.map_or(known, |(lead, _)| lead).zones, Some(zones(expected)));
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
