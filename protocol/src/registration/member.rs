//! The members of a registration and their types: one of another type is refused by its name (RFC 7591 §3.2.2).

use super::{SIGNING_ALGORITHMS, metadata};
use crate::client::Client;
use crate::client_auth::CLIENT_AUTH_METHODS;
use crate::error::Refusal;
use crate::json_type::described;
use jose::Algorithm;
use serde_json::{Map, Value};

/// Type of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Texts,
    /// One is taken for a list of one.
    TextOrTexts,
    Boolean,
    Number,
    KeySet,
    /// Of client assertions.
    Algorithm,
    /// Of what the server signs.
    SigningAlgorithm,
    Method,
}

/// What a client may say about itself (RFC 7591 §2, OIDC Registration §2). Everything else is passed over, so that
/// nobody gives himself trust, scopes or an id (attacks DCR-10, DCR-11).
pub(super) const MEMBERS: &[(&str, Kind)] = &[
    ("redirect_uris", Kind::TextOrTexts),
    ("response_types", Kind::Texts),
    ("grant_types", Kind::Texts),
    ("application_type", Kind::Text),
    ("contacts", Kind::Texts),
    ("client_name", Kind::Text),
    ("client_uri", Kind::Text),
    ("logo_uri", Kind::Text),
    ("policy_uri", Kind::Text),
    ("tos_uri", Kind::Text),
    ("jwks", Kind::KeySet),
    ("jwks_uri", Kind::Text),
    ("sector_identifier_uri", Kind::Text),
    ("subject_type", Kind::Text),
    ("id_token_signed_response_alg", Kind::SigningAlgorithm),
    ("id_token_encrypted_response_alg", Kind::Text),
    ("id_token_encrypted_response_enc", Kind::Text),
    ("userinfo_signed_response_alg", Kind::Text),
    ("userinfo_encrypted_response_alg", Kind::Text),
    ("userinfo_encrypted_response_enc", Kind::Text),
    ("request_object_signing_alg", Kind::Text),
    ("request_object_encryption_alg", Kind::Text),
    ("request_object_encryption_enc", Kind::Text),
    ("request_uris", Kind::Texts),
    ("token_endpoint_auth_method", Kind::Method),
    ("token_endpoint_auth_signing_alg", Kind::Algorithm),
    ("default_max_age", Kind::Number),
    ("require_auth_time", Kind::Boolean),
    ("default_acr_values", Kind::Texts),
    ("initiate_login_uri", Kind::Text),
    ("post_logout_redirect_uris", Kind::Texts),
    ("frontchannel_logout_uri", Kind::Text),
    ("frontchannel_logout_session_required", Kind::Boolean),
    ("backchannel_logout_uri", Kind::Text),
    ("backchannel_logout_session_required", Kind::Boolean),
    ("require_pushed_authorization_requests", Kind::Boolean),
    ("dpop_bound_access_tokens", Kind::Boolean),
    ("software_id", Kind::Text),
    ("software_version", Kind::Text),
];

/// Whether the member is one that a client may say.
pub(super) fn is_said(name: &str) -> bool {
    MEMBERS.iter().any(|(member, _)| *member == name)
}

/// The client that the members make, each in its type.
///
/// # Errors
/// The first member of another type: its name, what it was and what it should be.
pub(super) fn read(members: &Map<String, Value>) -> Result<(Client, Map<String, Value>), Refusal> {
    let mut said: Map<String, Value> = Map::new();
    for (name, kind) in MEMBERS {
        if let Some(value) = members.get(*name) {
            check(name, *kind, value)?;
            said.insert((*name).to_owned(), value.clone());
        }
    }
    let client = serde_json::from_value(Value::Object(said.clone()))
        .map_err(|why| metadata("metadata", &why.to_string(), "the types that RFC 7591 §2 gives them"))?;
    Ok((client, said))
}

/// Whether the member has its type, and can be read.
///
/// # Errors
/// [`crate::error::Reason::RegistrationMetadata`].
pub(super) fn check(name: &str, kind: Kind, value: &Value) -> Result<(), Refusal> {
    if !kind.has(value) {
        return Err(metadata(name, &described(value), kind.expected()));
    }
    super::check_size(name, value)?;
    if matches!(kind, Kind::Text | Kind::Texts | Kind::TextOrTexts | Kind::Boolean | Kind::Number) {
        return Ok(());
    }
    // The type is right, and the value may still be none that can be read.
    let alone = Map::from_iter([(name.to_owned(), value.clone())]);
    match serde_json::from_value::<Client>(Value::Object(alone)) {
        Ok(_) => Ok(()),
        Err(why) if kind == Kind::KeySet => Err(metadata(name, &why.to_string(), kind.expected())),
        Err(_) => Err(metadata(name, value.as_str().unwrap_or_default(), &kind.values())),
    }
}

impl Kind {
    fn has(self, value: &Value) -> bool {
        let is_texts = || value.as_array().is_some_and(|entries| entries.iter().all(Value::is_string));
        match self {
            Self::Text | Self::Algorithm | Self::SigningAlgorithm | Self::Method => value.is_string(),
            Self::Texts => is_texts(),
            Self::TextOrTexts => value.is_string() || is_texts(),
            Self::Boolean => value.is_boolean(),
            Self::Number => value.as_i64().is_some(),
            Self::KeySet => value.get("keys").is_some_and(Value::is_array),
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Text | Self::Algorithm | Self::SigningAlgorithm | Self::Method => "a string",
            Self::Texts | Self::TextOrTexts => "an array of strings",
            Self::Boolean => "true or false",
            Self::Number => "a whole number",
            Self::KeySet => "a JWK Set: an object with the array keys (RFC 7517 §5)",
        }
    }

    /// What may be written where not every string will do.
    fn values(self) -> String {
        let names: Vec<&str> = match self {
            Self::Algorithm => Algorithm::ALL.iter().map(|alg| alg.name()).collect(),
            Self::SigningAlgorithm => SIGNING_ALGORITHMS.to_vec(),
            _ => CLIENT_AUTH_METHODS.iter().map(|known| known.method().name()).collect(),
        };
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_type::name_of_type;
    use serde_json::json;

    fn refused(name: &str, value: Value) -> (String, String, String) {
        let refusal = read(&Map::from_iter([(name.to_owned(), value)])).unwrap_err();
        (refusal.parameter.unwrap(), refusal.received.unwrap(), refusal.expected.unwrap())
    }

    #[test]
    fn rfc7591_3_2_2_each_member_of_another_type_is_named() {
        for (name, kind) in MEMBERS {
            let wrong =
                [json!(7.5), json!({"a": 1}), json!([[1]]), json!(true), json!("text"), json!(["a", 1])];
            let mut refusals = 0;
            for value in wrong.into_iter().filter(|value| !kind.has(value)) {
                let (parameter, received, expected) = refused(name, value.clone());
                assert_eq!(parameter, *name);
                assert!(received.starts_with(name_of_type(&value)), "{name}: {received}");
                assert_eq!(expected, kind.expected(), "{name}");
                refusals += 1;
            }
            assert!(refusals >= 4, "{name}");
        }
    }

    #[test]
    fn what_has_the_type_and_cannot_be_read_is_named_too() {
        let (parameter, received, expected) = refused("token_endpoint_auth_method", json!("magic"));
        assert_eq!((&*parameter, &*received), ("token_endpoint_auth_method", "magic"));
        assert!(expected.contains("private_key_jwt"), "{expected}");
        for name in ["id_token_signed_response_alg", "token_endpoint_auth_signing_alg"] {
            let (parameter, received, expected) = refused(name, json!("HS1"));
            assert_eq!((&*parameter, &*received), (name, "HS1"));
            assert!(expected.contains("ES256"), "{expected}");
        }
        let (parameter, received, _) = refused("jwks", json!({"keys": [{"kty": 7}]}));
        assert_eq!(parameter, "jwks");
        assert!(received.contains("kty") || received.contains("string"), "{received}");
        assert_eq!(refused("default_max_age", json!(7.5)).1, "a number: 7.5");
        assert_eq!(refused("contacts", json!(["a", 7])).1, "an array with a number in it");
    }
}
