//! The gate: whether a step may reach a lead now. What the law asks is never widened by a record.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Channel, Do,
    calendar::{Calendar, ceil_to_second},
    law,
    lead::{Consent, Lead, TOUCH_COUNTS_FOR, TouchKind},
    records::{Settings, User},
};

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may, until then.
    Pass {
        /// Past this instant nothing is sent.
        send_by: DateTime<Utc>,
    },
    /// Not before then.
    NotBefore {
        /// When to ask again.
        at: DateTime<Utc>,
        /// Why.
        why: Wait,
    },
    /// Never; the cadence goes on without it.
    Never(Never),
    /// Not by a machine: a user is asked instead.
    AskUser(AskUser),
    /// Nobody may act for this lead.
    NoLicensedOwner,
}

/// Why a step waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It is outside the hours.
    Hours,
    /// The lead had its share of contacts.
    Cap,
}

/// Why a step is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {
    /// The lead closed the channel.
    OptedOut,
    /// The lead has no number or address for it.
    NoAddress,
    /// The loan officer has no number to send from.
    NoSender,
    /// A cap of zero.
    CapIsZero,
}

/// Why a user is asked instead of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskUser {
    /// The lead has not agreed in writing.
    NoWrittenConsent,
    /// The lead is too old for an instant text.
    StaleLead,
    /// No AI writes yet; a person does.
    NoAiWriter,
}

impl Wait {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hours => "outside the hours for this lead",
            Self::Cap => "the lead had its share of contacts",
        }
    }
}

impl Never {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "the lead opted out",
            Self::NoAddress => "the lead has no number or address for this channel",
            Self::NoSender => "the loan officer has no number to send from",
            Self::CapIsZero => "a cap of zero allows none",
        }
    }
}

impl AskUser {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoWrittenConsent => "the lead has not agreed in writing to be texted or called by an AI",
            Self::StaleLead => "the lead is over two hours old, too old for an instant text or AI call",
            Self::NoAiWriter => "no AI writer is connected",
        }
    }
}

/// Whether `action` may reach the lead now. `stale` is the enrollment's mark.
pub fn gate(
    action: Do,
    lead: &Lead,
    owner: Option<&User>,
    stale: bool,
    calendar: &Calendar<'_>,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Verdict {
    let channel = action.channel();
    if lead.opted_out(channel) {
        return Verdict::Never(Never::OptedOut);
    }
    let address = match channel {
        Channel::Call | Channel::Sms => &lead.phone,
        Channel::Email => &lead.email,
    };
    if address.is_none() {
        return Verdict::Never(Never::NoAddress);
    }
    let Some(owner) = owner.filter(|user| may_act(user, lead)) else {
        return Verdict::NoLicensedOwner;
    };
    let asks = asks_user(action, lead, stale);
    if asks.is_none() && action == Do::CannedSms && owner.sms_number.is_none() {
        return Verdict::Never(Never::NoSender);
    }

    let opening = calendar.opening(action, now);
    // Openings begin on whole seconds, so one that begins within this second is open.
    if opening.from > ceil_to_second(now) {
        return Verdict::NotBefore { at: opening.from, why: Wait::Hours };
    }
    match touch_kind(action, asks).map(|kind| next_slot(kind, lead, settings, now)) {
        Some(Slot::Never) => Verdict::Never(Never::CapIsZero),
        Some(Slot::At(at)) if at > now => Verdict::NotBefore { at: calendar.opening(action, at).from, why: Wait::Cap },
        Some(Slot::At(_)) | None => asks.map_or(Verdict::Pass { send_by: opening.until }, Verdict::AskUser),
    }
}

/// Whether the user may act for the lead: at work, and licensed in its state. Where the state is unknown no licence can be
/// shown, so only a user whom the lead already has may act.
pub fn may_act(user: &User, lead: &Lead) -> bool {
    let licensed = match &lead.state {
        Some(state) => user.is_licensed_in(state),
        None => lead.owner.as_ref() == Some(&user.id),
    };
    user.active && licensed
}

/// What a step counts as, for caps; `None` for what a user writes in their own time. A call counts whoever makes it.
pub fn touch_kind(action: Do, asks: Option<AskUser>) -> Option<TouchKind> {
    match (action, asks) {
        (Do::Dial, _) | (Do::AiDial, Some(_)) => Some(TouchKind::Dial),
        (Do::AiDial, None) => Some(TouchKind::AiCall),
        (Do::CannedSms, None) => Some(TouchKind::Sms),
        (Do::CannedEmail, None) => Some(TouchKind::Email),
        (Do::CannedSms | Do::CannedEmail, Some(_)) | (Do::CustomSms | Do::CustomEmail | Do::AiSms | Do::AiEmail, _) => {
            None
        }
    }
}

/// Why a user is asked to do what a machine may not; `None` where the machine may, or the step is a user's.
pub fn asks_user(action: Do, lead: &Lead, stale: bool) -> Option<AskUser> {
    let consent = match action {
        Do::Dial | Do::CustomSms | Do::CustomEmail => return None,
        Do::AiSms | Do::AiEmail => return Some(AskUser::NoAiWriter),
        Do::AiDial => lead.consent.call,
        Do::CannedSms => lead.consent.sms,
        Do::CannedEmail => {
            return (lead.consent.email == Consent::Revoked).then_some(AskUser::NoWrittenConsent);
        }
    };
    if consent != Consent::ExpressWritten {
        return Some(AskUser::NoWrittenConsent);
    }
    stale.then_some(AskUser::StaleLead)
}

enum Slot {
    At(DateTime<Utc>),
    Never,
}

/// The first instant at which one more touch of that kind breaks no cap.
fn next_slot(kind: TouchKind, lead: &Lead, settings: &Settings, now: DateTime<Utc>) -> Slot {
    let caps = settings.caps;
    let day = TimeDelta::hours(24);
    let state_limit = lead.state.as_deref().and_then(law::contacts_per_day).unwrap_or(u32::MAX);
    let contacts = [TouchKind::Dial, TouchKind::AiCall, TouchKind::Sms];
    let limits = [
        (&contacts[..], caps.contacts_per_day.min(state_limit), day),
        (&contacts[..], caps.contacts_per_week, TOUCH_COUNTS_FOR),
        (&[TouchKind::AiCall][..], caps.ai_calls_per_day, day),
        (&[TouchKind::Sms][..], caps.sms_per_day, day),
        (&[TouchKind::Email][..], caps.emails_per_day, day),
    ];
    let mut at = now;
    for (counts, limit, span) in limits {
        if !counts.contains(&kind) {
            continue;
        }
        let mut touched: Vec<_> = lead.touches.values().filter(|t| counts.contains(&t.kind)).map(|t| t.at).collect();
        touched.sort_unstable_by_key(|at| Reverse(*at));
        let Some(newest_to_expire) = (limit as usize).checked_sub(1) else {
            return Slot::Never;
        };
        if let Some(touch) = touched.get(newest_to_expire) {
            at = at.max(*touch + span);
        }
    }
    Slot::At(at)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{
        fixtures::{at, cadence, lead, minutes, settings, step, touched, tuesday, user, users, zones},
        lead::{ChannelConsent, OptOut, Touch},
        records::settings::Caps,
    };

    /// What the gate says to Riley's lead on a Tuesday at 10:00, hours open until 20:00.
    fn says(action: Do, lead: &Lead) -> Verdict {
        says_at(action, lead, tuesday())
    }

    fn says_at(action: Do, lead: &Lead, now: DateTime<Utc>) -> Verdict {
        asked(action, lead, users().first(), false, &settings(), now)
    }

    fn asked(
        action: Do,
        lead: &Lead,
        owner: Option<&User>,
        stale: bool,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Verdict {
        let hours = json!({"call": "daily 09:00-20:00", "sms": "daily 09:00-20:00", "email": "daily 09:00-20:00"});
        let cadence = cadence(json!({"steps": [step(action)], "hours": hours, "skip_holidays": false}));
        gate(action, lead, owner, stale, &Calendar::new(lead, &cadence, settings), settings, now)
    }

    fn cap_at(text: &str) -> Verdict {
        Verdict::NotBefore { at: at(text), why: Wait::Cap }
    }

    #[test]
    fn a_lead_who_agreed_is_reached_until_the_margin_before_the_close() {
        for action in [Do::Dial, Do::AiDial, Do::CustomSms, Do::CannedSms] {
            let send_by = at("2026-12-01T19:55:00-08:00");
            assert_eq!(says(action, &lead()), Verdict::Pass { send_by }, "{action:?}");
        }
        for action in [Do::CustomEmail, Do::CannedEmail] {
            let send_by = at("2026-12-01T19:59:00-08:00");
            assert_eq!(says(action, &lead()), Verdict::Pass { send_by }, "{action:?}");
        }
    }

    #[test]
    fn an_opt_out_closes_its_channels_for_machines_and_users_alike_and_no_others() {
        let closed = |what| Lead { opt_outs: [(what, tuesday())].into(), ..lead() };
        let never = Verdict::Never(Never::OptedOut);
        for action in Do::ALL {
            let is_email = action.channel() == Channel::Email;
            assert_eq!(says(action, &closed(OptOut::Email)) == never, is_email, "{action:?}");
            assert_eq!(says(action, &closed(OptOut::Phone)) == never, !is_email, "{action:?}");
        }
    }

    #[test]
    fn a_lead_without_the_address_is_left_alone_on_that_channel() {
        let never = Verdict::Never(Never::NoAddress);
        for action in Do::ALL {
            let is_email = action.channel() == Channel::Email;
            assert_eq!(says(action, &Lead { email: None, ..lead() }) == never, is_email, "{action:?}");
            assert_eq!(says(action, &Lead { phone: None, ..lead() }) == never, !is_email, "{action:?}");
        }
    }

    #[test]
    fn only_an_active_user_with_the_states_licence_may_act() {
        let in_state = |state: Option<&str>| Lead { state: state.map(str::to_owned), ..lead() };
        let riley = user("lo-riley", "Riley", &["CA"]);
        let away = User { active: false, ..riley.clone() };
        let morgan = user("lo-morgan", "Morgan", &["NY"]);
        for (what, lead, owner, may) in [
            ("licensed", in_state(Some("CA")), Some(&riley), true),
            ("another state", in_state(Some("NY")), Some(&riley), false),
            ("away", in_state(Some("CA")), Some(&away), false),
            ("nobody", in_state(Some("CA")), None, false),
            ("unknown state, the lead's own", in_state(None), Some(&riley), true),
            ("unknown state, away", in_state(None), Some(&away), false),
            ("unknown state, somebody else", in_state(None), Some(&morgan), false),
        ] {
            for action in Do::ALL {
                let verdict = asked(action, &lead, owner, false, &settings(), tuesday());
                assert_eq!(verdict != Verdict::NoLicensedOwner, may, "{what} {action:?}");
            }
        }
    }

    #[test]
    fn a_text_needs_a_number_to_come_from() {
        let mute = User { sms_number: None, ..user("lo-riley", "Riley", &["CA"]) };
        let says = |action, lead: &Lead| asked(action, lead, Some(&mute), false, &settings(), tuesday());
        assert_eq!(says(Do::CannedSms, &lead()), Verdict::Never(Never::NoSender));
        for action in [Do::Dial, Do::AiDial, Do::CustomSms, Do::CannedEmail] {
            assert!(matches!(says(action, &lead()), Verdict::Pass { .. }), "{action:?}");
        }
        let silent = Lead { consent: ChannelConsent::default(), ..lead() };
        let user_does = Verdict::AskUser(AskUser::NoWrittenConsent);
        assert_eq!(says(Do::CannedSms, &silent), user_does, "the user writes from their own phone");
    }

    #[rstest]
    #[case::revoked(Consent::Revoked, Some(AskUser::NoWrittenConsent))]
    #[case::none(Consent::None, Some(AskUser::NoWrittenConsent))]
    #[case::express(Consent::Express, Some(AskUser::NoWrittenConsent))]
    #[case::written(Consent::ExpressWritten, None)]
    fn texts_and_ai_calls_need_consent_in_writing_each_for_its_own_channel(
        #[case] consent: Consent,
        #[case] asks: Option<AskUser>,
    ) {
        let all = ChannelConsent {
            call: Consent::ExpressWritten,
            sms: Consent::ExpressWritten,
            email: Consent::ExpressWritten,
        };
        let of = |consent| Lead { consent, ..lead() };
        assert_eq!(asks_user(Do::CannedSms, &of(ChannelConsent { sms: consent, ..all }), false), asks);
        assert_eq!(asks_user(Do::AiDial, &of(ChannelConsent { call: consent, ..all }), false), asks);
        assert_eq!(asks_user(Do::CannedSms, &of(ChannelConsent { call: consent, email: consent, ..all }), false), None);
        assert_eq!(asks_user(Do::AiDial, &of(ChannelConsent { sms: consent, email: consent, ..all }), false), None);
    }

    #[test]
    fn a_user_is_asked_in_place_of_a_machine_that_may_not_act_and_only_then() {
        let written = lead();
        let revoked = Lead {
            consent: ChannelConsent { call: Consent::Revoked, sms: Consent::Revoked, email: Consent::Revoked },
            ..lead()
        };
        for (action, lead, stale, expected) in [
            (Do::AiSms, &written, false, Some(AskUser::NoAiWriter)),
            (Do::AiEmail, &written, false, Some(AskUser::NoAiWriter)),
            (Do::CannedEmail, &revoked, false, Some(AskUser::NoWrittenConsent)),
            (Do::CannedEmail, &written, true, None),
            (Do::CannedSms, &written, true, Some(AskUser::StaleLead)),
            (Do::AiDial, &written, true, Some(AskUser::StaleLead)),
            (Do::AiDial, &revoked, true, Some(AskUser::NoWrittenConsent)),
            (Do::Dial, &revoked, true, None),
            (Do::CustomSms, &revoked, true, None),
            (Do::CustomEmail, &revoked, true, None),
        ] {
            let verdict = asked(action, lead, users().first(), stale, &settings(), tuesday());
            match expected {
                Some(why) => assert_eq!(verdict, Verdict::AskUser(why), "{action:?} {stale}"),
                None => assert!(matches!(verdict, Verdict::Pass { .. }), "{action:?} {stale}"),
            }
        }
    }

    #[test]
    fn outside_the_hours_everything_waits_even_what_a_user_would_be_asked() {
        let silent = Lead { consent: ChannelConsent::default(), ..lead() };
        for action in Do::ALL {
            let verdict = says_at(action, &silent, at("2026-12-01T21:00:00-08:00"));
            let opens = Verdict::NotBefore { at: at("2026-12-02T09:00:00-08:00"), why: Wait::Hours };
            assert_eq!(verdict, opens, "{action:?}");
        }
    }

    #[test]
    fn a_slot_returns_a_day_or_a_week_to_the_second_after_the_touch_that_held_it() {
        use TouchKind::{AiCall, Dial, Email, Sms};
        let ago = |minutes: i64| tuesday() - super::tests::minutes(minutes);
        let day = 24 * 60;
        let week = |count: i64| (1..=count).map(|days| (Dial, ago(days * 1000))).collect::<Vec<_>>();
        for (what, touches, action, expected) in [
            ("third contact", vec![(Dial, ago(60)), (Sms, ago(30))], Do::Dial, None),
            ("fourth contact", vec![(Dial, ago(60)), (Sms, ago(30)), (AiCall, ago(20))], Do::Dial, Some(day - 60)),
            ("the day is just over", vec![(Dial, ago(day)), (Sms, ago(30)), (AiCall, ago(20))], Do::Dial, None),
            ("second AI call", vec![(AiCall, ago(day - 5))], Do::AiDial, Some(5)),
            ("AI calls count apart", vec![(AiCall, ago(10))], Do::CannedSms, None),
            ("third text", vec![(Sms, ago(600)), (Sms, ago(20))], Do::CannedSms, Some(day - 600)),
            ("second text", vec![(Sms, ago(20))], Do::CannedSms, None),
            ("second email", vec![(Email, ago(day - 7))], Do::CannedEmail, Some(7)),
            ("emails are no contacts", vec![(Email, ago(1)), (Email, ago(2)), (Email, ago(3))], Do::Dial, None),
            ("contacts are no emails", vec![(Dial, ago(1)), (Sms, ago(2)), (Sms, ago(3))], Do::CannedEmail, None),
            ("eighth of the week", week(7), Do::Dial, None),
            ("ninth of the week", week(8), Do::Dial, Some(7 * day - 8000)),
            ("a custom text counts when it is sent", week(8), Do::CustomSms, None),
        ] {
            let verdict = says(action, &touched(&touches));
            match expected {
                None => assert!(matches!(verdict, Verdict::Pass { .. }), "{what}: {verdict:?}"),
                Some(later) => {
                    let slot = tuesday() + super::tests::minutes(later);
                    let open = asked_opening(action, slot);
                    assert_eq!(verdict, Verdict::NotBefore { at: open, why: Wait::Cap }, "{what}");
                    let then = says_at(action, &touched(&touches), open);
                    assert!(matches!(then, Verdict::Pass { .. }), "{what}: the slot is there at {open}, {then:?}");
                }
            }
        }
    }

    /// The first instant from then on within the hours of these tests.
    fn asked_opening(action: Do, from: DateTime<Utc>) -> DateTime<Utc> {
        match says_at(action, &lead(), from) {
            Verdict::NotBefore { at, .. } => at,
            Verdict::Pass { .. } => from,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_slot_that_returns_at_night_waits_for_the_morning() {
        let lead = touched(&[(TouchKind::AiCall, at("2026-11-30T20:30:00-08:00"))]);
        assert_eq!(says(Do::AiDial, &lead), cap_at("2026-12-02T09:00:00-08:00"));
    }

    #[test]
    fn settings_narrow_the_caps_and_a_cap_of_zero_leaves_the_step_out() {
        let with = |caps: Caps| Settings { caps, ..settings() };
        let says = |action, lead: &Lead, caps| asked(action, lead, users().first(), false, &with(caps), tuesday());
        let one = Caps { contacts_per_day: 1, ..Caps::FLOOR };
        let dialled = touched(&[(TouchKind::Dial, tuesday() - minutes(60))]);
        assert_eq!(says(Do::CannedSms, &dialled, one), cap_at("2026-12-02T09:00:00-08:00"));
        let never = Verdict::Never(Never::CapIsZero);
        assert_eq!(says(Do::AiDial, &lead(), Caps { ai_calls_per_day: 0, ..Caps::FLOOR }), never);
        assert_eq!(says(Do::CannedSms, &lead(), Caps { sms_per_day: 0, ..Caps::FLOOR }), never);
        assert_eq!(says(Do::Dial, &lead(), Caps { contacts_per_week: 0, ..Caps::FLOOR }), never);
        assert_eq!(says(Do::CannedEmail, &lead(), Caps { emails_per_day: 0, ..Caps::FLOOR }), never);
        assert!(matches!(
            says(Do::CannedEmail, &lead(), Caps { contacts_per_day: 0, ..Caps::FLOOR }),
            Verdict::Pass { .. }
        ));
    }

    #[test]
    fn florida_and_oklahoma_allow_three_contacts_a_day_whatever_the_settings_say() {
        let wide = Settings { caps: Caps { contacts_per_day: 5, ..Caps::FLOOR }, ..settings() };
        let three = touched(&[
            (TouchKind::Dial, tuesday() - minutes(40)),
            (TouchKind::Sms, tuesday() - minutes(30)),
            (TouchKind::AiCall, tuesday() - minutes(20)),
        ]);
        for (state, zone, capped) in
            [("FL", "America/New_York", true), ("OK", "America/Chicago", true), ("TX", "America/Chicago", false)]
        {
            let owner = user("lo-riley", "Riley", &[state]);
            let lead = Lead { state: Some(state.to_owned()), zones: Some(zones(&[zone])), ..three.clone() };
            let verdict = asked(Do::Dial, &lead, Some(&owner), false, &wide, tuesday());
            assert_eq!(matches!(verdict, Verdict::NotBefore { why: Wait::Cap, .. }), capped, "{state}: {verdict:?}");
        }
    }

    #[test]
    fn a_call_that_a_user_makes_in_place_of_the_ai_counts_as_a_call() {
        let silent =
            |touches: &[(TouchKind, DateTime<Utc>)]| Lead { consent: ChannelConsent::default(), ..touched(touches) };
        let ago = |minutes: i64| tuesday() - super::tests::minutes(minutes);
        let three = silent(&[(TouchKind::Dial, ago(40)), (TouchKind::Sms, ago(30)), (TouchKind::Dial, ago(20))]);
        assert_eq!(says(Do::AiDial, &three), cap_at("2026-12-02T09:20:00-08:00"));
        let user_does = Verdict::AskUser(AskUser::NoWrittenConsent);
        assert_eq!(says(Do::AiDial, &silent(&[(TouchKind::AiCall, ago(20))])), user_does, "it is no AI call");
        assert_eq!(says(Do::CannedSms, &three), user_does, "a text counts when the user sends it");
        for (action, asks, expected) in [
            (Do::AiDial, None, Some(TouchKind::AiCall)),
            (Do::AiDial, Some(AskUser::StaleLead), Some(TouchKind::Dial)),
            (Do::Dial, None, Some(TouchKind::Dial)),
            (Do::CannedSms, None, Some(TouchKind::Sms)),
            (Do::CannedSms, Some(AskUser::StaleLead), None),
            (Do::CannedEmail, None, Some(TouchKind::Email)),
            (Do::AiEmail, Some(AskUser::NoAiWriter), None),
            (Do::CustomEmail, None, None),
        ] {
            assert_eq!(touch_kind(action, asks), expected, "{action:?} {asks:?}");
        }
    }

    #[test]
    fn a_touch_of_the_future_holds_its_slot_too() {
        // Clocks of two functions differ by seconds.
        let lead = Lead {
            touches: [("c".into(), Touch { at: tuesday() + TimeDelta::seconds(3), kind: TouchKind::AiCall })].into(),
            ..lead()
        };
        assert_eq!(says(Do::AiDial, &lead), cap_at("2026-12-02T10:00:03-08:00"));
    }
}
