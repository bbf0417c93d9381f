//! A client that must push its requests cannot send them by the browser (RFC 9126 §6; attack PAR-09).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    if draft.client.require_pushed_authorization_requests {
        return Err(Refusal::new(Reason::PushedRequestRequired).parameter("request_uri"));
    }
    Ok(())
}
