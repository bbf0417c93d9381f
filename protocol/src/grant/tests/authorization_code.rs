use crate::client::Client;
use crate::error::Reason;
use crate::fixtures::{Desk, START};
use crate::grant::authorization_code::Code;
use crate::id::Uid;
use crate::pkce::{CodeChallenge, CodeChallengeMethod};
use crate::record::ArtifactKind;
use serde_json::json;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "&redirect_uri=https://app.example/cb";

fn body(code: &str, more: &str) -> String {
    format!("grant_type=authorization_code&code={code}{more}")
}

/// A stored code after `change`.
fn code(desk: &mut Desk, client: &Client, scope: &str, change: impl FnOnce(&mut Code)) -> String {
    let (handle, mut code) = desk.code(client, scope);
    change(&mut code);
    let mut grant = desk.world.grant(client, scope);
    grant.body.resource = code.resource.clone();
    desk.store_code(&handle, &code, grant);
    handle
}

fn with_challenge(code: &mut Code) {
    code.code_challenge = CodeChallenge::new(CHALLENGE, CodeChallengeMethod::S256).ok();
}

#[test]
fn rfc6749_4_1_4_tokens_by_scope() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = desk.issued_code(&client, "openid offline_access orders.read");
    let tokens = desk.token(&client, &body(&handle, REDIRECT)).unwrap();
    assert_eq!(tokens.scope, "openid offline_access orders.read");
    assert!(tokens.refresh.unwrap().starts_with("rt_"));
    assert_eq!(tokens.id.unwrap()["nonce"], "n-0S6_WzA2Mj");
}

#[test]
fn tok_18_tok_19_no_id_token_without_openid_no_refresh_token_without_its_grant() {
    let scope = "orders.read offline_access";
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = desk.issued_code(&client, "openid orders.read");
    let tokens = desk.token(&client, &body(&handle, REDIRECT)).unwrap();
    assert_eq!(tokens.refresh, None);

    let mut desk = Desk::default();
    let handle = desk.issued_code(&client, scope);
    assert_eq!(desk.token(&client, &body(&handle, REDIRECT)).unwrap().id, None);

    let unregistered = Client { grant_types: vec!["authorization_code".to_owned()], ..client.clone() };
    let mut desk = Desk::default();
    let handle = desk.issued_code(&unregistered, scope);
    assert_eq!(desk.token(&unregistered, &body(&handle, REDIRECT)).unwrap().refresh, None);

    let mut desk = Desk::default();
    desk.world.server.grant_types.retain(|g| g != "refresh_token");
    let handle = desk.issued_code(&client, scope);
    assert_eq!(desk.token(&client, &body(&handle, REDIRECT)).unwrap().refresh, None);
}

#[test]
fn cod_02_cod_03_cod_04_a_replay_is_refused_and_ends_every_token() {
    for wait in [800, 30_000, 86_400_000 * 7] {
        let mut desk = Desk::default();
        let client = desk.world.confidential();
        let handle = desk.issued_code(&client, "openid offline_access");
        let tokens = desk.token(&client, &body(&handle, REDIRECT)).unwrap();
        desk.world.advance_millis(wait);
        assert_eq!(desk.token(&client, &body(&handle, REDIRECT)), Err(Reason::CodeReplayed), "{wait}");
        assert!(!desk.is_active(&client, &tokens.access));
        assert_eq!(desk.refresh(&client, &tokens.refresh.unwrap()), Err(Reason::GrantRevoked));
    }
}

#[test]
fn settled_point_a_double_submit_is_refused_and_its_tokens_live() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = code(&mut desk, &client, "openid offline_access", with_challenge);
    let proof = format!("{REDIRECT}&code_verifier={VERIFIER}");
    let tokens = desk.token(&client, &body(&handle, &proof)).unwrap();
    desk.world.advance_millis(799);
    assert_eq!(desk.token(&client, &body(&handle, &proof)), Err(Reason::CodeSubmittedTwice));
    assert!(desk.is_active(&client, &tokens.access));
    assert!(desk.refresh(&client, &tokens.refresh.unwrap()).is_ok());
}

#[test]
fn cod_13_of_two_at_once_exactly_one_gets_tokens() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = desk.issued_code(&client, "openid");
    let request = body(&handle, REDIRECT);
    let (one, two) = (desk.load(&client, &request).unwrap(), desk.load(&client, &request).unwrap());
    let tokens = desk.decide(&client, &request, &one).unwrap().unwrap();
    assert_eq!(desk.decide(&client, &request, &two), Err(crate::fixtures::Conflict));
    assert_eq!(desk.token(&client, &request), Err(Reason::CodeSubmittedTwice));
    assert!(desk.is_active(&client, &tokens.access));
}

#[test]
fn cod_02_a_second_use_by_anybody_else_revokes_at_once() {
    let wrong = "a".repeat(43);
    let stranger = |client: &Client| Client { client_id: "other".into(), ..client.clone() };
    type Request<'a> = (Box<dyn Fn(&Client) -> Client + 'a>, String);
    let requests: Vec<Request<'_>> = vec![
        (Box::new(stranger), format!("{REDIRECT}&code_verifier={VERIFIER}")),
        (Box::new(Client::clone), format!("{REDIRECT}&code_verifier={wrong}")),
        (Box::new(Client::clone), REDIRECT.to_owned()),
        (Box::new(Client::clone), format!("&redirect_uri=https://evil.example&code_verifier={VERIFIER}")),
    ];
    for (who, proof) in requests {
        let mut desk = Desk::default();
        let client = desk.world.confidential();
        let handle = code(&mut desk, &client, "openid", with_challenge);
        let first = format!("{REDIRECT}&code_verifier={VERIFIER}");
        let tokens = desk.token(&client, &body(&handle, &first)).unwrap();
        desk.world.advance_millis(10);
        assert_eq!(desk.token(&who(&client), &body(&handle, &proof)), Err(Reason::CodeReplayed));
        assert!(!desk.is_active(&client, &tokens.access), "{proof}");
    }
}

#[test]
fn rfc6749_4_1_3_a_code_of_another_client_is_refused_and_stays_good() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = desk.issued_code(&client, "openid");
    let other = Client { client_id: "other".into(), ..client.clone() };
    let reborn = Client { uid: Uid::new("reborn"), ..client.clone() };
    for stranger in [&other, &reborn] {
        assert_eq!(desk.token(stranger, &body(&handle, REDIRECT)), Err(Reason::CodeOfOtherClient));
    }
    assert!(desk.token(&client, &body(&handle, REDIRECT)).is_ok());
}

#[test]
fn rfc6749_4_1_2_a_code_expires() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = desk.issued_code(&client, "openid");
    desk.world.advance_millis(600_000);
    assert_eq!(desk.token(&client, &body(&handle, REDIRECT)), Err(Reason::CodeExpired));
}

#[test]
fn cod_08_redirect_uri_is_required_when_it_was_sent_and_identical() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = desk.issued_code(&client, "openid");
    for other in ["", "&redirect_uri=https://app.example/cb/", "&redirect_uri=https://app.example/CB"] {
        assert_eq!(desk.token(&client, &body(&handle, other)), Err(Reason::RedirectUriDiffers), "{other}");
    }
    assert!(desk.token(&client, &body(&handle, REDIRECT)).is_ok());

    let mut desk = Desk::default();
    let handle = code(&mut desk, &client, "openid", |code| code.redirect_uri = None);
    let evil = "&redirect_uri=https://evil.example/cb";
    assert_eq!(desk.token(&client, &body(&handle, evil)), Err(Reason::RedirectUriDiffers));
    assert!(desk.token(&client, &body(&handle, "")).is_ok());
}

#[test]
fn pkc_03_pkc_05_pkc_07_pkc_17_the_verifier_is_required_iff_there_was_a_challenge() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = code(&mut desk, &client, "openid", with_challenge);
    let wrong = "a".repeat(43);
    let with = |verifier: &str| format!("{REDIRECT}&code_verifier={verifier}");
    assert_eq!(desk.token(&client, &body(&handle, REDIRECT)), Err(Reason::CodeVerifierMissing));
    assert_eq!(desk.token(&client, &body(&handle, &with(""))), Err(Reason::CodeVerifierMissing));
    assert_eq!(desk.token(&client, &body(&handle, &with(&wrong))), Err(Reason::CodeVerifierWrong));
    assert_eq!(desk.token(&client, &body(&handle, &with(CHALLENGE))), Err(Reason::CodeVerifierWrong));
    assert_eq!(desk.token(&client, &body(&handle, &with("short"))), Err(Reason::CodeVerifierMalformed));
    assert!(desk.token(&client, &body(&handle, &with(VERIFIER))).is_ok());

    let mut desk = Desk::default();
    let handle = desk.issued_code(&client, "openid");
    let unexpected = desk.token(&client, &body(&handle, &with(VERIFIER)));
    assert_eq!(unexpected, Err(Reason::CodeVerifierUnexpected));
}

#[test]
fn cod_11_cod_12_cod_17_only_a_code_of_this_workspace_is_a_code() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.login(&client, "openid offline_access");
    for other in [&tokens.access, tokens.refresh.as_ref().unwrap(), "x", &"A".repeat(43)] {
        assert_eq!(desk.token(&client, &body(other, REDIRECT)), Err(Reason::CodeUnknown), "{other}");
    }
    assert_eq!(desk.token(&client, "grant_type=authorization_code"), Err(Reason::ParameterMissing));

    let mut desk = Desk::default();
    let handle = desk.issued_code(&client, "openid");
    desk.world.server.uid = Uid::new("made again under the same name");
    assert_eq!(desk.token(&client, &body(&handle, REDIRECT)), Err(Reason::CodeUnknown));
}

#[test]
fn w_10_a_code_dies_with_its_user_and_its_grant() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = desk.issued_code(&client, "openid");
    desk.world.people.gone = true;
    assert_eq!(desk.token(&client, &body(&handle, REDIRECT)), Err(Reason::SubjectGone));
    desk.world.people.gone = false;
    desk.store.grants.values_mut().for_each(|grant| grant.revoked_at = Some(START));
    assert_eq!(desk.token(&client, &body(&handle, REDIRECT)), Err(Reason::GrantRevoked));
    desk.store.grants.clear();
    assert_eq!(desk.token(&client, &body(&handle, REDIRECT)), Err(Reason::GrantRevoked));
}

#[test]
fn rfc8707_2_2_resources_of_a_code_may_be_narrowed() {
    let (orders, profile) =
        ("spiffe://as.example/acme/shop/shop-orders", "spiffe://as.example/acme/shop/shop-profile");
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = code(&mut desk, &client, "openid orders.read", |code| {
        code.resource = vec![orders.to_owned(), "https://mcp.example/".to_owned()];
    });
    let wider = format!("{REDIRECT}&resource={profile}");
    assert_eq!(desk.token(&client, &body(&handle, &wider)), Err(Reason::ResourceUnknown));
    let narrower = format!("{REDIRECT}&resource={orders}");
    let tokens = desk.token(&client, &body(&handle, &narrower)).unwrap();
    assert_eq!(desk.active(&client, &tokens.access).unwrap().claims["aud"], json!([orders]));
}

#[test]
fn a_used_code_is_remembered_for_as_long_as_its_grant() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let handle = desk.issued_code(&client, "openid offline_access");
    desk.token(&client, &body(&handle, REDIRECT)).unwrap();
    let grant = desk.store.grants.values().next().unwrap();
    let row = desk.store.artifacts.values().find(|row| row.kind == ArtifactKind::AuthorizationCode).unwrap();
    assert_eq!(row.expires_at, grant.expires_at);
    assert_eq!(row.grant.as_ref(), Some(&grant.id));
}
