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
