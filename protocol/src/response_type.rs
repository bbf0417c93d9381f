//! Response types: what the authorization endpoint is asked to return (RFC 6749 §3.1.1).

use crate::response_mode::ResponseMode;
use crate::server::Server;
use serde::{Deserialize, Serialize};

/// An implemented response type. Those of the implicit and hybrid flows (OAuth Multiple Response Types §3, §5)
/// may be registered and are neither served nor advertised (decisions 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ResponseType {
    #[serde(rename = "code")]
    Code,
}

impl ResponseType {
    /// Every implemented response type; dispatch and discovery come from here.
    pub const ALL: &'static [Self] = &[Self::Code];

    /// The value of `response_type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
        }
    }

    /// The grant type that goes with it (RFC 7591 §2.1).
    pub const fn grant_type(self) -> &'static str {
        match self {
            Self::Code => "authorization_code",
        }
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

    /// The response types that the workspace allows.
    pub fn allowed(server: &Server) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|response_type| server.allows_grant_type(response_type.grant_type()))
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
    fn names_are_what_is_stored() {
        for response_type in ResponseType::ALL {
            assert_eq!(serde_json::to_value(response_type).unwrap(), response_type.name());
        }
    }
}
