//! The `prompt` parameter (OIDC Core §3.1.2.1).

use serde::{Deserialize, Serialize};

/// Values of `prompt` that are understood; discovery lists them.
pub const PROMPT_VALUES: &[&str] = &["none", "login", "consent", "select_account"];

/// What the client wants the user to be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptSet {
    /// Nothing: answer at once, or with an error.
    pub none: bool,
    pub login: bool,
    pub consent: bool,
    pub select_account: bool,
}

impl PromptSet {
    /// Reads the space-delimited values. `None` for an unknown value, and for `none` beside others
    /// (attack AUT-13).
    pub fn parse(text: &str) -> Option<Self> {
        let mut set = Self::default();
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => set.none = true,
                "login" => set.login = true,
                "consent" => set.consent = true,
                "select_account" => set.select_account = true,
                _ => return None,
            }
        }
        let asks = set.login || set.consent || set.select_account;
        (!(set.none && asks)).then_some(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aut_13_none_stands_alone() {
        for mixed in ["none login", "login none", "none consent", "none select_account"] {
            assert_eq!(PromptSet::parse(mixed), None, "{mixed}");
        }
        assert!(PromptSet::parse("none").unwrap().none);
    }

    #[test]
    fn oidc_core_3_1_2_1_values_are_case_sensitive_and_known() {
        for unknown in ["create", "LOGIN", "login,consent"] {
            assert_eq!(PromptSet::parse(unknown), None, "{unknown}");
        }
        let set = PromptSet::parse("login consent").unwrap();
        assert!(set.login && set.consent && !set.none && !set.select_account);
        for value in PROMPT_VALUES {
            assert!(PromptSet::parse(value).is_some_and(|set| set != PromptSet::default()), "{value}");
        }
    }
}
