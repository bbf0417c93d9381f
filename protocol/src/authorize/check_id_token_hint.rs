//! `id_token_hint` is an ID token that this workspace issued to this client; it may have expired (OIDC Core
//! §3.1.2.1). A forged one must not choose a session (attack AUT-18).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::token::IdTokenHint;

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let Some(hint) = draft.params.get("id_token_hint") else { return Ok(()) };
    let client_id = draft.client.client_id.as_str();
    let subject = subject(hint, client_id, cx).map_err(|expected| {
        // The token itself is personal data and stays out of the refusal.
        Refusal::new(Reason::IdTokenHintInvalid).parameter("id_token_hint").expected(expected)
    })?;
    draft.request.hinted_subject = Some(subject);
    Ok(())
}

/// The `sub` of a token that passes, else what it lacks.
fn subject(hint: &str, client_id: &str, cx: &Cx<'_>) -> Result<String, &'static str> {
    let hint = IdTokenHint::verify(hint, cx)?;
    if hint.is_for(client_id) { Ok(hint.sub) } else { Err("an ID token issued to this client") }
}

#[cfg(test)]
mod tests {
    use crate::authorize::AuthorizeRefusal;
    use crate::authorize::trial::Trial;
    use crate::error::Reason;
    use crate::fixtures::ISSUER;
    use jose::SigningKey;
    use serde_json::json;

    fn claims(trial: &Trial) -> serde_json::Value {
        let now = trial.world.now.seconds();
        json!({"iss": ISSUER, "sub": "ada", "aud": "web", "exp": now + 60, "iat": now})
    }

    fn signed(key: &SigningKey, typ: &str, claims: &serde_json::Value) -> String {
        key.sign_jwt(typ, claims).unwrap()
    }

    fn hint(trial: &mut Trial, token: &str) -> Result<Option<String>, Reason> {
        let checked = trial.run(&[("id_token_hint", token)]);
        checked.map(|request| request.hinted_subject).map_err(|refused| refused.refusal().reason)
    }

    #[test]
    fn oidcc_id_token_hint_our_own_counts_even_when_expired() {
        let mut trial = Trial::default();
        let mut claims = claims(&trial);
        let token = signed(&trial.world.signing_key, "JWT", &claims);
        assert_eq!(hint(&mut trial, &token), Ok(Some("ada".to_owned())));
        claims["exp"] = json!(1);
        claims["aud"] = json!(["other", "web"]);
        let token = signed(&trial.world.signing_key, "JWT", &claims);
        assert_eq!(hint(&mut trial, &token), Ok(Some("ada".to_owned())));
    }

    #[test]
    fn aut_18_a_forged_or_foreign_hint_is_refused() {
        let mut trial = Trial::default();
        let good = claims(&trial);
        let changed = |name: &str, value: serde_json::Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        let ours =
            |typ: &str, claims: &serde_json::Value| signed(&Trial::default().world.signing_key, typ, claims);
        let foreign = ours("JWT", &good);
        let own = |typ: &str, claims: serde_json::Value| signed(&trial.world.signing_key, typ, &claims);
        let genuine = own("JWT", good.clone());
        let (start, signature) = genuine.rsplit_once('.').unwrap();
        let unsecured = format!(
            "{}.{}.",
            jose::base64url::encode(br#"{"alg":"none"}"#),
            jose::base64url::encode(good.to_string().as_bytes())
        );
        let (header, _) = start.split_once('.').unwrap();
        let edited = format!(
            "{header}.{}.{signature}",
            jose::base64url::encode(changed("sub", json!("eve")).to_string().as_bytes())
        );
        let tokens = [
            ("foreign key", foreign),
            ("alg none", unsecured),
            ("edited", edited),
            ("no signature", format!("{start}.")),
            ("garbage", "x".to_owned()),
            ("other client", own("JWT", changed("aud", json!("spa")))),
            ("other issuer", own("JWT", changed("iss", json!("https://as.example/acme/other")))),
            ("access token", own("at+jwt", good.clone())),
            ("access token of profile acp", own("JWT", changed("scp", json!(["openid"])))),
            ("logout token", own("JWT", changed("events", json!({})))),
            ("no sub", own("JWT", changed("sub", json!(null)))),
        ];
        for (attack, token) in tokens {
            assert_eq!(hint(&mut trial, &token), Err(Reason::IdTokenHintInvalid), "{attack}");
        }
        assert!(matches!(trial.run(&[("id_token_hint", "x")]), Err(AuthorizeRefusal::Respond(..))));
    }
}
