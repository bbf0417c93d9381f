use super::*;
use crate::client::Client;
use crate::server::Server;

/// Every profile as a reviewer reads it. A change of any value shows here.
const TABLE: &str = include_str!("tests/profiles.txt");

/// One line per member, one column per profile.
fn table() -> String {
    let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
    let mut line = |member: &'static str, value: &dyn Fn(&SecurityProfile) -> String| {
        lines.push((member, PROFILES.iter().map(|profile| value(profile)).collect()));
    };
    let names = |names: Vec<&'static str>| names.join(" ");
    line("names", &|p| names(p.names.to_vec()));
    line("clause", &|p| p.clause.to_owned());
    line("forbidden grant types", &|p| names(p.forbidden_grant_types.to_vec()));
    line("response types", &|p| p.response_types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", "));
    line("forbidden response modes", &|p| format!("{:?}", p.forbidden_response_modes));
    line("signing algorithms", &|p| names(p.signing_algorithms.iter().map(|a| a.name()).collect()));
    line("client authentication", &|p| names(p.client_auth_methods.iter().map(|m| m.name()).collect()));
    line("assertion audience", &|p| format!("{:?}", p.assertion_audience));
    line("PKCE required", &|p| p.pkce_required.to_string());
    line("code challenge methods", &|p| names(p.code_challenge_methods.iter().map(|m| m.name()).collect()));
    line("pushed requests required", &|p| p.pushed_requests_required.to_string());
    line("signed requests required", &|p| p.signed_requests_required.to_string());
    line("request objects", &|p| {
        let rules = p.request_objects;
        format!("claims required: {}, at most {}", rules.claims_required, rules.longest_life)
    });
    line("redirect URIs", &|p| {
        let rules = p.redirect_uris;
        format!("sent: {}, loopback native only: {}", rules.must_be_sent, rules.loopback_for_native_only)
    });
    line("sender constraint", &|p| format!("{:?}", p.sender_constraint));
    line("longest code", &|p| p.longest_code_ttl.to_string());
    line("longest pushed request", &|p| p.longest_pushed_request_ttl.to_string());
    line("shortest retry window", &|p| p.shortest_retry_window.to_string());
    line("redirects by 303", &|p| p.see_other.to_string());
    let mut table = String::new();
    for (member, values) in lines {
        table += member;
        table += "\n";
        for (profile, value) in PROFILES.iter().zip(values) {
            table += format!("  {:<24}  {value}", profile.names[0]).trim_end();
            table += "\n";
        }
    }
    table
}

#[test]
fn the_profiles_are_the_ones_that_were_reviewed() {
    let table = table();
    assert_eq!(table, TABLE, "\n{table}");
}

#[test]
fn names_are_each_one_profile_and_are_what_is_stored() {
    let mut names: Vec<_> = Profile::names().collect();
    for name in &names {
        let profile = Profile::named(name).unwrap();
        assert_eq!(serde_json::to_value(profile).unwrap(), *name);
        assert_eq!(serde_json::from_value::<Profile>(serde_json::json!(name)).unwrap(), profile);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for unknown in ["", "Default", "fapi", "fapi_30"] {
        assert!(
            unknown.parse::<Profile>().is_err() && serde_json::from_value::<Profile>(unknown.into()).is_err()
        );
    }
}

/// A profile narrows: nothing is laxer than `default`.
#[test]
fn nothing_is_laxer_than_the_default() {
    let lax = PROFILES[0];
    for profile in PROFILES {
        assert!(profile.response_types.iter().all(|value| lax.response_types.contains(value)));
        assert!(profile.signing_algorithms.iter().all(|value| lax.signing_algorithms.contains(value)));
        assert!(profile.client_auth_methods.iter().all(|value| lax.client_auth_methods.contains(value)));
        assert!(profile.longest_code_ttl <= lax.longest_code_ttl);
        assert!(profile.longest_pushed_request_ttl <= lax.longest_pushed_request_ttl);
        assert!(profile.sender_constraint >= lax.sender_constraint);
        assert!(!profile.clause.is_empty());
    }
}

#[test]
fn the_stricter_of_workspace_and_client_wins_member_by_member() {
    let profile = |name: &str| name.parse::<Profile>().unwrap();
    let server = |name| Server { profile: profile(name), ..Server::default() };
    let client = |name| Client { profile: Some(profile(name)), ..Client::default() };
    for (workspace, own) in [("default", "fapi_20_security"), ("fapi_20_security", "default")] {
        let rules = Rules::of(&server(workspace), &client(own));
        assert!(rules.requires_pkce() && rules.requires_pushed_requests() && rules.wants_issuer_alone());
        assert!(!rules.requires_signed_requests());
        assert!(!rules.allows_algorithm(Algorithm::RS256) && rules.allows_algorithm(Algorithm::PS256));
        assert!(!rules.allows_auth_method(TokenEndpointAuthMethod::None));
        assert!(!rules.allows_grant_type("password") && rules.allows_grant_type("refresh_token"));
        assert_eq!(rules.code_ttl(Span::minutes(10)), Span::seconds(60));
        assert_eq!(rules.code_ttl(Span::seconds(30)), Span::seconds(30));
        assert_eq!(rules.retry_window(Span::seconds(30)), Span::seconds(60));
        assert_eq!(rules.sender_constraint(), SenderConstraint::DpopOrMtls);
    }
    let both = Rules::of(&server("fapi_20_security"), &client("fapi1_advanced"));
    assert!(both.requires_signed_requests() && both.requires_pushed_requests());
    assert!(!both.allows_algorithm(Algorithm::EdDSA));
    assert_eq!(both.sender_constraint(), SenderConstraint::Mtls);
    let alone = Rules::of(&server("default"), &Client::default());
    assert_eq!(alone, Rules::of_workspace(&server("demo")));
}
