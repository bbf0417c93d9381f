//! `display`, `ui_locales` and `claims_locales` are wishes: what is not understood causes no error
//! (OIDC Core §3.1.2.1, §5.2).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::Refusal;

/// Values of `display` that are understood.
const DISPLAY_VALUES: &[&str] = &["page", "popup", "touch", "wap"];

/// Most language tags that are looked at, and the longest tag (BCP 47 §4.4.1).
const MAX_LOCALES: usize = 16;
const MAX_LOCALE_BYTES: usize = 35;

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let display = draft.params.get("display").filter(|display| DISPLAY_VALUES.contains(display));
    draft.request.display = display.map(str::to_owned);
    let locales = draft.params.get("ui_locales").unwrap_or_default().split(' ');
    draft.request.ui_locales =
        locales.filter(|tag| is_language_tag(tag)).take(MAX_LOCALES).map(str::to_owned).collect();
    Ok(())
}

fn is_language_tag(tag: &str) -> bool {
    !tag.is_empty()
        && tag.len() <= MAX_LOCALE_BYTES
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;

    #[test]
    fn oidcc_display_and_locales_cause_no_error() {
        let mut trial = Trial::default();
        for display in ["page", "popup", "touch", "wap", "hologram"] {
            assert!(trial.run(&[("display", display)]).is_ok());
        }
        let wishes = [("ui_locales", "se de-CH <script>"), ("claims_locales", "se"), ("unheard_of", "x")];
        let request = trial.run(&wishes).unwrap();
        assert_eq!(request.ui_locales, ["se", "de-CH"]);
        assert_eq!(trial.run(&[("display", "hologram")]).unwrap().display, None);
    }
}
