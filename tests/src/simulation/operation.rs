//! What a request asks of which service, and how that service refuses.

use bytes::Bytes;
use cadence_local::faults::Refused;
use http::Request;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation<'a> {
    /// The service, as requests are signed for it.
    pub(crate) service: &'static str,
    /// `TransactWriteItems`
    pub(crate) name: &'a str,
}

/// What that request asks for.
pub(crate) fn operation_of(request: &Request<Bytes>) -> Operation<'_> {
    let path = request.uri().path();
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (service, name) = match target.split_once('.') {
        Some(("DynamoDB_20120810", name)) => ("dynamodb", name),
        Some(("AmazonSQS", name)) => ("sqs", name),
        Some((_, name)) => ("secretsmanager", name),
        None if path.starts_with("/voice-agent/") => ("voice-agent", "CreateCall"),
        None if path.starts_with("/v2/email/") => ("ses", "SendEmail"),
        None if path.starts_with("/schedules/") => match request.method().as_str() {
            "POST" => ("scheduler", "CreateSchedule"),
            "DELETE" => ("scheduler", "DeleteSchedule"),
            _ => ("scheduler", "GetSchedule"),
        },
        None => ("sns", "Publish"),
    };
    Operation { service, name }
}

const fn refused(status: u16, code: &'static str) -> Refused {
    Refused { status, code }
}

/// How each service refuses a request that is right, from its list of errors.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const DYNAMODB: &[Refused] = &[
    refused(400, "ThrottlingException"),
    refused(400, "ProvisionedThroughputExceededException"),
    refused(500, "InternalServerError"),
    refused(503, "ServiceUnavailable"),
];
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>
const SQS: &[Refused] =
    &[refused(400, "ThrottlingException"), refused(403, "RequestThrottled"), refused(503, "ServiceUnavailable")];
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>
const SCHEDULER: &[Refused] = &[refused(429, "ThrottlingException"), refused(500, "InternalServerException")];
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const SNS: &[Refused] = &[
    refused(400, "Throttling"),
    refused(403, "AuthorizationError"),
    refused(400, "InvalidParameter"),
    refused(500, "InternalError"),
];
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
const SES: &[Refused] = &[
    refused(429, "TooManyRequestsException"),
    refused(400, "SendingPausedException"),
    refused(400, "MessageRejected"),
    refused(500, "InternalFailure"),
];
/// <https://docs.vapi.ai/api-reference/calls/create>
const VOICE_AGENT: &[Refused] = &[
    refused(429, "TooManyRequests"),
    refused(402, "PaymentRequired"),
    refused(400, "BadRequest"),
    refused(500, "Error"),
];

/// How that service says that it failed, whatever it has done.
pub(crate) fn failure_of(service: &str) -> Refused {
    let failures = refusals(service).iter().find(|refused| refused.status >= 500);
    failures.copied().unwrap_or(refused(500, "InternalServiceError"))
}

/// How that service refuses a request that is right.
pub(crate) fn refusals(service: &str) -> &'static [Refused] {
    match service {
        "dynamodb" => DYNAMODB,
        "sqs" => SQS,
        "scheduler" => SCHEDULER,
        "sns" => SNS,
        "ses" => SES,
        "voice-agent" => VOICE_AGENT,
        _ => &[],
    }
}
