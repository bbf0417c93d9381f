//! `response_type` is present, implemented, allowed in the workspace and registered for the client
//! (RFC 6749 §3.1.1, §4.1.2.1; RFC 7591 §2; attack AUT-19).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::response_type::{ResponseType, same_values};

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let refusal = |reason: Reason| Refusal::new(reason).parameter("response_type");
    let sent = draft.params.get("response_type").ok_or_else(|| refusal(Reason::ResponseTypeMissing))?;
    let response_type = ResponseType::parse(sent)
        .filter(|response_type| ResponseType::allowed(cx.server).any(|allowed| allowed == *response_type))
        .ok_or_else(|| {
            let allowed: Vec<_> = ResponseType::allowed(cx.server).map(ResponseType::name).collect();
            refusal(Reason::ResponseTypeUnsupported).received(sent).expected(allowed.join(", "))
        })?;
    let registered = &draft.client.response_types;
    if !registered.iter().any(|registered| same_values(registered, response_type.name())) {
        return Err(refusal(Reason::ResponseTypeNotRegistered)
            .received(sent)
            .expected(registered.join(", ")));
    }
    draft.request.response_type = response_type;
    Ok(())
}
