//! `registration` is for self-issued providers and refused (OIDC Core §7.2.1).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    match draft.params.get("registration") {
        Some(_) => Err(Refusal::new(Reason::RegistrationUnsupported).parameter("registration")),
        None => Ok(()),
    }
}
