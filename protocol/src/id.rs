//! One type per kind of identifier, so that a tenant can never be passed where a client is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest identifier a caller may choose, in bytes.
pub const MAX_ID_BYTES: usize = 128;

/// Whether `value` may be used as an identifier that a caller chose: 1 to [`MAX_ID_BYTES`] bytes of
/// `[A-Za-z0-9._~-]`, and not only dots (identifiers stand in URL paths).
pub fn is_valid_chosen_id(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= MAX_ID_BYTES
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-'))
        && value.bytes().any(|b| b != b'.')
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

id_types! {
    /// A tenant (`tid`): the isolation root.
    TenantId;
    /// A workspace, that is one authorization server (`aid`).
    ServerId;
    /// An OAuth client (`client_id`, RFC 6749 §2.2).
    ClientId;
    /// A service: a group of scopes that is a token audience.
    ServiceId;
    /// An identity provider of a workspace.
    IdpId;
    /// One act of authorization, from which every token of it descends (`grant_id`).
    GrantId;
    /// A session as relying parties see it (`sid`, OIDC Front-Channel Logout §3). Never the cookie's value.
    SessionId;
    /// The incarnation of a stored document: made new at each creation, so that a recycled identifier
    /// inherits nothing (attack W-09).
    Uid;
}
