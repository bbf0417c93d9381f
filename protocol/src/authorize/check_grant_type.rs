//! The client may use the grant type that goes with the response type (RFC 7591 §2.1; attack AUT-19).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let grant_type = draft.request.response_type.grant_type();
    if !draft.client.registered_grant_type(grant_type) {
        return Err(Refusal::new(Reason::GrantTypeNotRegistered)
            .received(draft.client.grant_types.join(", "))
            .expected(grant_type));
    }
    Ok(())
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
}
