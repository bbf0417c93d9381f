//! FAPI 1.0 Part 2: Advanced; the clauses are those of §5.2.2 (authorization servers) and §8 (cryptography).

use super::default::LAX;
use super::{RedirectUris, RequestObjects, SecurityProfile, SenderConstraint};
use crate::client::TokenEndpointAuthMethod as Method;
use crate::duration::Span;
use crate::pkce::CodeChallengeMethod;
use crate::response_mode::ResponseMode;
use crate::response_type::ResponseType;
use jose::Algorithm;

pub(super) static PROFILE: SecurityProfile = SecurityProfile {
    names: &[
        "fapi1_advanced",
        "fapi_advanced",
        "fapi_rw",
        "openbanking_uk",
        "openbanking_uk_fapi_advanced",
        "openbanking_br",
        "openbanking_br_unico",
        "openbanking_ksa",
        "cdr_australia",
        "cdr_australia_fapi_rw",
        "fdx",
    ],
    clause: "FAPI 1.0 Part 2: Advanced",
    forbidden_grant_types: &["password"],
    // §5.2.2 (2): the ID token is the detached signature of the answer.
    response_types: &[ResponseType::CodeIdToken],
    forbidden_response_modes: &[ResponseMode::Query],
    // §8.6.
    signing_algorithms: &[Algorithm::PS256, Algorithm::ES256],
    // §5.2.2 (14), (16).
    client_auth_methods: &[Method::PrivateKeyJwt, Method::SelfSignedTlsClientAuth, Method::TlsClientAuth],
    code_challenge_methods: &[CodeChallengeMethod::S256],
    // §5.2.2 (1), (10), (13), (17).
    signed_requests_required: true,
    request_objects: RequestObjects { claims_required: true, longest_life: Span::minutes(60) },
    redirect_uris: RedirectUris { must_be_sent: true, loopback_for_native_only: true },
    // §5.2.2 (5).
    sender_constraint: SenderConstraint::Mtls,
    longest_code_ttl: Span::seconds(60),
    shortest_retry_window: Span::seconds(60),
    ..LAX
};
