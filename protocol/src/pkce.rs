//! Proof Key for Code Exchange (RFC 7636).

use crate::error::{Reason, Refusal};
use crate::params::Params;
use crate::profile::Rules;
use crate::server::Server;
use jose::base64url;
use serde::{Deserialize, Serialize};

/// Characters of a verifier, and of a `plain` challenge (RFC 7636 §4.1, §4.2).
pub const MIN_VERIFIER: usize = 43;
pub const MAX_VERIFIER: usize = 128;
/// Characters of an `S256` challenge: SHA-256 in base64url without padding (RFC 7636 §4.2).
pub const S256_CHALLENGE: usize = 43;

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

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method` of an authorization request.
    ///
    /// # Errors
    /// A method without a challenge, one that the workspace or a profile does not allow (an omitted one means `plain`,
    /// RFC 7636 §4.3), a malformed challenge.
    pub fn from_params(params: &Params, server: &Server, rules: Rules) -> Result<Option<Self>, Refusal> {
        let method = params.get("code_challenge_method");
        let Some(value) = params.get("code_challenge") else {
            return match method {
                None => Ok(None),
                Some(name) => Err(Refusal::new(Reason::CodeChallengeMethodAlone)
                    .parameter("code_challenge_method")
                    .received(name)),
            };
        };
        // RFC 7636 §4.3: the default is plain, which decisions 1 leaves off unless the workspace lists it.
        let name = method.unwrap_or(CodeChallengeMethod::Plain.name());
        let allowed = server.code_challenge_methods.iter().any(|m| m == name);
        let usable = |method: &CodeChallengeMethod| allowed && rules.allows_challenge_method(*method);
        let method = CodeChallengeMethod::parse(name).filter(usable).ok_or_else(|| {
            Refusal::new(Reason::CodeChallengeMethodUnsupported)
                .parameter("code_challenge_method")
                .received(method.unwrap_or("nothing, which means plain"))
                .expected(server.code_challenge_methods.join(" or "))
        })?;
        Self::new(value, method).map(Some)
    }

    /// A challenge whose form is right (RFC 7636 §4.2).
    ///
    /// # Errors
    /// [`Reason::CodeChallengeMalformed`] for a wrong length or a character outside the alphabet.
    pub fn new(value: &str, method: CodeChallengeMethod) -> Result<Self, Refusal> {
        let well_formed = match method {
            // Decoding refuses padding and anything that is not the one canonical spelling.
            CodeChallengeMethod::S256 => value.len() == S256_CHALLENGE && base64url::decode(value).is_ok(),
            CodeChallengeMethod::Plain => is_verifier(value),
        };
        if !well_formed {
            return Err(Refusal::new(Reason::CodeChallengeMalformed)
                .parameter("code_challenge")
                .received(format!("{} bytes", value.len()))
                .expected("43 characters of base64url without padding"));
        }
        Ok(Self { value: value.to_owned(), method })
    }

    /// Whether `verifier` is the one that the challenge was made from; compared in constant time
    /// (RFC 7636 §4.6, attack W-04). The verifier is taken as it is: nothing is trimmed (attack PKC-16).
    ///
    /// # Errors
    /// [`Reason::CodeVerifierMalformed`] before anything is hashed (attack PKC-14), else
    /// [`Reason::CodeVerifierWrong`].
    pub fn verify(&self, verifier: &str) -> Result<(), Refusal> {
        if !is_verifier(verifier) {
            return Err(Refusal::new(Reason::CodeVerifierMalformed)
                .parameter("code_verifier")
                .received(format!("{} bytes", verifier.len()))
                .expected("43 to 128 characters of A-Z a-z 0-9 - . _ ~"));
        }
        let holds = match self.method {
            CodeChallengeMethod::S256 => {
                let made = base64url::encode(&jose::sha256(verifier.as_bytes()));
                jose::constant_time_eq(made.as_bytes(), self.value.as_bytes())
            }
            CodeChallengeMethod::Plain => jose::constant_time_eq(verifier.as_bytes(), self.value.as_bytes()),
        };
        if holds { Ok(()) } else { Err(Refusal::new(Reason::CodeVerifierWrong).parameter("code_verifier")) }
    }
}

/// `43*128unreserved` (RFC 7636 §4.1).
fn is_verifier(text: &str) -> bool {
    (MIN_VERIFIER..=MAX_VERIFIER).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn from(query: &str, methods: &[&str]) -> Result<Option<CodeChallenge>, Reason> {
        let server = Server {
            code_challenge_methods: methods.iter().map(|m| (*m).to_owned()).collect(),
            ..Server::default()
        };
        let params = Params::parse(query.as_bytes()).ok().unwrap();
        CodeChallenge::from_params(&params, &server, Rules::of_workspace(&server)).map_err(|r| r.reason)
    }

    fn verify(challenge: &CodeChallenge, verifier: &str) -> Result<(), Reason> {
        challenge.verify(verifier).map_err(|r| r.reason)
    }

    #[test]
    fn rfc7636_appendix_b_and_4_6_s256() {
        let challenge = CodeChallenge::new(CHALLENGE, CodeChallengeMethod::S256).unwrap();
        assert_eq!(verify(&challenge, VERIFIER), Ok(()));
    }

    #[test]
    fn pkc_05_pkc_06_a_wrong_verifier_or_the_challenge_itself_is_refused() {
        let challenge = CodeChallenge::new(CHALLENGE, CodeChallengeMethod::S256).unwrap();
        let mut near = VERIFIER.to_owned();
        near.replace_range(42..43, "l");
        for wrong in [near.as_str(), CHALLENGE, &VERIFIER.to_ascii_lowercase()] {
            assert_eq!(verify(&challenge, wrong), Err(Reason::CodeVerifierWrong), "{wrong}");
        }
    }

    #[test]
    fn pkc_08_pkc_09_plain_only_where_the_workspace_lists_it() {
        let unsupported = Err(Reason::CodeChallengeMethodUnsupported);
        assert_eq!(from(&format!("code_challenge={VERIFIER}"), &["S256"]), unsupported);
        assert_eq!(
            from(&format!("code_challenge={VERIFIER}&code_challenge_method=plain"), &["S256"]),
            unsupported
        );
        let plain = from(&format!("code_challenge={VERIFIER}"), &["S256", "plain"]).unwrap().unwrap();
        assert_eq!(plain.method, CodeChallengeMethod::Plain);
        assert_eq!(verify(&plain, VERIFIER), Ok(()));
        assert_eq!(verify(&plain, CHALLENGE), Err(Reason::CodeVerifierWrong));
    }

    #[test]
    fn pkc_10_an_unknown_method_is_refused_whatever_the_workspace_lists() {
        for method in ["s256", "S512", "none", "SHA256"] {
            let query = format!("code_challenge={CHALLENGE}&code_challenge_method={method}");
            assert_eq!(from(&query, &["S256", method]), Err(Reason::CodeChallengeMethodUnsupported));
        }
    }

    #[test]
    fn pkc_11_a_method_without_challenge_is_refused() {
        assert_eq!(from("code_challenge_method=S256", &["S256"]), Err(Reason::CodeChallengeMethodAlone));
        assert_eq!(from("x=y", &["S256"]), Ok(None));
    }

    #[test]
    fn pkc_12_a_malformed_challenge_is_refused() {
        let hex = "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3";
        let padded = format!("{CHALLENGE}%3D");
        for bad in [hex, &padded, "short", &CHALLENGE.replace('-', "%2B"), &format!("{CHALLENGE}A")] {
            let query = format!("code_challenge={bad}&code_challenge_method=S256");
            assert_eq!(from(&query, &["S256"]), Err(Reason::CodeChallengeMalformed), "{bad}");
        }
    }

    #[test]
    fn pkc_13_to_16_a_verifier_of_wrong_length_or_alphabet_is_refused() {
        let challenge = CodeChallenge::new(CHALLENGE, CodeChallengeMethod::S256).unwrap();
        let long = "a".repeat(129);
        let (padded, spaced) = (format!("{VERIFIER}="), format!(" {VERIFIER}"));
        let short = VERIFIER.split_at(42).0;
        for bad in ["", short, &long, &padded, &spaced, &format!("{VERIFIER}\n"), &"ä".repeat(30)] {
            assert_eq!(verify(&challenge, bad), Err(Reason::CodeVerifierMalformed), "{bad}");
        }
    }
}
