//! Proof Key for Code Exchange (RFC 7636).

use serde::{Deserialize, Serialize};

/// How the challenge is made from the verifier (RFC 7636 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CodeChallengeMethod {
    S256,
    /// Only where the workspace lists it (RFC 9700 §2.1.1; decisions 1).
    #[serde(rename = "plain")]
    Plain,
}

impl CodeChallengeMethod {
    pub const ALL: &'static [Self] = &[Self::S256, Self::Plain];

    /// The value of `code_challenge_method`; compared case-sensitively (RFC 7636 §4.3).
    pub const fn name(self) -> &'static str {
        match self {
            Self::S256 => "S256",
            Self::Plain => "plain",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|method| method.name() == name)
    }
}

/// The challenge of an authorization request, as kept with its code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CodeChallenge {
    pub value: String,
    pub method: CodeChallengeMethod,
}
