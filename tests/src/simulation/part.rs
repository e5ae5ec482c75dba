//! The parts of a world that can be left out of it, to see whether it still fails.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// A part of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Something that somebody does, by its number.
    Deed(usize),
    /// A service's outage, by its number.
    Outage(usize),
    /// A fault, by the address of what it befalls.
    Fault(u64),
}

/// The parts that a world has; all of them, unless they are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts(Option<BTreeSet<Part>>);

/// What is no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no part: write d and a deed's number, o and an outage's, or f and a fault's address")]
pub struct PartError(String);

impl Parts {
    /// Only those.
    pub fn only(parts: impl IntoIterator<Item = Part>) -> Self {
        Self(Some(parts.into_iter().collect()))
    }

    pub(crate) fn holds(&self, part: &Part) -> bool {
        self.0.as_ref().is_none_or(|parts| parts.contains(part))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deed(number) => write!(f, "d{number}"),
            Self::Outage(number) => write!(f, "o{number}"),
            Self::Fault(address) => write!(f, "f{address:x}"),
        }
    }
}

impl FromStr for Part {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        let wrong = || PartError(text.to_owned());
        let (kind, number) = text.split_at_checked(1).ok_or_else(wrong)?;
        match kind {
            "d" => number.parse().map(Self::Deed).map_err(|_| wrong()),
            "o" => number.parse().map(Self::Outage).map_err(|_| wrong()),
            "f" => u64::from_str_radix(number, 16).map(Self::Fault).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().flatten().map(Part::to_string).collect();
        f.write_str(&parts.join(","))
    }
}

impl FromStr for Parts {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Ok(Self(Some(parts.map(str::parse).collect::<Result<_, _>>()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_read_back_as_they_print() {
        let parts = Parts::only([Part::Fault(0xf00), Part::Deed(3), Part::Outage(0)]);
        assert_eq!(parts.to_string(), "d3,o0,ff00");
        assert_eq!(parts.to_string().parse(), Ok(parts.clone()));
        assert!(parts.holds(&Part::Deed(3)) && !parts.holds(&Part::Deed(4)));
        assert!(Parts::default().holds(&Part::Deed(4)));
        assert!(!"".parse::<Parts>().unwrap().holds(&Part::Deed(4)), "an empty list is nothing");
        for wrong in ["x1", "d", "fxyz", "d-1", "é"] {
            assert!(wrong.parse::<Parts>().is_err(), "{wrong}");
        }
    }
}
