//! The endpoints that programs call, and the one where people arrive.

pub(crate) mod access;
pub(crate) mod authorize;
pub(crate) mod device_authorization;
pub(crate) mod discovery;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod par;
pub(crate) mod protected_resource;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod sessions;
pub(crate) mod token;
pub(crate) mod userinfo;
