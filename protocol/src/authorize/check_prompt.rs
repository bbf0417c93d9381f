//! `prompt` holds known values, and `none` alone (OIDC Core §3.1.2.1; attack AUT-13).

use super::pipeline::Draft;
use super::prompt::{PROMPT_VALUES, PromptSet};
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    if let Some(sent) = draft.params.get("prompt") {
        draft.request.prompt = PromptSet::parse(sent).ok_or_else(|| {
            Refusal::new(Reason::PromptInvalid)
                .parameter("prompt")
                .received(sent)
                .expected(PROMPT_VALUES.join(", "))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn aut_13_prompt_none_beside_others_is_refused() {
        let mut trial = Trial::default();
        for bad in ["none login", "none consent", "create", "Login"] {
            assert_eq!(trial.refused(&[("prompt", bad)]), Reason::PromptInvalid, "{bad}");
        }
        assert!(trial.run(&[("prompt", "login select_account")]).unwrap().prompt.select_account);
    }
}
