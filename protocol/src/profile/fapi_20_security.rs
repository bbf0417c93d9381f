//! FAPI 2.0 Security Profile: the clauses are those of §5.3.2 (authorization servers) and §5.4 (cryptography).

use super::default::LAX;
use super::{AssertionAudience, RedirectUris, SecurityProfile, SenderConstraint};
use crate::client::TokenEndpointAuthMethod as Method;
use crate::duration::Span;
use crate::pkce::CodeChallengeMethod;
use crate::response_type::ResponseType;
use jose::Algorithm;

pub(super) static PROFILE: SecurityProfile = SECURITY;

pub(super) const SECURITY: SecurityProfile = SecurityProfile {
    names: &["fapi_20_security", "connect_id"],
    clause: "FAPI 2.0 Security Profile",
    // §5.3.2.1: no passwords; §5.3.2.2: the code flow.
    forbidden_grant_types: &["password", "implicit"],
    response_types: &[ResponseType::Code],
    // §5.4.1.
    signing_algorithms: &[Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA],
    // §5.3.2.1: confidential clients, that prove themselves by a certificate or an assertion.
    client_auth_methods: &[Method::PrivateKeyJwt, Method::SelfSignedTlsClientAuth, Method::TlsClientAuth],
    // §5.3.2.1 (attack CAJ-12).
    assertion_audience: AssertionAudience::IssuerAlone,
    // §5.3.2.2.
    pkce_required: true,
    code_challenge_methods: &[CodeChallengeMethod::S256],
    pushed_requests_required: true,
    redirect_uris: RedirectUris { must_be_sent: true, loopback_for_native_only: true },
    // §5.3.2.1.
    sender_constraint: SenderConstraint::DpopOrMtls,
    longest_code_ttl: Span::seconds(60),
    // §5.3.2.2: less than 600 seconds.
    longest_pushed_request_ttl: Span::seconds(599),
    // Retries are never punished, though tokens rotate (§5.3.2.1).
    shortest_retry_window: Span::seconds(60),
    // §5.3.2.2.
    see_other: true,
    ..LAX
};
