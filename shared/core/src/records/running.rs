//! How many leads run through a cadence, by version.

use std::{collections::BTreeMap, fmt};

/// The leads that run through a cadence, counted by the version that they are on. Prints as it stands on the record:
/// `12 on version 7, 3 on version 6`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    by_version: BTreeMap<u32, u32>,
    goes_on: bool,
}

impl Running {
    /// Counts no further than this: what is told then is that there are more.
    pub const AT_MOST: u32 = 10_000;

    /// Counts one more, which come the newest version first; false once there are more than are counted, so that whoever counts can stop.
    pub fn add(&mut self, version: u32) -> bool {
        self.goes_on |= self.total() >= Self::AT_MOST;
        if !self.goes_on {
            *self.by_version.entry(version).or_insert(0) += 1;
        }
        !self.goes_on
    }

    /// The versions that leads are on, as far as they were counted.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.by_version.keys().copied()
    }

    fn total(&self) -> u32 {
        self.by_version.values().sum()
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newest_first: Vec<(&u32, &u32)> = self.by_version.iter().rev().collect();
        // Counted from the newest on, so of the last version that was come to there may be more, and others before it.
        let (counted, rest) = match newest_first.split_last() {
            None => return f.write_str("none"),
            Some(((oldest, _), counted)) if self.goes_on => (counted, Some(oldest)),
            Some(_) => (newest_first.as_slice(), None),
        };
        let counted: Vec<String> =
            counted.iter().map(|(version, count)| format!("{count} on version {version}")).collect();
        match rest {
            None => f.write_str(&counted.join(", ")),
            Some(oldest) if counted.is_empty() => write!(f, "over {} on version {oldest} or before", Self::AT_MOST),
            Some(oldest) => {
                write!(f, "over {}: {}, the others on version {oldest} or before", Self::AT_MOST, counted.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_by_version_the_newest_first() {
        let many = |count: u32, version: u32| std::iter::repeat_n(version, count as usize);
        for (versions, told) in [
            (vec![], "none"),
            (vec![7], "1 on version 7"),
            (many(12, 7).chain(many(3, 6)).collect(), "12 on version 7, 3 on version 6"),
            (many(9_999, 2).chain(many(1, 1)).collect(), "9999 on version 2, 1 on version 1"),
            (
                many(9_999, 2).chain(many(2, 1)).collect(),
                "over 10000: 9999 on version 2, the others on version 1 or before",
            ),
            (many(10_001, 3).collect(), "over 10000 on version 3 or before"),
        ] {
            let mut running = Running::default();
            versions.into_iter().all(|version| running.add(version));
            assert_eq!(running.to_string(), told);
        }
    }

    #[test]
    fn counting_stops_where_it_is_bounded() {
        let mut running = Running::default();
        for _ in 0..Running::AT_MOST {
            assert!(running.add(1));
        }
        assert!(!running.add(1));
        assert!(!running.add(1), "and stays stopped");
    }
}
