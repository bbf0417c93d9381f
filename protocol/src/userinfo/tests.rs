use super::*;
use crate::authorize::claims_request::{ClaimRequest, ClaimsRequest};
use crate::fixtures::{Desk, ISSUER};
use serde_json::json;

/// Userinfo of a login with `scope`.
fn answer(client: &Client, scope: &str, requested: Option<ClaimsRequest>) -> Result<Value, Reason> {
    let mut desk = Desk::default();
    let token = desk.login(client, scope).access;
    desk.store.grants.values_mut().for_each(|grant| grant.body.claims.clone_from(&requested));
    let active = desk.active(client, &token).unwrap();
    claims(&active, client, &desk.world.cx()).map(Value::Object).map_err(|r| r.reason)
}

fn client() -> Client {
    Desk::default().world.confidential()
}

#[test]
fn uin_11_oidc_core_5_4_the_claims_of_the_scopes_and_nothing_beyond() {
    let base = json!({
        "sub": Desk::default().world.subject().sub,
        "aid": "shop", "tid": "acme", "idp": "sandbox", "idp_method": "static",
    });
    assert_eq!(answer(&client(), "openid", None), Ok(base.clone()));
    let mut with_email = base.clone();
    with_email["email"] = json!("ada@example.org");
    with_email["email_verified"] = json!(true);
    assert_eq!(answer(&client(), "openid email", None), Ok(with_email));
    let mut with_profile = base;
    with_profile["name"] = json!("Ada Example");
    with_profile["given_name"] = json!("Ada");
    assert_eq!(answer(&client(), "openid profile", None), Ok(with_profile));
}

#[test]
fn oidcc_claims_essential_a_single_claim_and_no_protected_or_inner_one() {
    let userinfo = ["name", "sub", "aid", "groups", "iss"]
        .map(|name| (name.to_owned(), ClaimRequest { essential: true, ..ClaimRequest::default() }));
    let requested = ClaimsRequest { userinfo: userinfo.into(), ..ClaimsRequest::default() };
    let answer = answer(&client(), "openid", Some(requested)).unwrap();
    assert_eq!(answer["name"], "Ada Example");
    for absent in ["groups", "iss", "given_name"] {
        assert_eq!(answer.get(absent), None, "{absent}");
    }
    assert_eq!(answer["sub"], json!(Desk::default().world.subject().sub));
}

#[test]
fn oidc_core_5_3_2_sub_is_the_one_of_the_id_token() {
    let client = Client { subject_type: "pairwise".to_owned(), ..client() };
    let mut desk = Desk::default();
    let tokens = desk.login(&client, "openid");
    let active = desk.active(&client, &tokens.access).unwrap();
    let answer = claims(&active, &client, &desk.world.cx()).ok().unwrap();
    assert_eq!(answer["sub"], tokens.id.unwrap()["sub"]);
    assert_eq!(answer["sub"], active.claims["sub"]);
}

#[test]
fn uin_05_uin_06_only_tokens_of_a_user_with_openid() {
    assert_eq!(answer(&client(), "orders.read", None), Err(Reason::TokenWithoutOpenid));
    let mut desk = Desk::default();
    let client = client();
    let token = desk.token(&client, "grant_type=client_credentials&scope=openid").unwrap().access;
    let active = desk.active(&client, &token).unwrap();
    let refused = claims(&active, &client, &desk.world.cx()).err().unwrap();
    assert_eq!(refused.reason, Reason::TokenWithoutUser);
}

#[test]
fn oidc_core_5_3_2_a_signed_answer_names_issuer_and_audience() {
    for (alg, signed) in [("RS256", true), ("none", false), ("", false)] {
        let client = Client { userinfo_signed_response_alg: alg.to_owned(), ..client() };
        let answer = answer(&client, "openid", None).unwrap();
        assert_eq!(answer.get("iss"), signed.then_some(&json!(ISSUER)), "{alg}");
        assert_eq!(answer.get("aud"), signed.then_some(&json!("web")), "{alg}");
    }
}
