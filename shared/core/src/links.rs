//! Signed links: where a lead unsubscribes without logging in.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::LeadId;

/// The key that signs links.
#[derive(Clone)]
pub struct LinkKey(Vec<u8>);

impl LinkKey {
    /// A key of those bytes.
    pub fn new(key: impl Into<Vec<u8>>) -> Self {
        Self(key.into())
    }

    /// Where the lead may unsubscribe: `base/token`.
    pub fn unsubscribe_url(&self, base: &str, lead: &LeadId) -> String {
        format!("{}/{lead}.{}", base.trim_end_matches('/'), self.signature(lead))
    }

    /// The lead that a link's token names, if it is signed by this key.
    pub fn unsubscribing(&self, token: &str) -> Option<LeadId> {
        let (lead, signature) = token.split_once('.')?;
        let lead = LeadId::new(lead);
        let given = from_hex(signature)?;
        self.mac(&lead)?.verify_truncated_left(&given).ok().filter(|()| given.len() == SIGNATURE_BYTES)?;
        Some(lead)
    }

    fn signature(&self, lead: &LeadId) -> String {
        let bytes = self.mac(lead).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
        bytes.iter().take(SIGNATURE_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    fn mac(&self, lead: &LeadId) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(b"unsubscribe ");
        mac.update(lead.as_str().as_bytes());
        Some(mac)
    }
}

/// 128 bits: nobody guesses it, and the link stays short.
const SIGNATURE_BYTES: usize = 16;

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_link_signed_by_the_key_names_its_lead() {
        let key = LinkKey::new("one");
        let lead = LeadId::new("abc123");
        let url = key.unsubscribe_url("https://example.com/unsubscribe/", &lead);
        let token = url.strip_prefix("https://example.com/unsubscribe/").unwrap();
        assert_eq!(key.unsubscribing(token), Some(lead));
        assert_eq!(LinkKey::new("two").unsubscribing(token), None, "another key");
        let cut = &token[..token.len() - 2];
        for forged in ["abc123.", "abc123.00", "abc124.00112233445566778899aabbccddeeff", cut, "abc123", "", "é.é"] {
            assert_eq!(key.unsubscribing(forged), None, "{forged}");
        }
    }
}
