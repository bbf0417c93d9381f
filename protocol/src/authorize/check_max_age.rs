//! `max_age` is a number of seconds (OIDC Core §3.1.2.1); left out, it is the client's `default_max_age`
//! (OIDC Registration §2).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let default = Some(draft.client.default_max_age).filter(|seconds| *seconds > 0);
    draft.request.max_age = match draft.params.get("max_age") {
        None => default,
        Some(sent) => Some(
            seconds(sent)
                .ok_or_else(|| Refusal::new(Reason::MaxAgeInvalid).parameter("max_age").received(sent))?,
        ),
    };
    Ok(())
}

/// Decimal digits and nothing else.
fn seconds(text: &str) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn oidc_core_3_1_2_1_max_age_is_a_whole_number_of_seconds() {
        let mut trial = Trial::default();
        for bad in ["-1", "+1", "1.5", "x", "0x10", " 1", "99999999999999999999"] {
            assert_eq!(trial.refused(&[("max_age", bad)]), Reason::MaxAgeInvalid, "{bad}");
        }
        assert_eq!(trial.run(&[("max_age", "0")]).unwrap().max_age, Some(0));
    }

    #[test]
    fn oidc_registration_2_default_max_age_stands_in() {
        let mut trial = Trial::default();
        assert_eq!(trial.run(&[]).unwrap().max_age, None);
        trial.client.default_max_age = 300;
        assert_eq!(trial.run(&[]).unwrap().max_age, Some(300));
        assert_eq!(trial.run(&[("max_age", "600")]).unwrap().max_age, Some(600));
    }
}
