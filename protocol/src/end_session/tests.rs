use super::*;
use crate::fixtures::{ISSUER, START, World};
use crate::id::SessionId;
use crate::unknown_members::UnknownMembers;
use jose::SigningKey;
use serde_json::{Value, json};

const BACK: &str = "https://app.example/bye";

fn client(world: &World) -> Client {
    Client { post_logout_redirect_uris: vec![BACK.to_owned()], ..world.confidential() }
}

fn session(world: &World) -> Session {
    Session {
        server: world.server.id.clone(),
        server_uid: world.server.uid.clone(),
        idp_uid: "idp-uid".into(),
        subject: world.subject(),
        created_at: START,
        ends_at: START.plus(std::time::Duration::from_secs(3600)),
        last_used_at: START,
        ip_address: String::new(),
        user_agent: String::new(),
        unknown: UnknownMembers::default(),
    }
}

fn claims() -> Value {
    // Long expired: OIDC RP-Initiated Logout §4 has it accepted nevertheless.
    json!({"iss": ISSUER, "sub": "ada", "aud": "web", "sid": "sid-1", "iat": 1_700_000_000, "exp": 1_700_003_600})
}

fn hint(key: &SigningKey, claims: &Value) -> String {
    key.sign_jwt("JWT", claims).unwrap()
}

fn params(fields: &[(&str, &str)]) -> Params {
    let mut params = Params::default();
    for (name, value) in fields {
        params.push((*name).to_owned(), (*value).to_owned()).unwrap();
    }
    params
}

fn run(world: &mut World, fields: &[(&str, &str)]) -> Result<EndSessionRequest, Reason> {
    let (params, client) = (params(fields), client(world));
    let asking = read(&params, &world.cx()).map_err(|refusal| refusal.reason)?;
    let known = asking.client_id.as_ref().is_some_and(|id| *id == client.client_id);
    check(&params, asking, known.then_some(&client)).map_err(|refusal| refusal.reason)
}

#[test]
fn oidcc_rp_initiated_logout_the_hint_of_this_session_ends_it_and_leads_back() {
    let mut world = World::default();
    let hint = hint(&world.signing_key, &claims());
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK), ("state", "a b&c")];
    let request = run(&mut world, &fields).unwrap();
    let mut session = session(&world);
    assert_eq!(request.step(Some(&session)), EndSessionStep::End);
    assert_eq!(request.step(None), EndSessionStep::Nobody);
    assert_eq!(request.location(false), Some(format!("{BACK}?state=a+b%26c")));
    // LGO-04: the hint of another session of the same person is no proof.
    session.subject.sid = SessionId::new("sid-2");
    assert_eq!(request.step(Some(&session)), EndSessionStep::Ask);
}

#[test]
fn oidcc_rp_initiated_logout_no_state_none_is_added() {
    let mut world = World::default();
    let hint = hint(&world.signing_key, &claims());
    let request = run(&mut world, &[("id_token_hint", &hint), ("post_logout_redirect_uri", BACK)]).unwrap();
    assert_eq!(request.location(false).as_deref(), Some(BACK));
}

#[test]
fn lgo_03_only_registered_uris_character_by_character() {
    let mut world = World::default();
    let hint = hint(&world.signing_key, &claims());
    for uri in [
        "https://evil.example/",
        "https://app.example/bye?foo=bar",
        "https://app.example/bye/",
        "https://app.example/bye#",
        "https://APP.example/bye",
        "https://app.example/cb",
        "//app.example/bye",
        "javascript:alert(1)",
    ] {
        let refused = run(&mut world, &[("id_token_hint", &hint), ("post_logout_redirect_uri", uri)]);
        assert_eq!(refused, Err(Reason::PostLogoutRedirectUriNotRegistered), "{uri}");
    }
}

#[test]
fn lgo_05_without_a_hint_only_a_person_who_confirmed_is_sent_on() {
    let mut world = World::default();
    let nobody = run(&mut world, &[("post_logout_redirect_uri", BACK)]);
    assert_eq!(nobody, Err(Reason::PostLogoutRedirectUriWithoutClient));
    let request = run(&mut world, &[("client_id", "web"), ("post_logout_redirect_uri", BACK)]).unwrap();
    assert_eq!(request.step(Some(&session(&world))), EndSessionStep::Ask);
    assert_eq!(request.location(false), None);
    assert_eq!(request.location(true).as_deref(), Some(BACK));
}

#[test]
fn lgo_07_client_id_and_hint_name_one_client() {
    let mut world = World::default();
    let hint = hint(&world.signing_key, &claims());
    let refused = run(&mut world, &[("id_token_hint", &hint), ("client_id", "spa")]);
    assert_eq!(refused, Err(Reason::LogoutHintOfOtherClient));
    assert!(run(&mut world, &[("id_token_hint", &hint), ("client_id", "web")]).is_ok());
    assert_eq!(run(&mut world, &[("client_id", "nobody")]), Err(Reason::AuthorizeClientUnknown));
}

#[test]
fn oidcc_rp_initiated_logout_bad_and_modified_id_token_hint_are_refused() {
    let mut world = World::default();
    let foreign = hint(&World::default().signing_key, &claims());
    let body = jose::base64url::encode(claims().to_string().as_bytes());
    let unsecured = format!("{}.{body}.", jose::base64url::encode(br#"{"alg":"none"}"#));
    for hint in [foreign.as_str(), unsecured.as_str(), "x"] {
        let refused = run(&mut world, &[("id_token_hint", hint), ("post_logout_redirect_uri", BACK)]);
        assert_eq!(refused, Err(Reason::IdTokenHintInvalid));
    }
}

#[test]
fn w_09_a_recycled_client_inherits_no_hint() {
    let mut world = World::default();
    let hint = hint(&world.signing_key, &claims());
    let params = params(&[("id_token_hint", &hint)]);
    let asking = read(&params, &world.cx()).unwrap();
    let client = Client { predecessor_deleted_at: Some(START), ..client(&world) };
    assert_eq!(check(&params, asking, Some(&client)).unwrap_err().reason, Reason::IdTokenHintInvalid);
}
