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
