//! `resource` names services of the workspace (RFC 8707 §2).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::Refusal;
use crate::resource;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    draft.request.resource = resource::requested(draft.params, cx)?;
    Ok(())
}
