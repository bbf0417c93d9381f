use crate::authorize::interaction::Consented;
use crate::authorize::trial::{Trial, Visit};
use crate::scope::ScopeSet;

const THREE: &[(&str, &str)] = &[("scope", "openid email orders.read")];

fn native(uri: &str) -> Visit {
    let mut trial = Trial::public();
    trial.client.application_type = "native".to_owned();
    trial.client.redirect_uris = vec![uri.to_owned()];
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let mut visit = Visit::new(trial, &[("code_challenge", challenge), ("code_challenge_method", "S256")]);
    visit.consent = Some(visit.consent_to(&visit.request.scope));
    visit
}

fn allow(visit: &mut Visit, scope: &str) {
    visit.progress.consented =
        Some(Consented { subject: visit.trial.world.subject().sub, scope: ScopeSet::parse(scope).unwrap() });
}

#[test]
fn decisions_9_only_what_was_not_allowed_before_is_asked() {
    let mut visit = Visit::new(Trial::default(), THREE);
    assert_eq!(visit.asked().as_deref(), Some("openid email orders.read"));
    visit.consent = Some(visit.consent_to(&ScopeSet::parse("email openid profile").unwrap()));
    assert_eq!(visit.asked().as_deref(), Some("orders.read"));
    visit.consent = Some(visit.consent_to(&visit.request.scope));
    assert_eq!(visit.asked(), None);
}

#[test]
fn w_09_consent_to_an_earlier_client_another_client_or_by_another_user_does_not_count() {
    let mut visit = Visit::consented(THREE);
    visit.consent.as_mut().unwrap().client_uid = "an earlier incarnation".into();
    assert!(visit.asked().is_some());
    let mut visit = Visit::consented(THREE);
    visit.consent.as_mut().unwrap().client = "spa".into();
    assert!(visit.asked().is_some());
    let mut visit = Visit::consented(THREE);
    visit.consent.as_mut().unwrap().subject = "eve".to_owned();
    assert!(visit.asked().is_some());
}

#[test]
fn contract_implicit_grant_is_not_asked_transient_is_always_asked() {
    let mut visit = Visit::new(Trial::default(), THREE);
    for scope in &mut visit.trial.world.catalog.scopes {
        scope.implicit_grant = scope.name == "email";
        scope.transient = scope.name == "orders.read";
    }
    assert_eq!(visit.asked().as_deref(), Some("openid orders.read"));
    visit.consent = Some(visit.consent_to(&visit.request.scope));
    assert_eq!(visit.asked().as_deref(), Some("orders.read"));
    allow(&mut visit, "orders.read");
    assert_eq!(visit.asked(), None);
}

#[test]
fn oidc_core_11_offline_access_is_consented_to_like_any_scope() {
    let mut visit = Visit::new(Trial::default(), &[("scope", "openid offline_access")]);
    visit.consent = Some(visit.consent_to(&ScopeSet::parse("openid").unwrap()));
    assert_eq!(visit.asked().as_deref(), Some("offline_access"));
}

#[test]
fn oidc_core_3_1_2_1_prompt_consent_asks_again() {
    let mut visit = Visit::consented(&[("scope", "openid email"), ("prompt", "consent")]);
    assert_eq!(visit.asked().as_deref(), Some("openid email"));
    allow(&mut visit, "openid email");
    assert_eq!(visit.asked(), None);
}

#[test]
fn contract_trusted_clients_are_not_asked_about() {
    let mut visit = Visit::new(Trial::default(), THREE);
    visit.trial.client.trusted = true;
    assert_eq!(visit.asked(), None);
    visit.request.prompt.none = true;
    assert_eq!(visit.asked(), None);
}

#[test]
fn rfc8252_8_6_public_native_clients_are_confirmed_each_time() {
    for uri in ["com.example.app:/cb", "http://127.0.0.1/cb", "http://localhost:3000/cb", "http://[::1]/cb"] {
        let mut visit = native(uri);
        assert_eq!(visit.asked().as_deref(), Some("openid"), "{uri}");
        visit.trial.client.trusted = true;
        assert_eq!(visit.asked().as_deref(), Some("openid"), "{uri}, though trusted");
        visit.request.prompt.none = true;
        assert_eq!(visit.refused(), "consent_required", "{uri}");
        visit.request.prompt.none = false;
        allow(&mut visit, "openid");
        assert_eq!(visit.asked(), None, "{uri}");
    }
    // A claimed https URI is the application's alone (RFC 8252 §7.2).
    assert_eq!(native("https://app.example/cb").asked(), None);
}

#[test]
fn rfc8252_8_6_the_client_is_confirmed_even_when_no_scope_is_left_to_ask() {
    let mut visit = native("http://127.0.0.1/cb");
    for scope in &mut visit.trial.world.catalog.scopes {
        scope.implicit_grant = true;
    }
    assert_eq!(visit.asked().as_deref(), Some(""));
    allow(&mut visit, "");
    assert_eq!(visit.asked(), None);
}

#[test]
fn what_another_user_allowed_in_the_same_interaction_does_not_count() {
    let mut visit = Visit::new(Trial::default(), THREE);
    allow(&mut visit, "openid email orders.read");
    assert_eq!(visit.asked(), None);
    visit.session.as_mut().unwrap().subject.sub = "somebody else".to_owned();
    assert!(visit.asked().is_some());
}
