//! The sources' secrets. Ops add and change them while functions run, so they are read again where one doesn't fit.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aws_config::SdkConfig;
use cadence_boot::{Secrets, SecretsError};
use cadence_core::intake;
use chrono::{DateTime, TimeDelta, Utc};

/// How long a reading counts: whoever guesses makes us read no more often.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(1);

/// Each source's secret, by the name that its record gives.
#[derive(Clone)]
pub struct SourceSecrets {
    aws: SdkConfig,
    id: String,
    read: Arc<RwLock<Read>>,
}

struct Read {
    by_name: BTreeMap<String, String>,
    at: DateTime<Utc>,
}

impl SourceSecrets {
    /// Those of the deployment's secret with that id, as they were read at `now`.
    pub(crate) fn new(aws: SdkConfig, id: String, by_name: BTreeMap<String, String>, now: DateTime<Utc>) -> Self {
        Self { aws, id, read: Arc::new(RwLock::new(Read { by_name, at: now })) }
    }

    /// Whether that is the secret under that name. What there is no secret of takes as long as what doesn't fit.
    pub(crate) async fn fits(&self, name: Option<&str>, given: &str, now: DateTime<Utc>) -> Result<bool, SecretsError> {
        let (fits, read_at) = {
            let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
            (read.fits(name, given), read.at)
        };
        if fits || now - read_at < FRESH_FOR {
            return Ok(fits);
        }
        let by_name = Secrets::read(&self.aws, &self.id).await?.sources;
        let read = Read { by_name, at: now };
        let fits = read.fits(name, given);
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(fits)
    }
}

impl Read {
    fn fits(&self, name: Option<&str>, given: &str) -> bool {
        let expected = name.and_then(|name| self.by_name.get(name)).map_or("", String::as_str);
        intake::same_secret(given.as_bytes(), expected.as_bytes()) && !expected.is_empty()
    }
}

impl fmt::Debug for SourceSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceSecrets")
    }
}
