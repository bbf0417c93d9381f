//! Who is asked to log in, and when.

use std::time::Duration;

use super::stage::{STATE, Stage, subject};

#[tokio::test]
async fn oidcc_prompt_login() {
    for stage in Stage::every().await {
        // As the suite asks: by `prompt` alone. It compares `auth_time` only where both tokens have it.
        let first = stage.flow(&[]).await;
        stage.server.clock().advance(Duration::from_secs(2));
        let page = stage.browser.open(&stage.url(&[("prompt", "login")])).await;
        // The HTML contract: each page under its own path.
        assert!(
            page.has_form("login-form") && page.asked.starts_with("/default/default/login"),
            "{}",
            page.asked
        );
        let now = stage.server.engine().now().seconds();
        let answer = stage.read(&stage.browser.log_in(&page).await);
        let second = stage.outcome(&answer).await;
        assert!(first.id_tokens.iter().all(|claims| claims["auth_time"].is_i64()), "{}", stage.told());
        assert!(first.last()["auth_time"].as_i64() < Some(now), "{}", stage.told());
        assert!(second.id_tokens.iter().all(|claims| claims["auth_time"] == now), "{}", stage.told());
        assert_eq!(second.last()["sub"], first.last()["sub"]);
    }
}

// shows: c0-8, mcp-4
#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    for mut stage in Stage::every().await {
        stage.browser = stage.server.browser();
        let answer = stage.silently(&[("prompt", "none")]).await;
        assert_eq!(answer["error"], "login_required", "{}", stage.told());
        assert!(answer["code"].is_null() && answer["access_token"].is_null() && answer["id_token"].is_null());
        // The suite sends a long one.
        let state = STATE.repeat(43);
        let answer = stage.browser.load(&stage.url(&[("prompt", "none"), ("state", &state)])).await;
        let told = if stage.form_post {
            answer.form("form-post").value("state").map(str::to_owned)
        } else {
            answer.response_parameter("state")
        };
        assert_eq!(told.as_deref(), Some(state.as_str()), "{}", stage.told());
    }
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    for stage in Stage::every().await {
        let first = stage.flow(&[]).await;
        stage.server.clock().advance(Duration::from_secs(5));
        let answer = stage.silently(&[("prompt", "none")]).await;
        let second = stage.outcome(&answer).await;
        assert!(first.last()["auth_time"].is_i64(), "{}", stage.told());
        for claim in ["sub", "auth_time"] {
            assert_eq!(second.last()[claim], first.last()[claim], "{claim}: {}", stage.told());
        }
    }
}

#[tokio::test]
async fn oidcc_max_age_1() {
    for stage in Stage::every().await {
        let first = stage.flow(&[]).await;
        stage.server.clock().advance(Duration::from_secs(2));
        let page = stage.browser.open(&stage.url(&[("max_age", "1")])).await;
        assert!(page.has_form("login-form"), "{}", stage.told());
        let now = stage.server.engine().now().seconds();
        let answer = stage.read(&stage.browser.log_in(&page).await);
        let second = stage.outcome(&answer).await;
        assert!(second.id_tokens.iter().all(|claims| claims["auth_time"] == now), "{}", stage.told());
        assert_eq!(second.last()["sub"], first.last()["sub"]);
    }
}

#[tokio::test]
async fn oidcc_max_age_10000() {
    for stage in Stage::every().await {
        let first = stage.flow(&[("max_age", "15000")]).await;
        stage.server.clock().advance(Duration::from_secs(2));
        let answer = stage.silently(&[("max_age", "10000")]).await;
        let second = stage.outcome(&answer).await;
        assert!(first.last()["auth_time"].is_i64());
        for claim in ["sub", "auth_time"] {
            assert_eq!(second.last()[claim], first.last()[claim], "{claim}: {}", stage.told());
        }
    }
}

#[tokio::test]
async fn oidcc_id_token_hint() {
    for stage in Stage::every().await {
        let first = stage.flow(&[]).await;
        let answer = stage.silently(&[("prompt", "none"), ("id_token_hint", &first.id_token)]).await;
        let second = stage.outcome(&answer).await;
        assert_eq!(second.last()["sub"], subject(&first.id_token), "{}", stage.told());
        assert_eq!(second.last()["auth_time"], first.last()["auth_time"], "{}", stage.told());
    }
}
