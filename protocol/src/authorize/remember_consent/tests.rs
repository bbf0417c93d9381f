use super::*;
use crate::authorize::trial::{Trial, Visit};

/// What "allow" writes: the consent and the write's precondition.
fn remember(visit: &mut Visit, asked: &str, allowed: &str, existing: Option<&Document>) -> Remembered {
    let (asked, allowed) = (ScopeSet::parse(asked).unwrap(), ScopeSet::parse(allowed).unwrap());
    let Visit { trial, request, session, .. } = visit;
    let mut cx = trial.world.cx();
    remember_consent(request, &trial.client, session.as_ref().unwrap(), (&asked, &allowed), existing, &mut cx)
        .unwrap()
}

fn written(remembered: &Remembered) -> (Document, Consent, Expect) {
    let [Write::PutDocument { document, expect }] = remembered.writes.as_slice() else {
        panic!("one document")
    };
    (document.clone(), document.read().unwrap(), *expect)
}

#[test]
fn decisions_9_what_was_allowed_is_kept_and_added_to() {
    let mut visit = Visit::new(Trial::default(), &[("scope", "openid email orders.read")]);
    let (mut document, consent, expect) =
        written(&remember(&mut visit, "openid email", "openid email", None));
    assert_eq!(expect, Expect::Absent);
    assert_eq!(consent.scopes.keys().collect::<Vec<_>>(), ["email", "openid"]);
    assert_eq!(document.id, Consent::document_id(&consent.server, &consent.subject, &consent.client));
    document.revision = 7;
    let remembered = remember(&mut visit, "orders.read", "orders.read", Some(&document));
    let (again, consent, expect) = written(&remembered);
    assert_eq!(expect, Expect::Revision(7));
    assert_eq!(again.uid, document.uid);
    assert_eq!(consent.scopes.len(), 3);
    assert_eq!(remembered.request, visit.request);
    visit.consent = Some(consent);
    visit.progress.consented = Some(remembered.consented);
    assert_eq!(visit.asked(), None);
}

#[test]
fn w_09_a_client_of_the_same_id_inherits_nothing() {
    let mut visit = Visit::new(Trial::default(), &[("scope", "openid email")]);
    let (document, ..) = written(&remember(&mut visit, "email", "email", None));
    visit.trial.client.uid = "a new incarnation".into();
    let (_, consent, _) = written(&remember(&mut visit, "openid", "openid", Some(&document)));
    assert_eq!(consent.scopes.keys().collect::<Vec<_>>(), ["openid"]);
    assert_eq!(consent.client_uid, visit.trial.client.uid);
}

#[test]
fn transient_scopes_are_granted_and_not_remembered() {
    let mut visit = Visit::new(Trial::default(), &[("scope", "openid email")]);
    for scope in &mut visit.trial.world.catalog.scopes {
        scope.transient = scope.name == "email";
    }
    let remembered = remember(&mut visit, "openid email", "openid email", None);
    assert_eq!(remembered.request.scope.to_string(), "openid email");
    assert_eq!(written(&remembered).1.scopes.keys().collect::<Vec<_>>(), ["openid"]);
}

#[test]
fn rfc6749_3_3_the_user_may_allow_less_and_never_more() {
    let mut visit = Visit::new(Trial::default(), &[("scope", "openid email orders.read")]);
    let remembered = remember(&mut visit, "openid email", "openid revoke_tokens orders.write", None);
    assert_eq!(remembered.request.scope.to_string(), "openid orders.read");
    assert_eq!(remembered.consented.scope.to_string(), "openid");
    assert_eq!(written(&remembered).1.scopes.keys().collect::<Vec<_>>(), ["openid"]);
    // The login itself is what is being confirmed.
    let remembered = remember(&mut visit, "openid email", "email", None);
    assert!(remembered.request.is_openid());
}
