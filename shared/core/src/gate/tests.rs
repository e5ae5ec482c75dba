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

/// What a verdict that a cap defers says: until when, and which cap.
fn capped(verdict: &Verdict) -> Option<(DateTime<Utc>, String)> {
    match verdict {
        Verdict::NotBefore { at, why: Wait::Cap(cap) } => Some((*at, cap.to_string())),
        _ => None,
    }
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
#[case::revoked(Consent::Revoked, Some(AskUser::ConsentTakenBack))]
#[case::none(Consent::None, Some(AskUser::NoWrittenConsent))]
#[case::express(Consent::Express, Some(AskUser::NoWrittenConsent))]
#[case::written(Consent::ExpressWritten, None)]
fn texts_and_ai_calls_need_consent_in_writing_each_for_its_own_channel(
    #[case] consent: Consent,
    #[case] asks: Option<AskUser>,
) {
    let all =
        ChannelConsent { call: Consent::ExpressWritten, sms: Consent::ExpressWritten, email: Consent::ExpressWritten };
    assert_eq!(asks_user(Do::CannedSms, ChannelConsent { sms: consent, ..all }, false), asks);
    assert_eq!(asks_user(Do::AiDial, ChannelConsent { call: consent, ..all }, false), asks);
    assert_eq!(asks_user(Do::CannedSms, ChannelConsent { call: consent, email: consent, ..all }, false), None);
    assert_eq!(asks_user(Do::AiDial, ChannelConsent { sms: consent, email: consent, ..all }, false), None);
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
        (Do::CannedEmail, &revoked, false, Some(AskUser::ConsentTakenBack)),
        (Do::CannedEmail, &written, true, None),
        (Do::CannedSms, &written, true, Some(AskUser::StaleLead)),
        (Do::AiDial, &written, true, Some(AskUser::StaleLead)),
        (Do::AiDial, &revoked, true, Some(AskUser::ConsentTakenBack)),
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
        (
            "fourth contact",
            vec![(Dial, ago(60)), (Sms, ago(30)), (AiCall, ago(20))],
            Do::Dial,
            Some((day - 60, "3 calls and texts in 24 hours")),
        ),
        ("the day is just over", vec![(Dial, ago(day)), (Sms, ago(30)), (AiCall, ago(20))], Do::Dial, None),
        ("second AI call", vec![(AiCall, ago(day - 5))], Do::AiDial, Some((5, "1 AI call in 24 hours"))),
        ("AI calls count apart", vec![(AiCall, ago(10))], Do::CannedSms, None),
        ("third text", vec![(Sms, ago(600)), (Sms, ago(20))], Do::CannedSms, Some((day - 600, "2 texts in 24 hours"))),
        ("second text", vec![(Sms, ago(20))], Do::CannedSms, None),
        ("second email", vec![(Email, ago(day - 7))], Do::CannedEmail, Some((7, "1 email in 24 hours"))),
        ("emails are no contacts", vec![(Email, ago(1)), (Email, ago(2)), (Email, ago(3))], Do::Dial, None),
        ("contacts are no emails", vec![(Dial, ago(1)), (Sms, ago(2)), (Sms, ago(3))], Do::CannedEmail, None),
        ("eighth of the week", week(7), Do::Dial, None),
        ("ninth of the week", week(8), Do::Dial, Some((7 * day - 8000, "8 calls and texts in 7 days"))),
        ("a custom text counts when it is sent", week(8), Do::CustomSms, None),
    ] {
        let verdict = says(action, &touched(&touches));
        match expected {
            None => assert!(matches!(verdict, Verdict::Pass { .. }), "{what}: {verdict:?}"),
            Some((later, cap)) => {
                let slot = tuesday() + super::tests::minutes(later);
                let open = asked_opening(action, slot);
                assert_eq!(capped(&verdict), Some((open, cap.to_owned())), "{what}");
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
    let morning = at("2026-12-02T09:00:00-08:00");
    assert_eq!(capped(&says(Do::AiDial, &lead)), Some((morning, "1 AI call in 24 hours".to_owned())));
}

#[test]
fn settings_narrow_the_caps_and_a_cap_of_zero_leaves_the_step_out() {
    let with = |caps: Caps| Settings { caps, ..settings() };
    let says = |action, lead: &Lead, caps| asked(action, lead, users().first(), false, &with(caps), tuesday());
    let one = Caps { contacts_per_day: 1, ..Caps::FLOOR };
    let dialled = touched(&[(TouchKind::Dial, tuesday() - minutes(60))]);
    let morning = at("2026-12-02T09:00:00-08:00");
    let narrowed = capped(&says(Do::CannedSms, &dialled, one));
    assert_eq!(narrowed, Some((morning, "1 call or text in 24 hours".to_owned())));
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
    for (state, zone, is_capped) in
        [("FL", "America/New_York", true), ("OK", "America/Chicago", true), ("TX", "America/Chicago", false)]
    {
        let owner = user("lo-riley", "Riley", &[state]);
        let lead = Lead { state: Some(state.to_owned()), zones: Some(zones(&[zone])), ..three.clone() };
        let verdict = asked(Do::Dial, &lead, Some(&owner), false, &wide, tuesday());
        assert_eq!(capped(&verdict).is_some(), is_capped, "{state}: {verdict:?}");
    }
}

#[test]
fn a_call_that_a_user_makes_in_place_of_the_ai_counts_as_a_call() {
    let silent =
        |touches: &[(TouchKind, DateTime<Utc>)]| Lead { consent: ChannelConsent::default(), ..touched(touches) };
    let ago = |minutes: i64| tuesday() - super::tests::minutes(minutes);
    let three = silent(&[(TouchKind::Dial, ago(40)), (TouchKind::Sms, ago(30)), (TouchKind::Dial, ago(20))]);
    let slot = (at("2026-12-02T09:20:00-08:00"), "3 calls and texts in 24 hours".to_owned());
    assert_eq!(capped(&says(Do::AiDial, &three)), Some(slot));
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
    let slot = (at("2026-12-02T10:00:03-08:00"), "1 AI call in 24 hours".to_owned());
    assert_eq!(capped(&says(Do::AiDial, &lead)), Some(slot));
}
