//! `cnf`: the key whose holder alone may use a token (RFC 7800 §3).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A key that something is bound to, in the form of the claim `cnf`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Confirmation {
    /// Thumbprint (RFC 7638) of the key that signs DPoP proofs (RFC 9449 §6.1).
    #[serde(rename = "jkt")]
    Jkt(String),
}

/// A `cnf` that is not of a kind known here. Such a token is bound, and nobody can say to what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownConfirmation;

impl Confirmation {
    /// What the claims of an access token say; `None` for a token that is not bound.
    ///
    /// # Errors
    /// A `cnf` that cannot be read: it must not pass for none.
    pub fn of_claims(claims: &Map<String, Value>) -> Result<Option<Self>, UnknownConfirmation> {
        match claims.get("cnf") {
            None => Ok(None),
            Some(cnf) => serde_json::from_value(cnf.clone()).map(Some).map_err(|_| UnknownConfirmation),
        }
    }

    /// How a token that is bound to this is used.
    pub const fn token_type(&self) -> TokenType {
        match self {
            Self::Jkt(_) => TokenType::Dpop,
        }
    }
}

/// `token_type` (RFC 6749 §7.1), which is the scheme of the header `Authorization` too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenType {
    /// RFC 6750.
    Bearer,
    /// RFC 9449 §5.
    Dpop,
}

impl TokenType {
    pub const ALL: &'static [Self] = &[Self::Bearer, Self::Dpop];

    /// How a token is used that is bound to this, if to anything.
    pub fn of(confirmation: Option<&Confirmation>) -> Self {
        confirmation.map_or(Self::Bearer, Confirmation::token_type)
    }

    /// The scheme of `Authorization` and `WWW-Authenticate`.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// As it stands in answers. Clients compare without case (RFC 6749 §5.1); the contract's spelling is kept.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// The type that a scheme stands for; its case does not matter (RFC 9110 §11.1).
    pub fn of_scheme(scheme: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.scheme().eq_ignore_ascii_case(scheme))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(claims: Value) -> Result<Option<Confirmation>, UnknownConfirmation> {
        Confirmation::of_claims(claims.as_object().unwrap())
    }

    #[test]
    fn rfc7800_3_a_cnf_that_is_not_understood_does_not_pass_for_none() {
        assert_eq!(of(json!({"sub": "x"})), Ok(None));
        assert_eq!(of(json!({"cnf": {"jkt": "t"}})), Ok(Some(Confirmation::Jkt("t".to_owned()))));
        for strange in [json!({}), json!({"kid": "1"}), json!({"jkt": 1}), json!("t"), json!(null)] {
            assert_eq!(of(json!({ "cnf": strange })), Err(UnknownConfirmation), "{strange}");
        }
    }

    #[test]
    fn rfc9110_11_1_schemes_have_no_case() {
        for scheme in ["dPOP", "DPoP", "dpop"] {
            assert_eq!(TokenType::of_scheme(scheme), Some(TokenType::Dpop));
        }
        assert_eq!(TokenType::of_scheme("bEARER"), Some(TokenType::Bearer));
        assert_eq!(TokenType::of_scheme("Basic"), None);
    }
}
