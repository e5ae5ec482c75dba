//! A function's environment, read in one place.

use std::{collections::BTreeMap, fmt};

/// A function's environment.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Env(BTreeMap<String, String>);

/// What is wrong with the environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// It has no such variable.
    #[error("the variable {name} is not set")]
    Missing {
        /// The variable.
        name: &'static str,
    },
    /// A variable is none of its values.
    #[error("the variable {name} is none of {values}")]
    NotAValue {
        /// The variable.
        name: &'static str,
        /// What it may be.
        values: &'static str,
    },
}

impl Env {
    /// The process's environment.
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    /// An environment of those variables.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Only those variables.
    pub fn only(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The variables, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A variable that must be set; an empty one is not.
    pub fn required(&self, name: &'static str) -> Result<String, EnvError> {
        self.optional(name).ok_or(EnvError::Missing { name })
    }

    /// A variable that may be set.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// Whether vendors are really asked to send: `SEND_MODE` is `dry_run` or `live`, and nothing else will do.
    pub fn send_mode(&self) -> Result<cadence_core::delivery::SendMode, EnvError> {
        match self.required("SEND_MODE")?.as_str() {
            "dry_run" => Ok(cadence_core::delivery::SendMode::DryRun),
            "live" => Ok(cadence_core::delivery::SendMode::Live),
            _ => Err(EnvError::NotAValue { name: "SEND_MODE", values: "dry_run, live" }),
        }
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use cadence_core::delivery::SendMode;

    use super::*;

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        let env = Env::of([("TABLE", ""), ("QUEUE", "q")]);
        assert_eq!(env.required("TABLE"), Err(EnvError::Missing { name: "TABLE" }));
        assert_eq!(env.required("QUEUE"), Ok("q".to_owned()));
    }

    #[test]
    fn nothing_is_sent_unless_the_mode_says_live() {
        assert_eq!(Env::of([("SEND_MODE", "live")]).send_mode(), Ok(SendMode::Live));
        assert_eq!(Env::of([("SEND_MODE", "dry_run")]).send_mode(), Ok(SendMode::DryRun));
        for wrong in ["", "Live", "true"] {
            assert!(Env::of([("SEND_MODE", wrong)]).send_mode().is_err(), "{wrong}");
        }
    }
}
