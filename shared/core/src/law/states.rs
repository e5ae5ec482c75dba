//! The states and territories, by their USPS codes.

use std::fmt;

/// A state, district or territory of the United States, or a state in free association with it, by its USPS code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State(&'static str);

/// Code, and the names that it goes by.
const STATES: &[(&str, &[&str])] = &[
    ("AK", &["Alaska"]),
    ("AL", &["Alabama"]),
    ("AR", &["Arkansas"]),
    ("AS", &["American Samoa"]),
    ("AZ", &["Arizona"]),
    ("CA", &["California"]),
    ("CO", &["Colorado"]),
    ("CT", &["Connecticut"]),
    ("DC", &["District of Columbia", "Washington DC"]),
    ("DE", &["Delaware"]),
    ("FL", &["Florida"]),
    ("FM", &["Federated States of Micronesia", "Micronesia"]),
    ("GA", &["Georgia"]),
    ("GU", &["Guam"]),
    ("HI", &["Hawaii"]),
    ("IA", &["Iowa"]),
    ("ID", &["Idaho"]),
    ("IL", &["Illinois"]),
    ("IN", &["Indiana"]),
    ("KS", &["Kansas"]),
    ("KY", &["Kentucky"]),
    ("LA", &["Louisiana"]),
    ("MA", &["Massachusetts"]),
    ("MD", &["Maryland"]),
    ("ME", &["Maine"]),
    ("MH", &["Marshall Islands"]),
    ("MI", &["Michigan"]),
    ("MN", &["Minnesota"]),
    ("MO", &["Missouri"]),
    ("MP", &["Northern Mariana Islands"]),
    ("MS", &["Mississippi"]),
    ("MT", &["Montana"]),
    ("NC", &["North Carolina"]),
    ("ND", &["North Dakota"]),
    ("NE", &["Nebraska"]),
    ("NH", &["New Hampshire"]),
    ("NJ", &["New Jersey"]),
    ("NM", &["New Mexico"]),
    ("NV", &["Nevada"]),
    ("NY", &["New York"]),
    ("OH", &["Ohio"]),
    ("OK", &["Oklahoma"]),
    ("OR", &["Oregon"]),
    ("PA", &["Pennsylvania"]),
    ("PR", &["Puerto Rico"]),
    ("PW", &["Palau"]),
    ("RI", &["Rhode Island"]),
    ("SC", &["South Carolina"]),
    ("SD", &["South Dakota"]),
    ("TN", &["Tennessee"]),
    ("TX", &["Texas"]),
    ("UT", &["Utah"]),
    ("VA", &["Virginia"]),
    ("VI", &["Virgin Islands", "US Virgin Islands"]),
    ("VT", &["Vermont"]),
    ("WA", &["Washington", "Washington State"]),
    ("WI", &["Wisconsin"]),
    ("WV", &["West Virginia"]),
    ("WY", &["Wyoming"]),
];

impl State {
    /// Reads a code or a name, in any case: `ca`, `US-CA`, `California`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        // What is stored is a code, and is read far more often than what people write.
        let stored = STATES.binary_search_by_key(&text, |(code, _)| code).ok().and_then(|at| STATES.get(at));
        if let Some((code, _)) = stored {
            return Some(Self(code));
        }
        let text = text.trim().to_ascii_uppercase();
        let wanted = letters(text.strip_prefix("US-").unwrap_or(&text));
        STATES
            .iter()
            .find(|(code, names)| *code == wanted || names.iter().any(|name| letters(name) == wanted))
            .map(|(code, _)| Self(code))
    }

    /// The USPS code.
    pub fn code(self) -> &'static str {
        self.0
    }

    /// Every state, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        STATES.iter().map(|(code, _)| Self(code))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The letters alone, upper-case: people write `Washington, D.C.` in many ways.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_from_its_code_or_its_name() {
        for (text, code) in [
            ("CA", "CA"),
            (" ca ", "CA"),
            ("US-CA", "CA"),
            ("California", "CA"),
            ("new  york", "NY"),
            ("Washington, D.C.", "DC"),
            ("District of Columbia", "DC"),
            ("Washington", "WA"),
            ("puerto rico", "PR"),
            ("U.S. Virgin Islands", "VI"),
        ] {
            assert_eq!(State::parse(text).map(State::code), Some(code), "{text}");
        }
        for wrong in ["", "XX", "Ontario", "C", "USA", "US-", "94105"] {
            assert_eq!(State::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_fifty_states_the_district_and_eight_territories_are_known_once() {
        let all: Vec<_> = State::all().collect();
        assert_eq!(all.len(), 50 + 1 + 8);
        assert!(all.is_sorted_by(|one, next| one < next));
        for state in all {
            assert_eq!(State::parse(state.code()), Some(state));
        }
    }
}
