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

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn par_09_the_requirement_cannot_be_bypassed() {
        let mut trial = Trial::default();
        trial.client.require_pushed_authorization_requests = true;
        assert_eq!(trial.refused(&[]), Reason::PushedRequestRequired);
    }
}
