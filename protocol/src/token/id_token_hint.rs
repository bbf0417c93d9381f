//! An ID token that comes back as `id_token_hint` (OIDC Core §3.1.2.1, OIDC RP-Initiated Logout §2).

use crate::decision::Cx;
use crate::encryption::{CONTENT_ENCRYPTION, KEY_MANAGEMENT};
use crate::time::Timestamp;
use jose::{Algorithm, Jwe, UnverifiedJwt};
use std::borrow::Cow;

/// An ID token of this workspace, by its signature. It may have expired.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdTokenHint {
    /// `sub` as the client sees it.
    pub sub: String,
    /// The session in which it was issued.
    pub sid: Option<String>,
    pub audiences: Vec<String>,
    pub issued_at: Timestamp,
}

impl IdTokenHint {
    /// Reads a token that this workspace signed. It may be encrypted, but to a key of ours: what was encrypted to the
    /// client, the client decrypts first (OIDC Core §3.1.2.1).
    ///
    /// # Errors
    /// What was expected instead.
    pub fn verify(hint: &str, cx: &Cx<'_>) -> Result<Self, &'static str> {
        let signed = decrypt(hint, cx)?;
        let unverified = UnverifiedJwt::parse(&signed).map_err(|_| "a signed JWT")?;
        let token = unverified
            .verify_any(cx.keys, Algorithm::ASYMMETRIC)
            .map_err(|_| "a signature by a key of this workspace")?;
        // Access tokens are signed with the same keys (RFC 9068 §2.1, RFC 8725 §3.11); those of the profile `acp`
        // have `typ: JWT` and `scp`. Logout tokens have `events` (OIDC Back-Channel Logout §2.4).
        let is_jwt = token.header.typ.is_none() || token.header.is_type("JWT");
        if !is_jwt || token.claims.contains_key("scp") || token.claims.contains_key("events") {
            return Err("an ID token");
        }
        if token.str("iss") != Some(cx.issuer) {
            return Err("iss of this workspace");
        }
        let seconds = token.claims.get("iat").and_then(serde_json::Value::as_i64).unwrap_or_default();
        Ok(Self {
            sub: token.str("sub").map(str::to_owned).ok_or("sub")?,
            sid: token.str("sid").map(str::to_owned),
            audiences: token.audiences().into_iter().map(str::to_owned).collect(),
            issued_at: Timestamp::from_seconds(seconds),
        })
    }

    /// Whether it was issued to the client of that id.
    pub fn is_for(&self, client_id: &str) -> bool {
        self.audiences.iter().any(|audience| audience == client_id)
    }
}

/// The signed token, taken out of an encrypted one.
fn decrypt<'a>(hint: &'a str, cx: &Cx<'_>) -> Result<Cow<'a, str>, &'static str> {
    if !Jwe::is_jwe(hint) {
        return Ok(Cow::Borrowed(hint));
    }
    let ours =
        "the signed ID token out of the encrypted one, or one that is encrypted to a key of this workspace";
    let jwe = Jwe::parse(hint).map_err(|_| ours)?;
    let opened =
        jwe.decrypt(cx.decryption_keys.opened(), KEY_MANAGEMENT, CONTENT_ENCRYPTION).map_err(|_| ours)?;
    std::str::from_utf8(&opened).map(|signed| Cow::Owned(signed.to_owned())).map_err(|_| "a signed JWT")
}
