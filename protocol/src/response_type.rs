//! Response types: what the authorization endpoint is asked to return (RFC 6749 §3.1.1).

use crate::profile::Rules;
use crate::response_mode::ResponseMode;
use crate::server::Server;
use serde::{Deserialize, Serialize};

/// An implemented response type. Those of the implicit and hybrid flows (RFC 6749 §4.2; OAuth Multiple Response
/// Types §3, §5) are for workspaces that allow the grant type `implicit` (decisions 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ResponseType {
    #[serde(rename = "code")]
    Code,
    #[serde(rename = "token")]
    Token,
    #[serde(rename = "id_token")]
    IdToken,
    #[serde(rename = "id_token token")]
    IdTokenToken,
    #[serde(rename = "code id_token")]
    CodeIdToken,
    #[serde(rename = "code token")]
    CodeToken,
    #[serde(rename = "code id_token token")]
    CodeIdTokenToken,
}

impl ResponseType {
    /// Every implemented response type; dispatch and discovery come from here.
    pub const ALL: &'static [Self] = &[
        Self::Code,
        Self::Token,
        Self::IdToken,
        Self::IdTokenToken,
        Self::CodeIdToken,
        Self::CodeToken,
        Self::CodeIdTokenToken,
    ];

    /// The value of `response_type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Token => "token",
            Self::IdToken => "id_token",
            Self::IdTokenToken => "id_token token",
            Self::CodeIdToken => "code id_token",
            Self::CodeToken => "code token",
            Self::CodeIdTokenToken => "code id_token token",
        }
    }

    /// The grant types that go with it, all of them (RFC 7591 §2.1, OIDC Registration §2).
    pub const fn grant_types(self) -> &'static [&'static str] {
        match (self.has_code(), self.has_token() || self.has_id_token()) {
            (true, false) => &["authorization_code"],
            (true, true) => &["authorization_code", "implicit"],
            (false, _) => &["implicit"],
        }
    }

    /// Whether a code leaves the authorization endpoint.
    pub const fn has_code(self) -> bool {
        matches!(self, Self::Code | Self::CodeIdToken | Self::CodeToken | Self::CodeIdTokenToken)
    }

    /// Whether an access token leaves the authorization endpoint.
    pub const fn has_token(self) -> bool {
        matches!(self, Self::Token | Self::IdTokenToken | Self::CodeToken | Self::CodeIdTokenToken)
    }

    /// Whether an ID token leaves the authorization endpoint.
    pub const fn has_id_token(self) -> bool {
        matches!(self, Self::IdToken | Self::IdTokenToken | Self::CodeIdToken | Self::CodeIdTokenToken)
    }

    /// Finds the response type; the order of the values does not matter (RFC 6749 §3.1.1).
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|response_type| same_values(response_type.name(), text))
    }

    /// Where its response goes unless `response_mode` says otherwise (OAuth Multiple Response Types §5): tokens
    /// never into the query. Also answers for response types that are refused.
    pub fn default_mode(text: &str) -> ResponseMode {
        if text.split(' ').any(|value| value == "token" || value == "id_token") {
            ResponseMode::Fragment
        } else {
            ResponseMode::Query
        }
    }

    /// The response types that the workspace allows, by its grant types and the profiles.
    pub fn allowed(server: &Server, rules: Rules) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |response_type| {
            let allowed = |grant_type: &&str| server.allows_grant_type(grant_type);
            response_type.grant_types().iter().all(allowed) && rules.allows_response_type(*response_type)
        })
    }
}

/// Whether two `response_type` values hold the same values in any order.
pub fn same_values(a: &str, b: &str) -> bool {
    let sorted = |text: &str| {
        let mut values: Vec<_> = text.split(' ').map(str::to_owned).collect();
        values.sort_unstable();
        values
    };
    sorted(a) == sorted(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_1_1_the_order_of_values_does_not_matter() {
        assert!(same_values("code id_token", "id_token code"));
        assert!(!same_values("code", "code code"));
        assert!(!same_values("code", "CODE"));
        assert_eq!(ResponseType::parse("code"), Some(ResponseType::Code));
        assert_eq!(ResponseType::parse("code "), None);
    }

    #[test]
    fn aut_20_tokens_never_go_to_the_query_by_default() {
        assert_eq!(ResponseType::default_mode("code"), ResponseMode::Query);
        assert_eq!(ResponseType::default_mode("id_token code"), ResponseMode::Fragment);
        assert_eq!(ResponseType::default_mode("token"), ResponseMode::Fragment);
    }

    #[test]
    fn decisions_2_implicit_also_allows_the_hybrid_ones() {
        let names = |grant_types: &[&str], profile: &str| {
            let grant_types = grant_types.iter().map(|name| (*name).to_owned()).collect();
            let server = Server { grant_types, profile: profile.parse().unwrap(), ..Server::default() };
            ResponseType::allowed(&server, Rules::of_workspace(&server))
                .map(ResponseType::name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&["authorization_code"], "default"), ["code"]);
        assert_eq!(names(&["implicit"], "default"), ["token", "id_token", "id_token token"]);
        assert_eq!(names(&["authorization_code", "implicit"], "default").len(), 7);
        assert_eq!(names(&["authorization_code", "implicit"], "fapi_20_security"), ["code"]);
    }

    #[test]
    fn the_parts_are_those_of_the_name() {
        for response_type in ResponseType::ALL {
            let has = |part: &str| response_type.name().split(' ').any(|value| value == part);
            assert_eq!(response_type.has_code(), has("code"));
            assert_eq!(response_type.has_token(), has("token"));
            assert_eq!(response_type.has_id_token(), has("id_token"));
        }
    }

    #[test]
    fn names_are_what_is_stored() {
        for response_type in ResponseType::ALL {
            assert_eq!(serde_json::to_value(response_type).unwrap(), response_type.name());
        }
    }
}
