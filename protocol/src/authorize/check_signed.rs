//! Where a profile demands it, a request comes in an object that its client signed (FAPI 2.0 Message Signing §5.3.1,
//! FAPI 1.0 Part 2: Advanced §5.2.2 (1)). A pushed one was checked when it was pushed.

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::profile::Rules;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let required = Rules::of(cx.server, draft.client).requires_signed_requests();
    if required && !draft.envelope.signed && !draft.envelope.pushed {
        return Err(Refusal::new(Reason::SignedRequestRequired).parameter("request"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::authorize::{Envelope, push, validate};
    use crate::error::Reason;

    const PKCE: [(&str, &str); 2] = [
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];

    #[test]
    fn fapi2_message_signing_an_unsigned_request_is_refused_when_it_is_pushed() {
        let mut trial = Trial::default();
        trial.world.server.profile = "fapi_20_message_signing".parse().unwrap();
        let params = trial.params(&PKCE);
        let unsigned = push(&params, &Envelope::default(), Some(&trial.client), &mut trial.world.cx());
        assert_eq!(unsigned.unwrap_err().reason, Reason::SignedRequestRequired);
        let signed = Envelope { signed: true, ..Envelope::default() };
        assert_eq!(push(&params, &signed, Some(&trial.client), &mut trial.world.cx()), Ok(()));
        let pushed = Envelope { pushed: true, ..Envelope::default() };
        assert!(validate(&params, &pushed, Some(&trial.client), &mut trial.world.cx()).is_ok());
    }

    #[test]
    fn a_client_may_be_stricter_than_its_workspace() {
        let mut trial = Trial::default();
        assert!(trial.run(&PKCE).is_ok());
        trial.client.profile = Some("fapi_20_message_signing".parse().unwrap());
        assert_eq!(trial.refused(&PKCE), Reason::PushedRequestRequired);
    }
}
