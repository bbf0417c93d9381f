//! `response_type` is present, implemented, allowed in the workspace and registered for the client
//! (RFC 6749 §3.1.1, §4.1.2.1; RFC 7591 §2; attack AUT-19).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::profile::Rules;
use crate::response_type::{ResponseType, same_values};

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let refusal = |reason: Reason| Refusal::new(reason).parameter("response_type");
    let rules = Rules::of(cx.server, draft.client);
    let sent = draft.params.get("response_type").ok_or_else(|| refusal(Reason::ResponseTypeMissing))?;
    let response_type = ResponseType::parse(sent)
        .filter(|response_type| {
            ResponseType::allowed(cx.server, rules).any(|allowed| allowed == *response_type)
        })
        .ok_or_else(|| {
            let allowed: Vec<_> = ResponseType::allowed(cx.server, rules).map(ResponseType::name).collect();
            refusal(Reason::ResponseTypeUnsupported).received(sent).expected(allowed.join(", "))
        })?;
    let registered = &draft.client.response_types;
    if !registered.iter().any(|registered| same_values(registered, response_type.name())) {
        return Err(refusal(Reason::ResponseTypeNotRegistered)
            .received(sent)
            .expected(registered.join(", ")));
    }
    draft.request.response_type = response_type;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::AuthorizeRefusal;
    use crate::authorize::trial::Trial;
    use crate::error::Reason;
    use crate::response_mode::ResponseMode;

    #[test]
    fn oidcc_response_type_missing() {
        assert_eq!(Trial::default().refused(&[("response_type", "")]), Reason::ResponseTypeMissing);
    }

    #[test]
    fn aut_19_only_registered_and_allowed_response_types() {
        let mut trial = Trial::default();
        for unsupported in ["token", "code id_token", "Code", "code code"] {
            assert_eq!(trial.refused(&[("response_type", unsupported)]), Reason::ResponseTypeUnsupported);
        }
        trial.client.response_types = vec!["code token".to_owned(), "id_token".to_owned()];
        assert_eq!(trial.refused(&[]), Reason::ResponseTypeNotRegistered);
        trial.client.response_types.push("code".to_owned());
        assert!(trial.run(&[]).is_ok());
        trial.world.server.grant_types.retain(|grant_type| grant_type != "authorization_code");
        assert_eq!(trial.refused(&[]), Reason::ResponseTypeUnsupported);
    }

    #[test]
    fn aut_20_the_refusal_of_a_token_type_is_in_the_fragment() {
        let refused = Trial::default().run(&[("response_type", "token")]).unwrap_err();
        let AuthorizeRefusal::Respond(_, target) = refused else { panic!("a page") };
        assert_eq!(target.mode, ResponseMode::Fragment);
    }
}
