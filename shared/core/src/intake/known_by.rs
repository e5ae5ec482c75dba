//! What a webhook, an address and a secret are known by.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{SourceId, sources::Inbound};

/// What tells a webhook from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key.
    pub text: String,
    /// True where nothing but the body tells, so that the key holds for a day only.
    pub is_body_hash: bool,
}

/// Ids of vendors that are longer are hashed, since keys of items are limited.
const MAX_ID: usize = 200;

/// The vendor's event id, else the `Idempotency-Key` header, else the body's hash.
pub fn idempotency_key(source: &SourceId, inbound: &Inbound, header: Option<&str>, body: &[u8]) -> IdempotencyKey {
    let named = inbound.vendor_event_id.as_deref().map(|id| ("id", id)).or(header.map(|key| ("key", key)));
    match named {
        Some((kind, id)) if id.len() <= MAX_ID => key(format!("{source}#{kind}#{id}"), false),
        Some((kind, id)) => key(format!("{source}#{kind}-hash#{}", hex(&Sha256::digest(id.as_bytes()))), false),
        None => key(format!("{source}#body#{}", hex(&Sha256::digest(body))), true),
    }
}

fn key(text: String, is_body_hash: bool) -> IdempotencyKey {
    IdempotencyKey { text, is_body_hash }
}

/// The keyed hash of a phone number or an email address: what is stored of it outlives the lead, the address doesn't.
pub fn address_hash(key: &[u8], address: &str) -> String {
    // HMAC takes a key of any length, so there is always a hash.
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mut mac| {
        mac.update(address.as_bytes());
        mac.finalize().into_bytes()
    });
    hex(&mac.unwrap_or_default())
}

/// Compares secrets in a time that tells neither where nor whether in length they differ.
pub fn same_secret(given: &[u8], expected: &[u8]) -> bool {
    Sha256::digest(given).ct_eq(&Sha256::digest(expected)).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(id: Option<&str>, header: Option<&str>, body: &str) -> IdempotencyKey {
        let inbound = Inbound { vendor_event_id: id.map(str::to_owned), ..Inbound::default() };
        idempotency_key(&"zillow".into(), &inbound, header, body.as_bytes())
    }

    #[test]
    fn the_vendors_id_tells_webhooks_apart_else_the_header_else_the_body() {
        for (id, header, expected, is_body_hash) in [
            (Some("LC-1"), Some("h-1"), "zillow#id#LC-1", false),
            (None, Some("h-1"), "zillow#key#h-1", false),
            (None, None, "zillow#body#", true),
        ] {
            let key = key_of(id, header, "{}");
            assert!(key.text.starts_with(expected), "{}", key.text);
            assert_eq!(key.is_body_hash, is_body_hash);
        }
        assert_eq!(key_of(None, None, "{}"), key_of(None, None, "{}"));
        assert_ne!(key_of(None, None, "{}"), key_of(None, None, "{ }"));
        assert_ne!(key_of(Some("1"), None, ""), key_of(None, Some("1"), ""), "an id is no header");
        let other = idempotency_key(&"gizmo".into(), &Inbound::default(), Some("h-1"), b"");
        assert_ne!(other, key_of(None, Some("h-1"), ""), "each source counts for itself");
    }

    #[test]
    fn an_id_of_any_length_makes_a_key_that_fits() {
        for length in [200, 201, 100_000] {
            let key = key_of(Some(&"x".repeat(length)), None, "");
            assert!(key.text.len() < 300, "{length}");
        }
        assert_ne!(key_of(Some(&"x".repeat(201)), None, ""), key_of(Some(&"x".repeat(202)), None, ""));
    }

    #[test]
    fn an_addresses_hash_depends_on_key_and_address_and_is_64_hex_digits() {
        let hash = address_hash(b"key", "+14155550123");
        assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(hash, address_hash(b"key", "+14155550123"));
        assert_ne!(hash, address_hash(b"other", "+14155550123"));
        assert_ne!(hash, address_hash(b"key", "+14155550124"));
    }

    #[test]
    fn only_the_secret_itself_is_the_secret() {
        for (given, same) in [("s3cret", true), ("s3creT", false), ("s3cre", false), ("s3cret ", false), ("", false)] {
            assert_eq!(same_secret(given.as_bytes(), b"s3cret"), same, "{given:?}");
        }
    }
}
