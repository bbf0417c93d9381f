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

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn oidc_core_7_2_1_registration_is_refused() {
        assert_eq!(Trial::default().refused(&[("registration", "{}")]), Reason::RegistrationUnsupported);
    }
}
