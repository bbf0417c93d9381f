//! What a workspace may look like (contract §2, RFC 8414 §2).

use super::{AUTH_METHODS, GRANT_TYPES};
use crate::members::Problems;
use engine::keyring::algorithm_of;
use protocol::duration::Span;
use protocol::id::is_valid_chosen_id;
use protocol::profile::Rules;
use protocol::rate_limit::RateLimit;
use protocol::server::Server;
use protocol::web_uri;

/// Longest life of an authorization code (RFC 6749 §4.1.2).
pub(crate) const LONGEST_CODE_TTL: Span = Span::minutes(10);

const DAY: u64 = 24;

/// Everything that is wrong with `server` whatever else exists.
pub(crate) fn check(server: &Server, problems: &mut Problems) {
    let id = server.id.as_str();
    problems.require(is_valid_chosen_id(id), "id", id, "1 to 128 characters of A-Z a-z 0-9 . _ ~ -");
    problems.require(!server.name.trim().is_empty(), "name", "no text", "a name for people");
    check_enumerations(server, problems);
    check_lifetimes(server, problems);
    check_addresses(server, problems);
    problems.require(
        server.color.is_empty() || is_color(&server.color),
        "color",
        &server.color,
        "# and six hexadecimal digits",
    );
    check_device_authorization(server, problems);
    problems.one_of("dynamic_scope_separator", &server.dynamic_scope_separator, &[".", ":", "/", "-", "_"]);
    problems.require(
        server.code_challenge_methods.iter().any(|method| method == "S256"),
        "code_challenge_methods",
        server.code_challenge_methods.join(", "),
        "S256 always (RFC 7636 §4.2), plain beside it if clients cannot do better",
    );
    problems.distinct("acr_values_supported", &server.acr_values_supported);
    problems.distinct(
        "dynamic_client_registration.default_scopes",
        &server.dynamic_client_registration.default_scopes,
    );
    problems.require(
        (Span::hours(24)..=Span::hours(24 * 366))
            .contains(&server.dynamic_client_registration.registration_access_token_ttl),
        "dynamic_client_registration.registration_access_token_ttl",
        server.dynamic_client_registration.registration_access_token_ttl,
        "24h to 8784h",
    );
    check_registration_limits(server, problems);
    for (member, value, expected) in server.client_rate_limit.iter().flat_map(RateLimit::problems) {
        problems.add(format!("client_rate_limit.{member}"), value, expected);
    }
    problems.distinct(
        "client_id_metadata_documents.allowed_hosts",
        &server.client_id_metadata_documents.allowed_hosts,
    );
}

fn check_registration_limits(server: &Server, problems: &mut Problems) {
    let settings = &server.dynamic_client_registration;
    let member = |name: &str| format!("dynamic_client_registration.{name}");
    let (clients, per_source) = (settings.max_clients, settings.max_registrations_per_source);
    problems.require((1..=10_000).contains(&clients), &member("max_clients"), clients, "1 to 10000");
    let fits = (1..=100_000).contains(&per_source);
    problems.require(fits, &member("max_registrations_per_source"), per_source, "1 to 100000");
    let ttl = settings.unused_client_ttl;
    let fits = ttl == Span::seconds(0) || (Span::hours(1)..=Span::hours(366 * DAY)).contains(&ttl);
    problems.require(fits, &member("unused_client_ttl"), ttl, "0s for never, or 1h to 8784h");
}

fn check_enumerations(server: &Server, problems: &mut Problems) {
    let key_types = ["ecdsa", "rsa", "ps", "eddsa"].into_iter();
    let key_types: Vec<_> = key_types.filter(|key_type| fits_profile(key_type, server)).collect();
    problems.one_of("key_type", &server.key_type, &key_types);
    problems.one_of("access_token_strategy", &server.access_token_strategy, &["jwt", "opaque"]);
    problems.one_of("access_token_profile", &server.access_token_profile, &["rfc9068", "acp"]);
    problems.each_of("grant_types", &server.grant_types, &GRANT_TYPES);
    problems.each_of("token_endpoint_auth_methods", &server.token_endpoint_auth_methods, &AUTH_METHODS);
    problems.each_of("subject_identifier_types", &server.subject_identifier_types, &["public", "pairwise"]);
    problems.each_of(
        "scope_claim_formats",
        &server.scope_claim_formats,
        &["scp_array", "scope_space_separated"],
    );
    problems.each_of("code_challenge_methods", &server.code_challenge_methods, &["S256", "plain"]);
    problems.each_of(
        "advanced.disallowed_response_modes",
        &server.advanced.disallowed_response_modes,
        &["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt"],
    );
    problems.require(
        !server.token_endpoint_auth_signing_alg_values.is_empty(),
        "token_endpoint_auth_signing_alg_values",
        "an empty list",
        "at least one algorithm",
    );
}

/// Whether the profile allows what a key of this type signs with.
fn fits_profile(key_type: &str, server: &Server) -> bool {
    Rules::of_workspace(server).allows_algorithm(algorithm_of(key_type))
}

fn check_lifetimes(server: &Server, problems: &mut Problems) {
    check_ttl("access_token_ttl", server.access_token_ttl, Span::hours(31 * DAY), problems);
    check_ttl("id_token_ttl", server.id_token_ttl, Span::hours(31 * DAY), problems);
    check_ttl("refresh_token_ttl", server.refresh_token_ttl, Span::hours(3660 * DAY), problems);
    check_ttl("authorization_code_ttl", server.authorization_code_ttl, LONGEST_CODE_TTL, problems);
    check_ttl("cookie_max_age", server.cookie_max_age, Span::hours(366 * DAY), problems);
    for (member, limit) in [("sso.max_age", server.sso.max_age), ("sso.max_idle", server.sso.max_idle)] {
        if let Some(limit) = limit {
            check_ttl(member, limit, Span::hours(366 * DAY), problems);
        }
    }
    // RFC 9126 §2.2 has 5 to 600 seconds for typical; longer ones would be worth stealing (attack PAR-10).
    let pushed = server.pushed_authorization_request_ttl;
    let fits = (Span::seconds(5)..=Span::minutes(10)).contains(&pushed);
    problems.require(fits, "pushed_authorization_request_ttl", pushed, "5s to 10m0s");
    let window = server.refresh_token_retry_window;
    problems.require(window <= Span::minutes(5), "refresh_token_retry_window", window, "0s to 5m0s");
}

/// Codes short enough to type, and not alive for long enough to be guessed (RFC 8628 §5.1, §6.1; attack DEV-09).
fn check_device_authorization(server: &Server, problems: &mut Problems) {
    let settings = &server.device_authorization;
    check_ttl("device_authorization.request_ttl", settings.request_ttl, Span::hours(1), problems);
    problems.require(
        (6..=12).contains(&settings.user_code_length),
        "device_authorization.user_code_length",
        settings.user_code_length,
        "6 to 12",
    );
    problems.one_of(
        "device_authorization.user_code_character_set",
        &settings.user_code_character_set,
        &["base20", "digits"],
    );
}

/// A life of at least one second and at most `longest`.
pub(crate) fn check_ttl(member: &str, ttl: Span, longest: Span, problems: &mut Problems) {
    if ttl < Span::seconds(1) || ttl > longest {
        problems.add(member, ttl, format_args!("1s to {longest}"));
    }
}

fn check_addresses(server: &Server, problems: &mut Problems) {
    if !server.logo_uri.is_empty() {
        problems.require(web_uri::is_page(&server.logo_uri), "logo_uri", &server.logo_uri, web_uri::PAGE);
    }
    let issuer = &server.custom_issuer_url;
    if !issuer.is_empty() {
        let plain = web_uri::is_page(issuer) && !issuer.contains(['?', '#']) && !issuer.ends_with('/');
        let expected = "an https URL without query, fragment and closing slash (RFC 8414 §2)";
        problems.require(plain, "custom_issuer_url", issuer, expected);
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}
