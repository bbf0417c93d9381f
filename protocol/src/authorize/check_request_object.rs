//! `request` and `request_uri` are refused rather than ignored: their content would be lost (OIDC Core §6.1,
//! §6.2; conformance module `oidcc-unsigned-request-object-…`).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    for (name, reason) in
        [("request", Reason::RequestObjectUnsupported), ("request_uri", Reason::RequestUriUnsupported)]
    {
        if draft.params.get(name).is_some() {
            return Err(Refusal::new(reason).parameter(name));
        }
    }
    Ok(())
}
