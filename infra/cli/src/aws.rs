//! What AWS answers, in words that say what to do.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use cadence_boot::SecretsError;
use cadence_store::{Said, StoreError};

use crate::table::Place;

/// The error, with what to do about it.
pub(crate) fn explained(error: StoreError, place: &Place) -> anyhow::Error {
    let words = match &error {
        StoreError::Dynamo { said: Some(said), .. } => answered(said, place),
        StoreError::Dynamo { source, .. } => unanswered(source.as_ref(), place),
        StoreError::Unreadable { .. } | StoreError::Item(_) => {
            format!("an item of {place} can't be read as a record: is it the config table?")
        }
        StoreError::Races => format!("others kept writing to {place}: try again"),
        StoreError::Missing { .. } => format!("something is missing in {place}"),
    };
    // What was explained says all that the error does.
    match error {
        StoreError::Dynamo { .. } => anyhow::anyhow!(words),
        other => anyhow::Error::new(other).context(words),
    }
}

/// What an error answer comes to.
///
/// Codes: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
pub(crate) fn answered(Said { code, message }: &Said, place: &Place) -> String {
    match code.as_str() {
        "ResourceNotFoundException" => format!(
            "there is no table {} in {}. Check --region and --profile; the stack's output ConfigTableName is its name",
            place.table,
            place.endpoint.as_deref().unwrap_or(&place.region)
        ),
        "AccessDeniedException" => {
            let action = message.split_whitespace().find(|word| word.starts_with("dynamodb:"));
            let action = action.unwrap_or("that").trim_end_matches([',', '.']);
            format!(
                "access denied: these credentials may not {action} on {place}. Ask for a role that may; reading takes \
                 dynamodb:GetItem, Query and Scan, writing dynamodb:UpdateItem, --stage dynamodb:ListTables. AWS says: {message}"
            )
        }
        "ExpiredTokenException" | "ExpiredToken" | "TokenRefreshRequired" => {
            format!("the credentials have expired: {}. AWS says: {message}", sign_in(place))
        }
        "InvalidSignatureException" if message.contains("expired") || message.contains("not yet current") => {
            format!(
                "AWS refuses the signature: this machine's clock is wrong. Set it, and try again. AWS says: {message}"
            )
        }
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken" => {
            format!(
                "AWS doesn't know these credentials: check the profile and the region, or {}. AWS says: {message}",
                sign_in(place)
            )
        }
        "ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded" => {
            format!("{place} is asked too much at the moment: try again in a minute. AWS says: {message}")
        }
        "InternalServerError" | "ServiceUnavailable" | "InternalFailure" => {
            format!("AWS has trouble of its own: try again in a minute. AWS says: {message}")
        }
        "ValidationException" => {
            format!("{place} does not take that: is it Cadence's config table? AWS says: {message}")
        }
        code => format!("{place} answered {code}: {message}"),
    }
}

/// Why the deployment's secret can't be read, with what to do about it.
pub(crate) fn unread_secret(error: &SecretsError, id: &str) -> anyhow::Error {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = error.to_string();
        cause = error.source();
    }
    anyhow::anyhow!(
        "the secret {id} can't be read: check --secret-id, the stack's output SecretId, and that these credentials may \
         secretsmanager:GetSecretValue on it. It says: {said}"
    )
}

/// What it comes to that there was no answer.
pub(crate) fn unanswered(error: &(dyn Error + 'static), place: &Place) -> String {
    let mut chain = vec![error];
    while let Some(cause) = chain.last().copied().and_then(Error::source) {
        chain.push(cause);
    }
    let said = chain.last().map(ToString::to_string).unwrap_or_default();
    if let Some(credentials) = chain.iter().find_map(|error| error.downcast_ref::<CredentialsError>()) {
        return match (credentials, &place.profile) {
            // The SDK tells a profile that is not there from one without keys in words alone.
            (CredentialsError::CredentialsNotLoaded(_), Some(profile)) => format!(
                "there are no credentials of a profile {profile}: if `aws configure list-profiles` doesn't list it, correct the name or \
                 make it with `aws configure sso --profile {profile}`; else {}. It says: {said}",
                sign_in(place)
            ),
            (CredentialsError::CredentialsNotLoaded(_), None) => {
                format!("there are no AWS credentials: {}", sign_in(place))
            }
            _ => format!("the AWS credentials can't be had: {}. It says: {said}", sign_in(place)),
        };
    }
    let is_connection = chain.iter().any(|error| error.downcast_ref::<ConnectorError>().is_some());
    match &place.endpoint {
        Some(endpoint) if place.is_on_this_machine() && is_connection => {
            format!("{endpoint} does not answer: is `cadence local` running there? ({said})")
        }
        Some(endpoint) => format!("{endpoint} can't be reached: check --endpoint-url and the network ({said})"),
        None => format!(
            "AWS in {} can't be reached: check the network, and that the region's name is right ({said})",
            place.region
        ),
    }
}

/// How to get credentials.
fn sign_in(place: &Place) -> String {
    match &place.profile {
        Some(profile) => format!(
            "sign in with `aws sso login --profile {profile}`, or give the profile its keys with `aws configure`"
        ),
        None => {
            "give --profile NAME, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
                 for the local cloud give --local"
                .to_owned()
        }
    }
}
