use super::*;
use crate::authorize::refuse;
use crate::authorize::trial::Trial;
use crate::fixtures::{World, params};
use crate::response_mode::Outgoing;
use proptest::strategy::Strategy as _;
use std::collections::BTreeSet;

/// The table as a reviewer reads it. A change of order or of columns shows here.
const TABLE: &str = "\
check                 refusal  authorize  resume  par  clause
check_size            page     yes        -       yes  RFC 6819 §4.4.1.11
check_client          page     yes        yes     yes  RFC 6749 §4.1.2.1
check_redirect_uri    page     yes        yes     yes  RFC 9700 §2.1
check_response_mode   respond  yes        yes     yes  OAuth Multiple Response Types §2.1
check_request_object  respond  yes        -       yes  OIDC Core §6
check_registration    respond  yes        -       yes  OIDC Core §7.2.1
check_pushed          respond  yes        yes     -    RFC 9126 §6
check_signed          respond  yes        yes     yes  FAPI 2.0 Message Signing §5.3.1
check_response_type   respond  yes        yes     yes  RFC 6749 §3.1.1
check_grant_type      respond  yes        yes     yes  RFC 7591 §2.1
check_front_channel   respond  yes        yes     yes  OIDC Core §3.2.2.1
check_pkce            respond  yes        yes     yes  RFC 7636 §4.4.1
check_dpop_jkt        respond  yes        yes     yes  RFC 9449 §10
check_scope           respond  yes        yes     yes  RFC 6749 §3.3
check_resource        respond  yes        yes     yes  RFC 8707 §2
check_nonce           respond  yes        -       yes  OIDC Core §3.1.2.1
check_prompt          respond  yes        -       yes  OIDC Core §3.1.2.1
check_max_age         respond  yes        -       yes  OIDC Core §3.1.2.1
check_display         respond  yes        -       yes  OIDC Core §3.1.2.1
check_login_hint      respond  yes        -       yes  OIDC Core §3.1.2.1
check_acr_values      respond  yes        -       yes  OIDC Core §3.1.2.1
check_claims          respond  yes        -       yes  OIDC Core §5.5
check_id_token_hint   respond  yes        -       yes  OIDC Core §3.1.2.2
";

#[test]
fn the_table_is_the_one_that_was_reviewed() {
    let mut table = "check                 refusal  authorize  resume  par  clause\n".to_owned();
    for row in AUTHORIZE_CHECKS {
        let column = |in_column| if in_column { "yes" } else { "-" };
        let kind = match row.check {
            Check::Page(_) => "page",
            Check::Respond(_) => "respond",
        };
        let (authorize, resume, par) = (column(row.authorize), column(row.resume), column(row.par));
        let (file, clause) = (row.file, row.clause);
        table += &format!("{file:<20}  {kind:<7}  {authorize:<9}  {resume:<6}  {par:<3}  {clause}\n");
    }
    assert_eq!(table, TABLE, "\n{table}");
}

#[test]
fn every_check_file_is_a_row_and_no_page_follows_a_response() {
    let room = concat!(env!("CARGO_MANIFEST_DIR"), "/src/authorize");
    let files: BTreeSet<String> = std::fs::read_dir(room)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".rs").filter(|n| n.starts_with("check_")).map(str::to_owned))
        .collect();
    let rows: BTreeSet<String> = AUTHORIZE_CHECKS.iter().map(|row| row.file.to_owned()).collect();
    assert_eq!(files, rows);
    assert_eq!(rows.len(), AUTHORIZE_CHECKS.len());
    assert!(AUTHORIZE_CHECKS.is_sorted_by_key(|row| matches!(row.check, Check::Respond(_))));
}

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[test]
fn the_quick_starts_request_passes_without_state_and_nonce() {
    let mut world = World::default();
    let client = world.public();
    let request = validate(
        &params(&format!(
            "client_id=spa&scope=openid&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        )),
        &Envelope::default(),
        Some(&client),
        &mut world.cx(),
    )
    .unwrap();
    assert_eq!(request.target.state, None);
    assert_eq!(request.redirect_uri_as_sent(), Some("https://app.example/cb"));
    assert_eq!(request.code_challenge.unwrap().value, CHALLENGE);
}

#[test]
fn of_several_faults_the_first_row_is_told() {
    let mut trial = Trial::default();
    let everything = [
        ("client_id", "gone"),
        ("redirect_uri", "https://evil.example/"),
        ("response_mode", "x"),
        ("request", "x"),
        ("registration", "x"),
        ("response_type", "x"),
        ("code_challenge", "x"),
        ("scope", "x"),
        ("resource", "x"),
        ("prompt", "x"),
        ("max_age", "x"),
        ("claims", "x"),
        ("id_token_hint", "x"),
    ];
    let mut faults = everything.to_vec();
    let mut told = Vec::new();
    while let Err(refused) = trial.run(&faults) {
        let parameter = refused.refusal().parameter.clone().unwrap();
        told.push(parameter.clone());
        faults.retain(|(name, _)| *name != parameter && format!("{name}_method") != parameter);
    }
    let order = everything.map(|(name, _)| name.replace("code_challenge", "code_challenge_method"));
    assert_eq!(told, order);
}

#[test]
fn par_05_a_fault_leads_to_the_client_only_where_the_request_says_so() {
    let fault = |trial: &mut Trial, changes: &[(&str, &str)], pushed| {
        let envelope =
            Envelope { pushed, fault: Some(Reason::RequestUriUnknown.into()), ..Envelope::default() };
        let params = trial.params(changes);
        validate(&params, &envelope, Some(&trial.client), &mut trial.world.cx()).unwrap_err()
    };
    let page = AuthorizeRefusal::Page(Reason::RequestUriUnknown.into());
    let mut trial = Trial::default();
    assert!(matches!(fault(&mut trial, &[], false), AuthorizeRefusal::Respond(..)));
    assert_eq!(fault(&mut trial, &[], true), page);
    for scope in ["openid", "orders.read"] {
        assert_eq!(fault(&mut trial, &[("redirect_uri", ""), ("scope", scope)], false), page);
    }
}

#[test]
fn rdr_27_cau_12_what_was_taken_back_during_the_login_is_noticed() {
    let noticed = |take_back: fn(&mut Trial)| {
        let mut trial = Trial::default();
        trial.client.redirect_uris.push("https://app.example/other".to_owned());
        let params = trial.params(&[("scope", "openid email"), ("max_age", "1")]);
        assert_eq!(resume(&params, &Envelope::default(), Some(&trial.client), &mut trial.world.cx()), Ok(()));
        take_back(&mut trial);
        resume(
            &params,
            &Envelope::default(),
            trial.registered.then_some(&trial.client),
            &mut trial.world.cx(),
        )
        .is_err()
    };
    assert!(noticed(|trial| trial.registered = false));
    assert!(noticed(|trial| trial.client.client_status = "inactive".to_owned()));
    assert!(noticed(|trial| trial.client.redirect_uris.retain(|uri| !uri.ends_with("/cb"))));
    assert!(noticed(|trial| trial.client.response_types.clear()));
    assert!(noticed(|trial| trial.client.grant_types.clear()));
    assert!(noticed(|trial| trial.client.scopes.retain(|scope| scope != "email")));
    assert!(noticed(|trial| trial.world.server.enforce_pkce = true));
    assert!(noticed(|trial| trial.client.require_pushed_authorization_requests = true));
    assert!(!noticed(|_| ()));
}

#[test]
fn oidcc_alternate_order_of_parameters_and_unknown_ones() {
    let mut world = World::default();
    let client = world.confidential();
    let query = "extra=foobar&state=s&scope=email+openid&redirect_uri=https://app.example/cb\
                 &response_type=code&client_id=web";
    let request = validate(&params(query), &Envelope::default(), Some(&client), &mut world.cx()).unwrap();
    assert_eq!(request.scope.to_string(), "email openid");
}

proptest::proptest! {
    #[test]
    fn whatever_is_sent_answers_go_only_to_registered_uris(
        changes in proptest::collection::hash_map(
            proptest::sample::select(&["client_id", "redirect_uri", "response_type", "response_mode", "scope",
                "state", "prompt", "max_age", "claims", "id_token_hint", "code_challenge", "resource"][..]),
            proptest::prop_oneof![
                proptest::sample::select(&["web", "https://app.example/cb", "https://evil.example/", "code", "{}",
                    "form_post", "openid", "none", "0", "//", "a.b.c"][..]).prop_map(str::to_owned),
                proptest::prelude::any::<String>(),
            ],
            0..6,
        ),
    ) {
        let mut trial = Trial::default();
        let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let target = match trial.run(&changes) {
            Ok(request) => Some(request.target),
            Err(AuthorizeRefusal::Respond(_, target)) => Some(*target),
            Err(AuthorizeRefusal::Page(_)) => None,
        };
        if let Some(target) = target {
            proptest::prop_assert_eq!(target.redirect.as_str(), "https://app.example/cb");
            let response = refuse(&target, &Reason::UserDenied.into(), &trial.world.cx());
            match response.render() {
                Outgoing::Redirect(location) => {
                    proptest::prop_assert!(location.starts_with("https://app.example/cb"));
                    proptest::prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic()));
                }
                Outgoing::FormPost { action, .. } => proptest::prop_assert_eq!(action, "https://app.example/cb"),
            }
        }
    }
}
