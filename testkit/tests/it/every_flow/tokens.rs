//! Codes and tokens at the token endpoint.

use std::time::Duration;

use testkit::{SERVICE_SECRET, Tokens, claims};

use super::stage::Stage;

// shows: c0-9
#[tokio::test]
async fn oidcc_codereuse() {
    for stage in Stage::with_code().await {
        let answer = stage.authorize(&[]).await;
        let code = answer["code"].as_str().unwrap();
        stage.redeem(code).await.expect(200);
        let refused = stage.redeem(code).await.expect_error(400, "invalid_grant");
        assert!(refused.header("content-type").starts_with("application/json"));
        assert_eq!(refused.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn oidcc_codereuse_30seconds() {
    for stage in Stage::with_code().await {
        let answer = stage.authorize(&[]).await;
        let code = answer["code"].as_str().unwrap();
        let tokens = Tokens(stage.redeem(code).await.expect(200).json());
        stage.party.userinfo(tokens.access_token()).await.expect(200);
        stage.server.clock().advance(Duration::from_secs(30));
        stage.redeem(code).await.expect_error(400, "invalid_grant");
        stage.party.userinfo(tokens.access_token()).await.expect(401);
        // RFC 6749 §4.1.2: all that came of the code, what passed the browser too.
        if let Some(front) = answer["access_token"].as_str() {
            stage.party.userinfo(front).await.expect(401);
        }
    }
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    for mut stage in Stage::with_code().await {
        stage.party = stage.server.party_at("/default/default", "post", None);
        let answer = stage.authorize(&[]).await;
        let [grant_type, code, redirect_uri, _] = stage.party.redemption(answer["code"].as_str().unwrap());
        let fields = [grant_type, code, redirect_uri, ("client_secret", SERVICE_SECRET)];
        let tokens = Tokens(stage.party.token(&fields).await.expect(200).json());
        assert_eq!(claims(tokens.id_token())["aud"], "post", "{}", stage.told());
        stage.party.userinfo(tokens.access_token()).await.expect(200);
    }
}

#[tokio::test]
async fn oidcc_refresh_token() {
    for mut stage in Stage::with_code().await {
        stage.scope("openid offline_access");
        let answer = stage.authorize(&[("prompt", "consent"), ("max_age", "10000")]).await;
        let first = Tokens(stage.redeem(answer["code"].as_str().unwrap()).await.expect(200).json());
        stage.server.clock().advance(Duration::from_secs(2));
        let answer = stage.party.refresh(first.refresh_token()).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store", "RFC 6749 §5.1");
        let second = Tokens(answer.json());
        assert!(second.0["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer"));
        assert_ne!(second.access_token(), first.access_token());
        let (before, after) = (claims(first.id_token()), claims(second.id_token()));
        for claim in ["iss", "sub", "aud", "azp", "auth_time"] {
            assert_eq!(before[claim], after[claim], "OIDC Core §12.2: {claim}");
        }
        assert_ne!(before["iat"], after["iat"]);
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", second.refresh_token()),
            ("scope", "openid offline_access"),
        ];
        let third = Tokens(stage.party.token(&fields).await.expect(200).json());
        stage.party.userinfo(third.access_token()).await.expect(200);
        stage.server.party("other").refresh(third.refresh_token()).await.expect_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn the_grant_types_of_the_refresh_are_advertised() {
    let stage = Stage::every().await.remove(0);
    let discovery = stage.server.get(&stage.party.path("/.well-known/openid-configuration")).await.json();
    let grants = discovery["grant_types_supported"].as_array().unwrap();
    for grant in ["authorization_code", "implicit", "refresh_token"] {
        assert!(grants.iter().any(|name| name == grant), "{grants:?}");
    }
}
