//! What a failed request means for whether something was sent.

use std::{error::Error, io};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cadence_core::delivery::Delivery;

/// Codes with which AWS says that it did nothing and that the same request may work later: throttling, quotas, and credentials
/// that somebody has yet to mend.
///
/// <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>, <https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html>
const LATER: [&str; 14] = [
    "Throttling",
    "ThrottlingException",
    "Throttled",
    "ThrottledException",
    "TooManyRequestsException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
];

/// Sorts a failed AWS request. `later` are the service's own codes for "not now".
pub(crate) fn of_aws<E>(error: &SdkError<E, HttpResponse>, later: &[&str]) -> Delivery
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let SdkError::ServiceError(answer) = error else {
        return of_transport(error);
    };
    let code = answer.err().code().unwrap_or("an unnamed error");
    let reason = format!("the vendor answered {code}");
    match answer.raw().status().as_u16() {
        _ if LATER.contains(&code) || later.contains(&code) => Delivery::Later { reason },
        429 => Delivery::Later { reason },
        400..=499 => Delivery::Rejected { reason },
        // A failure on the vendor's side, or a good answer that can't be read: it may have been sent.
        _ => Delivery::Unknown { reason },
    }
}

/// Sorts a request that got no readable answer: only what never left is certainly not sent.
pub(crate) fn of_transport<E, R>(error: &SdkError<E, R>) -> Delivery {
    match error {
        SdkError::ConstructionFailure(_) => {
            Delivery::Later { reason: "the request could not be put together".to_owned() }
        }
        SdkError::DispatchFailure(failure) => {
            let never_left =
                failure.is_user() || failure.as_connector_error().is_some_and(|error| no_connection(error));
            match never_left {
                true => Delivery::Later { reason: "the vendor could not be reached".to_owned() },
                false => Delivery::Unknown { reason: "the connection broke before the vendor answered".to_owned() },
            }
        }
        SdkError::TimeoutError(_) => Delivery::Unknown { reason: "the vendor did not answer in time".to_owned() },
        _ => Delivery::Unknown { reason: "the vendor's answer could not be read".to_owned() },
    }
}

/// Whether no connection came about: no address was found for the name, nobody listened, or the handshake failed or took too long.
fn no_connection(error: &(dyn Error + 'static)) -> bool {
    let refused = [io::ErrorKind::ConnectionRefused, io::ErrorKind::HostUnreachable, io::ErrorKind::NetworkUnreachable];
    let mut cause = Some(error);
    while let Some(error) = cause {
        let client = error.downcast_ref::<hyper_util::client::legacy::Error>();
        let io = error.downcast_ref::<io::Error>();
        if client.is_some_and(|error| error.is_connect()) || io.is_some_and(|error| refused.contains(&error.kind())) {
            return true;
        }
        cause = error.source();
    }
    false
}
