//! ID tokens (OIDC Core §2).

use super::subject_identifier::subject_identifier;
use crate::client::Client;
use crate::decision::Cx;
use crate::encryption::Encryption;
use crate::grant_record::GrantRecord;
use crate::profile::Rules;
use crate::scope::ScopeSet;
use crate::standard_claims;
use crate::subject::Subject;
use jose::{Algorithm, half_hash};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// An ID token before it is signed.
#[derive(Clone, PartialEq, Debug)]
pub struct IdTokenDraft {
    pub alg: Algorithm,
    /// A signed token may be nested in an encrypted one (OIDC Core §16.14).
    pub encryption: Option<Encryption>,
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
        // A grant outside a browser belongs to no session.
        if !subject.sid.as_str().is_empty() {
            put("sid", json!(subject.sid));
        }
        // OIDC Core §2 requires it in some cases and leaves it open in the others. It is always there: an application
        // that asked for a new login (`prompt=login`) sees one only by comparing it with that of the token before.
        put("auth_time", json!(subject.auth_time.seconds()));
        if let Some(acr) = subject.acr.as_deref().filter(|acr| !acr.is_empty()) {
            put("acr", json!(acr));
        }
        if !subject.amr.is_empty() {
            put("amr", json!(subject.amr));
        }
        if let Some(nonce) = grant.body.nonce.as_deref().filter(|_| occasion == Occasion::Login) {
            put("nonce", json!(nonce));
        }
        let rules = Rules::of(cx.server, client);
        let alg = rules.signing_algorithm(client.id_token_signed_response_alg, cx);
        Self { alg, encryption: Encryption::of_id_token(client), claims }
    }

    /// With the claims that the scopes ask for: where no access token is issued, the ID token is the only place for
    /// them (OIDC Core §5.4).
    pub fn with_scope_claims(mut self, scope: &ScopeSet, subject: &Subject) -> Self {
        standard_claims::release(standard_claims::of_scope(scope), &subject.claims, &mut self.claims);
        self
    }

    /// With the hash that binds the `state` which leaves together with this token (FAPI 1.0 Advanced §5.1.1).
    pub fn with_state(mut self, state: Option<&str>) -> Self {
        if let Some(state) = state {
            self.claims.insert("s_hash".to_owned(), json!(half_hash(self.alg, state)));
        }
        self
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::claims_request::{ClaimRequest, ClaimsRequest};
    use crate::fixtures::{ISSUER, START, World};

    fn draft(change: impl Fn(&mut GrantRecord, &mut Client)) -> (World, IdTokenDraft) {
        let mut world = World::default();
        let mut client = world.confidential();
        let mut grant = world.grant(&client, "openid profile email");
        change(&mut grant, &mut client);
        let subject = world.subject();
        let draft = IdTokenDraft::new(&grant, &subject, &client, Occasion::Login, &world.cx());
        (world, draft)
    }

    fn claims(change: impl Fn(&mut GrantRecord, &mut Client)) -> Map<String, Value> {
        serde_json::from_slice(&draft(change).1.claims(None, None)).unwrap()
    }

    fn names(claims: &Map<String, Value>) -> Vec<&str> {
        claims.keys().map(String::as_str).collect()
    }

    fn ask(names: &[&str]) -> Option<ClaimsRequest> {
        let id_token = names.iter().map(|name| ((*name).to_owned(), ClaimRequest::default())).collect();
        Some(ClaimsRequest { id_token, ..ClaimsRequest::default() })
    }

    #[test]
    fn oidcc_server_the_claims_of_oidc_core_2_and_no_claims_of_scopes() {
        let (world, draft) = draft(|_, _| {});
        let claims: Value = serde_json::from_slice(&draft.claims(None, None)).unwrap();
        let now = START.seconds();
        let expected = json!({
            "iss": ISSUER, "sub": world.subject().sub, "aud": "web", "iat": now, "exp": now + 3600,
            "nonce": "n-0S6_WzA2Mj", "acr": "1", "amr": ["pwd"], "sid": "sid-1", "auth_time": now - 30,
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn oidc_core_2_auth_time_is_when_the_person_logged_in_and_no_later() {
        let expected = json!(START.seconds() - 30);
        assert_eq!(claims(|_, _| {})["auth_time"], expected);
        assert_eq!(claims(|_, client| client.require_auth_time = true)["auth_time"], expected);
        assert_eq!(claims(|grant, _| grant.body.claims = ask(&["auth_time"]))["auth_time"], expected);
    }

    #[test]
    fn oidc_core_5_5_claims_that_were_asked_for_and_none_that_would_forge_the_rest() {
        let asked = ["name", "email_verified", "groups", "iss", "sub", "aud", "exp", "nonce", "phone_number"];
        let (plain, more) = (claims(|_, _| {}), claims(|grant, _| grant.body.claims = ask(&asked)));
        let added: Vec<_> = names(&more).into_iter().filter(|name| !plain.contains_key(*name)).collect();
        assert_eq!(added, ["email_verified", "name"]);
        for (name, value) in &plain {
            assert_eq!(&more[name], value, "{name}");
        }
    }

    #[test]
    fn oidc_core_3_1_3_6_hashes_bind_what_leaves_together() {
        let (_, draft) = draft(|_, _| {});
        let claims: Value = serde_json::from_slice(&draft.claims(Some("token"), Some("code"))).unwrap();
        assert_eq!(claims["at_hash"], half_hash(Algorithm::ES256, "token"));
        assert_eq!(claims["c_hash"], half_hash(Algorithm::ES256, "code"));
    }

    #[test]
    fn oidc_core_5_4_claims_of_scopes_where_there_is_no_access_token() {
        let (world, draft) = draft(|_, _| {});
        let scope = ScopeSet::parse("openid email").unwrap();
        let draft = draft.with_scope_claims(&scope, &world.subject());
        let claims: Map<String, Value> = serde_json::from_slice(&draft.claims(None, None)).unwrap();
        assert_eq!(claims["email"], "ada@example.org");
        assert!(!claims.contains_key("name") && !claims.contains_key("groups"));
    }

    #[test]
    fn fapi_1_advanced_5_1_1_s_hash_binds_the_state() {
        let with = |state| {
            let claims: Value =
                serde_json::from_slice(&draft(|_, _| {}).1.with_state(state).claims(None, None)).unwrap();
            claims.get("s_hash").cloned()
        };
        assert_eq!(with(Some("s-1")), Some(json!(half_hash(Algorithm::ES256, "s-1"))));
        assert_eq!(with(None), None);
    }

    #[test]
    fn decisions_5_the_registered_algorithm_or_the_servers() {
        let alg = |registered| draft(|_, client| client.id_token_signed_response_alg = registered).1.alg;
        assert_eq!(alg(None), Algorithm::ES256);
        assert_eq!(alg(Some(Algorithm::RS256)), Algorithm::RS256);
        assert_eq!(alg(Some(Algorithm::HS256)), Algorithm::ES256);
    }
}
