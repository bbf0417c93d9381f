//! ID tokens (OIDC Core §2).

use super::subject_identifier::subject_identifier;
use crate::client::Client;
use crate::decision::Cx;
use crate::grant_record::GrantRecord;
use crate::standard_claims;
use crate::subject::Subject;
use jose::{Algorithm, half_hash};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// An ID token before it is signed.
#[derive(Clone, PartialEq, Debug)]
pub struct IdTokenDraft {
    pub alg: Algorithm,
    claims: Map<String, Value>,
}

/// Which exchange an ID token comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occasion {
    /// The first one after a login: `nonce` is echoed (OIDC Core §3.1.3.6).
    Login,
    /// A refresh: the same person and login, another `iat`, no `nonce` (OIDC Core §12.2).
    Refresh,
}

impl IdTokenDraft {
    /// The ID token of a grant: the claims of OIDC Core §2 and those asked for by `claims`, nothing else; claims of a
    /// scope are for userinfo when there is an access token (OIDC Core §5.4).
    pub fn new(
        grant: &GrantRecord,
        subject: &Subject,
        client: &Client,
        occasion: Occasion,
        cx: &Cx<'_>,
    ) -> Self {
        let requested = grant.body.claims.as_ref().map(|claims| &claims.id_token);
        let mut claims = Map::new();
        if let Some(requested) = requested {
            let names = requested.keys().map(String::as_str);
            standard_claims::release(names, &subject.claims, &mut claims);
        }
        let Span { iat, exp } = Span::of(client, cx);
        let mut put = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        put("iss", json!(cx.issuer));
        put("sub", json!(subject_identifier(client, subject, cx)));
        put("aud", json!(client.client_id));
        put("iat", json!(iat));
        put("exp", json!(exp));
        put("sid", json!(subject.sid));
        let asked = |claim: &str| requested.is_some_and(|requested| requested.contains_key(claim));
        // OIDC Core §2: required with max_age or when asked for; OIDC Registration §2 for the client's settings.
        if grant.body.auth_time_requested
            || asked("auth_time")
            || client.require_auth_time
            || client.default_max_age > 0
        {
            put("auth_time", json!(subject.auth_time.seconds()));
        }
        if let Some(acr) = subject.acr.as_deref().filter(|acr| !acr.is_empty()) {
            put("acr", json!(acr));
        }
        if !subject.amr.is_empty() {
            put("amr", json!(subject.amr));
        }
        if let Some(nonce) = grant.body.nonce.as_deref().filter(|_| occasion == Occasion::Login) {
            put("nonce", json!(nonce));
        }
        Self { alg: client.id_token_signed_response_alg.unwrap_or(cx.default_alg), claims }
    }

    /// The claims as JSON, with the hashes that bind the access token and the code that leave together with this
    /// token (OIDC Core §3.1.3.6, §3.3.2.11).
    pub fn claims(&self, access_token: Option<&str>, code: Option<&str>) -> Vec<u8> {
        let mut claims = self.claims.clone();
        for (name, value) in [("at_hash", access_token), ("c_hash", code)] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), json!(half_hash(self.alg, value)));
            }
        }
        // A map with text keys always serialises.
        serde_json::to_vec(&claims).unwrap_or_default()
    }
}

/// Life of an ID token, in seconds since 1970.
struct Span {
    iat: i64,
    exp: i64,
}

impl Span {
    fn of(client: &Client, cx: &Cx<'_>) -> Self {
        let ttl: Duration = client.ttl(|own| own.id_token_ttl, cx.server.id_token_ttl).0;
        Self { iat: cx.now.seconds(), exp: cx.now.plus(ttl).seconds() }
    }
}
