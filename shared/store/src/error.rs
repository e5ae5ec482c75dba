//! How the store fails, sorted by what may be done about it.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::CancellationReason,
};

/// Why a read or a write of the tables did not work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB did not answer, or answered with an error.
    #[error("dynamodb {operation} failed")]
    Dynamo {
        /// The operation.
        operation: &'static str,
        /// True if the same call may work later.
        may_work_later: bool,
        /// What DynamoDB says, if it answered.
        said: Option<Said>,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An item does not read as what it should be.
    #[error("the item {pk} {sk} could not be read")]
    Unreadable {
        /// Its partition key.
        pk: String,
        /// Its sort key.
        sk: String,
        /// What is wrong with it.
        #[source]
        source: serde_dynamo::Error,
    },
    /// Something does not become an item.
    #[error("an item could not be written as its type")]
    Item(#[from] serde_dynamo::Error),
    /// It was not written.
    #[error("other writes came first, again and again")]
    Races,
    /// Something that must exist is not there.
    #[error("{what} {id} does not exist")]
    Missing {
        /// What kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
}

/// An error that DynamoDB answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its code: `AccessDeniedException`.
    pub code: String,
    /// Its message.
    pub message: String,
}

impl StoreError {
    /// Whether the same work may succeed later; otherwise it is broken until somebody mends it.
    pub fn may_work_later(&self) -> bool {
        match self {
            Self::Dynamo { may_work_later, .. } => *may_work_later,
            Self::Races => true,
            Self::Unreadable { .. } | Self::Item(_) | Self::Missing { .. } => false,
        }
    }
}

/// Sorts an SDK error: only a request that DynamoDB judged and refused can't work later.
pub(crate) fn sorted<E>(operation: &'static str, error: SdkError<E>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let refused = ["ValidationException", "ResourceNotFoundException", "AccessDeniedException"];
    let said = match &error {
        SdkError::ServiceError(answer) => Some(Said {
            code: answer.err().code().unwrap_or_default().to_owned(),
            message: answer.err().message().unwrap_or_default().to_owned(),
        }),
        _ => None,
    };
    let may_work_later = said.as_ref().is_none_or(|said| !refused.contains(&said.code.as_str()));
    StoreError::Dynamo { operation, may_work_later, said, source: error.into() }
}

/// What happened to one item of a refused transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing was wrong with it.
    None,
    /// Its condition does not hold.
    Condition,
    /// Another transaction was at it.
    Conflict,
    /// Something else.
    Other,
}

/// Reads the reasons of a cancelled transaction, item by item.
///
/// Codes: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub(crate) fn refusals(reasons: &[CancellationReason]) -> Vec<Refusal> {
    reasons
        .iter()
        .map(|reason| match reason.code() {
            None | Some("None") => Refusal::None,
            Some("ConditionalCheckFailed") => Refusal::Condition,
            Some("TransactionConflict") => Refusal::Conflict,
            Some(_) => Refusal::Other,
        })
        .collect()
}
