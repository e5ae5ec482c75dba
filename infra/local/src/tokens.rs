//! The users' tokens: signed here, as an identity provider would, and verified here, as API Gateway's JWT authorizer does.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Signs and verifies the tokens of one local cloud.
#[derive(Clone)]
pub struct Tokens {
    key: Vec<u8>,
}

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("the token could not be signed")]
pub struct TokenError(#[from] jsonwebtoken::errors::Error);

const ISSUER: &str = "https://local.example.com";
const AUDIENCE: &str = "cadence";
/// A laptop's tokens outlive its sessions.
const LASTS: TimeDelta = TimeDelta::days(365);

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    iss: String,
    aud: String,
    exp: i64,
}

impl Tokens {
    /// Tokens signed with that key.
    pub fn new(key: Vec<u8>) -> Self {
        Self { key }
    }

    /// A token for a user.
    pub fn issue(&self, user: &str, now: DateTime<Utc>) -> Result<String, TokenError> {
        let claims = Claims {
            sub: user.to_owned(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            exp: (now + LASTS).timestamp(),
        };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&self.key))?)
    }

    /// The claims of a token that is whole, ours and not over; `None` for any other.
    pub(crate) fn claims(&self, token: &str, now: DateTime<Utc>) -> Option<Value> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // The cloud has its own clock, so the end of the token is looked at below.
        validation.validate_exp = false;
        let decoded = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&self.key), &validation).ok()?;
        let is_over = decoded.claims.exp <= now.timestamp();
        serde_json::to_value(decoded.claims).ok().filter(|_| !is_over)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_token_of_ours_that_is_not_over_has_claims() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let tokens = Tokens::new(b"key".to_vec());
        let token = tokens.issue("lo-riley", now).unwrap();
        assert_eq!(tokens.claims(&token, now).unwrap()["sub"], "lo-riley");
        assert_eq!(tokens.claims(&token, now + TimeDelta::days(366)), None, "over");
        assert_eq!(Tokens::new(b"other".to_vec()).claims(&token, now), None, "another key");
        for broken in ["", "a.b.c", token.trim_end_matches(|c| c != '.')] {
            assert_eq!(tokens.claims(broken, now), None, "{broken}");
        }
    }
}
