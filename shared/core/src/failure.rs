//! How failures are sorted, for alarms and for whoever retries.

/// What may be expected of work that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same work may succeed later.
    Retryable,
    /// It fails until somebody mends something.
    Permanent,
    /// It may have been done.
    Ambiguous,
}

impl Class {
    /// The word that alarms can key on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "Retryable",
            Self::Permanent => "Permanent",
            Self::Ambiguous => "Ambiguous",
        }
    }
}
