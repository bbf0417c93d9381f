//! `WWW-Authenticate`: how a refusal asks for other credentials (RFC 9110 §11.6.1).

use crate::confirmation::TokenType;
use crate::error::{ErrorCode, Reason, Refusal};

/// The challenges of a refusal, one header line each; none where there is nothing to ask for (RFC 6749 §5.2, RFC 6750
/// §3, RFC 9449 §7.1; attack CAU-15). Descriptions have no quotes by RFC 6749 §5.2.
pub fn challenges(refusal: &Refusal, realm: &str) -> Vec<String> {
    match refusal.code() {
        ErrorCode::InvalidClient if asks_for_header(refusal) => {
            vec![format!("Basic realm=\"{realm}\", charset=\"UTF-8\"")]
        }
        ErrorCode::InvalidToken
        | ErrorCode::InsufficientScope
        | ErrorCode::InsufficientUserAuthentication => of_resource(refusal, realm),
        // RFC 6750 §3: the protected resource names the scheme in every refusal that is about the token.
        ErrorCode::InvalidRequest if is_about_access_token(refusal) => of_resource(refusal, realm),
        // At the token endpoint these are plain errors (RFC 9449 §5, §8).
        ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce if refusal.challenge.is_some() => {
            of_resource(refusal, realm)
        }
        _ => Vec::new(),
    }
}

/// RFC 6749 §5.2: the scheme that the client used is told, to who used the header, and to who showed nothing. Whoever
/// authenticates by the body learns the error from there: client libraries take any challenge for a wish to get another
/// header, and hide `invalid_client` behind it. So that 401 names no scheme, which RFC 9110 §15.5.2 wants of every 401:
/// there is none to name, for what the client used is no HTTP authentication, and its libraries know the error by the
/// status that RFC 6749 §5.2 gives it.
fn asks_for_header(refusal: &Refusal) -> bool {
    refusal.by_header
        || matches!(
            refusal.reason,
            Reason::ClientAuthenticationMissing | Reason::AuthorizationHeaderMalformed
        )
}

fn is_about_access_token(refusal: &Refusal) -> bool {
    refusal.reason == Reason::TokenTwice
        || refusal.reason == Reason::ParametersInQuery && refusal.parameter.as_deref() == Some("access_token")
}

/// The scheme that was used is told what is wrong; a request with a bearer token, or without any, learns that there is
/// DPoP too (RFC 9449 §7.2).
fn of_resource(refusal: &Refusal, realm: &str) -> Vec<String> {
    let entry = refusal.entry();
    let (error, description) = (entry.code.name(), entry.description);
    let mut told = format!("realm=\"{realm}\"");
    // RFC 6750 §3.1: a request without a token is not told an error.
    if refusal.reason != Reason::TokenMissing {
        told.push_str(&format!(", error=\"{error}\", error_description=\"{description}\""));
    }
    if entry.code == ErrorCode::InsufficientScope {
        told.push_str(&format!(", scope=\"{}\"", missing_scope(refusal)));
    }
    // RFC 9470 §3: `acr_values` and `max_age`, as the rule wrote them.
    if entry.code == ErrorCode::InsufficientUserAuthentication {
        told.push_str(&format!(", {}", refusal.expected.as_deref().unwrap_or_default()));
    }
    let bearer = TokenType::Bearer.scheme();
    let dpop = TokenType::Dpop.scheme();
    match &refusal.challenge {
        None => vec![format!("{bearer} {told}")],
        Some(challenge) => {
            let algorithms = &challenge.algorithms;
            match challenge.scheme {
                TokenType::Dpop => vec![format!("{dpop} {told}, algs=\"{algorithms}\"")],
                TokenType::Bearer => {
                    vec![
                        format!("{bearer} {told}"),
                        format!("{dpop} realm=\"{realm}\", algs=\"{algorithms}\""),
                    ]
                }
            }
        }
    }
}

/// The scope that would do, as far as it is one (RFC 6750 §3).
fn missing_scope(refusal: &Refusal) -> &str {
    let scope = refusal.expected.as_deref().unwrap_or("openid");
    let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    if scope.bytes().all(allowed) { scope } else { "openid" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Challenge;

    fn of(refusal: impl Into<Refusal>) -> Vec<String> {
        challenges(&refusal.into(), "Postern")
    }

    fn with(scheme: TokenType, reason: Reason) -> Vec<String> {
        let challenge = Some(Box::new(Challenge { scheme, algorithms: "ES256 PS256".to_owned() }));
        of(Refusal { challenge, ..reason.into() })
    }

    #[test]
    fn cau_15_a_failed_client_authentication_by_header_is_challenged() {
        let by_header = |by_header| Refusal { by_header, ..Reason::ClientSecretWrong.into() };
        let basic = ["Basic realm=\"Postern\", charset=\"UTF-8\""];
        assert_eq!(of(by_header(true)), basic);
        assert_eq!(of(Reason::ClientAuthenticationMissing), basic);
        assert_eq!(of(Reason::AuthorizationHeaderMalformed), basic);
        assert!(of(by_header(false)).is_empty());
    }

    #[test]
    fn rfc6750_3_the_bearer_challenge_names_error_and_scope_but_not_for_a_missing_token() {
        assert_eq!(of(Reason::TokenMissing), ["Bearer realm=\"Postern\""]);
        assert!(of(Reason::TokenExpired)[0].contains("error=\"invalid_token\""));
        let insufficient = of(Reason::TokenWithoutOpenid);
        assert!(
            insufficient[0].contains("insufficient_scope") && insufficient[0].contains("scope=\"openid\"")
        );
        let odd = Refusal::new(Reason::ScopeInsufficient).expected("a\", error=\"none");
        assert!(of(odd)[0].contains("scope=\"openid\""));
        assert!(of(Reason::TokenTwice)[0].contains("invalid_request"));
        assert!(of(Reason::ParameterMissing).is_empty());
    }

    #[test]
    fn rfc9449_7_1_the_dpop_challenge_names_error_and_algorithms() {
        let missing = with(TokenType::Bearer, Reason::TokenMissing);
        assert_eq!(missing, ["Bearer realm=\"Postern\"", "DPoP realm=\"Postern\", algs=\"ES256 PS256\""]);
        let wrong = with(TokenType::Dpop, Reason::DpopProofAth);
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].starts_with("DPoP ") && wrong[0].contains("error=\"invalid_dpop_proof\""));
        assert!(wrong[0].ends_with("algs=\"ES256 PS256\""));
        assert!(with(TokenType::Dpop, Reason::DpopNonceNeeded)[0].contains("error=\"use_dpop_nonce\""));
        let downgrade = with(TokenType::Bearer, Reason::TokenBoundToKey);
        assert!(downgrade[0].contains("error=\"invalid_token\"") && downgrade[1].starts_with("DPoP "));
        assert!(of(Reason::DpopProofAth).is_empty(), "the token endpoint does not challenge");
    }
}
