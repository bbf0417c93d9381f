//! `response_mode` is one of the implemented and allowed ones, and never `query` where the default is the fragment
//! (OAuth Multiple Response Types §2.1, §5; attack AUT-20). Comes first of all that is answered to the client, so that
//! every later refusal travels the way the client asked for.

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::profile::Rules;
use crate::response_mode::{self, ResponseMode};

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    if let Some(name) = draft.params.get("response_mode") {
        let mode = response_mode::select(name, cx.server, Rules::of(cx.server, draft.client))?;
        // "Implementations MUST NOT use the query": it ends up in logs and in Referer headers.
        if mode == ResponseMode::Query && draft.request.target.mode == ResponseMode::Fragment {
            return Err(Refusal::new(Reason::ResponseModeUnsafe).parameter("response_mode").received(name));
        }
        draft.request.target.mode = mode;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::AuthorizeRefusal;
    use crate::authorize::trial::Trial;
    use crate::error::Reason;
    use crate::response_mode::ResponseMode;
    use crate::response_type::ResponseType;

    #[test]
    fn aut_21_an_unknown_response_mode_is_an_error_at_the_client() {
        let mut trial = Trial::default();
        assert_eq!(trial.refused(&[("response_mode", "jwt")]), Reason::ResponseModeUnsupported);
        let request = trial.run(&[("response_mode", "form_post")]).unwrap();
        assert_eq!(request.target.mode, ResponseMode::FormPost);
        trial.world.server.advanced.disallowed_response_modes = vec!["form_post".to_owned()];
        assert_eq!(trial.refused(&[("response_mode", "form_post")]), Reason::ResponseModeUnsupported);
    }

    #[test]
    fn aut_20_tokens_never_go_into_the_query() {
        for response_type in ResponseType::ALL.iter().filter(|kind| kind.has_token() || kind.has_id_token()) {
            let sent =
                |mode| [("response_type", response_type.name()), ("response_mode", mode), ("nonce", "n")];
            let mut trial = Trial::front_channel();
            assert_eq!(trial.run(&sent("")).unwrap().target.mode, ResponseMode::Fragment);
            assert_eq!(trial.run(&sent("form_post")).unwrap().target.mode, ResponseMode::FormPost);
            let AuthorizeRefusal::Respond(refusal, target) = trial.run(&sent("query")).unwrap_err() else {
                panic!("a page")
            };
            assert_eq!(refusal.reason, Reason::ResponseModeUnsafe);
            assert_eq!(target.mode, ResponseMode::Fragment, "the refusal itself too");
        }
    }

    #[test]
    fn oidcc_formpost_later_refusals_travel_by_form_post_too() {
        let refused =
            Trial::default().run(&[("response_mode", "form_post"), ("response_type", "")]).unwrap_err();
        let AuthorizeRefusal::Respond(_, target) = refused else { panic!("a page") };
        assert_eq!(target.mode, ResponseMode::FormPost);
    }
}
