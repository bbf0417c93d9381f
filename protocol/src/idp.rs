//! Identity providers of a workspace. The Sandbox (`static`) provider holds its users itself.

use crate::id::{IdpId, ServerId, Uid};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An identity provider.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Idp {
    pub id: IdpId,
    pub authorization_server_id: ServerId,
    pub name: String,
    /// Kind: `static` in this release.
    pub method: String,
    pub disabled: bool,
    pub hidden: bool,
    pub display_order: i64,
    /// RFC 8176 values given to every login through it; default `["pwd"]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub static_amr: Vec<String>,
    pub users: Vec<StaticUser>,
}

/// A user of the Sandbox identity provider.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StaticUser {
    pub username: String,
    /// PHC string; the password itself is never stored.
    pub password_hash: String,
    /// Tells a person from an earlier one of the same name, who was removed: nothing of theirs is inherited (attack W-09).
    /// Absent for those that a provider was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Uid>,
    #[serde(flatten)]
    pub profile: StaticProfile,
}

impl StaticUser {
    /// What the subject identifier is made from: never the same for two persons (OIDC Core §2, `sub`).
    pub fn identity(&self) -> String {
        match &self.uid {
            Some(uid) => [self.username.as_str(), uid.as_str()].join("\0"),
            None => self.username.clone(),
        }
    }
}

/// What a Sandbox user's record says of the person (contract: `StaticUser`). Clients see the standard claims in it, by the
/// scopes that they were granted (OIDC Core §5.4).
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct StaticProfile {
    /// Claims by name (OIDC Core §5.1).
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub authentication_context: Map<String, Value>,
    /// Further claims by name; where both have one, that of `authentication_context` counts.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub additional_attributes: Map<String, Value>,
    /// The claim `email`, before one of that name in `authentication_context`; and so are those below.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
}

impl StaticProfile {
    /// What is known of the person, by the claims' names.
    pub fn claims(&self) -> Map<String, Value> {
        let text = |value: &String| (!value.is_empty()).then(|| Value::from(value.as_str()));
        let own = [
            ("email", text(&self.email)),
            ("email_verified", self.email_verified.map(Value::from)),
            ("phone_number", text(&self.phone_number)),
            ("phone_number_verified", self.phone_number_verified.map(Value::from)),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut claims = self.additional_attributes.clone();
        claims.extend(self.authentication_context.clone());
        claims.extend(own);
        claims
    }
}

impl std::fmt::Debug for StaticUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticUser").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn oidc_core_5_1_a_member_of_its_own_counts_before_the_lists() {
        let profile: StaticProfile = serde_json::from_value(json!({
            "email": "ada@example.com", "phone_number_verified": false,
            "authentication_context": {"email": "old@example.com", "name": "Ada", "email_verified": true},
            "additional_attributes": {"name": "nobody", "locale": "en"},
        }))
        .unwrap();
        let claims = json!({
            "email": "ada@example.com", "email_verified": true, "phone_number_verified": false, "name": "Ada",
            "locale": "en",
        });
        assert_eq!(Value::Object(profile.claims()), claims);
    }

    /// What earlier versions stored.
    #[test]
    fn a_user_with_claims_in_the_context_alone_is_read() {
        let stored =
            json!({"username": "ada", "password_hash": "x", "authentication_context": {"name": "Ada"}});
        let user: StaticUser = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(user.profile.claims()["name"], "Ada");
        assert_eq!(serde_json::to_value(&user).unwrap(), stored);
    }
}
