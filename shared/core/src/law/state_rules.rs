//! What states ask beyond federal law, as dated data: counsel reviews this file, no code.
//!
//! Where a rule is unclear, the row holds the stricter reading: exemptions for consent or an existing business are not used.

/// What one state asks of calls and texts.
#[derive(Debug)]
pub struct StateRule {
    /// USPS code.
    pub state: &'static str,
    /// When it allows them, in the lead's local time.
    pub hours: &'static str,
    /// Whether it allows none on holidays.
    pub no_holidays: bool,
    /// How many calls and texts it allows in any 24 hours.
    pub contacts_per_day: Option<u32>,
    /// Where it says so.
    pub source: &'static str,
    /// When the row was last compared with public summaries of the law; only counsel's word makes it sure.
    pub as_of: &'static str,
}

/// The federal window, in the lead's local time. Source: 47 CFR 64.1200(c)(1) and 16 CFR 310.4(c).
pub(super) const FEDERAL_HOURS: &str = "daily 08:00-21:00";

const AS_OF: &str = "2026-11-23";

const fn rule(state: &'static str, hours: &'static str, source: &'static str) -> StateRule {
    StateRule { state, hours, no_holidays: false, contacts_per_day: None, source, as_of: AS_OF }
}

const fn no_holidays(rule: StateRule) -> StateRule {
    StateRule { no_holidays: true, ..rule }
}

const fn at_most(contacts_per_day: u32, rule: StateRule) -> StateRule {
    StateRule { contacts_per_day: Some(contacts_per_day), ..rule }
}

/// The states whose rules are narrower than federal law, by code.
pub const STATE_RULES: &[StateRule] = &[
    no_holidays(rule("AL", "Mon-Sat 08:00-20:00", "Ala. Code 8-19A-1 et seq.")),
    rule("CT", "daily 09:00-20:00", "Conn. Gen. Stat. 42-288a"),
    at_most(3, rule("FL", "daily 08:00-20:00", "Fla. Stat. 501.616(6)")),
    rule("KY", "daily 10:00-21:00", "KRS 367.46951 et seq."),
    no_holidays(rule("LA", "Mon-Sat 08:00-20:00", "La. R.S. 45:811 et seq.; La. PSC General Order R-29617")),
    rule("MA", "daily 08:00-20:00", "M.G.L. c. 159C"),
    rule("MD", "daily 08:00-20:00", "Md. Code, Com. Law 14-4501 et seq."),
    rule("MI", "daily 09:00-21:00", "MCL 445.111 et seq."),
    rule("MN", "daily 09:00-21:00", "Minn. Stat. 325E.30"),
    no_holidays(rule("MS", "Mon-Sat 08:00-20:00", "Miss. Code 77-3-701 et seq.")),
    rule("NM", "daily 09:00-21:00", "NMSA 57-12-22"),
    rule("NV", "daily 09:00-20:00", "NRS 598.0918"),
    at_most(3, rule("OK", "daily 08:00-20:00", "15 O.S. 775C.4")),
    no_holidays(rule("PA", "Mon-Sat 08:00-21:00", "73 P.S. 2241 et seq.")),
    no_holidays(rule("RI", "Mon-Fri 09:00-18:00", "R.I. Gen. Laws 5-61-2(9), 5-61-3.6")),
    rule("TX", "Mon-Sat 09:00-21:00, Sun 12:00-21:00", "Tex. Bus. & Com. Code 301.051"),
    no_holidays(rule("UT", "Mon-Sat 08:00-21:00", "Utah Code 13-25a-103(3)")),
    rule("WA", "daily 08:00-20:00", "RCW 80.36.390"),
];
