//! FAPI 2.0 Message Signing: the Security Profile, and requests that nobody can deny to have made (§5.3).

use super::fapi_20_security::SECURITY;
use super::{RequestObjects, SecurityProfile};
use crate::duration::Span;

pub(super) static PROFILE: SecurityProfile = SecurityProfile {
    names: &["fapi_20_message_signing"],
    clause: "FAPI 2.0 Message Signing",
    signed_requests_required: true,
    // §5.3.1.
    request_objects: RequestObjects { claims_required: true, longest_life: Span::minutes(60) },
    ..SECURITY
};
