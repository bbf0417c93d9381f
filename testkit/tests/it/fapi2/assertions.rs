//! Client assertions as FAPI 2.0 wants them.

use jose::{Algorithm, SigningKey};
use serde_json::{Value, json};
use testkit::Ask;

use super::{Bank, ISSUER};

/// 34 `…-client-assertion-with-RS256-fails`: the same RSA key signs with both algorithms.
#[tokio::test]
async fn fapi2_client_assertion_with_rs256_fails() {
    let mut bank = Bank::with("fapi_20_security", Algorithm::PS256).await;
    let code = bank.code("first").await;
    let pkcs8 = bank.keys[0].to_pkcs8().expect("a key");
    let kid = bank.keys[0].kid().to_owned();
    bank.keys[0] = SigningKey::from_pkcs8(Algorithm::RS256, &kid, &pkcs8).expect("a key");
    bank.redeem("first", &code).await.expect_error(401, "invalid_client");
    assert_eq!(bank.push("first", &[]).await.status, 401);
}

/// 35 `…-client-assertion-in-token-endpoint`, 36 `…-exp-is-5-minutes-in-past-fails`, 37 `…-wrong-aud-fails`, 38
/// `…-no-sub-fails`, 45 `…-nbf-over-60-seconds-in-the-future-fails`, 54 `…-test-array-as-audience-fails`, 55
/// `…-par-endpoint-url-as-audience-fails`, 56 `…-token-endpoint-url-as-audience-fails`.
// shows: fapi2-client-assertion-in-token-endpoint
// shows: fapi2-client-assertion-with-exp-is-5-minutes-in-past-fails
// shows: fapi2-client-assertion-with-wrong-aud-fails, fapi2-client-assertion-with-no-sub-fails
// shows: fapi2-client-assertions-nbf-over-60-seconds-in-the-future-fails
// shows: fapi2-test-array-as-audience-fails, fapi2-par-endpoint-url-as-audience-fails
// shows: fapi2-token-endpoint-url-as-audience-fails
#[tokio::test]
async fn fapi2_caj_12_assertions_that_fail() {
    let bank = Bank::start("fapi_20_security").await;
    let code = bank.code("first").await;
    let bare = Ask::form("/default/bank/oauth2/token", &Bank::redemption("first", &code));
    bank.token(bare).await.expect_error(401, "invalid_client");
    let mut named = Bank::redemption("first", &code);
    named.push(("client_id", "first"));
    bank.token(Ask::form("/default/bank/oauth2/token", &named)).await.expect_error(401, "invalid_client");
    let now = bank.now();
    for (name, value) in [
        ("exp", json!(now - 300)),
        ("aud", json!("https://other.example.com")),
        ("sub", Value::Null),
        ("nbf", json!(now + 70)),
        ("aud", json!([ISSUER])),
        ("aud", json!([ISSUER, "https://other.example.com"])),
        ("aud", json!(format!("{ISSUER}/par"))),
        ("aud", json!(format!("{ISSUER}/oauth2/token"))),
    ] {
        let mut claims = bank.changed(name, value);
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|_, value| !value.is_null());
        }
        bank.refuses_assertion(&claims).await;
    }
}

/// 44 `…-client-assertions-nbf-8-seconds-in-the-future-is-accepted`.
#[tokio::test]
async fn fapi2_client_assertions_nbf_8_seconds_in_the_future_is_accepted() {
    let bank = Bank::start("fapi_20_security").await;
    bank.redeem_with(&bank.changed("nbf", json!(bank.now() + 8))).await.expect(200);
}
