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
