//! When a cadence may reach a lead: the record's hours or the defaults, inside the law's, in every zone the lead may be in.

mod shut;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Do,
    law::{self, Holidays, State},
    lead::Lead,
    records::{Cadence, Settings},
    time::{self, Opening, Wait, Window, Zone, Zones},
};

pub use shut::{Shut, Whose};

/// The hours and holidays that hold between one cadence and one lead.
pub struct Calendar<'a> {
    cadence: &'a Cadence,
    state: Option<State>,
    zones: Zones,
    zone_is_known: bool,
    holidays: Holidays,
}

impl<'a> Calendar<'a> {
    /// The calendar of that lead in that cadence.
    pub fn new(lead: &Lead, cadence: &'a Cadence, settings: &Settings) -> Self {
        Self {
            cadence,
            state: lead.state.as_deref().and_then(State::parse),
            zones: lead.zones.clone().unwrap_or_else(law::unknown_zones),
            zone_is_known: lead.zones.is_some(),
            holidays: settings.holidays(),
        }
    }

    /// The calendar of a cadence for a lead of that state, in a zone that no clock changes in and without holidays.
    pub(crate) fn plain(cadence: &'a Cadence, state: Option<State>) -> Self {
        let (zones, holidays) = (Zones::one(Zone::utc()), Holidays::default());
        Self { cadence, state, zones, zone_is_known: true, holidays }
    }

    /// The calendar of a cadence for a lead of that state who may be in several zones, since nothing else tells, without holidays; `None`
    /// where the state has but one.
    pub(crate) fn of_split_state(cadence: &'a Cadence, state: State) -> Option<Self> {
        let zones = law::resolve_zones(None, None, Some(&state), None).filter(|zones| zones.iter().count() > 1)?;
        Some(Self { cadence, state: Some(state), zones, zone_is_known: true, holidays: Holidays::default() })
    }

    /// The hours that the cadence keeps for that: its own, or those that hold where it is silent.
    pub(crate) fn hours(&self, action: Do) -> String {
        self.windows(action).first().map(|(_, window)| window.hours.to_string()).unwrap_or_default()
    }

    /// The first span at or after `from` in which `action` may begin; its end is already drawn in by the channel's margin.
    ///
    /// Where nothing opens within six weeks, or never for longer than the margin, the span is empty: no holidays last that long, so hours
    /// and zones leave nothing.
    pub fn opening(&self, action: Do, from: DateTime<Utc>) -> Opening {
        let mut windows: Vec<Window> = Vec::new();
        for (_, window) in self.windows(action) {
            // Most records keep to hours within the law's.
            if !windows.iter().any(|known| known.implies(&window)) {
                windows.push(window);
            }
        }
        let from = ceil_to_second(from);
        let mut at = from;
        while at < from + TimeDelta::weeks(6) {
            let Some(found) = time::opening(at, &self.zones, &windows, &self.holidays) else {
                at += TimeDelta::weeks(2);
                continue;
            };
            let until = found.until - margin(action);
            if until > found.from {
                return Opening { from: found.from, until };
            }
            at = found.until;
        }
        Opening { from, until: from }
    }

    /// `base` plus the wait, in the lead's first zone.
    pub fn after(&self, base: DateTime<Utc>, wait: &Wait) -> DateTime<Utc> {
        time::after(base, wait, self.zones.first(), &self.holidays)
    }

    /// The zone that waits are counted and the lead's local times are told in.
    pub fn zone(&self) -> &Zone {
        self.zones.first()
    }

    /// Every window that holds, and whose it is.
    fn windows(&self, action: Do) -> Vec<(Whose, Window)> {
        let hours = &self.cadence.hours;
        let stated = match action {
            Do::Dial | Do::AiDial => hours.call.clone(),
            Do::CustomSms | Do::AiSms | Do::CannedSms => hours.sms.clone(),
            Do::CustomEmail | Do::AiEmail | Do::CannedEmail => hours.email.clone(),
        };
        let default = law::default_window(action);
        let is_email = matches!(action, Do::CustomEmail | Do::AiEmail | Do::CannedEmail);
        let skips = if is_email { None } else { self.cadence.skip_holidays };
        let whose = if stated.is_some() { Whose::Cadence } else { Whose::Default };
        let skip_holidays = skips.unwrap_or(default.skip_holidays);
        let mut windows = vec![(whose, Window { hours: stated.unwrap_or(default.hours), skip_holidays })];
        if !is_email {
            windows.extend([Whose::Federal, Whose::State].into_iter().zip(law::floor_windows(self.state.as_ref())));
        }
        if !self.zone_is_known {
            let window = Window { hours: law::unknown_zone_hours(), skip_holidays: false };
            windows.push((Whose::UnknownZone, window));
        }
        windows
    }
}

/// How long before a window closes the last one may begin: SNS keeps a text for later delivery without a limit of its own, and a call
/// takes its time; an email is handed over at once.
pub(crate) fn margin(action: Do) -> TimeDelta {
    match action {
        Do::Dial | Do::AiDial | Do::CustomSms | Do::AiSms | Do::CannedSms => TimeDelta::minutes(5),
        Do::CustomEmail | Do::AiEmail | Do::CannedEmail => TimeDelta::seconds(60),
    }
}

/// Timers know whole seconds, so instants that are due are rounded up to one.
pub fn ceil_to_second(at: DateTime<Utc>) -> DateTime<Utc> {
    match at.timestamp_subsec_nanos() {
        0 => at,
        // Counted from the whole second, because chrono gives a leap second more than a second's worth of nanoseconds.
        _ => DateTime::from_timestamp(at.timestamp() + 1, 0).unwrap_or(at),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::{at, cadence, clock, lead, minutes, settings, step, zones};

    fn hours(hours: Value, rest: Value) -> Cadence {
        let mut record = rest;
        record["hours"] = hours;
        record["steps"] = json!([step(Do::Dial)]);
        cadence(record)
    }

    fn silent() -> Cadence {
        hours(json!({}), json!({}))
    }

    fn opens(cadence: &Cadence, lead: &Lead, action: Do, from: &str) -> String {
        let opening = Calendar::new(lead, cadence, &settings()).opening(action, at(from));
        format!("{} to {}", clock(opening.from), clock(opening.until))
    }

    /// 2026-12-01 is a Tuesday, 2026-12-05 a Saturday, 2026-11-26 Thanksgiving; instants are the lead's in Los Angeles.
    #[rstest]
    #[case::sms(Do::CannedSms, "2026-12-01T07:00:00-08:00", "Tue 09:00:00 to Tue 19:55:00")]
    #[case::ai_call(Do::AiDial, "2026-12-01T12:00:00-08:00", "Tue 12:00:00 to Tue 19:55:00")]
    #[case::sms_on_saturday(Do::CannedSms, "2026-12-05T07:00:00-08:00", "Sat 10:00:00 to Sat 17:55:00")]
    #[case::sms_on_sunday(Do::CannedSms, "2026-12-06T12:00:00-08:00", "Mon 09:00:00 to Mon 19:55:00")]
    #[case::sms_on_a_holiday(Do::CannedSms, "2026-11-26T12:00:00-08:00", "Fri 09:00:00 to Fri 19:55:00")]
    #[case::dial(Do::Dial, "2026-12-06T07:00:00-08:00", "Sun 08:00:00 to Sun 20:55:00")]
    #[case::dial_on_a_holiday(Do::Dial, "2026-11-26T12:00:00-08:00", "Thu 12:00:00 to Thu 20:55:00")]
    #[case::email(Do::CannedEmail, "2026-12-06T07:00:00-08:00", "Sun 08:00:00 to Sun 19:59:00")]
    #[case::email_on_a_holiday(Do::CannedEmail, "2026-11-26T12:00:00-08:00", "Thu 12:00:00 to Thu 19:59:00")]
    fn a_silent_record_keeps_the_defaults(#[case] action: Do, #[case] from: &str, #[case] expected: &str) {
        assert_eq!(opens(&silent(), &lead(), action, from), expected);
    }

    #[rstest]
    #[case::call_5_min(Do::AiDial, "2026-12-01T19:54:59-08:00", "Tue 19:54:59 to Tue 19:55:00")]
    #[case::call_too_late(Do::AiDial, "2026-12-01T19:55:00-08:00", "Wed 09:00:00 to Wed 19:55:00")]
    #[case::sms_5_min(Do::CannedSms, "2026-12-01T19:54:59-08:00", "Tue 19:54:59 to Tue 19:55:00")]
    #[case::sms_too_late(Do::CannedSms, "2026-12-01T19:55:00-08:00", "Wed 09:00:00 to Wed 19:55:00")]
    #[case::email_60_s(Do::CannedEmail, "2026-12-01T19:58:59-08:00", "Tue 19:58:59 to Tue 19:59:00")]
    #[case::email_too_late(Do::CannedEmail, "2026-12-01T19:59:00-08:00", "Wed 08:00:00 to Wed 19:59:00")]
    fn nothing_begins_in_the_margin_before_the_close(#[case] action: Do, #[case] from: &str, #[case] expected: &str) {
        assert_eq!(opens(&silent(), &lead(), action, from), expected);
    }

    #[test]
    fn a_record_may_widen_the_defaults_up_to_the_floor_and_no_further() {
        let wide =
            hours(json!({"call": "any time", "sms": "any time", "email": "any time"}), json!({"skip_holidays": false}));
        let texas = Lead { state: Some("TX".to_owned()), zones: Some(zones(&["America/Chicago"])), ..lead() };
        let alabama = Lead { state: Some("AL".to_owned()), ..lead() };
        for (lead, action, from, expected) in [
            (&lead(), Do::CannedSms, "2026-12-06T06:00:00-08:00", "Sun 08:00:00 to Sun 20:55:00"),
            (&lead(), Do::CannedSms, "2026-11-26T12:00:00-08:00", "Thu 12:00:00 to Thu 20:55:00"),
            (&texas, Do::AiDial, "2026-12-06T06:00:00-06:00", "Sun 10:00:00 to Sun 18:55:00"),
            (&alabama, Do::CannedSms, "2026-11-26T12:00:00-08:00", "Fri 08:00:00 to Fri 19:55:00"),
            (&alabama, Do::Dial, "2026-12-06T12:00:00-08:00", "Mon 08:00:00 to Mon 19:55:00"),
        ] {
            assert_eq!(opens(&wide, lead, action, from), expected, "{action:?} {from}");
        }
        let email = Calendar::new(&alabama, &wide, &settings());
        let from = at("2026-12-06T03:00:00-08:00");
        assert_eq!(email.opening(Do::CannedEmail, from).from, from, "the law's hours are for calls and texts");
    }

    #[test]
    fn a_record_may_narrow_each_channel_by_itself_and_skip_holidays() {
        let narrow =
            hours(json!({"call": "Mon-Fri 10:00-12:00", "sms": "Sat 10:00-11:00"}), json!({"skip_holidays": true}));
        for (action, from, expected) in [
            (Do::Dial, "2026-11-26T10:30:00-08:00", "Fri 10:00:00 to Fri 11:55:00"),
            (Do::AiDial, "2026-12-01T12:00:00-08:00", "Wed 10:00:00 to Wed 11:55:00"),
            (Do::CustomSms, "2026-12-01T12:00:00-08:00", "Sat 10:00:00 to Sat 10:55:00"),
            (Do::CannedEmail, "2026-11-26T10:30:00-08:00", "Thu 10:30:00 to Thu 19:59:00"),
        ] {
            assert_eq!(opens(&narrow, &lead(), action, from), expected, "{action:?} {from}");
        }
    }

    #[test]
    fn the_companys_own_holidays_rest_calls_and_texts() {
        let settings = Settings { holidays: vec!["2026-12-01".to_owned()], ..settings() };
        let (cadence, lead) = (silent(), lead());
        let calendar = Calendar::new(&lead, &cadence, &settings);
        assert_eq!(clock(calendar.opening(Do::CannedSms, at("2026-12-01T10:00:00-08:00")).from), "Wed 09:00:00");
        let business_day = Wait::parse("1bd").unwrap();
        assert_eq!(clock(calendar.after(at("2026-11-30T10:00:00-08:00"), &business_day)), "Wed 10:00:00");
    }

    #[test]
    fn a_lead_who_may_be_in_several_zones_is_reached_when_it_is_day_in_all_of_them() {
        let coasts = Lead { zones: Some(zones(&["America/Los_Angeles", "America/New_York"])), ..lead() };
        assert_eq!(
            opens(&silent(), &coasts, Do::CannedSms, "2026-12-01T05:00:00-08:00"),
            "Tue 09:00:00 to Tue 16:55:00"
        );
    }

    #[test]
    fn a_lead_of_unknown_zone_is_reached_from_noon_to_eight_on_the_east_coast() {
        let anywhere = Lead { zones: None, state: None, ..lead() };
        let wide = hours(json!({"call": "any time", "sms": "any time"}), json!({"skip_holidays": false}));
        for action in [Do::Dial, Do::AiDial, Do::CannedSms] {
            let opening = opens(&wide, &anywhere, action, "2026-12-01T05:00:00-08:00");
            assert_eq!(opening, "Tue 09:00:00 to Tue 16:55:00", "{action:?}");
        }
    }

    #[test]
    fn what_never_opens_is_an_empty_span() {
        let from = at("2026-12-01T10:00:00-08:00");
        let aleutians = Lead { zones: Some(zones(&["America/Anchorage", "America/Adak"])), ..lead() };
        for (what, lead, hours) in [
            ("outside the floor", lead(), json!({"sms": "daily 05:00-07:00"})),
            ("as long as the margin", lead(), json!({"sms": "daily 12:00-12:05"})),
            ("as long as the margin within the floor", lead(), json!({"sms": "daily 20:55-22:00"})),
            ("never in both zones at once", aleutians, json!({"sms": "daily 10:00-11:00"})),
        ] {
            let cadence = self::hours(hours, json!({}));
            let opening = Calendar::new(&lead, &cadence, &settings()).opening(Do::CannedSms, from);
            assert!(opening.is_empty() && opening.from == from, "{what}: {opening:?}");
        }
    }

    #[test]
    fn hours_that_holidays_keep_shut_for_weeks_open_after_them() {
        // Christmas and New Year's Day are Fridays.
        let fridays = hours(json!({"sms": "Fri 09:00-17:00"}), json!({"skip_holidays": true}));
        let opening =
            Calendar::new(&lead(), &fridays, &settings()).opening(Do::CannedSms, at("2026-12-18T20:00:00-08:00"));
        assert_eq!(opening.from, at("2027-01-08T09:00:00-08:00"));
    }

    #[test]
    fn instants_that_are_due_are_whole_seconds_and_never_early() {
        let whole = at("2026-12-01T10:00:00Z");
        for (given, expected) in [
            (whole, whole),
            (whole + TimeDelta::nanoseconds(1), whole + TimeDelta::seconds(1)),
            (whole + TimeDelta::nanoseconds(999_999_999), whole + TimeDelta::seconds(1)),
            // A leap second, as chrono holds it.
            (at("2016-12-31T23:59:60Z"), at("2017-01-01T00:00:00Z")),
        ] {
            assert_eq!(ceil_to_second(given), expected, "{given}");
        }
        let cadence = silent();
        let opening = Calendar::new(&lead(), &cadence, &settings())
            .opening(Do::CannedSms, whole + minutes(600) - TimeDelta::nanoseconds(1));
        assert_eq!(opening.from, whole + minutes(600));
    }
}
