//! Civil time: zones, waits, weekly hours, holidays. The only room that knows jiff, whose zone data is current.

mod day;
mod holidays;
mod hours;
mod local;
mod opening;
mod wait;
mod zone;

pub use day::{Day, DayError};
pub use holidays::Holidays;
pub use hours::{HoursError, WeeklyHours, Window, longest_span, parse_hours};
pub use local::LocalTime;
pub use opening::{Opening, opening};
pub use wait::{Wait, WaitError, after};
pub use zone::{Zone, Zones, local_text};

use chrono::{DateTime, Utc};

/// The instant as jiff holds it; instants that jiff can't hold (after the year 9999) end at its last.
fn to_jiff(at: DateTime<Utc>) -> jiff::Timestamp {
    jiff::Timestamp::new(at.timestamp(), i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0))
        .unwrap_or(jiff::Timestamp::MAX)
}

/// The instant as the rest of the project holds it.
fn from_jiff(at: jiff::Timestamp) -> DateTime<Utc> {
    let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
    DateTime::from_timestamp(at.as_second(), nanos).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
