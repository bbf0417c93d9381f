use super::*;
use crate::authorize::trial::Visit;

const FORCED: Step = Step::Login { forced: true };
const FIRST: Step = Step::Login { forced: false };

#[test]
fn oidcc_prompt_none_logged_in_and_not_logged_in() {
    let mut visit = Visit::consented(&[("prompt", "none")]);
    assert_eq!(visit.next(), Step::Respond);
    visit.consent = None;
    assert_eq!(visit.refused(), "consent_required");
    visit.session = None;
    assert_eq!(visit.refused(), "login_required");
}

#[test]
fn aut_12_prompt_none_never_shows_a_page() {
    let claims = r#"{"id_token":{"acr":{"essential":true,"value":"1"},"sub":{"value":"somebody"}}}"#;
    for changes in [&[("prompt", "none")][..], &[("prompt", "none"), ("max_age", "0"), ("claims", claims)]] {
        let mut visit = Visit::new(Default::default(), changes);
        for _ in 0..2 {
            assert!(matches!(visit.next(), Step::Refuse(_)));
            visit.session = None;
        }
    }
}

#[test]
fn without_a_usable_session_the_login_page_comes() {
    let mut visit = Visit::consented(&[]);
    assert_eq!(visit.next(), Step::Respond);
    visit.session = None;
    assert_eq!(visit.next(), FIRST);
}

#[test]
fn w_09_w_10_a_session_ends_with_its_workspace_its_person_and_its_time() {
    let usable = |spoil: fn(&mut Visit)| {
        let mut visit = Visit::consented(&[]);
        spoil(&mut visit);
        visit.next() == Step::Respond
    };
    assert!(usable(|_| ()));
    assert!(!usable(|visit| visit.session.as_mut().unwrap().server = "other".into()));
    assert!(!usable(|visit| visit.session.as_mut().unwrap().server_uid = "earlier".into()));
    assert!(!usable(|visit| visit.trial.world.people.gone = true));
    assert!(!usable(|visit| visit.trial.world.advance_millis(3_600_000)));
}

#[test]
fn aut_14_prompt_login_wants_a_login_inside_this_interaction() {
    let mut visit = Visit::consented(&[("prompt", "login")]);
    assert_eq!(visit.next(), FORCED);
    visit.log_in();
    assert_eq!(visit.next(), Step::Respond);
    // An older session that another tab put in its place does not count.
    visit.session.as_mut().unwrap().subject = visit.trial.world.subject();
    assert_eq!(visit.next(), FORCED);
}

#[test]
fn aut_15_oidcc_max_age_an_older_login_is_repeated() {
    // The session is 30 s old.
    let mut visit = Visit::consented(&[("max_age", "30")]);
    assert_eq!(visit.next(), Step::Respond);
    visit.trial.world.advance_millis(1);
    assert_eq!(visit.next(), FORCED);
    visit.log_in();
    // The consent page took a while: no second login.
    visit.trial.world.advance_millis(60_000);
    assert_eq!(visit.next(), Step::Respond);
    let mut visit = Visit::consented(&[("max_age", "1"), ("prompt", "none")]);
    assert_eq!(visit.refused(), "login_required");
}

#[test]
fn oidc_core_3_1_2_1_max_age_0_is_a_login_each_time() {
    let mut visit = Visit::consented(&[("max_age", "0")]);
    visit.session.as_mut().unwrap().subject.auth_time = visit.trial.world.now;
    assert_eq!(visit.next(), FORCED);
    visit.log_in();
    assert_eq!(visit.next(), Step::Respond);
}

#[test]
fn oidc_core_3_1_2_1_select_account() {
    let mut visit = Visit::consented(&[("prompt", "select_account")]);
    assert_eq!(visit.next(), Step::SelectAccount);
    visit.progress.account_chosen = true;
    assert_eq!(visit.next(), Step::Respond);
    visit.progress.account_chosen = false;
    visit.log_in();
    assert_eq!(visit.next(), Step::Respond, "who logs in has chosen");
    let mut visit = Visit::consented(&[("prompt", "select_account login")]);
    visit.progress.account_chosen = true;
    assert_eq!(visit.next(), FORCED);
}

#[test]
fn oidcc_id_token_hint_another_user_must_log_in() {
    let mut visit = Visit::consented(&[]);
    visit.request.hinted_subject = Some(visit.trial.world.subject().sub);
    assert_eq!(visit.next(), Step::Respond);
    visit.request.hinted_subject = Some("somebody else".to_owned());
    assert_eq!(visit.next(), FORCED);
    visit.log_in();
    assert_eq!(visit.refused(), "login_required", "the wrong user logged in again");
    visit.request.prompt.none = true;
    visit.progress = Progress::default();
    assert_eq!(visit.refused(), "login_required");
}

#[test]
fn oidc_core_8_a_hint_names_the_user_as_the_client_knows_them() {
    let mut visit = Visit::consented(&[]);
    visit.trial.client.subject_type = "pairwise".to_owned();
    visit.request.hinted_subject = Some(visit.trial.world.subject().sub);
    assert_eq!(visit.next(), FORCED);
    let subject = visit.trial.world.subject();
    let pairwise = subject_identifier(&visit.trial.client, &subject, &visit.trial.world.cx());
    visit.request.hinted_subject = Some(pairwise);
    assert_eq!(visit.next(), Step::Respond);
}

#[test]
fn oidc_core_5_5_1_a_demanded_sub_must_be_the_users() {
    let mut visit = Visit::consented(&[("claims", r#"{"id_token":{"sub":{"value":"somebody else"}}}"#)]);
    assert_eq!(visit.next(), FORCED);
    let claims = visit.request.claims.as_mut().unwrap();
    claims.id_token.get_mut("sub").unwrap().value = Some(visit.trial.world.subject().sub.into());
    assert_eq!(visit.next(), Step::Respond);
}

#[test]
fn oidc_core_5_5_1_1_an_essential_acr_is_met_or_refused() {
    let wanted = |acr: &str| format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":["{acr}"]}}}}}}"#);
    assert_eq!(Visit::consented(&[("claims", &wanted("1"))]).next(), Step::Respond);
    let mut visit = Visit::consented(&[("claims", &wanted("9"))]);
    assert_eq!(visit.refused(), "unmet_authentication_requirements");
    visit.session = None;
    assert_eq!(visit.refused(), "unmet_authentication_requirements", "before any login page");
    // It can be reached: by another login, once.
    visit = Visit::consented(&[("claims", &wanted("9"))]);
    visit.trial.world.server.acr_values_supported.push("9".to_owned());
    assert_eq!(visit.next(), FORCED);
    visit.log_in();
    assert_eq!(visit.refused(), "unmet_authentication_requirements");
    let voluntary = r#"{"id_token":{"acr":{"values":["9"]}}}"#;
    assert_eq!(Visit::consented(&[("claims", voluntary), ("acr_values", "9")]).next(), Step::Respond);
}
