//! The gate: whether a step may reach a lead now. What the law asks is never widened by a record.

use std::{cmp::Reverse, fmt};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Channel, Do,
    calendar::{Calendar, ceil_to_second},
    law,
    lead::{ChannelConsent, Consent, Lead, TOUCH_COUNTS_FOR, TouchKind},
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
    Cap(Cap),
}

/// So many contacts of a kind in any such span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// What it counts.
    pub counts: &'static [TouchKind],
    /// How many it allows.
    pub limit: u32,
    /// In any span so long.
    pub span: TimeDelta,
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
    /// The hours that hold for it have no instant in common.
    NeverOpen,
}

/// Why a user is asked instead of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskUser {
    /// The lead has not agreed in writing.
    NoWrittenConsent,
    /// The lead took its consent back.
    ConsentTakenBack,
    /// The lead is too old for an instant text.
    StaleLead,
    /// No AI writes yet; a person does.
    NoAiWriter,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours => f.write_str("outside the hours for this lead"),
            Self::Cap(cap) => write!(f, "the lead had its share of contacts: {cap}"),
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, many) = match self.counts {
            [TouchKind::AiCall] => ("AI call", "AI calls"),
            [TouchKind::Sms] => ("text", "texts"),
            [TouchKind::Email] => ("email", "emails"),
            _ => ("call or text", "calls and texts"),
        };
        let what = if self.limit == 1 { one } else { many };
        write!(f, "{} {what} in {}", self.limit, if self.span > DAY { "7 days" } else { "24 hours" })
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
            Self::NeverOpen => "the hours of the cadence and of the law are never open at once where the lead may be",
        }
    }
}

impl AskUser {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoWrittenConsent => "the lead has not agreed in writing to be texted or called by an AI",
            Self::ConsentTakenBack => "the lead took back its consent to this channel",
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
    let asks = asks_user(action, lead.consent, stale);
    if asks.is_none() && action == Do::CannedSms && owner.sms_number.is_none() {
        return Verdict::Never(Never::NoSender);
    }

    let opening = calendar.opening(action, now);
    if opening.is_empty() {
        return Verdict::Never(Never::NeverOpen);
    }
    // Openings begin on whole seconds, so one that begins within this second is open.
    if opening.from > ceil_to_second(now) {
        return Verdict::NotBefore { at: opening.from, why: Wait::Hours };
    }
    match touch_kind(action, asks).map(|kind| next_slot(kind, lead, settings, now)) {
        Some(Slot::Never) => Verdict::Never(Never::CapIsZero),
        Some(Slot::NotBefore { at, cap }) => {
            Verdict::NotBefore { at: calendar.opening(action, at).from, why: Wait::Cap(cap) }
        }
        Some(Slot::Now) | None => asks.map_or(Verdict::Pass { send_by: opening.until }, Verdict::AskUser),
    }
}

/// Whether the user may act for the lead: at work, and licensed in its state. Where the state is unknown no licence can be
/// shown, so only a user whom the lead already has may act: its vendor sent it to them.
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
pub fn asks_user(action: Do, consent: ChannelConsent, stale: bool) -> Option<AskUser> {
    let given = match action {
        Do::Dial | Do::CustomSms | Do::CustomEmail => return None,
        Do::AiSms | Do::AiEmail => return Some(AskUser::NoAiWriter),
        Do::AiDial => consent.call,
        Do::CannedSms => consent.sms,
        Do::CannedEmail => consent.email,
    };
    match (action, given) {
        (_, Consent::Revoked) => Some(AskUser::ConsentTakenBack),
        (Do::CannedEmail, _) => None,
        (_, Consent::ExpressWritten) => stale.then_some(AskUser::StaleLead),
        (_, Consent::None | Consent::Express) => Some(AskUser::NoWrittenConsent),
    }
}

const DAY: TimeDelta = TimeDelta::hours(24);
/// What the caps on contacts count; emails have one of their own.
const CONTACTS: &[TouchKind] = &[TouchKind::Dial, TouchKind::AiCall, TouchKind::Sms];

/// When caps allow one more touch.
pub(crate) enum Slot {
    Now,
    NotBefore { at: DateTime<Utc>, cap: Cap },
    Never,
}

/// The first instant at which one more touch of that kind breaks no cap.
pub(crate) fn next_slot(kind: TouchKind, lead: &Lead, settings: &Settings, now: DateTime<Utc>) -> Slot {
    let caps = settings.caps;
    let state_limit = lead.state.as_deref().and_then(law::contacts_per_day).unwrap_or(u32::MAX);
    let limits = [
        (CONTACTS, caps.contacts_per_day.min(state_limit), DAY),
        (CONTACTS, caps.contacts_per_week, TOUCH_COUNTS_FOR),
        (&[TouchKind::AiCall], caps.ai_calls_per_day, DAY),
        (&[TouchKind::Sms], caps.sms_per_day, DAY),
        (&[TouchKind::Email], caps.emails_per_day, DAY),
    ];
    let mut slot = Slot::Now;
    let mut earliest = now;
    for (counts, limit, span) in limits {
        if !counts.contains(&kind) {
            continue;
        }
        let mut touched: Vec<_> = lead.touches.values().filter(|t| counts.contains(&t.kind)).map(|t| t.at).collect();
        touched.sort_unstable_by_key(|at| Reverse(*at));
        let Some(newest_to_expire) = (limit as usize).checked_sub(1) else {
            return Slot::Never;
        };
        if let Some(at) = touched.get(newest_to_expire).map(|touch| *touch + span)
            && at > earliest
        {
            earliest = at;
            slot = Slot::NotBefore { at, cap: Cap { counts, limit, span } };
        }
    }
    slot
}

#[cfg(test)]
mod tests;
