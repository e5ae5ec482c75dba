//! The words with which a person takes back their consent to texts.

/// The words that count, whatever the carrier heeds.
///
/// Source: 47 CFR 64.1200(a)(10)(i). As of 2026-11-25.
pub(crate) const OPT_OUT_WORDS: [&str; 7] = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"];
