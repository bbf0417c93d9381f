//! FAPI 1.0 Part 1: Baseline, for data that is only read; the clauses are those of §5.2.2.

use super::default::LAX;
use super::{RedirectUris, SecurityProfile};
use crate::client::TokenEndpointAuthMethod as Method;
use crate::pkce::CodeChallengeMethod;
use crate::response_type::ResponseType;

pub(super) static PROFILE: SecurityProfile = SecurityProfile {
    names: &["fapi1_baseline", "fapi_ro"],
    clause: "FAPI 1.0 Part 1: Baseline",
    forbidden_grant_types: &["password", "implicit"],
    response_types: &[ResponseType::Code],
    client_auth_methods: &[
        Method::ClientSecretJwt,
        Method::PrivateKeyJwt,
        Method::SelfSignedTlsClientAuth,
        Method::TlsClientAuth,
        Method::None,
    ],
    pkce_required: true,
    code_challenge_methods: &[CodeChallengeMethod::S256],
    redirect_uris: RedirectUris { must_be_sent: true, loopback_for_native_only: true },
    ..LAX
};
