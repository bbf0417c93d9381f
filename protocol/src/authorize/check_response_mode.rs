//! `response_mode` is one of the implemented and allowed ones (OAuth Multiple Response Types §2.1). Comes first
//! of all that is answered to the client, so that every later refusal travels the way the client asked for.

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::Refusal;
use crate::response_mode;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    if let Some(name) = draft.params.get("response_mode") {
        draft.request.target.mode = response_mode::select(name, cx.server)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::AuthorizeRefusal;
    use crate::authorize::trial::Trial;
    use crate::error::Reason;
    use crate::response_mode::ResponseMode;

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
    fn oidcc_formpost_later_refusals_travel_by_form_post_too() {
        let refused =
            Trial::default().run(&[("response_mode", "form_post"), ("response_type", "")]).unwrap_err();
        let AuthorizeRefusal::Respond(_, target) = refused else { panic!("a page") };
        assert_eq!(target.mode, ResponseMode::FormPost);
    }
}
