//! Days on which nobody is called or texted.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

/// The federal holidays, each on its actual and on its observed day, and the company's own.
///
/// Source: 5 U.S.C. 6103, and Executive Order 11582 for the observed days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    own: BTreeSet<Date>,
}

/// The holidays of a fixed date: month and day.
const FIXED: [(i8, i8); 5] = [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)];
/// The holidays of a weekday: month, which one of the month (-1 for the last), weekday.
const FLOATING: [(i8, i8, Weekday); 6] = [
    (1, 3, Weekday::Monday),
    (2, 3, Weekday::Monday),
    (5, -1, Weekday::Monday),
    (9, 1, Weekday::Monday),
    (10, 2, Weekday::Monday),
    (11, 4, Weekday::Thursday),
];

impl Holidays {
    /// The federal holidays and these days, `2026-12-24`; what is no date is left out, since `check` has refused it.
    pub fn federal_and(own: &[String]) -> Self {
        Self { own: own.iter().filter_map(|date| Self::date(date)).collect() }
    }

    /// Whether that is a date as holidays are written: `2026-12-24`.
    pub fn is_date(text: &str) -> bool {
        Self::date(text).is_some()
    }

    fn date(text: &str) -> Option<Date> {
        text.trim().parse().ok()
    }

    pub(super) fn contains(&self, date: Date) -> bool {
        self.own.contains(&date) || is_federal(date)
    }
}

fn is_federal(date: Date) -> bool {
    let is_floating = FLOATING.iter().any(|(month, nth, weekday)| {
        date.month() == *month && date.nth_weekday_of_month(*nth, *weekday).is_ok_and(|holiday| holiday == date)
    });
    is_floating || is_fixed(date) || is_observed(date)
}

fn is_fixed(date: Date) -> bool {
    FIXED.contains(&(date.month(), date.day()))
}

/// A holiday on a Saturday is observed on the Friday before, one on a Sunday on the Monday after.
fn is_observed(date: Date) -> bool {
    match date.weekday() {
        Weekday::Friday => date.tomorrow().is_ok_and(is_fixed),
        Weekday::Monday => date.yesterday().is_ok_and(is_fixed),
        Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Saturday | Weekday::Sunday => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn federal_holidays_rest_on_their_actual_and_on_their_observed_day() {
        let holidays = Holidays::federal_and(&["2026-12-24".to_owned()]);
        for (date, expected) in [
            ("2026-01-01", true),
            ("2026-01-19", true),
            ("2026-05-25", true),
            ("2026-05-18", false),
            ("2026-07-03", true),
            ("2026-07-04", true),
            ("2026-11-26", true),
            ("2026-11-27", false),
            ("2026-12-24", true),
            ("2025-12-24", false),
            ("2027-12-31", true),
            ("2028-01-01", true),
            ("2027-12-24", true),
            ("2027-07-05", true),
        ] {
            assert_eq!(holidays.contains(date.parse().unwrap()), expected, "{date}");
        }
    }
}
