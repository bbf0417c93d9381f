//! `response_mode` is one of the implemented and allowed ones (OAuth Multiple Response Types §2.1). Comes first
//! of all that is answered to the client, so that every later refusal travels the way the client asked for.

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::Refusal;
use crate::response_mode;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    if let Some(name) = draft.params.get("response_mode") {
        draft.request.target.mode = response_mode::select(name, cx.server)?;
    }
    Ok(())
}
