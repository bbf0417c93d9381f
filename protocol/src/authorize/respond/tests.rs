use super::*;
use crate::authorize::trial::{Trial, Visit};
use crate::error::Reason;
use crate::fixtures::{ISSUER, START};
use crate::id::Uid;
use std::time::Duration;

struct Answered {
    response: AuthorizationResponse,
    grant: GrantRecord,
    artifact: Artifact,
    code: Code,
}

fn answer_to(visit: &mut Visit) -> Answered {
    let Visit { trial, request, session, .. } = visit;
    let decision = respond(request, &trial.client, session.as_ref().unwrap(), &mut trial.world.cx());
    let [
        Write::PutGrant { grant, expect: Expect::Absent },
        Write::PutArtifact { artifact, expect: Expect::Absent },
    ] = decision.writes.as_slice()
    else {
        panic!("a grant, then its code")
    };
    assert_eq!(decision.events.len(), 1);
    Answered {
        response: decision.reply.unwrap_or_else(|refusal| panic!("{refusal}")).response(None, None),
        grant: grant.clone(),
        artifact: artifact.clone(),
        code: artifact.payload().unwrap(),
    }
}

fn names(response: &AuthorizationResponse) -> Vec<&'static str> {
    response.params.iter().map(|(name, _)| *name).collect()
}

fn value<'a>(response: &'a AuthorizationResponse, wanted: &str) -> &'a str {
    response.params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str()).unwrap()
}

#[test]
fn rfc6749_4_1_2_code_and_state_rfc9207_2_iss() {
    let mut visit =
        Visit::consented(&[("nonce", "n-1"), ("resource", "spiffe://as.example/acme/shop/shop-orders")]);
    let Answered { response, grant, artifact, code } = answer_to(&mut visit);
    assert_eq!(names(&response), ["code", "state", "iss"]);
    assert_eq!(value(&response, "iss"), ISSUER);
    assert_eq!(value(&response, "code").len(), 43);
    assert_eq!(artifact.hash, crate::record::HandleHash::of(value(&response, "code")));
    assert!(!artifact.body.contains(value(&response, "code")), "W-01: only the hash is stored");
    assert_eq!(artifact.grant.as_ref(), Some(&grant.id));
    assert_eq!(code.redirect_uri.as_deref(), Some("https://app.example/cb"));
    assert_eq!((&code.server_uid, &code.client_uid), (&Uid::new("server-uid"), &Uid::new("web-uid")));
    assert_eq!(grant.body.nonce.as_deref(), Some("n-1"));
    assert_eq!(grant.body.resource, ["spiffe://as.example/acme/shop/shop-orders"]);
    assert_eq!(grant.subject, Some(visit.trial.world.subject().sub));
    assert_eq!(code.used_at, None);
}

/// What leaves for a response type, the tokens signed by nobody.
fn front_channel(response_type: &str) -> (AuthorizationIssue, Vec<&'static str>) {
    let changes = [("response_type", response_type), ("nonce", "n-1"), ("scope", "openid email")];
    let Visit { mut trial, request, session, .. } = Visit::new(Trial::front_channel(), &changes);
    let decision = respond(&request, &trial.client, session.as_ref().unwrap(), &mut trial.world.cx());
    assert!(matches!(decision.writes[0], Write::PutGrant { .. }));
    let issue = decision.reply.unwrap_or_else(|refusal| panic!("{refusal}"));
    let signed = |is_there: bool| is_there.then(|| "signed".to_owned());
    let response = issue.response(signed(issue.access_token.is_some()), signed(issue.id_token.is_some()));
    assert_eq!(response.mode, crate::response_mode::ResponseMode::Fragment);
    (issue, names(&response))
}

#[test]
fn oidcc_server_each_response_type_returns_what_it_names() {
    let token = ["access_token", "token_type", "expires_in", "scope"];
    for response_type in crate::response_type::ResponseType::ALL.iter().skip(1) {
        let mut expected = Vec::new();
        expected.extend(response_type.has_code().then_some("code"));
        expected.extend(token.iter().filter(|_| response_type.has_token()));
        expected.extend(response_type.has_id_token().then_some("id_token"));
        expected.extend(["state", "iss"]);
        assert_eq!(front_channel(response_type.name()).1, expected, "{response_type:?}");
    }
}

#[test]
fn oidc_core_3_3_2_11_the_hashes_bind_code_token_and_state() {
    let claims = |response_type| -> serde_json::Value {
        let (issue, _) = front_channel(response_type);
        let code = issue.code.as_ref().map(Handle::expose);
        let access_token = issue.access_token.as_ref().map(|_| "signed");
        serde_json::from_slice(&issue.id_token.unwrap().claims(access_token, code)).unwrap()
    };
    let has = |claims: &serde_json::Value, name: &str| claims.get(name).is_some();
    for (response_type, at_hash, c_hash) in
        [("id_token", false, false), ("id_token token", true, false), ("code id_token", false, true)]
    {
        let claims = claims(response_type);
        assert_eq!((has(&claims, "at_hash"), has(&claims, "c_hash")), (at_hash, c_hash), "{response_type}");
        assert_eq!((&claims["nonce"], has(&claims, "s_hash")), (&"n-1".into(), true));
        // OIDC Core §5.4: in the ID token only where no access token will fetch them.
        assert_eq!(has(&claims, "email"), response_type == "id_token", "{response_type}");
    }
}

#[test]
fn cod_15_no_two_codes_are_alike() {
    let mut visit = Visit::consented(&[]);
    let (first, second) = (answer_to(&mut visit), answer_to(&mut visit));
    assert_ne!(value(&first.response, "code"), value(&second.response, "code"));
    assert_ne!(first.grant.id, second.grant.id);
}

#[test]
fn aut_30_state_is_echoed_as_it_came_or_not_at_all() {
    let state = "%20+a b\r\n\u{1F980}&=".repeat(50);
    let mut visit = Visit::consented(&[("state", &state)]);
    assert_eq!(value(&answer_to(&mut visit).response, "state"), state);
    let mut visit = Visit::consented(&[("state", "")]);
    assert_eq!(names(&answer_to(&mut visit).response), ["code", "iss"]);
}

#[test]
fn c0_8_an_error_has_error_description_state_and_iss_and_nothing_else() {
    let mut visit = Visit::consented(&[]);
    for reason in Reason::ALL {
        let response = refuse(&visit.request.target, &(*reason).into(), &visit.trial.world.cx());
        assert_eq!(names(&response), ["error", "error_description", "state", "iss"]);
        assert_eq!(value(&response, "iss"), ISSUER, "AUT-03");
    }
}

#[test]
fn decisions_4_the_code_dies_early_and_its_row_stays_for_the_replay() {
    let mut visit = Visit::consented(&[]);
    let Answered { grant, artifact, code, .. } = answer_to(&mut visit);
    let after = |seconds| START.plus(Duration::from_secs(seconds));
    assert_eq!(code.expires_at, after(600));
    assert_eq!(grant.expires_at, after(600 + 3600));
    assert_eq!(artifact.expires_at, grant.expires_at);
    let mut visit = Visit::consented(&[("scope", "openid offline_access")]);
    assert_eq!(answer_to(&mut visit).grant.expires_at, after(600 + 720 * 3600));
    visit.trial.client.use_custom_token_ttls = true;
    visit.trial.client.token_ttls.authorization_code_ttl = Some(crate::duration::Span::seconds(60));
    assert_eq!(answer_to(&mut visit).code.expires_at, after(60));
}

#[test]
fn rfc6749_4_1_3_a_redirect_uri_that_was_not_sent_need_not_be_repeated() {
    let mut visit = Visit::consented(&[("redirect_uri", ""), ("scope", "orders.read")]);
    assert_eq!(answer_to(&mut visit).code.redirect_uri, None);
}

#[test]
fn the_target_is_named_for_the_content_security_policy() {
    let origin = |uri: &str| {
        let mut trial = Trial::default();
        trial.client.application_type = "native".to_owned();
        trial.client.redirect_uris = vec![uri.to_owned()];
        let mut visit = Visit::new(trial, &[]);
        refuse(&visit.request.target, &Reason::UserDenied.into(), &visit.trial.world.cx()).target_origin()
    };
    assert_eq!(origin("https://app.example/cb?a=1"), "https://app.example");
    assert_eq!(origin("http://127.0.0.1:4000/cb"), "http://127.0.0.1:4000");
    assert_eq!(origin("http://[::1]:4000/cb"), "http://[::1]:4000");
    assert_eq!(origin("com.example.app:/cb"), "com.example.app:");
}

#[test]
fn an_interaction_keeps_the_checked_request() {
    use crate::authorize::{Interaction, Progress};
    let claims = r#"{"id_token":{"sub":{"value":"x"}}}"#;
    let visit = Visit::consented(&[("claims", claims), ("prompt", "login"), ("response_mode", "form_post")]);
    let interaction = Interaction {
        server: "shop".into(),
        server_uid: "server-uid".into(),
        client_uid: "web-uid".into(),
        client_document: None,
        request: visit.request,
        query: "client_id=web".to_owned(),
        unpacked: None,
        browser: crate::record::HandleHash::of("cookie"),
        created_at: START,
        progress: Progress::default(),
        used_at: None,
    };
    let artifact = Artifact::new(crate::record::HandleHash::of("login_id"), START, &interaction);
    assert_eq!(artifact.payload::<Interaction>().unwrap(), interaction);
    assert!(!artifact.body.contains("null"));
}
