//! Every request of a story is crashed: before it is done, after it, done but without an answer, and done but reported as failed.

use std::{collections::BTreeMap, fmt, str::FromStr};

use cadence_local::faults::Fault;

use super::{
    Ran, Run,
    operation::{Operation, failure_of},
    scenarios::Scenario,
};

/// What a crash does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The function's process ends before the service has the request.
    Before,
    /// It ends when the service has done it.
    After,
    /// The service does it, and the connection breaks before the answer.
    Unanswered,
    /// The service does it, and the answer says that it failed.
    Failed,
}

impl Kind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Before, Self::After, Self::Unanswered, Self::Failed];

    /// `before`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Unanswered => "unanswered",
            Self::Failed => "failed",
        }
    }

    /// What it does to that request, in the words of its service.
    pub(crate) fn fault(self, operation: Operation<'_>) -> Fault {
        match self {
            Self::Before => Fault::KilledBefore,
            Self::After => Fault::KilledAfter,
            Self::Unanswered => Fault::AnswerLost,
            Self::Failed => Fault::DoneButRefused(failure_of(operation.service)),
        }
    }
}

/// Which requests of a story crash, by their addresses, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crashes(pub BTreeMap<u64, Kind>);

impl Crashes {
    /// These and one more.
    pub fn and(&self, address: u64, kind: Kind) -> Self {
        let mut crashes = self.0.clone();
        crashes.insert(address, kind);
        Self(crashes)
    }
}

/// The story with these crashes.
pub fn crashed(scenario: Scenario, crashes: Crashes) -> Run {
    Run { scenario: Some((scenario, crashes)), ..Run::default() }
}

/// The requests that functions made after the last of its crashes, in order: each may crash next.
pub fn left(ran: &Ran, crashes: &Crashes) -> Vec<u64> {
    let last = ran.calls.iter().rposition(|address| crashes.0.contains_key(address));
    ran.calls.iter().skip(last.map_or(0, |last| last + 1)).copied().collect()
}

impl fmt::Display for Crashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.0.iter().map(|(address, kind)| {
            let kind = match kind {
                Kind::Before => 'b',
                Kind::After => 'a',
                Kind::Unanswered => 'u',
                Kind::Failed => 'e',
            };
            format!("{address:x}:{kind}")
        });
        f.write_str(&told.collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Crashes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| format!("\"{part}\" is no crash: write a request's address, and b, a, u or e: 1f2e:b");
        let crashes = text.split(',').filter(|part| !part.is_empty()).map(|part| {
            let (address, kind) = part.split_once(':').ok_or_else(|| wrong(part))?;
            let address = u64::from_str_radix(address, 16).map_err(|_| wrong(part))?;
            let kind = match kind {
                "b" => Kind::Before,
                "a" => Kind::After,
                "u" => Kind::Unanswered,
                "e" => Kind::Failed,
                _ => return Err(wrong(part)),
            };
            Ok((address, kind))
        });
        Ok(Self(crashes.collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crashes_read_back_as_they_print() {
        let crashes = Crashes::default().and(0x1f, Kind::After).and(0x2e, Kind::Failed);
        assert_eq!(crashes.to_string(), "1f:a,2e:e");
        assert_eq!(crashes.to_string().parse(), Ok(crashes));
        for wrong in ["1f", "1f:x", "xy:a"] {
            assert!(wrong.parse::<Crashes>().is_err(), "{wrong}");
        }
    }
}
