//! `dpop_jkt` names the key that the code is redeemed with (RFC 9449 §10). Tokens that leave the authorization endpoint
//! itself can be bound to no key, so a client that must bind its tokens gets none there (RFC 9449 §5.2).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::dpop;
use crate::error::{Reason, Refusal};
use crate::sender_constraint;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let jkt = draft.params.get("dpop_jkt");
    if let Some(strange) = jkt.filter(|jkt| !dpop::is_thumbprint(jkt)) {
        return Err(Refusal::new(Reason::ParameterInvalid)
            .parameter("dpop_jkt")
            .received(strange)
            .expected("the SHA-256 thumbprint of a key in base64url"));
    }
    if draft.request.response_type.has_token() && sender_constraint::required(draft.client, cx).is_some() {
        return Err(Refusal::new(Reason::TokensCannotBeBound)
            .parameter("response_type")
            .received(draft.request.response_type.name()));
    }
    draft.request.dpop_jkt = jkt.map(str::to_owned);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn rfc9449_10_a_thumbprint_is_kept_and_nothing_else_is_one() {
        let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        let mut trial = Trial::default();
        assert_eq!(trial.run(&[("dpop_jkt", jkt)]).unwrap().dpop_jkt.as_deref(), Some(jkt));
        assert_eq!(trial.run(&[]).unwrap().dpop_jkt, None);
        for strange in ["x", &jkt[1..], &format!("{jkt}A"), &format!("{}!", &jkt[..42])] {
            assert_eq!(trial.refused(&[("dpop_jkt", strange)]), Reason::ParameterInvalid, "{strange}");
        }
    }

    #[test]
    fn rfc9449_5_2_no_unbound_token_for_a_client_that_must_bind_them() {
        let mut trial = Trial::front_channel();
        let hybrid = [("response_type", "code id_token token"), ("nonce", "n")];
        assert!(trial.run(&hybrid).is_ok());
        trial.client.dpop_bound_access_tokens = true;
        assert_eq!(trial.refused(&hybrid), Reason::TokensCannotBeBound);
        assert!(trial.run(&[("response_type", "code id_token"), ("nonce", "n")]).is_ok());
    }
}
