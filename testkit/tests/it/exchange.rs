//! Token exchange (RFC 8693): one person's token for another, narrower one.

use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Answer, RelyingParty, SERVICE_SECRET, TestServer, claims};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Clients `client` and `backend`, both with the grant; tokens of `client` name `backend` in their audience.
async fn start() -> (TestServer, RelyingParty, RelyingParty) {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let grants = json!(["authorization_code", "refresh_token", "client_credentials", GRANT]);
    let audience = json!({"grant_types": grants, "audience": ["client", "backend"]});
    administrator.change("/clients/client", &audience).await;
    let backend = json!({
        "authorization_server_id": "default",
        "client_id": "backend",
        "client_secret": SERVICE_SECRET.to_owned() + "0123456789",
        "grant_types": grants,
        "response_types": [],
        "scopes": ["openid", "email", "offline_access"]
    });
    administrator.post("/clients", &backend).await.expect(201);
    let secret = SERVICE_SECRET.to_owned() + "0123456789";
    let backend = server.party_at("/default/default", "backend", Some(&secret));
    let front = server.party("client").with_scope("openid profile email offline_access");
    (server, front, backend)
}

async fn exchange(party: &RelyingParty, token: &str, more: &[(&str, &str)]) -> Answer {
    let own = [("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
    let kept = own.into_iter().filter(|(name, _)| !more.iter().any(|(n, _)| n == name));
    let fields: Vec<_> = kept.chain(more.iter().copied().filter(|(_, value)| !value.is_empty())).collect();
    party.token(&fields).await
}

fn token(answer: &Value) -> &str {
    answer["access_token"].as_str().expect("an access token")
}

#[tokio::test]
async fn rfc8693_2_2_1_a_backend_acts_for_the_person_with_less() {
    let (_server, front, backend) = start().await;
    let tokens = front.tokens().await;
    let answer = exchange(&backend, tokens.access_token(), &[]).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let answer = answer.json();
    assert_eq!(
        (&answer["issued_token_type"], &answer["token_type"]),
        (&json!(ACCESS_TOKEN), &json!("bearer"))
    );
    assert!(answer["refresh_token"].is_null() && answer["id_token"].is_null(), "{answer}");
    assert_eq!(answer["scope"], "openid email", "without what the backend may not have");
    let (before, after) = (claims(tokens.access_token()), claims(token(&answer)));
    assert_eq!(after["sub"], before["sub"]);
    assert_eq!(after["client_id"], "backend");
    assert_eq!(after["act"], json!({"sub": "backend", "client_id": "backend"}), "RFC 8693 §4.1");
    assert!(after["exp"].as_i64() <= before["exp"].as_i64());
    let info = backend.introspect(token(&answer)).await;
    assert_eq!((&info["active"], &info["act"]["sub"]), (&json!(true), &json!("backend")));
    let userinfo = backend.userinfo(token(&answer)).await.expect(200).json();
    assert_eq!(userinfo["sub"], before["sub"]);
}

#[tokio::test]
async fn a_client_narrows_its_own_token_and_nobody_acts() {
    let (_server, front, _) = start().await;
    let tokens = front.tokens().await;
    let answer = exchange(&front, tokens.access_token(), &[("scope", "email")]).await.expect(200).json();
    assert_eq!(answer["scope"], "email");
    assert!(claims(token(&answer))["act"].is_null(), "{answer}");
    // Nothing grows back.
    let wide = exchange(&front, token(&answer), &[("scope", "openid email")]).await;
    wide.expect_error(400, "invalid_scope");
    let same = exchange(&front, token(&answer), &[]).await.expect(200).json();
    assert_eq!(same["scope"], "email");
    for more in ["introspect_tokens", "phone", "unheard_of"] {
        exchange(&front, tokens.access_token(), &[("scope", more)]).await.expect_error(400, "invalid_scope");
    }
}

#[tokio::test]
async fn rfc8693_4_1_actors_stand_inside_each_other() {
    let (server, front, backend) = start().await;
    let administrator = server.administrator().await;
    administrator.change("/clients/backend", &json!({"audience": ["backend", "client"]})).await;
    let first = exchange(&backend, front.tokens().await.access_token(), &[]).await.expect(200).json();
    let second = exchange(&front, token(&first), &[]).await.expect(200).json();
    let act =
        json!({"sub": "client", "client_id": "client", "act": {"sub": "backend", "client_id": "backend"}});
    assert_eq!(claims(token(&second))["act"], act);
}

#[tokio::test]
async fn an_actor_token_names_the_actor_and_must_be_the_clients_own() {
    let (_server, front, backend) = start().await;
    let tokens = front.tokens().await;
    let own = backend.client_credentials("").await.expect(200).json();
    let actor = [("actor_token", token(&own)), ("actor_token_type", ACCESS_TOKEN)];
    let answer = exchange(&backend, tokens.access_token(), &actor).await.expect(200).json();
    assert_eq!(claims(token(&answer))["act"]["sub"], "backend");
    let foreign = front.client_credentials("").await.expect(200).json();
    for actor in [
        vec![("actor_token", token(&foreign)), ("actor_token_type", ACCESS_TOKEN)],
        vec![("actor_token", "x"), ("actor_token_type", ACCESS_TOKEN)],
        vec![("actor_token", token(&own))],
        vec![("actor_token_type", ACCESS_TOKEN)],
    ] {
        exchange(&backend, tokens.access_token(), &actor).await.expect_error(400, "invalid_request");
    }
}

/// Whatever ends the subject's grant ends what was made of it, however far down.
#[tokio::test]
async fn tex_03_an_exchanged_token_dies_with_the_grant_it_descends_from() {
    let (server, front, backend) = start().await;
    let administrator = server.administrator().await;
    administrator.change("/clients/backend", &json!({"audience": ["backend", "client"]})).await;
    for strategy in ["jwt", "opaque"] {
        administrator.change("/servers/default", &json!({"access_token_strategy": strategy})).await;
        let tokens = front.tokens().await;
        let child = exchange(&backend, tokens.access_token(), &[]).await.expect(200).json();
        let grandchild = exchange(&front, token(&child), &[]).await.expect(200).json();
        assert!(backend.is_active(token(&child)).await && front.is_active(token(&grandchild)).await);
        front.revoke(tokens.refresh_token()).await.expect(200);
        assert!(!backend.is_active(token(&child)).await, "{strategy}");
        assert!(!front.is_active(token(&grandchild)).await, "{strategy}");
        backend.userinfo(token(&child)).await.expect(401);
        let again = exchange(&backend, token(&child), &[]).await;
        again.expect_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn tex_03_an_exchanged_token_ends_with_the_presented_one() {
    let (server, front, backend) = start().await;
    let tokens = front.tokens().await;
    let end = claims(tokens.access_token())["exp"].as_i64().unwrap();
    server.clock().advance(Duration::from_secs(1800));
    let child = exchange(&backend, tokens.access_token(), &[]).await.expect(200).json();
    assert_eq!(claims(token(&child))["exp"].as_i64(), Some(end), "no life is gained");
    assert_eq!(child["expires_in"], 1800);
    server.clock().advance(Duration::from_secs(1801));
    exchange(&backend, tokens.access_token(), &[]).await.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn tex_03_foreign_broken_and_missing_tokens_are_refused() {
    let (server, front, backend) = start().await;
    let tokens = front.tokens().await;
    // Of a client that names nobody else.
    let other = server.party("other").tokens().await;
    exchange(&backend, other.access_token(), &[]).await.expect_error(400, "invalid_request");
    // Of another workspace, of another tenant, and what is no access token.
    let second = server.party_at("/default/second", "second-client", Some(SERVICE_SECRET)).tokens().await;
    let own = backend.client_credentials("").await.expect(200).json();
    let mut changed = tokens.access_token().to_owned();
    changed.replace_range(changed.len() - 6..changed.len() - 3, "AAA");
    for wrong in
        [second.access_token(), tokens.id_token(), tokens.refresh_token(), token(&own), &changed, "x", ""]
    {
        let answer = exchange(&backend, wrong, &[("subject_token", wrong)]).await;
        answer.expect_error(400, "invalid_request");
    }
    for types in [
        ("subject_token_type", ""),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:saml2"),
    ] {
        exchange(&backend, tokens.access_token(), &[types]).await.expect_error(400, "invalid_request");
    }
    exchange(&backend, tokens.access_token(), &[]).await.expect(200);
}

#[tokio::test]
async fn resources_shrink_and_never_grow() {
    let (_server, front, backend) = start().await;
    let tokens = front.tokens().await;
    let profile = "spiffe://localhost:8443/default/default/default-profile";
    for name in ["resource", "audience"] {
        let answer = exchange(&backend, tokens.access_token(), &[(name, profile)]).await.expect(200).json();
        assert_eq!(claims(token(&answer))["aud"], json!([profile]), "{name}");
    }
    let by_id = [("audience", "default-profile")];
    let answer = exchange(&backend, tokens.access_token(), &by_id).await.expect(200).json();
    assert_eq!(claims(token(&answer))["aud"], json!([profile]));
    for (name, unknown) in [
        ("resource", "https://api.example/"),
        ("resource", "spiffe://localhost:8443/default/default/default-oauth2"),
        ("audience", "default-oauth2"),
        ("audience", "somebody"),
    ] {
        exchange(&backend, tokens.access_token(), &[(name, unknown)])
            .await
            .expect_error(400, "invalid_target");
    }
}

/// RFC 8693 §2.2.2: what is refused is the parameter that was sent, with its value.
#[tokio::test]
async fn rfc8693_2_1_an_unknown_audience_is_told_as_an_audience() {
    let (server, front, backend) = start().await;
    let tokens = front.tokens().await;
    let by_audience = [("audience", "zzz")];
    let both = [("resource", "spiffe://localhost:8443/default/default/default-profile"), ("audience", "zzz")];
    for fields in [&by_audience[..], &both[..]] {
        let answer = exchange(&backend, tokens.access_token(), fields).await;
        assert!(!answer.text().contains("resource"), "{}", answer.text());
        let trace_id = answer.header("x-trace-id").to_owned();
        answer.expect_error(400, "invalid_target");
        server.engine().flush().await;
        let told = server.engine().explanation(&trace_id).await.unwrap().expect("an explanation");
        assert_eq!((told.parameter.as_deref(), told.received.as_deref()), (Some("audience"), Some("zzz")));
        assert!(told.expected.unwrap().contains("default-profile") && told.fix.contains("service's id"));
    }
    // Both together make one list.
    let both = [
        ("resource", "spiffe://localhost:8443/default/default/default-profile"),
        ("audience", "default-profile"),
    ];
    let answer = exchange(&backend, tokens.access_token(), &both).await.expect(200).json();
    assert_eq!(
        claims(token(&answer))["aud"],
        json!(["spiffe://localhost:8443/default/default/default-profile"])
    );
}

#[tokio::test]
async fn only_confidential_clients_that_are_registered_for_it_exchange() {
    let (server, front, _) = start().await;
    let tokens = front.tokens().await;
    let other = server.party("other");
    exchange(&other, tokens.access_token(), &[]).await.expect_error(400, "unauthorized_client");
    server
        .administrator()
        .await
        .change("/clients/app", &json!({"grant_types": ["authorization_code", GRANT]}))
        .await;
    let app = server.party("app");
    let own = app.tokens().await;
    exchange(&app, own.access_token(), &[]).await.expect_error(400, "unauthorized_client");
}
