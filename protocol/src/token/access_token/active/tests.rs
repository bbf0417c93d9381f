use super::*;
use crate::fixtures::{Desk, ISSUER, START};
use crate::id::Uid;
use jose::{Algorithm, SigningKey, base64url};
use serde_json::json;

const CLIENT_TOKEN: &str = "grant_type=client_credentials&scope=orders.read";

/// Every form of access token, as (profile, strategy).
const FORMS: [(&str, &str); 3] = [("rfc9068", "jwt"), ("acp", "jwt"), ("rfc9068", "opaque")];

fn desk(profile: &str, strategy: &str) -> (Desk, Client) {
    let mut desk = Desk::default();
    desk.world.server.access_token_profile = profile.to_owned();
    desk.world.server.access_token_strategy = strategy.to_owned();
    let client = desk.world.confidential();
    (desk, client)
}

/// Runs `test` with a token of a user and one of a client itself, in every form.
fn with_every_token(test: impl Fn(&mut Desk, &Client, &str, &str)) {
    for (profile, strategy) in FORMS {
        for user in [true, false] {
            let (mut desk, client) = desk(profile, strategy);
            let token = if user {
                desk.login(&client, "openid offline_access").access
            } else {
                desk.token(&client, CLIENT_TOKEN).unwrap().access
            };
            test(&mut desk, &client, &token, &format!("{profile} {strategy} user: {user}"));
        }
    }
}

#[test]
fn every_form_of_token_is_read_back() {
    with_every_token(|desk, client, token, form| {
        let active = desk.active(client, token).unwrap();
        assert_eq!(active.client_id, client.client_id, "{form}");
        assert_eq!(active.subject().is_some(), form.ends_with("true"), "{form}");
        assert_eq!(active.grant.is_some(), form.ends_with("true"), "{form}");
        assert_eq!(active.expires_at.seconds(), START.seconds() + 3600, "{form}");
    });
}

#[test]
fn uin_07_exp_has_no_tolerance() {
    with_every_token(|desk, client, token, form| {
        desk.world.advance_millis(3_599_999);
        assert!(desk.active(client, token).is_ok(), "{form}");
        desk.world.advance_millis(1);
        let refused = desk.active(client, token).err();
        // A grant without refresh token ends with its last access token.
        assert!(matches!(refused, Some(Reason::TokenExpired)), "{form}: {refused:?}");
    });
}

#[test]
fn adm_26_cau_12_a_token_dies_with_its_client() {
    with_every_token(|desk, client, token, form| {
        let inactive = Client { client_status: "inactive".to_owned(), ..client.clone() };
        assert_eq!(desk.active(&inactive, token), Err(Reason::TokenRevoked), "{form}");
        let other = Client { client_id: "other".into(), ..client.clone() };
        assert_eq!(desk.active(&other, token), Err(Reason::TokenRevoked), "{form}");
    });
}

#[test]
fn w_09_a_client_made_again_under_the_same_id_inherits_no_token() {
    with_every_token(|desk, client, token, form| {
        desk.world.advance_millis(400);
        let reborn = Client {
            uid: Uid::new("reborn"),
            predecessor_deleted_at: Some(desk.world.now),
            ..client.clone()
        };
        assert_eq!(desk.active(&reborn, token), Err(Reason::TokenRevoked), "{form}");
        // Its own tokens live, also those of the very same second.
        let own = desk.token(&reborn, CLIENT_TOKEN).unwrap().access;
        assert!(desk.active(&reborn, &own).is_ok(), "{form}");
    });
}

#[test]
fn w_09_a_workspace_made_again_under_the_same_id_inherits_no_token() {
    with_every_token(|desk, client, token, form| {
        desk.world.server.uid = Uid::new("reborn");
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        desk.world.keys = vec![key.verifying_key().unwrap()];
        assert!(desk.active(client, token).is_err(), "{form}");
    });
}

#[test]
fn w_10_int_07_a_token_dies_with_its_user_and_its_grant() {
    for (profile, strategy) in FORMS {
        let (mut desk, client) = desk(profile, strategy);
        let token = desk.login(&client, "openid").access;
        desk.world.people.gone = true;
        assert_eq!(desk.active(&client, &token), Err(Reason::TokenRevoked), "{profile} {strategy}");
        desk.world.people.gone = false;
        assert!(desk.active(&client, &token).is_ok());
        let before = desk.store.clone();
        desk.store.grants.values_mut().for_each(|grant| grant.revoked_at = Some(START));
        assert_eq!(desk.active(&client, &token), Err(Reason::TokenRevoked));
        desk.store = before;
        desk.store.grants.clear();
        assert_eq!(desk.active(&client, &token), Err(Reason::TokenRevoked));
    }
}

#[test]
fn jwt_03_adm_06_an_id_token_is_no_access_token() {
    for (profile, strategy) in FORMS {
        let (mut desk, client) = desk(profile, strategy);
        let id = desk.login(&client, "openid profile").id.unwrap();
        let token = desk.world.signing_key.sign_jwt("JWT", &id).unwrap();
        assert_eq!(desk.active(&client, &token), Err(Reason::TokenKindWrong), "{profile}");
    }
}

#[test]
fn rtk_11_cod_12_other_kinds_of_token_are_refused() {
    let (mut desk, client) = desk("rfc9068", "jwt");
    let tokens = desk.login(&client, "openid offline_access");
    assert_eq!(desk.active(&client, &tokens.refresh.unwrap()), Err(Reason::TokenKindWrong));
    let code = desk.world.cx().handle().expose().to_owned();
    let typed = |typ: &str| {
        let claims: Value =
            json!({"iss": ISSUER, "exp": START.seconds() + 60, "jti": "x", "aid": "", "st": ""});
        desk.world.signing_key.sign_jwt(typ, &claims).unwrap()
    };
    let others = ["logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "jwt"].map(typed);
    assert_eq!(desk.active(&client, &code), Err(Reason::TokenMalformed));
    for other in others {
        assert_eq!(desk.active(&client, &other), Err(Reason::TokenKindWrong));
    }
}

#[test]
fn tok_14_near_misses_of_an_opaque_token_are_refused() {
    let (mut desk, client) = desk("rfc9068", "opaque");
    let token = desk.token(&client, CLIENT_TOKEN).unwrap().access;
    for near in [format!("{token}A"), token.to_ascii_uppercase(), "at_".to_owned(), token[..45].to_owned()] {
        assert_eq!(desk.active(&client, &near), Err(Reason::TokenMalformed), "{near}");
    }
    let mut other = token.clone().into_bytes();
    other[10] ^= 1;
    let other = String::from_utf8(other).unwrap();
    assert!(desk.active(&client, &other).is_err());
}

#[test]
fn a_jti_of_the_profile_acp_opens_nothing_by_itself() {
    let (mut desk, client) = desk("acp", "jwt");
    let token = desk.login(&client, "openid").access;
    let jti = desk.active(&client, &token).unwrap().claims["jti"].as_str().unwrap().to_owned();
    for guess in [jti.clone(), format!("at_{jti}"), format!("descent\nshop\n{jti}")] {
        assert_eq!(desk.active(&client, &guess), Err(Reason::TokenMalformed), "{guess}");
    }
    // Without the record that ties it to its grant it is dead, not a token of the client.
    desk.store.artifacts.clear();
    assert_eq!(desk.active(&client, &token), Err(Reason::TokenRevoked));
}

/// A token with a header of one's own around claims of one's own, signed by `key`.
fn forged(key: &SigningKey, header: &Value, claims: &Value) -> String {
    key.sign_with_header(header, &serde_json::to_vec(claims).unwrap()).unwrap()
}

#[test]
fn jwt_04_to_jwt_09_adm_07_forged_tokens_are_refused() {
    let (mut desk, client) = desk("rfc9068", "jwt");
    let good = desk.token(&client, CLIENT_TOKEN).unwrap().access;
    let parts: Vec<&str> = good.split('.').collect();
    let claims: Value = serde_json::from_slice(&base64url::decode(parts[1]).unwrap()).unwrap();
    let kid = desk.world.signing_key.kid().to_owned();
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let hmac = SigningKey::from_secret(Algorithm::HS256, &kid, &[7; 32]).unwrap();
    let none = base64url::encode(format!(r#"{{"alg":"none","kid":"{kid}","typ":"at+jwt"}}"#).as_bytes());
    let mut edited = claims.clone();
    edited["scp"] = json!(["orders.read", "revoke_tokens"]);
    let edited = base64url::encode(&serde_json::to_vec(&edited).unwrap());
    let header = json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"});
    let with_jwk = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": stranger.public_jwk()});
    let injected = json!({"alg": "ES256", "typ": "at+jwt", "kid": "../../dev/null' OR 1=1 --"});
    let without_kid = json!({"alg": "ES256", "typ": "at+jwt"});
    let key = &desk.world.signing_key;
    let cases = [
        ("JWT-04", format!("{none}.{}.", parts[1])),
        ("JWT-04", format!("{none}.{}.{}", parts[1], parts[2])),
        ("JWT-05", hmac.sign_jwt("at+jwt", &claims).unwrap()),
        ("JWT-06", forged(&stranger, &with_jwk, &claims)),
        ("JWT-07", forged(key, &injected, &claims)),
        ("JWT-07", forged(key, &without_kid, &claims)),
        ("JWT-08", format!("{}.{edited}.{}", parts[0], parts[2])),
        ("JWT-09", format!("{}.{}.", parts[0], parts[1])),
        ("JWT-09", format!("{}.{}.{}", parts[0], parts[1], base64url::encode(&[0; 64]))),
        ("ADM-07", forged(&stranger, &header, &claims)),
    ];
    for (attack, token) in cases {
        assert_eq!(desk.active(&client, &token), Err(Reason::TokenSignature), "{attack}");
    }
    assert!(desk.active(&client, &good).is_ok());
}

#[test]
fn cod_17_adm_04_a_token_of_another_issuer_is_refused_even_under_the_same_key() {
    let (mut desk, client) = desk("rfc9068", "jwt");
    let good = desk.token(&client, CLIENT_TOKEN).unwrap().access;
    let mut claims: Value =
        serde_json::from_slice(&base64url::decode(good.split('.').nth(1).unwrap()).unwrap()).unwrap();
    claims["iss"] = json!("https://as.example/acme/other");
    let token = desk.world.signing_key.sign_jwt("at+jwt", &claims).unwrap();
    assert_eq!(desk.active(&client, &token), Err(Reason::TokenSignature));
}

#[test]
fn jwt_10_jwt_11_garbage_is_refused_without_panic() {
    let (mut desk, client) = desk("rfc9068", "jwt");
    let dots = ".".repeat(100_000);
    let deep = format!("{}.{}.x", base64url::encode("[".repeat(5_000).as_bytes()), "e30");
    for token in ["", ".", "..", "a.b.c", "Bearer", "\u{0}", "ä.ö.ü", &dots, &deep] {
        assert_eq!(desk.active(&client, token), Err(Reason::TokenMalformed));
    }
}
