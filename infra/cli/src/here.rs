//! Where and when a command is run: by its machine's clock, in its machine's time zone.

use std::{fs, path::Path};

use cadence_core::time::Zone;
use chrono::{DateTime, Utc};

#[expect(clippy::disallowed_methods, reason = "a laptop's cloud, its leads and its commands have the laptop's time")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The zone that this machine shows its times in: TZ, as for every command, else the system's; UTC where neither is a place.
#[expect(clippy::disallowed_methods, reason = "a command shows times as its terminal does")]
pub(crate) fn zone() -> Zone {
    let told = std::env::var("TZ").ok().filter(|told| !told.is_empty());
    let system = || Some(fs::read_link("/etc/localtime").ok()?.display().to_string());
    told.or_else(system).as_deref().and_then(of_path).unwrap_or_else(Zone::utc)
}

/// `America/Denver` of itself, of `:America/Denver` and of `/usr/share/zoneinfo/America/Denver`.
fn of_path(told: &str) -> Option<Zone> {
    let told = told.trim_start_matches(':');
    let name = told.split_once("zoneinfo/").map_or(told, |(_, name)| name);
    Zone::parse(name).filter(|_| !Path::new(name).is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_s_zone_is_read_as_it_is_told() {
        for (told, zone) in [
            ("America/Denver", Some("America/Denver")),
            (":America/Denver", Some("America/Denver")),
            ("/usr/share/zoneinfo/America/Denver", Some("America/Denver")),
            ("../usr/share/zoneinfo/Etc/UTC", Some("Etc/UTC")),
            ("/etc/nothing", None),
            ("EST5EDT4,M3.2.0", None),
        ] {
            assert_eq!(of_path(told).as_ref().map(Zone::as_str), zone, "{told}");
        }
    }
}
