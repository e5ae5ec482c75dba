//! Draws: chance that is always the same for the same words, and by that neither stored nor changed by what else is edited.

use sha2::{Digest, Sha256};

/// A number from 0 to 99, even over many words. What is drawn for begins the words, so that draws don't hang together.
pub(crate) fn percent(words: &str) -> u8 {
    let drawn = Sha256::digest(words.as_bytes());
    let drawn = drawn.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    // A number below a hundred fits.
    u8::try_from(drawn % 100).unwrap_or(0)
}
