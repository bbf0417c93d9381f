//! `code_challenge` is there when it must be and well formed when it is (RFC 7636 §4.3, §4.4.1; RFC 9700
//! §2.1.1; decisions 1).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::pkce::CodeChallenge;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let challenge = CodeChallenge::from_params(draft.params, cx.server)?;
    let required =
        cx.server.enforce_pkce || cx.server.enforce_pkce_for_public_clients && draft.client.is_public();
    if challenge.is_none() && required {
        return Err(Refusal::new(Reason::CodeChallengeMissing).parameter("code_challenge"));
    }
    draft.request.code_challenge = challenge;
    Ok(())
}
