//! `nonce` is kept as it came (OIDC Core §3.1.2.1). Optional for the code flow; REQUIRED where an ID token leaves the
//! authorization endpoint (OIDC Core §3.2.2.1, §3.3.2.11; attack AUT-25).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

/// Longest `nonce`, in bytes: it is stored and goes into a token.
const MAX_NONCE_BYTES: usize = 2048;

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let nonce = draft.params.get("nonce");
    if nonce.is_some_and(|nonce| nonce.len() > MAX_NONCE_BYTES) {
        return Err(Refusal::new(Reason::ParameterTooLong)
            .parameter("nonce")
            .expected(format!("at most {MAX_NONCE_BYTES} bytes")));
    }
    if nonce.is_none() && draft.request.response_type.has_id_token() {
        return Err(Refusal::new(Reason::NonceMissing).parameter("nonce"));
    }
    draft.request.nonce = nonce.map(str::to_owned);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn oidcc_nonce_is_optional_and_kept_as_it_came() {
        let mut trial = Trial::default();
        assert_eq!(trial.run(&[]).unwrap().nonce, None);
        let long = "a \u{e9}\r\n".repeat(64);
        assert_eq!(trial.run(&[("nonce", &long)]).unwrap().nonce, Some(long));
        assert_eq!(trial.refused(&[("nonce", &"n".repeat(2049))]), Reason::ParameterTooLong);
    }

    /// `oidcc-ensure-request-without-nonce-fails`, and `…-succeeds-for-code-flow`, which counts `code token` in.
    #[test]
    fn aut_25_an_id_token_of_the_authorization_endpoint_needs_a_nonce() {
        let mut trial = Trial::front_channel();
        for needs in ["id_token", "id_token token", "code id_token", "code id_token token"] {
            assert_eq!(trial.refused(&[("response_type", needs)]), Reason::NonceMissing, "{needs}");
            assert!(trial.run(&[("response_type", needs), ("nonce", "n-1")]).is_ok());
        }
        for free in ["code", "token", "code token"] {
            assert!(trial.run(&[("response_type", free)]).is_ok(), "{free}");
        }
    }
}
