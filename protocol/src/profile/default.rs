//! OAuth 2.0 and OpenID Connect as they are, with the settings of the workspace alone (RFC 9700).

use super::{AssertionAudience, RedirectUris, RequestObjects, SecurityProfile, SenderConstraint};
use crate::client::TokenEndpointAuthMethod as Method;
use crate::duration::Span;
use crate::pkce::CodeChallengeMethod;
use crate::response_type::ResponseType;
use jose::Algorithm;

pub(super) static PROFILE: SecurityProfile = LAX;

/// What every other profile is stricter than.
pub(super) const LAX: SecurityProfile = SecurityProfile {
    names: &["default", "demo", "workforce", "consumer", "partners", "third_party"],
    clause: "RFC 9700",
    forbidden_grant_types: &[],
    response_types: ResponseType::ALL,
    forbidden_response_modes: &[],
    signing_algorithms: Algorithm::ALL,
    client_auth_methods: &[
        Method::ClientSecretBasic,
        Method::ClientSecretPost,
        Method::ClientSecretJwt,
        Method::PrivateKeyJwt,
        Method::SelfSignedTlsClientAuth,
        Method::TlsClientAuth,
        Method::None,
    ],
    assertion_audience: AssertionAudience::IssuerOrTokenEndpoint,
    pkce_required: false,
    code_challenge_methods: CodeChallengeMethod::ALL,
    pushed_requests_required: false,
    signed_requests_required: false,
    request_objects: RequestObjects { claims_required: false, longest_life: Span::hours(24) },
    redirect_uris: RedirectUris { must_be_sent: false, loopback_for_native_only: false },
    sender_constraint: SenderConstraint::Optional,
    // RFC 6749 §4.1.2.
    longest_code_ttl: Span::minutes(10),
    longest_pushed_request_ttl: Span::minutes(10),
    shortest_retry_window: Span::seconds(0),
    see_other: false,
};
