//! `nonce` is kept as it came (OIDC Core §3.1.2.1). Optional for the code flow; it is REQUIRED only where an ID
//! token leaves the authorization endpoint (OIDC Core §3.2.2.1), which no implemented response type does.

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
}
