//! `code_challenge` is there when it must be and well formed when it is (RFC 7636 §4.3, §4.4.1; RFC 9700
//! §2.1.1; decisions 1).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::pkce::CodeChallenge;
use crate::profile::Rules;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let rules = Rules::of(cx.server, draft.client);
    let challenge = CodeChallenge::from_params(draft.params, cx.server, rules)?;
    let of_public = cx.server.enforce_pkce_for_public_clients && draft.client.is_public();
    let required = cx.server.enforce_pkce || rules.requires_pkce() || of_public;
    // Without a code there is nothing to prove later.
    let required = required && draft.request.response_type.has_code();
    if challenge.is_none() && required {
        return Err(Refusal::new(Reason::CodeChallengeMissing).parameter("code_challenge"));
    }
    draft.request.code_challenge = challenge;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    const CHALLENGE: (&str, &str) = ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    const S256: (&str, &str) = ("code_challenge_method", "S256");

    #[test]
    fn decisions_1_public_clients_must_use_it_and_any_client_if_the_workspace_says_so() {
        let mut trial = Trial::default();
        assert!(trial.run(&[]).is_ok());
        trial.world.server.enforce_pkce = true;
        assert_eq!(trial.refused(&[]), Reason::CodeChallengeMissing);
        assert!(trial.run(&[CHALLENGE, S256]).is_ok());
        let mut trial = Trial::public();
        assert_eq!(trial.refused(&[]), Reason::CodeChallengeMissing);
        trial.world.server.enforce_pkce_for_public_clients = false;
        assert!(trial.run(&[]).is_ok());
    }

    #[test]
    fn rfc7636_4_3_a_request_without_a_code_needs_no_challenge() {
        let mut trial = Trial::front_channel();
        trial.world.server.enforce_pkce = true;
        assert!(trial.run(&[("response_type", "id_token"), ("nonce", "n-1")]).is_ok());
        let hybrid = [("response_type", "code id_token"), ("nonce", "n-1")];
        assert_eq!(trial.refused(&hybrid), Reason::CodeChallengeMissing);
    }

    #[test]
    fn pkc_08_to_pkc_12_only_well_formed_s256() {
        let mut trial = Trial::public();
        assert_eq!(trial.refused(&[CHALLENGE]), Reason::CodeChallengeMethodUnsupported, "PKC-09");
        for method in ["plain", "s256", "S512", "none"] {
            let refused = trial.refused(&[CHALLENGE, ("code_challenge_method", method)]);
            assert_eq!(refused, Reason::CodeChallengeMethodUnsupported, "PKC-08, PKC-10");
        }
        assert_eq!(trial.refused(&[S256]), Reason::CodeChallengeMethodAlone, "PKC-11");
        for malformed in ["short", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", &"0".repeat(64)] {
            let refused = trial.refused(&[("code_challenge", malformed), S256]);
            assert_eq!(refused, Reason::CodeChallengeMalformed, "PKC-12");
        }
        trial.world.server.code_challenge_methods.push("plain".to_owned());
        assert!(trial.run(&[CHALLENGE]).is_ok());
    }
}
