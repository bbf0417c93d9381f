//! DPoP (RFC 9449 §7) where tokens are used: userinfo, the user's own API, the management API, registration.

use http::Method;
use jose::Algorithm;
use serde_json::json;
use testkit::{Answer, Ask, DpopKey, RelyingParty, TestServer, Tokens};

const USERINFO: &str = "/default/default/userinfo";
const CLIENTS: &str = "/default/default/clients";
const SESSIONS: &str = "/default/default/sso/sessions";
const ADMIN: &str = "/api/admin/default/servers/default/clients";

/// A bound token for each of our own resources, and the key.
struct Bound {
    server: TestServer,
    key: DpopKey,
    /// Of a person, for userinfo and the list of clients.
    user: String,
    /// Of a client of workspace `admin`.
    admin: String,
}

impl Bound {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let key = DpopKey::new(&server);
        let scope = "openid list_clients_with_access revoke_client_access view_sessions";
        let scopes = json!({"scopes": scope.split(' ').collect::<Vec<_>>()});
        server.administrator().await.change("/clients/client", &scopes).await;
        let party = server.party("client").with_scope(scope).with_dpop(&key);
        let user = party.tokens().await.access_token().to_owned();
        let admin = administrator(&server, &key).client_credentials("").await.expect(200).json();
        let admin = admin["access_token"].as_str().unwrap().to_owned();
        Self { server, key, user, admin }
    }

    fn resources(&self) -> [(&'static str, &str); 4] {
        [(USERINFO, &self.user), (CLIENTS, &self.user), (SESSIONS, &self.user), (ADMIN, &self.admin)]
    }

    async fn get(&self, path: &str, authorization: &str, proofs: &[String]) -> Answer {
        let mut ask = Ask::get(path).header("authorization", authorization);
        for proof in proofs {
            ask = ask.header("DPoP", proof);
        }
        self.server.send(ask).await
    }
}

fn administrator(server: &TestServer, key: &DpopKey) -> RelyingParty {
    server.party_at("/default/admin", "admin-swagger", Some(engine::demo::DEMO_SECRET)).with_dpop(key)
}

fn challenges(answer: &Answer) -> String {
    let lines = answer.headers.get_all("www-authenticate").iter();
    lines.map(|line| line.to_str().unwrap()).collect::<Vec<_>>().join(", ")
}

/// `fapi2-security-profile-final-access-token-type-header-case-sensitivity`.
#[tokio::test]
async fn fapi2_access_token_type_header_case_sensitivity() {
    let bound = Bound::new().await;
    for (path, token) in bound.resources() {
        for scheme in ["DPoP", "dPOP", "dpop"] {
            let proof = bound.key.proof("GET", path).of_token(token).signed();
            bound.get(path, &format!("{scheme} {token}"), &[proof]).await.expect(200);
        }
    }
    let tokens = bound.server.party("client").tokens().await;
    bound.get(USERINFO, &format!("bEARER {}", tokens.access_token()), &[]).await.expect(200);
}

/// `fapi2-security-profile-final-dpop-negative-tests`, at every resource.
#[tokio::test]
async fn fapi2_dpop_negative_tests_dpo_02_to_11() {
    let bound = Bound::new().await;
    let rsa = DpopKey::of(&bound.server, Algorithm::RS256);
    for (path, token) in bound.resources() {
        let good = || bound.key.proof("GET", path).of_token(token);
        let refused = async |what: &str, proofs: &[String]| {
            let answer = bound.get(path, &format!("DPoP {token}"), proofs).await;
            assert!([400, 401].contains(&answer.status.as_u16()), "{path} {what}: {}", answer.status);
            if answer.status == 401 {
                let said = challenges(&answer);
                assert!(said.starts_with("DPoP ") && said.contains("algs=\"ES256 "), "{what}: {said}");
            }
        };
        refused("two headers", &[good().signed(), good().signed()]).await;
        refused("no proof", &[]).await;
        refused("malformed", &["not.a.jwt".to_owned()]).await;
        for header in ["typ", "alg", "jwk"] {
            refused(header, &[good().header(header, json!(null)).signed()]).await;
        }
        for claim in ["jti", "htm", "htu", "iat", "ath"] {
            refused(claim, &[good().claim(claim, json!(null)).signed()]).await;
        }
        let mut private = serde_json::to_value(bound.key.key.public_jwk()).unwrap();
        private["d"] = json!("AAAA");
        let wrong = [
            ("wrong typ", good().header("typ", json!("JWT"))),
            ("alg none", good().header("alg", json!("none"))),
            ("private key", good().header("jwk", private)),
            ("wrong htm", good().claim("htm", json!("POST"))),
            ("other htu", good().claim("htu", json!("https://localhost:8443/other"))),
            ("an hour ago", good().moved(-3600)),
            ("in an hour", good().moved(3600)),
            ("wrong ath", good().of_token("another token")),
            ("other key", DpopKey::new(&bound.server).proof("GET", path).of_token(token)),
            ("other RSA key", rsa.proof("GET", path).of_token(token)),
        ];
        for (what, proof) in wrong {
            refused(what, &[proof.signed()]).await;
        }
        let signed = good().signed();
        let (rest, signature) = signed.rsplit_once('.').unwrap();
        let turned: String = signature.chars().rev().collect();
        refused("bad signature", &[format!("{rest}.{turned}")]).await;
        refused("no signature", &[format!("{rest}.")]).await;
        // What must and what should succeed.
        for proof in [
            good().claim("htu", json!(format!("https://localhost:8443{path}?a=b#c"))),
            good().claim("htu", json!(format!("HTTPS://LocalHost:8443{path}"))),
            good().claim("extra", json!({"a": 1})).header("extra", json!(1)),
        ] {
            let with_query = format!("{path}?limit=1");
            bound.get(&with_query, &format!("DPoP {token}"), &[proof.signed()]).await.expect(200);
        }
        let once = good().signed();
        bound.get(path, &format!("DPoP {token}"), std::slice::from_ref(&once)).await.expect(200);
        refused("replay", &[once]).await;
    }
}

/// DPO-13: nowhere, neither in the header nor in a body, with or without a proof.
#[tokio::test]
async fn dpo_13_a_bound_token_is_no_bearer_token_anywhere() {
    let bound = Bound::new().await;
    for (path, token) in bound.resources() {
        let proof = bound.key.proof("GET", path).of_token(token).signed();
        for proofs in [vec![], vec![proof]] {
            let answer = bound.get(path, &format!("Bearer {token}"), &proofs).await.expect(401);
            let said = challenges(&answer);
            assert!(said.contains("Bearer ") && said.contains("error=\"invalid_token\""), "{said}");
            assert!(said.contains("DPoP realm=") && said.contains("algs=\"ES256 "), "RFC 9449 §7.2: {said}");
        }
    }
    let proof = bound.key.proof("POST", USERINFO).of_token(&bound.user);
    let body = Ask::form(USERINFO, &[("access_token", bound.user.as_str())]).proof(&proof);
    bound.server.send(body).await.expect(401);
    let revoke = Ask::new(Method::DELETE, &format!("{CLIENTS}/client")).bearer(&bound.user);
    bound.server.send(revoke).await.expect(401);
    // RFC 9449 §7.1: and a bearer token is not a bound one.
    let tokens = bound.server.party("client").tokens().await;
    bound.server.send(Ask::get(USERINFO).dpop(tokens.access_token(), &bound.key)).await.expect(401);
    bound.server.send(Ask::get(USERINFO).bearer(tokens.access_token())).await.expect(200);
    // One key's token with another client's key.
    let other = DpopKey::new(&bound.server);
    bound.server.send(Ask::get(USERINFO).dpop(&bound.user, &other)).await.expect(401);
    bound.server.send(Ask::get(USERINFO).dpop(&bound.user, &bound.key)).await.expect(200);
}

#[tokio::test]
async fn dpo_13_an_initial_access_token_may_be_bound() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let guarded = json!({"dynamic_client_registration": {
        "enabled": true, "initial_access_token": {"required": true},
    }});
    administrator.change("/servers/default", &guarded).await;
    administrator.change("/clients/service", &json!({"scopes": ["dcr_register"]})).await;
    let key = DpopKey::new(&server);
    let service = server.party("service").with_dpop(&key);
    let token = Tokens(service.client_credentials("dcr_register").await.expect(200).json());
    let metadata = json!({"redirect_uris": [testkit::REDIRECT_URI]});
    let ask = || Ask::json(Method::POST, "/default/default/oauth2/register", &metadata);
    server.send(ask().bearer(token.access_token())).await.expect(401);
    server.send(ask().dpop(token.access_token(), &key)).await.expect(201);
    server.send(ask().dpop(token.access_token(), &key)).await.expect(401);
}

#[tokio::test]
async fn rfc9449_7_1_a_request_without_a_token_learns_both_schemes() {
    let server = TestServer::start().await;
    for path in [USERINFO, CLIENTS, SESSIONS, ADMIN] {
        let said = challenges(&server.get(path).await.expect(401));
        assert!(said.starts_with("Bearer realm="), "{path}: {said}");
        assert!(said.contains("DPoP realm=") && said.contains("algs="), "{path}: {said}");
        assert!(!said.contains("error="), "{path}: {said}");
    }
}

#[tokio::test]
async fn rfc9449_9_nonces_at_resources() {
    let bound = Bound::new().await;
    let administrator = bound.server.administrator().await;
    for workspace in ["default", "admin"] {
        let path = format!("/servers/{workspace}");
        administrator.change(&path, &json!({"dpop_nonce_required": true})).await;
    }
    for (path, token) in bound.resources() {
        let proof = || bound.key.proof("GET", path).of_token(token);
        let authorization = format!("DPoP {token}");
        let asked = bound.get(path, &authorization, &[proof().signed()]).await.expect(401);
        assert!(challenges(&asked).contains("error=\"use_dpop_nonce\""), "{}", challenges(&asked));
        let nonce = asked.header("dpop-nonce").to_owned();
        // With a nonce the client's clock does not matter.
        let late = proof().moved(-3600).claim("nonce", json!(nonce)).signed();
        bound.get(path, &authorization, &[late]).await.expect(200);
        let guess = proof().claim("nonce", json!("guess")).signed();
        bound.get(path, &authorization, &[guess]).await.expect(401);
    }
}

#[tokio::test]
async fn browsers_may_send_proofs_and_read_nonces_from_other_origins() {
    let server = TestServer::start().await;
    for path in [USERINFO, CLIENTS, "/default/default/oauth2/token", "/default/default/par"] {
        let preflight = Ask::new(Method::OPTIONS, path)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,dpop");
        let answer = server.send(preflight).await;
        assert!(answer.header("access-control-allow-headers").contains("dpop"), "{path}");
        let answer = server.send(Ask::get(path).header("origin", "https://app.example")).await;
        let exposed = answer.header("access-control-expose-headers").to_owned();
        assert!(exposed.contains("dpop-nonce") && exposed.contains("www-authenticate"), "{path}: {exposed}");
    }
}
