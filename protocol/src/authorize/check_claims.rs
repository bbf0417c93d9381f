//! `claims` is a JSON object of the form of OIDC Core §5.5 (attack AUT-23).

use super::claims_request::ClaimsRequest;
use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    if let Some(sent) = draft.params.get("claims") {
        let claims = ClaimsRequest::parse(sent).map_err(|expected| {
            Refusal::new(Reason::ClaimsMalformed).parameter("claims").received(sent).expected(expected)
        })?;
        draft.request.claims = Some(claims);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn aut_23_a_malformed_claims_parameter_is_an_error_at_the_client() {
        let mut trial = Trial::default();
        for bad in ["{", "[]", r#"{"userinfo":1}"#, r#"{"id_token":{"sub":[]}}"#] {
            assert_eq!(trial.refused(&[("claims", bad)]), Reason::ClaimsMalformed, "{bad}");
        }
        let request = trial.run(&[("claims", r#"{"userinfo":{"name":{"essential":true}}}"#)]).unwrap();
        assert!(request.claims.unwrap().userinfo["name"].essential);
    }
}
