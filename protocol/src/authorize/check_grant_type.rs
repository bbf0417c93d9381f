//! The client may use the grant types that go with the response type (RFC 7591 §2.1; attack AUT-19).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let grant_types = draft.request.response_type.grant_types();
    if grant_types.iter().all(|grant_type| draft.client.registered_grant_type(grant_type)) {
        return Ok(());
    }
    Err(Refusal::new(Reason::GrantTypeNotRegistered)
        .received(draft.client.grant_types.join(", "))
        .expected(grant_types.join(" and ")))
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn aut_19_the_code_flow_needs_the_grant_type_too() {
        let mut trial = Trial::default();
        trial.client.grant_types = vec!["client_credentials".to_owned()];
        assert_eq!(trial.refused(&[]), Reason::GrantTypeNotRegistered);
        assert_eq!(trial.run(&[]).unwrap_err().refusal().code().name(), "unauthorized_client");
    }

    #[test]
    fn aut_19_a_hybrid_flow_needs_both_grant_types() {
        let mut trial = Trial::front_channel();
        let hybrid = [("response_type", "code id_token"), ("nonce", "n-1")];
        assert!(trial.run(&hybrid).is_ok());
        for lacking in ["authorization_code", "implicit"] {
            let mut trial = Trial::front_channel();
            trial.client.grant_types.retain(|grant_type| grant_type != lacking);
            assert_eq!(trial.refused(&hybrid), Reason::GrantTypeNotRegistered);
        }
    }
}
