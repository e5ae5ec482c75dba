//! What the law asks: hours, limits, and which zones a lead may be in.

mod area_codes;
mod opt_out;
mod places;
mod state_rules;
mod states;
mod windows;
mod zones;

pub(crate) use area_codes::is_us_area_code;
pub(crate) use opt_out::OPT_OUT_WORDS;
pub use state_rules::{STATE_RULES, StateRule};
pub use states::State;
pub use windows::{contacts_per_day, default_window, floor_windows, unknown_zone_hours, unknown_zones};
pub use zones::{resolve_zones, state_of_zip};

pub use crate::time::Holidays;
