//! The deployment's secrets: one JSON object in Secrets Manager, read once at start.

use std::{collections::BTreeMap, fmt};

use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueError};
use serde::Deserialize;

use crate::{Boot, BootError};

/// Every secret of a deployment. A function uses those that are its own.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Secrets {
    /// What phone numbers and email addresses are hashed with. Never changes: it is what keeps opt-outs known.
    pub address_key: String,
    /// What signs unsubscribe links.
    pub link_key: String,
    /// The voice agent's private key.
    pub voice_agent_api_key: String,
    /// What the voice agent sends with its events.
    pub voice_agent_webhook_secret: String,
    /// The voice agent's assistant of each agent that cadences name.
    pub voice_agent_assistants: BTreeMap<String, String>,
    /// Each source's secret, by the name that its record gives.
    pub sources: BTreeMap<String, String>,
}

/// Why the secrets can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Secrets Manager did not give them.
    #[error("secrets manager did not give the secret")]
    Get(#[source] Box<aws_sdk_secretsmanager::error::SdkError<GetSecretValueError>>),
    /// They are not the JSON object that they should be.
    #[error("the secret is not a JSON object of the expected fields")]
    Read(#[source] serde_json::Error),
    /// One of them is missing.
    #[error("the secret has no {name}; generate 32 random bytes and add it")]
    Missing {
        /// Its name.
        name: &'static str,
    },
}

impl Secrets {
    /// Reads the secret that `SECRET_ID` names.
    pub async fn load(boot: &Boot) -> Result<Self, BootError> {
        let id = boot.env.required("SECRET_ID")?;
        let found = Client::new(&boot.aws).get_secret_value().secret_id(id).send().await;
        let found = found.map_err(|error| SecretsError::Get(Box::new(error)))?;
        let text = found.secret_string.unwrap_or_default();
        Ok(serde_json::from_str(&text).map_err(SecretsError::Read)?)
    }

    /// A key that must be there: without it addresses would be hashed, or links signed, with nothing.
    pub fn key(value: &str, name: &'static str) -> Result<Vec<u8>, BootError> {
        match value.is_empty() {
            true => Err(SecretsError::Missing { name }.into()),
            false => Ok(value.as_bytes().to_vec()),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}
