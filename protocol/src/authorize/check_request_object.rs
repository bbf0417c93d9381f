//! What `request` and `request_uri` stand for was put in their place before the checks; why that could not be done is
//! told here. They are never ignored: their content would be lost (OIDC Core §6.1, §6.2; conformance module
//! `oidcc-unsigned-request-object-…`).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    if let Some(fault) = &draft.envelope.fault {
        return Err(fault.clone());
    }
    for (name, reason) in
        [("request", Reason::RequestObjectUnsupported), ("request_uri", Reason::RequestUriUnsupported)]
    {
        if draft.params.get(name).is_some() {
            return Err(Refusal::new(reason).parameter(name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn oidcc_unsigned_request_object_is_rejected_as_unsupported() {
        let mut trial = Trial::default();
        assert_eq!(trial.refused(&[("request", "e30.e30.")]), Reason::RequestObjectUnsupported);
        let code = trial.run(&[("request_uri", "https://app.example/r")]).unwrap_err().refusal().code();
        assert_eq!(code.name(), "request_uri_not_supported");
    }
}
