//! The deployment's secrets: one JSON object in Secrets Manager, read once at start.

use std::{collections::BTreeMap, fmt};

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueError};
use serde::Deserialize;

use crate::{Boot, BootError};

/// Every secret of a deployment. A function uses those that are its own.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Secrets {
    /// What addresses are hashed with and unsubscribe links are signed with. Never changes: it is what keeps opt-outs known.
    pub key: String,
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
    /// There is nothing to hash and sign with.
    #[error("the secret has no key; add one of 64 random characters, and never change it")]
    NoKey,
}

impl Secrets {
    /// Reads the secret that `SECRET_ID` names.
    pub async fn load(boot: &Boot) -> Result<Self, BootError> {
        Ok(Self::read(&boot.aws, &boot.env.required("SECRET_ID")?).await?)
    }

    /// Reads that secret.
    pub async fn read(aws: &SdkConfig, id: &str) -> Result<Self, SecretsError> {
        let found = Client::new(aws).get_secret_value().secret_id(id).send().await;
        let found = found.map_err(|error| SecretsError::Get(Box::new(error)))?;
        serde_json::from_str(&found.secret_string.unwrap_or_default()).map_err(SecretsError::Read)
    }

    /// The key, which must be there: without it addresses would be hashed, and links signed, with nothing.
    pub fn key(&self) -> Result<Vec<u8>, BootError> {
        match self.key.is_empty() {
            true => Err(SecretsError::NoKey.into()),
            false => Ok(self.key.as_bytes().to_vec()),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}
