//! Requests of every shape.

use serde_json::json;
use testkit::{Answer, unsigned};

use super::stage::{STATE, Stage, by_post};

/// The error at the client where no response type says how it travels.
fn error_without_response_type(stage: &Stage, answer: &Answer) -> Option<String> {
    if stage.form_post {
        return answer.form("form-post").value("error").map(str::to_owned);
    }
    assert_eq!(answer.response_parameter("state").as_deref(), Some(STATE));
    answer.response_parameter("error")
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    for stage in Stage::every().await {
        let answer = stage.browser.load(&stage.url(&[("response_type", "")])).await;
        let error = error_without_response_type(&stage, &answer);
        assert_eq!(error.as_deref(), Some("invalid_request"), "{}", stage.told());
    }
}

// shows: oidcc-ensure-request-without-nonce-succeeds-for-code-flow, oidcc-ensure-request-without-nonce-fails
#[tokio::test]
async fn nonce_is_needed_where_an_id_token_passes_the_browser() {
    for stage in Stage::every().await {
        if stage.has("id_token") {
            let answer = stage.silently(&[("nonce", "")]).await;
            assert_eq!(answer["error"], "invalid_request", "{}", stage.told());
        } else {
            let outcome = stage.flow(&[("nonce", "")]).await;
            assert!(outcome.last()["nonce"].is_null());
        }
        let outcome = stage.flow(&[]).await;
        assert!(
            outcome.id_tokens.iter().all(|claims| claims["nonce"] == super::stage::NONCE),
            "{}",
            stage.told()
        );
    }
}

#[tokio::test]
async fn oidcc_alternate_happy_flow() {
    for mut stage in Stage::every().await {
        stage.scope("email openid");
        let url = stage.url(&[]);
        let (path, query) = url.split_once('?').unwrap();
        let mut parameters: Vec<&str> = query.split('&').collect();
        parameters.reverse();
        let mut values: Vec<&str> = stage.response_type.split(' ').collect();
        values.reverse();
        let (asked, other) = (stage.response_type.replace(' ', "+"), values.join("+"));
        let url = format!("{path}?{}", parameters.join("&"));
        let url = url.replace(&format!("response_type={asked}"), &format!("response_type={other}"));
        let answer = stage.read(&stage.browser.authorize(&url).await);
        stage.outcome(&answer).await.releases(&["email", "email_verified"], &stage);
    }
}

// shows: oidcc-display-page, oidcc-display-popup, oidcc-ui-locales, oidcc-claims-locales, oidcc-login-hint
// shows: oidcc-ensure-request-with-unknown-parameter-succeeds
#[tokio::test]
async fn parameters_that_cause_no_error() {
    for stage in Stage::every().await {
        for more in [
            ("display", "page"),
            ("display", "popup"),
            ("ui_locales", "se"),
            ("claims_locales", "se"),
            ("login_hint", "buffy@server.example"),
            ("extra", "foobar"),
        ] {
            stage.flow(&[more]).await.releases(&[], &stage);
        }
    }
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    for mut stage in Stage::every().await {
        stage.party = stage.party.clone().with_redirect_uri("https://example.com/another");
        let page = stage.browser.load(&stage.url(&[])).await;
        page.expect_error_page("invalid_request");
    }
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    for stage in Stage::every().await {
        let browser = stage.server.browser();
        let login = by_post(&stage, &browser).await;
        let mut answer = browser.log_in(&login).await;
        if answer.has_form("consent-form") {
            assert!(answer.asked.starts_with("/default/default/consent"), "{}", answer.asked);
            answer = browser.allow(&answer).await;
        }
        stage.outcome(&stage.read(&answer)).await;
    }
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    for stage in Stage::with_code().await {
        let challenge = testkit::s256(testkit::VERIFIER);
        let answer =
            stage.authorize(&[("code_challenge", &challenge), ("code_challenge_method", "S256")]).await;
        stage.redeem(answer["code"].as_str().unwrap()).await.expect_error(400, "invalid_grant");
        let answer =
            stage.authorize(&[("code_challenge", &challenge), ("code_challenge_method", "S256")]).await;
        stage.party.redeem(answer["code"].as_str().unwrap()).await.expect(200);
    }
}

#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    for stage in Stage::every().await {
        let claims = json!({"client_id": stage.party.client_id, "state": "inner"});
        let object = unsigned(&json!({"alg": "none"}), &claims);
        let answer = stage.silently(&[("request", &object)]).await;
        assert_eq!(answer["error"], "request_not_supported", "{}", stage.told());
    }
}

/// The suite asks only where `none` is advertised; it never is.
#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    for mut stage in Stage::every().await {
        let uri = stage.party.redirect_uri.clone();
        let claims = json!({"client_id": stage.party.client_id, "redirect_uri": uri});
        let object = unsigned(&json!({"alg": "none"}), &claims);
        stage.party = stage.party.clone().with_redirect_uri("https://example.com/another");
        let page = stage.browser.load(&stage.url(&[("request", &object)])).await;
        assert!(
            page.status == 400 && page.element("error-code").is_some(),
            "{}: {}",
            stage.told(),
            page.text()
        );
    }
}
