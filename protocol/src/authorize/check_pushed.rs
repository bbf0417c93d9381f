//! Where requests must be pushed, by the client's or the workspace's word or by a profile, none comes by the browser (RFC 9126 §5, §6;
//! attack PAR-09).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::profile::Rules;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let required = draft.client.require_pushed_authorization_requests
        || cx.server.require_pushed_authorization_requests
        || Rules::of(cx.server, draft.client).requires_pushed_requests();
    if required && !draft.envelope.pushed {
        return Err(Refusal::new(Reason::PushedRequestRequired).parameter("request_uri"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::authorize::{Envelope, validate};
    use crate::error::Reason;

    #[test]
    fn par_09_the_requirement_cannot_be_bypassed() {
        let mut trial = Trial::default();
        trial.client.require_pushed_authorization_requests = true;
        assert_eq!(trial.refused(&[]), Reason::PushedRequestRequired);
        let params = trial.params(&[]);
        let pushed = Envelope { pushed: true, ..Envelope::default() };
        assert!(validate(&params, &pushed, Some(&trial.client), &mut trial.world.cx()).is_ok());
        let mut trial = Trial::default();
        trial.world.server.require_pushed_authorization_requests = true;
        assert_eq!(trial.refused(&[]), Reason::PushedRequestRequired);
    }
}
