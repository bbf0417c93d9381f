//! `login_hint` is kept for the login page, if it has a sane length (OIDC Core §3.1.2.1).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

/// Longest `login_hint`, in bytes: an address has at most 254 (RFC 5321 §4.5.3.1.3).
const MAX_LOGIN_HINT_BYTES: usize = 1024;

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let hint = draft.params.get("login_hint");
    if hint.is_some_and(|hint| hint.len() > MAX_LOGIN_HINT_BYTES) {
        return Err(Refusal::new(Reason::ParameterTooLong)
            .parameter("login_hint")
            .expected(format!("at most {MAX_LOGIN_HINT_BYTES} bytes")));
    }
    draft.request.login_hint = hint.map(str::to_owned);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn oidcc_login_hint_is_accepted_and_bounded() {
        let mut trial = Trial::default();
        assert_eq!(
            trial.run(&[("login_hint", "ada@example.org")]).unwrap().login_hint.unwrap(),
            "ada@example.org"
        );
        assert_eq!(trial.refused(&[("login_hint", &"a".repeat(2000))]), Reason::ParameterTooLong);
    }
}
