//! `acr_values` are wishes in order of preference (OIDC Core §3.1.2.1); left out, they are the client's
//! `default_acr_values` (OIDC Registration §2). What cannot be reached is an error only as an essential claim.

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::Refusal;

/// Most values that are looked at, and the longest value, in bytes.
const MAX_ACR_VALUES: usize = 16;
const MAX_ACR_BYTES: usize = 256;

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    draft.request.acr_values = match draft.params.get("acr_values") {
        None => draft.client.default_acr_values.clone(),
        Some(sent) => sent
            .split(' ')
            .filter(|value| !value.is_empty() && value.len() <= MAX_ACR_BYTES)
            .take(MAX_ACR_VALUES)
            .map(str::to_owned)
            .collect(),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;

    #[test]
    fn oidcc_acr_values_are_wishes() {
        let mut trial = Trial::default();
        assert_eq!(trial.run(&[("acr_values", "1 2")]).unwrap().acr_values, ["1", "2"]);
        trial.client.default_acr_values = vec!["1".to_owned()];
        assert_eq!(trial.run(&[]).unwrap().acr_values, ["1"]);
    }
}
