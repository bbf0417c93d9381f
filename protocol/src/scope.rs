//! Scope values (RFC 6749 §3.3) and the scope documents of a workspace.

use crate::id::{ServerId, ServiceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// Longest `scope` parameter, in bytes, and most scope values in one request (attack TOK-10).
pub const MAX_SCOPE_BYTES: usize = 4096;
pub const MAX_SCOPES: usize = 100;

/// An ordered set of scope tokens. Keeps the order in which they were asked for.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeSet(Vec<String>);

impl ScopeSet {
    /// Parses the space-delimited form of RFC 6749 §3.3; duplicates are dropped.
    ///
    /// # Errors
    /// The offending token when it holds a character outside `%x21 / %x23-5B / %x5D-7E`, or a text when there
    /// is too much of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_SCOPE_BYTES {
            return Err(format!("{} bytes of scope", text.len()));
        }
        let mut set = Self::default();
        for token in text.split(' ').filter(|t| !t.is_empty()) {
            if !is_scope_token(token) {
                return Err(token.to_owned());
            }
            set.insert(token);
            if set.0.len() > MAX_SCOPES {
                return Err(format!("more than {MAX_SCOPES} scopes"));
            }
        }
        Ok(set)
    }

    pub fn insert(&mut self, scope: &str) {
        if !self.contains(scope) {
            self.0.push(scope.to_owned());
        }
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|s| s == scope)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn is_subset_of(&self, other: &ScopeSet) -> bool {
        self.iter().all(|s| other.contains(s))
    }

    /// The members of `self` for which `keep` holds.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|s| keep(s)).cloned().collect())
    }
}

/// Whether `token` is a scope-token of RFC 6749 §3.3.
pub fn is_scope_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

impl<S: AsRef<str>> FromIterator<S> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = S>>(iter: I) -> Self {
        let mut set = Self::default();
        for scope in iter {
            set.insert(scope.as_ref());
        }
        set
    }
}

impl fmt::Display for ScopeSet {
    /// The space-delimited form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A scope of a workspace, as the admin API reads and writes it (contract: `Scope`).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Scope {
    /// Identifier; default `{aid}-{name}`.
    pub id: String,
    #[schema(value_type = String)]
    pub authorization_server_id: ServerId,
    /// The service it belongs to.
    #[schema(value_type = String)]
    pub service_id: ServiceId,
    /// The value in the `scope` parameter; required.
    pub name: String,
    /// Name shown on the consent page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// Explanation shown on the consent page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Consent is not remembered: the user is asked each time.
    pub transient: bool,
    /// Requested by default for every subscribed client.
    #[serde(rename = "implicit")]
    pub implicit_request: bool,
    /// Granted without asking the user.
    pub implicit_grant: bool,
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}
