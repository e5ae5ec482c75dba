//! When a cadence may reach a lead: the record's hours or the defaults, inside the law's, in every zone the lead may be in.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Do,
    law::{self, Holidays, State},
    lead::Lead,
    records::{Cadence, Settings},
    time::{self, Opening, Wait, Window, Zones},
};

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

    /// The first span at or after `from` in which `action` may begin; its end is already drawn in by the channel's margin.
    ///
    /// Where nothing opens within 14 days the span is empty and 14 days on: nothing is sent, and it is looked at again then.
    pub fn opening(&self, action: Do, from: DateTime<Utc>) -> Opening {
        let windows = self.windows(action);
        let mut from = ceil_to_second(from);
        let horizon = from + TimeDelta::days(14);
        while let Some(found) = time::opening(from, &self.zones, &windows, &self.holidays) {
            let until = found.until - margin(action);
            if until > found.from {
                return Opening { from: found.from, until };
            }
            from = found.until;
        }
        Opening { from: horizon, until: horizon }
    }

    /// `base` plus the wait, in the lead's first zone.
    pub fn after(&self, base: DateTime<Utc>, wait: &Wait) -> DateTime<Utc> {
        time::after(base, wait, self.zones.first(), &self.holidays)
    }

    fn windows(&self, action: Do) -> Vec<Window> {
        let hours = &self.cadence.hours;
        let stated = match action {
            Do::Dial | Do::AiDial => hours.call.clone(),
            Do::CustomSms | Do::AiSms | Do::CannedSms => hours.sms.clone(),
            Do::CustomEmail | Do::AiEmail | Do::CannedEmail => hours.email.clone(),
        };
        let default = law::default_window(action);
        let is_email = matches!(action, Do::CustomEmail | Do::AiEmail | Do::CannedEmail);
        let skips = if is_email { None } else { self.cadence.skip_holidays };
        let mut windows = vec![Window {
            hours: stated.unwrap_or(default.hours),
            skip_holidays: skips.unwrap_or(default.skip_holidays),
        }];
        if !is_email {
            windows.extend(law::floor_windows(self.state.as_ref()));
        }
        if !self.zone_is_known {
            windows.push(Window { hours: law::unknown_zone_hours(), skip_holidays: false });
        }
        windows
    }
}

/// How long before a window closes the last one may begin: SNS keeps a text for later delivery without a limit of its own, and a call
/// takes its time; an email is handed over at once.
fn margin(action: Do) -> TimeDelta {
    match action {
        Do::Dial | Do::AiDial | Do::CustomSms | Do::AiSms | Do::CannedSms => TimeDelta::minutes(5),
        Do::CustomEmail | Do::AiEmail | Do::CannedEmail => TimeDelta::seconds(60),
    }
}

/// Timers know whole seconds, so instants that are due are rounded up to one.
pub fn ceil_to_second(at: DateTime<Utc>) -> DateTime<Utc> {
    match at.timestamp_subsec_nanos() {
        0 => at,
        nanos => at + TimeDelta::nanoseconds(i64::from(1_000_000_000 - nanos.min(999_999_999))),
    }
}
