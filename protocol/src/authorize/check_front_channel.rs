//! Tokens that leave the authorization endpoint go through the browser, so never to plain `http`, not even on
//! loopback (OIDC Core §3.2.2.1; decisions 11: code flow only).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::redirect_uri::Destination;

pub(super) fn check(draft: &mut Draft<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let response_type = draft.request.response_type;
    let redirect = &draft.request.target.redirect;
    let has_tokens = response_type.has_token() || response_type.has_id_token();
    match redirect.destination() {
        Some(Destination::Web | Destination::PrivateUse { .. }) => Ok(()),
        _ if !has_tokens => Ok(()),
        _ => Err(Refusal::new(Reason::TokensToPlainHttp)
            .parameter("redirect_uri")
            .received(redirect.as_str())
            .expected("https, or response_type=code")),
    }
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;
    use crate::response_type::ResponseType;

    #[test]
    fn decisions_11_loopback_http_is_for_the_code_flow_only() {
        for response_type in ResponseType::ALL {
            let mut trial = Trial::front_channel();
            trial.client.application_type = "native".to_owned();
            let uris = ["http://127.0.0.1/cb", "com.example.app:/cb", "https://app.example/cb"];
            trial.client.redirect_uris = uris.map(str::to_owned).to_vec();
            for uri in uris {
                let sent = [("response_type", response_type.name()), ("redirect_uri", uri), ("nonce", "n")];
                if uri.starts_with("http:") && *response_type != ResponseType::Code {
                    assert_eq!(trial.refused(&sent), Reason::TokensToPlainHttp, "{response_type:?}");
                } else {
                    assert!(trial.run(&sent).is_ok(), "{response_type:?} {uri}");
                }
            }
        }
    }
}
